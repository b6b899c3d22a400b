from __future__ import annotations

from daybook.enginekit.column_cache import ColumnCache, ScopeName

A: ScopeName = ("acme", "a", "turns")
B: ScopeName = ("acme", "b", "turns")
C: ScopeName = ("acme", "c", "turns")


def made(budget: int) -> ColumnCache[list[ScopeName]]:
    return ColumnCache(budget, lambda name: [name])


def test_a_scope_is_made_once_while_it_is_held() -> None:
    cache = made(100)
    assert cache.scope(A) is cache.scope(A)
    assert cache.scope(A) == [A]


def test_the_least_recently_used_leaves_when_the_budget_is_spent() -> None:
    cache = made(100)
    first, second = cache.scope(A), cache.scope(B)
    cache.report(A, first, 40)
    cache.report(B, second, 40)
    cache.scope(A)
    cache.report(C, cache.scope(C), 40)
    assert cache.total_bytes == 80
    assert cache.scope(A) is first
    assert cache.scope(B) is not second


def test_the_scope_in_use_stays_however_large() -> None:
    cache = made(100)
    held = cache.scope(A)
    cache.report(A, held, 1_000)
    assert cache.scope(A) is held
    cache.report(B, cache.scope(B), 10)
    assert cache.scope(A) is not held


def test_a_report_about_what_has_left_counts_nothing() -> None:
    cache = made(100)
    gone = cache.scope(A)
    cache.report(A, gone, 60)
    cache.report(B, cache.scope(B), 90)
    cache.report(A, gone, 60)
    assert cache.total_bytes == 90


def test_a_scope_that_shrinks_gives_its_room_back() -> None:
    cache = made(100)
    held = cache.scope(A)
    cache.report(A, held, 90)
    cache.report(A, held, 10)
    cache.report(B, cache.scope(B), 80)
    assert cache.total_bytes == 90
    assert cache.scope(A) is held
