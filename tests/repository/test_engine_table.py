"""The page on engines says what the engines say."""

from __future__ import annotations

from msgspec.structs import replace

from tools.engine_table import PAGE, declared, render, replaced


def test_the_table_is_made_from_what_engines_declare() -> None:
    engines = declared()
    page = PAGE.read_text(encoding="utf-8")
    assert replaced(page, render(engines)) == page, "run: python -m tools.engine_table"
    assert len(engines) == 7
    changed = [replace(engines[0], durability="never"), *engines[1:]]
    assert replaced(page, render(changed)) != page
