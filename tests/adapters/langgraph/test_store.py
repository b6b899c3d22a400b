from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.langgraph.store_checks import CHECKS, Check
from tests.adapters.langgraph.stores import ENGINES, daybook_store, incumbent_store


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("engine", ENGINES)
def test_daybook(engine: str, check: Check, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    with daybook_store(engine, request, tmp_path) as (open_store, _):
        check(open_store())


DEFECTS = [(name, check) for check, failing in CHECKS.items() for name in failing]


@pytest.mark.parametrize(
    ("name", "check"), DEFECTS, ids=[f"{name}-{check.__name__}" for name, check in DEFECTS]
)
def test_the_incumbent_fails(
    name: str, check: Check, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Negative controls, and what docs/adapters/langgraph.md says of others."""
    with (
        incumbent_store(name, request, tmp_path) as store,
        pytest.raises((Exception, pytest.fail.Exception)),
    ):
        check(store)
