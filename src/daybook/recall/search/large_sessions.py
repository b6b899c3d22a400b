"""How well the sessions of some rows answer a query, in a scope with very many documents."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from daybook.recall.columns.document_columns import DocumentColumns
from daybook.recall.search.nearness import Nearness
from daybook.recall.search.session_scores import top_means

__all__ = ["session_scores"]

# Of each session so many of the coarsely nearest turns are looked at closely: the three best of
# them are nearly always the three best of all.
_CLOSELY = 12
# Beyond so many members, sessions larger than the second number are known by their best rows.
_MOST_MEMBERS = 65_536
_LARGE_SESSION = 1_024
# Rows at a time: what is made of so many stays in a core's cache.
_LOOKED_UP = 65_536

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


def session_scores(
    scope: DocumentColumns, rows: Rows, lexical: Floats, near: Nearness
) -> tuple[Floats, Floats]:
    """Return, for each of some rows, the mean of its session's three best scores of each leg.

    Args:
        scope: The columns.
        rows: Ascending; the best of the whole scope are among them.
        lexical: BM25 of every row.
        near: Cosines.
    """
    if not scope.linked or not len(rows):
        zeros = np.zeros(len(rows), np.float32)
        return zeros, zeros
    groups = scope.groups.view
    needed = np.zeros(len(scope.group_names), np.bool_)
    needed[groups[rows]] = True
    numbers = np.cumsum(needed, dtype=np.int32) - np.int32(1)
    members = _members(scope, needed)
    owners = numbers.take(groups.take(members))
    sizes = np.bincount(owners)
    if len(members) > _MOST_MEMBERS:
        kept = (sizes <= _LARGE_SESSION)[owners]
        kept[np.searchsorted(members, rows)] = True
        members, owners = members[kept], owners[kept]
    asked = numbers[groups[rows]]
    worded = np.flatnonzero(lexical.take(members))
    by_words = top_means(lexical.take(members[worded]), owners[worded], sizes)
    if not near.is_known:
        return by_words[asked], np.zeros(len(rows), np.float32)
    members, owners = _nearest_of_each(members, owners, near)
    return by_words[asked], top_means(near.cosines(members), owners, sizes)[asked]


def _members(scope: DocumentColumns, needed: NDArray[np.bool_]) -> Rows:
    """Return the living rows of the needed groups."""
    groups, alive = scope.groups.view, scope.alive.view
    found = []
    for begin in range(0, len(groups), _LOOKED_UP):
        part = slice(begin, begin + _LOOKED_UP)
        found.append(begin + np.flatnonzero(needed.take(groups[part]) & alive[part]))
    return np.concatenate(found)


def _nearest_of_each(
    members: Rows, owners: NDArray[np.int32], near: Nearness
) -> tuple[Rows, NDArray[np.int32]]:
    """Return the coarsely nearest few members of each owner, and their owners."""
    # Owner, distance and place in one number: one sort of numbers instead of two of keys.
    packed = owners.astype(np.uint64) << np.uint64(40)
    packed |= near.distances(members).astype(np.uint64) << np.uint64(24)
    packed |= np.arange(len(members), dtype=np.uint64)
    packed.sort()
    order = (packed & np.uint64((1 << 24) - 1)).astype(np.int64)
    sizes = np.bincount(owners)
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    kept = order[np.arange(len(order)) - starts < _CLOSELY]
    return members[kept], owners[kept]
