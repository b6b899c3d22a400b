"""Programs of a page of the documentation: each a block of Python, then what it prints."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

__all__ = ["DOCS", "broken_links", "programs_of", "words_printed"]

DOCS = Path(__file__).resolve().parents[2] / "docs"

_PROGRAM = re.compile(r"```python\n(.*?)```\n\n((?:    [^\n]*\n)+)", re.DOTALL)
_LINK = re.compile(r"\]\(([^)#]+)[^)]*\)")
_LIMIT_S = 100


def programs_of(page: Path) -> list[tuple[str, str]]:
    """Return a page's programs, each with what the page says that it prints."""
    return _PROGRAM.findall(page.read_text())


def words_printed(
    program: str, folder: Path, *, warnings: str = "error", logs: bool = True
) -> list[str]:
    """Run a program in a folder; return the words it prints.

    It must end well, without a warning where those are errors, and without a log if it has none.
    """
    done = subprocess.run(
        [sys.executable, "-W", warnings, "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert logs or done.stderr == ""
    return done.stdout.split()


def broken_links(page: Path) -> list[str]:
    """Return a page's links that lead nowhere in the repository."""
    links = _LINK.findall(page.read_text())
    local = [link for link in links if "://" not in link]
    return [link for link in local if not (page.parent / link).exists()]
