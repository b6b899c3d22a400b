"""Which records may have an end, so that a sweep need not read all of them."""

from __future__ import annotations

import time
from collections.abc import Iterable

from daybook.engines.dynamodb.calls import Calls, Item, Write
from daybook.engines.dynamodb.hints import all_shards
from daybook.engines.dynamodb.keys import Key, shard

__all__ = ["forget_end", "note_ends", "noted_ends"]


def note_ends(calls: Calls, places: Iterable[Key]) -> None:
    """Note records that are about to be written with an end."""
    now = time.time_ns()
    items: list[Item] = []
    for place in dict.fromkeys(places):
        name = f"r/{place[0]}|{place[1]}"
        items.append({"pk": f"x/{shard(name)}", "sk": name, "at": now})
    calls.write_many(items)


def noted_ends(calls: Calls) -> dict[Key, Item]:
    """Return the records that may have an end, each with its note."""
    found: dict[Key, Item] = {}
    for item in all_shards(calls, "x", "r/"):
        partition, _, sort = str(item["sk"])[2:].partition("|")
        found[partition, sort] = item
    return found


def forget_end(calls: Calls, note: Item) -> None:
    """Take a note away unless it was renewed."""
    calls.write(Write((note["pk"], note["sk"]), None, "#at = :at", {":at": note["at"]}))
