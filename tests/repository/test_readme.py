"""The README's program runs as it stands and says what it claims."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def test_the_quickstart_runs_in_an_empty_folder(tmp_path: Path) -> None:
    (program,) = BLOCK.findall(README.read_text())
    script = tmp_path / "quickstart.py"
    script.write_text(program)
    done = subprocess.run(
        [sys.executable, "-W", "error", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, second, third = done.stdout.splitlines()
    assert first == "durable"
    assert "moved to Oslo" in second
    assert "['user', 'assistant']" in third


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README.read_text())
    assert links
    assert [link for link in links if not (README.parent / link).exists()] == []
