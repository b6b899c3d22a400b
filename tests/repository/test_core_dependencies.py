"""A core install stays small, and the pins cover what the metadata asks for."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
MOST_PACKAGES = 12


def closure(package: str) -> set[str]:
    """Name a package and everything it pulls in here, extras left out."""
    found: set[str] = set()
    waiting = [package]
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in found:
            continue
        found.add(name)
        for line in metadata.requires(name) or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return found


def pinned(path: Path) -> set[str]:
    names = re.findall(r"^([A-Za-z0-9._-]+)==", path.read_text(), flags=re.MULTILINE)
    return {canonicalize_name(name) for name in names}


def test_a_core_install_is_at_most_twelve_packages() -> None:
    packages = closure("daybook")
    assert len(packages) <= MOST_PACKAGES, sorted(packages)
    assert "msgspec" in packages


def test_counting_sees_a_heavier_package() -> None:
    """The control: the count follows dependencies of dependencies."""
    assert {"onnxruntime", "tokenizers"}.isdisjoint(closure("daybook"))
    assert "markupsafe" not in closure("pytest")
    assert {"pluggy", "iniconfig"} <= closure("pytest")


def test_every_requirement_is_pinned_with_hashes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    core = {canonicalize_name(Requirement(line).name) for line in project["dependencies"]}
    extras = project["optional-dependencies"]
    development = {
        canonicalize_name(Requirement(line).name)
        for extra in ("minilm", "test", "dev")
        for line in extras[extra]
        if not line.startswith("daybook[")
    }
    assert core <= pinned(ROOT / "constraints-core.txt")
    assert core | development <= pinned(ROOT / "constraints.txt")
    for path in ROOT.glob("constraints*.txt"):
        blocks = re.split(r"\n(?=[a-z])", path.read_text())[1:]
        assert blocks
        assert all("--hash=sha256:" in block for block in blocks), path


def test_the_core_pins_agree_with_the_full_ones() -> None:
    def versions(name: str) -> set[str]:
        return set(re.findall(r"^\S+==\S+", (ROOT / name).read_text(), flags=re.MULTILINE))

    assert versions("constraints-core.txt") <= versions("constraints.txt")
