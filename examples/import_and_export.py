"""Import a file twice, export a session, import it elsewhere: the same messages every time."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from daybook import AsyncDaybook
from daybook.exporters.json_export import export_json
from daybook.exporters.markdown_export import export_markdown
from daybook.importers.run import import_file

LINES = [
    {"session_id": "trip", "role": "user", "content": "Book the ferry to Skye."},
    {"session_id": "trip", "role": "assistant", "content": "Nine o'clock, two persons."},
]


async def main() -> None:
    """Go there and back."""
    async with AsyncDaybook.open("sqlite:///here.db") as book:
        for _ in range(2):
            report = await import_file(book, "talk.jsonl", user_id="alice")
            print(f"added {report.messages}, there already {report.duplicates}")
        session = await book.sessions.get("trip")
        entries = await book.history.entries("trip")
    if session is None:
        raise SystemExit("the session was not imported")

    exported = "".join(export_json(session, entries))
    await asyncio.to_thread(Path("trip.json").write_text, exported)
    print("".join(export_markdown(session, entries)).splitlines()[0])

    async with AsyncDaybook.open("sqlite:///there.db") as other:
        report = await import_file(other, "trip.json")
        same = await other.history.list("trip") == [entry.message for entry in entries]
        print(f"elsewhere: {report.messages} messages of {report.users[0]}, the same: {same}")


Path("talk.jsonl").write_text("".join(json.dumps(line) + "\n" for line in LINES))
asyncio.run(main())
