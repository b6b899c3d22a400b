"""What a user installs holds the data files and the type marker, and nothing of the workshop."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Build the wheel and list what is in it."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.mark.parametrize(
    "needed",
    [
        "daybook/py.typed",
        "daybook/embedders/data/",
        "daybook/recall/ranking/weights/",
        "daybook/demo/",
        "daybook/testing/",
        ".dist-info/licenses/LICENSE",
        ".dist-info/entry_points.txt",
    ],
)
def test_the_wheel_holds(needed: str, names: list[str]) -> None:
    assert any(needed in name for name in names)


def test_the_wheel_holds_only_the_package(names: list[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert all(top == "daybook" or top.endswith(".dist-info") for top in tops), tops
    assert not any("__pycache__" in name for name in names)
