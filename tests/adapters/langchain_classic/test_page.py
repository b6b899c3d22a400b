"""The code of our page runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).resolve().parents[3] / "docs" / "adapters" / "langchain-classic.md"


def test_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)  # noqa: S102 - the page's own code
    assert capsys.readouterr().out.splitlines() == [
        r"{'history': 'Human: hi\nAI: hello'}",
        "['Bob likes tea.', 'What do I like?', 'Tea.']",
        "4",
        "input: my dog is called Rex",
        "output: ok",
    ]
