"""The page on language models says what is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from daybook.registry import LANGUAGE_MODELS, available

PAGE = Path(__file__).parents[2] / "docs" / "models.md"


def test_its_program_runs(tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    script = tmp_path / "program.py"
    script.write_text(program)
    done = subprocess.run(
        [sys.executable, "-W", "error", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["WHERE ARE MY KEYS?", "stop"]


def test_it_names_every_provider() -> None:
    page = PAGE.read_text()
    ours = [name for name, point in available(LANGUAGE_MODELS).items() if "daybook." in point.value]
    assert ours
    assert [name for name in ours if f"`{name}:NAME`" not in page] == []
