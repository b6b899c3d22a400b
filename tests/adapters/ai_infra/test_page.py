"""The code of our own page runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).resolve().parents[3] / "docs" / "adapters" / "ai-infra.md"


def test_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DAYBOOK_MODEL", raising=False)
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)  # noqa: S102 - the page's own code
    said = capsys.readouterr().out
    for expected in (
        "language {'value': 'Prefers Python'}",
        "session_001",
        "### Result 1",
        "200000",
    ):
        assert expected in said
    assert said.splitlines()[-2:] == ["You said 2 things so far.", "4"]
