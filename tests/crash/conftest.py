"""What the crash tests share: a source of children, strace, a folder in memory."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.crash.strace import available
from tools.crash.zygote import Zygote

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - only to open images of a disk quickly


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """Children in milliseconds."""
    with Zygote() as started:
        yield started


@pytest.fixture(scope="session")
def tracer(zygote: Zygote) -> Zygote:
    """The same where strace is there to be attached to them."""
    if not available():
        pytest.skip("strace is not installed: make system-tools")
    return zygote


@pytest.fixture
def quick_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: images need no disk of their own."""
    if not SHARED_MEMORY.is_dir():
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(prefix="daybook-", dir=SHARED_MEMORY))
    yield folder
    shutil.rmtree(folder)
