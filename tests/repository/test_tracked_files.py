"""Nothing in the repository ties it to one machine or one package index."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Written in pieces, so that this file does not hold what it looks for.
FORBIDDEN = {
    "a home folder": re.compile(rb"/(?:root|home|Users)" + rb"/[A-Za-z0-9_.]"),
    "a build machine's folder": re.compile(rb"(?<![A-Za-z0-9_.}])/work" + rb"/(?:main|shared)"),
    "a package index": re.compile(
        rb"pypi\." + rb"org|python" + rb"hosted\.|registry\.npm" + rb"js|deb\.deb" + rb"ian\."
    ),
}
LARGEST_BYTES = 16 * 1024 * 1024


def tracked_files() -> list[Path]:
    """List what git tracks and has not been deleted; a source archive has no git, so all files."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def offences(content: bytes) -> list[str]:
    return [name for name, pattern in FORBIDDEN.items() if pattern.search(content)]


def test_no_tracked_file_names_a_machine_or_an_index() -> None:
    found = {
        str(path.relative_to(ROOT)): offences(content)
        for path in tracked_files()
        if b"\0" not in (content := path.read_bytes())
    }
    assert {name: what for name, what in found.items() if what} == {}


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"cd /home" + b"/someone/code", "a home folder"),
        (b"open('/work" + b"/main/x')", "a build machine's folder"),
        (b"--index-url https://pypi." + b"org/simple", "a package index"),
    ],
)
def test_the_search_finds_what_it_looks_for(content: bytes, what: str) -> None:
    """The control: each pattern convicts."""
    assert offences(content) == [what]


def test_no_tracked_file_is_huge() -> None:
    large = {
        str(path): size for path in tracked_files() if (size := path.stat().st_size) > LARGEST_BYTES
    }
    assert large == {}
