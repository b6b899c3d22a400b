"""Records: facts under a namespace and a key, with versions, filters and search by meaning."""

from __future__ import annotations

from datetime import timedelta

from daybook import Daybook
from daybook.errors import ConflictError

with Daybook.open("sqlite:///records.db") as book:
    people = ("alice", "people")
    book.records.put(people, "jonas", {"says": "runs marathons", "age": 41, "city": "Berlin"})
    book.records.put(people, "saskia", {"says": "builds wooden boats", "age": 35, "city": "Gouda"})
    book.records.put(people, "mira", {"says": "bakes rye bread", "age": 29, "city": "Berlin"})

    moved = {"says": "runs marathons", "age": 42, "city": "Hamburg"}
    record = book.records.put(people, "jonas", moved, expected_version=1)
    print(f"jonas is at version {record.version}")
    try:
        book.records.put(people, "jonas", moved, expected_version=1)
    except ConflictError:
        print("a stale write is refused")
    cities = [one.value["city"] for one in book.records.versions(people, "jonas")]
    print(f"jonas lived in: {cities}")

    young = book.records.list(("alice",), filter={"age": {"$lt": 40}, "city": "Berlin"})
    print(f"under 40 in Berlin: {[one.key for one in young]}")

    found = book.records.search(("alice",), query="who makes boats?", limit=1)
    print(f"boats: {found[0].record.key}")

    book.records.put(("alice", "codes"), "door", {"code": "4471"}, ttl=timedelta(days=1))
    print(f"namespaces: {book.records.namespaces(('alice',))}")
