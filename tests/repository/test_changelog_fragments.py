"""Fragments are named so that the next release can fold them in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.assemble_changelog import fragments, kind_of, section

ROOT = Path(__file__).resolve().parents[2]


def test_every_fragment_has_a_known_kind_and_text() -> None:
    for path in fragments(ROOT / "changes"):
        assert kind_of(path)
        assert path.read_text().strip()


def test_a_badly_named_fragment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="name it"):
        kind_of(tmp_path / "2.news.md")


def test_breaking_changes_come_first(tmp_path: Path) -> None:
    (tmp_path / "1.feature.md").write_text("You can count.\n")
    (tmp_path / "2.removal.md").write_text("`old` is gone;\nuse `new`.\n")
    assert section(fragments(tmp_path), "0.2.0", "2026-12-01") == (
        "## 0.2.0 (2026-12-01)\n\n### Removed\n\n- `old` is gone;\n  use `new`.\n"
        "\n### Added\n\n- You can count.\n"
    )
