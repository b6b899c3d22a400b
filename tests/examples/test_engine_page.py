"""The program of the page for engine authors runs and says what the page says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "engines" / "writing-an-engine.md"


def test_the_program_says_what_the_page_says(tmp_path: Path) -> None:
    found = re.search(r"```python\n(.*?)```\n\n((?:    .*\n)+)", PAGE.read_text(), re.DOTALL)
    assert found is not None
    program, said = found.groups()
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == said.split()
