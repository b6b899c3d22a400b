"""What the page on measuring shows can be run, and is what comes out."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from daybook.cli.app import app
from daybook.evaluation.load import load_conversations

PAGE = Path(__file__).resolve().parents[2] / "docs" / "bench.md"
TEXT = PAGE.read_text()
TIMES = re.compile(r"^static: a question takes [\d.,]+ ms .*$", re.MULTILINE)
FIGURE = re.compile(r"\d+\.\d")


def shape(table: str) -> list[list[str]]:
    """Return a table's words with every figure alike: they change when recall gets better."""
    said = FIGURE.sub("#", TIMES.sub("static: …", table))
    return [line.split() for line in said.strip().splitlines()]


def test_the_five_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DAYBOOK_EMBEDDER", raising=False)
    (commands,) = re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL)
    said = ""
    for line in commands.splitlines():
        result = CliRunner().invoke(app, line.removeprefix("daybook ").split())
        assert result.exit_code == 0, result.output
        said = result.stdout
    (shown,) = re.findall(r"^```\n(own:.*?)```", TEXT, re.DOTALL | re.MULTILINE)
    assert shape(said) == shape(shown)


def test_the_format_is_read(tmp_path: Path) -> None:
    (lines,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    path = tmp_path / "talk.jsonl"
    path.write_text(lines)
    (one,) = load_conversations([path])
    assert [turn.id for turn in one.turns] == ["m1", "m2"]
    assert [question.answerable for question in one.questions] == [True, False]


def test_the_program_says_what_the_page_says(tmp_path: Path) -> None:
    ((program, said),) = re.findall(r"```python\n(.*?)```\n\n    ([^\n]*)\n", TEXT, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == said


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", TEXT)
    assert links
    assert [link for link in links if not (PAGE.parent / link).exists()] == []
