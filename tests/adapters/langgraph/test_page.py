from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).resolve().parents[3] / "docs" / "adapters" / "langgraph.md"


def test_the_page_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for block in blocks:
        exec(block, names)  # noqa: S102 - our own page
        if "store" in names and "embedded" not in block:
            names["store"].close()
    assert capsys.readouterr().out.splitlines() == [
        "diet Alice is allergic to nuts",
        "['nuts and shellfish', 'nuts']",
        "['page']",
        "2 ['Hello', 'Hi!']",
    ]
    names["store"].close()
