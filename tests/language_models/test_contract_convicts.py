"""The contract of language models convicts every broken one, and not the sound one."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from daybook.errors import DaybookError
from daybook.protocols.language_model import LanguageModel
from daybook.testing.broken_models import BROKEN_MODELS, Passing
from daybook.testing.language_model_contract import LanguageModelContract
from daybook.testing.model_turn import Turn
from tests.language_models.scripted import scripted_callable


def failures(broken: type[Passing]) -> set[str]:
    """Name the tests of the contract that a wrapped sound model fails."""

    class Tried(LanguageModelContract):
        @asynccontextmanager
        async def serving(
            self, *turns: Turn, patience_s: float = 30.0
        ) -> AsyncIterator[LanguageModel]:
            # Who is broken may wait in vain, and less patience only convicts more.
            wait_s = patience_s if broken is Passing else min(patience_s, 1.0)
            yield broken(scripted_callable(turns, wait_s))

    return {name for name, run in _runs(Tried()) if _fails(run)}


def _runs(tried: Any) -> list[tuple[str, Any]]:
    """List the contract's tests, once for each set of their parameters."""
    found = []
    for name in sorted(name for name in dir(tried) if name.startswith("test_")):
        test = getattr(tried, name)
        marks = [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
        cases = [mark.args[1] for mark in marks]
        for case in itertools.product(*cases):
            values = case[0] if case and isinstance(case[0], tuple) else case
            found.append((name, lambda test=test, values=values: test(*values)))
    return found


def _fails(run: Any) -> bool:
    try:
        run()
    except (AssertionError, DaybookError, pytest.fail.Exception, ValueError):
        return True
    return False


def test_the_sound_one_is_not_convicted() -> None:
    assert failures(Passing) == set()


@pytest.mark.parametrize(("broken", "test"), BROKEN_MODELS.items())
def test_every_broken_one_is(broken: type[Passing], test: str) -> None:
    assert test in failures(broken)
