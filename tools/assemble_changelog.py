"""Fold the fragments in ``changes/`` into a new section of ``CHANGELOG.md`` and delete them."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADINGS = {
    "removal": "Removed",
    "feature": "Added",
    "change": "Changed",
    "fix": "Fixed",
    "security": "Security",
    "doc": "Documentation",
}
MARK = "## Unreleased\n"


def kind_of(path: Path) -> str:
    """Read a fragment's kind from its name, ``<id>.<kind>.md``."""
    parts = path.name.split(".")
    if len(parts) != 3 or parts[1] not in HEADINGS:  # noqa: PLR2004 - id, kind, md
        raise ValueError(f"{path.name}: name it <id>.<kind>.md, kind one of {', '.join(HEADINGS)}")
    return parts[1]


def fragments(folder: Path) -> list[Path]:
    """List the fragments, by name."""
    return sorted(path for path in folder.glob("*.md") if path.name != "README.md")


def section(paths: list[Path], version: str, date: str) -> str:
    """Write the section for one release: breaking changes first."""
    lines = [f"## {version} ({date})"]
    for kind, heading in HEADINGS.items():
        texts = [path.read_text().strip() for path in paths if kind_of(path) == kind]
        if texts:
            lines += ["", f"### {heading}", ""]
            lines += ["- " + text.replace("\n", "\n  ") for text in texts]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the section for the given version."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version")
    version = parser.parse_args().version
    paths = fragments(ROOT / "changes")
    if not paths:
        print("changes/ holds no fragments", file=sys.stderr)
        return 1
    today = datetime.now(UTC).date().isoformat()
    changelog = ROOT / "CHANGELOG.md"
    added = section(paths, version, today)
    changelog.write_text(changelog.read_text().replace(MARK, f"{MARK}\n{added}", 1))
    for path in paths:
        path.unlink()
    print(f"CHANGELOG.md: {version} with {len(paths)} changes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
