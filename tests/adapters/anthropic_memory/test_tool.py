"""Claude's memory tool: beside the SDK's own on the same commands, and where that one loses."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from anthropic.lib.tools import ToolError
from anthropic.lib.tools import _beta_builtin_memory_tool as sdk
from anthropic.lib.tools._beta_builtin_memory_tool import BetaLocalFilesystemMemoryTool
from hypothesis import given
from hypothesis import strategies as st

from daybook import Daybook
from daybook.adapters.anthropic_memory import AsyncDaybookMemoryTool, DaybookMemoryTool
from daybook.adapters.anthropic_memory.paths import PathRefusedError, checked_path

Call = dict[str, Any]


def make(path: str, text: str = "") -> Call:
    return {"command": "create", "path": path, "file_text": text}


def view(path: str, view_range: list[int] | None = None) -> Call:
    ranged = {} if view_range is None else {"view_range": view_range}
    return {"command": "view", "path": path, **ranged}


def swap(path: str, old: str, new: str) -> Call:
    return {"command": "str_replace", "path": path, "old_str": old, "new_str": new}


def insert(path: str, line: int, text: str) -> Call:
    return {"command": "insert", "path": path, "insert_line": line, "insert_text": text}


def move(old: str, new: str) -> Call:
    return {"command": "rename", "old_path": old, "new_path": new}


def delete(path: str) -> Call:
    return {"command": "delete", "path": path}


@pytest.fixture
def tool(place: str | Daybook) -> Iterator[DaybookMemoryTool]:
    made = DaybookMemoryTool(place, user_id="alice")
    yield made
    made.close()


def said(tool: Any, call: Call) -> str:
    try:
        return str(tool.call(call))
    except ToolError as exc:
        return f"error: {exc}"


A, B, DEEP = "/memories/a.md", "/memories/b.md", "/memories/notes/deep/c.md"
SAME: list[Call] = [
    view(A),
    make(A, "one\ntwo\nthree\nfour\nfive\nsix"),
    make(A, "again"),
    view(A),
    view(A, [2, 3]),
    view(A, [5, -1]),
    view(A, [40, 50]),
    swap(A, "two", "2"),
    swap(A, "absent", "x"),
    swap(B, "x", "y"),
    swap("/memories", "x", "y"),
    swap(A, "e", "E"),
    swap(A, "six", "six\nseven"),
    insert(A, 0, "zero\n"),
    insert(A, 3, "between"),
    insert(A, 99, "x"),
    insert(A, -1, "x"),
    insert(B, 0, "x"),
    view(A),
    make(B, "with end\r\n\r\n"),
    insert(B, 1, "more"),
    view(B),
    make("/memories/empty.md"),
    insert("/memories/empty.md", 0, "first"),
    view("/memories/empty.md"),
    make(DEEP, "x" * 3000),
    view(DEEP),
    view("/memories/notes/deep/nothing.md"),
    move(A, B),
    move("/memories/none", "/memories/x"),
    move(A, "/memories/moved/a.md"),
    view(A),
    view("/memories/moved/a.md"),
    make(A, "anew"),
    move("/memories/notes", "/memories/texts"),
    view("/memories/texts/deep/c.md"),
    view("/memories/notes/deep/c.md"),
    move("/memories", "/memories/x"),
    delete("/memories"),
    delete("/memories/none"),
    delete("/memories/texts"),
    delete(A),
    view(A),
    delete(A),
    make("/memories/../../etc/passwd", "x"),
    view("/etc/passwd"),
    make("/memories/dots/../up.md", "x"),
    view("/memories/up.md"),
    make("/memories", "x"),
]


def test_says_what_the_sdks_own_tool_says(tool: DaybookMemoryTool, tmp_path: Path) -> None:
    own = BetaLocalFilesystemMemoryTool(str(tmp_path / "own"))
    for number, call in enumerate(SAME):
        assert said(tool, call) == said(own, call), (number, call)


def test_a_directory_shows_two_levels_and_no_hidden_files(
    tool: DaybookMemoryTool, tmp_path: Path
) -> None:
    own = BetaLocalFilesystemMemoryTool(str(tmp_path / "own"))
    for path in ("b/x.md", "b/deep/hidden-below.md", "a.md", ".secret", "b/.secret", "c/y.md"):
        for one in (own, tool):
            one.call(make(f"/memories/{path}", "12345"))
    for directory in ("/memories", "/memories/b"):
        ours, theirs = (said(one, view(directory)).split("\n") for one in (tool, own))
        assert ours[0] == theirs[0]
        names = [line.partition("\t")[2] for line in ours]
        assert sorted(names) == sorted(line.partition("\t")[2] for line in theirs)
        files = [{line for line in lines if line.endswith(".md")} for lines in (ours, theirs)]
        assert files[0] == files[1] != set()
    assert said(tool, view("/memories")).split("\n")[1] == "30B\t/memories"


def test_an_empty_memory_can_be_viewed(tool: DaybookMemoryTool) -> None:
    assert said(tool, view("/memories")).endswith("\n0B\t/memories")


def test_what_is_below_a_file_or_is_a_directory_is_refused(tool: DaybookMemoryTool) -> None:
    tool.call(make(A, "x"))
    tool.call(make(DEEP, "x"))
    assert said(tool, make(f"{A}/below.md")) == f"error: {A} is not a directory"
    assert said(tool, make("/memories/notes")) == "error: File /memories/notes already exists"
    assert "into itself" in said(tool, move("/memories/notes", "/memories/notes/x"))
    assert said(tool, swap("/memories/notes", "x", "y")).endswith("is not a file.")
    assert said(tool, view("/memoriesx")).startswith("error: Path must start with")
    assert said(tool, make("/memories/\x00")).startswith("error: Path holds a NUL")
    assert said(tool, make("/memories/" + "x" * 2000)).startswith("error: Path holds a NUL or")


def test_users_share_nothing(tool: DaybookMemoryTool, place: str | Daybook) -> None:
    tool.call(make(A, "alice's"))
    other = DaybookMemoryTool(place, user_id="bob")
    assert said(other, view("/memories")).endswith("\n0B\t/memories")
    assert said(other, view(A)).startswith("error:")
    assert said(other, make(A, "bob's")).startswith("File created")
    assert other.clear_all_memory() == "All memory cleared"
    assert "alice's" in said(tool, view(A))


def test_limits_hold(place: str | Daybook) -> None:
    small = DaybookMemoryTool(place, user_id="alice", file_bytes=10, files=1)
    assert "at most 10" in said(small, make(A, "x" * 11))
    assert said(small, make(A, "x" * 10)).startswith("File created")
    assert "at most 10" in said(small, insert(A, 0, "more"))
    assert "delete some first" in said(small, make(B, ""))
    assert "half a character" in said(small, swap(A, "x" * 10, "\ud800"))


def test_earlier_versions_stay_and_the_book_finds_the_text(tmp_path: Path) -> None:
    with Daybook.open(f"sqlite:///{tmp_path}/b.db") as book:
        tool = DaybookMemoryTool(book, user_id="alice")
        tool.call(make(A, "Likes strong coffee."))
        tool.call(swap(A, "coffee", "tea"))
        versions = book.records.versions(("alice", "memories"), A)
        assert [one.value["text"] for one in versions] == [
            "Likes strong tea.",
            "Likes strong coffee.",
        ]
        assert [hit.record.key for hit in book.records.search(("alice",), query="tea")] == [A]


def _insert_from_threads(*tools: Any) -> int:
    """Return how many of a hundred lines, put in by several threads, are there at the end."""
    tools[0].call(make(A, "start\n"))
    begin = threading.Barrier(len(tools))

    def work(tool: Any, name: int) -> None:
        begin.wait()
        for number in range(100 // len(tools)):
            tool.call(insert(A, 1, f"line {name}-{number}"))

    threads = [threading.Thread(target=work, args=(one, at)) for at, one in enumerate(tools)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _lines(tools[0])


def _lines(tool: Any) -> int:
    return str(tool.call(view(A))).count("line ") - 1  # "with line numbers"


def test_no_edit_of_many_is_lost(tool: DaybookMemoryTool, place: str | Daybook) -> None:
    tools = [DaybookMemoryTool(place, user_id="alice") for _ in range(4)]
    assert _insert_from_threads(*tools) == 100
    for one in tools:
        one.close()


def test_the_sdks_own_tool_loses_edits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The failing baseline of the test above: two read the file before either writes it."""
    tools = [BetaLocalFilesystemMemoryTool(str(tmp_path)) for _ in range(2)]
    tools[0].call(make(A, "start\n"))
    both_have_read, read = threading.Barrier(2), sdk._read_file_content

    def read_and_wait(*args: Any) -> Any:
        text = read(*args)
        both_have_read.wait(60)
        return text

    with monkeypatch.context() as patch, ThreadPoolExecutor(2) as pool:
        patch.setattr(sdk, "_read_file_content", read_and_wait)
        list(pool.map(lambda tool, at: tool.call(insert(A, 1, f"line {at}")), tools, range(2)))
    assert _lines(tools[0]) == 1


EDITOR = """
import sys
from daybook.adapters.anthropic_memory import DaybookMemoryTool

url, name = sys.argv[1:]
tool = DaybookMemoryTool(url, user_id="alice", embedder=None)
for number in range(10):
    tool.call({"command": "insert", "path": "/memories/a.md", "insert_line": 1,
               "insert_text": f"line {name}-{number}"})
tool.close()
"""


def test_no_edit_of_two_processes_is_lost(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/two.db"
    tool = DaybookMemoryTool(url, user_id="alice")
    tool.call(make(A, "start\n"))
    writers = [subprocess.Popen([sys.executable, "-c", EDITOR, url, name]) for name in "ab"]
    assert [writer.wait(100) for writer in writers] == [0, 0]
    assert said(tool, view(A)).count("line ") - 1 == 20
    tool.close()


async def test_one_of_many_makes_a_file_and_one_of_many_moves_it(place: str | Daybook) -> None:
    tool = AsyncDaybookMemoryTool(place, user_id="alice")

    async def tried(call: Call) -> bool:
        try:
            await tool.call(call)
        except ToolError:
            return False
        return True

    made = await asyncio.gather(*(tried(make(A, str(at))) for at in range(6)))
    assert sum(made) == 1
    moved = await asyncio.gather(*(tried(move(A, f"/memories/to-{at}.md")) for at in range(6)))
    assert sum(moved) == 1
    listing = str(await tool.call(view("/memories")))
    assert listing.count("/memories/to-") == 1
    assert "a.md" not in listing
    tool.close()


async def test_the_async_tool_says_the_same(place: str | Daybook, tmp_path: Path) -> None:
    tool = AsyncDaybookMemoryTool(place, user_id="alice")
    own = BetaLocalFilesystemMemoryTool(str(tmp_path / "own"))
    for call in SAME:
        try:
            ours = str(await tool.call(call))
        except ToolError as exc:
            ours = f"error: {exc}"
        assert ours == said(own, call), call
    assert await tool.clear_all_memory() == "All memory cleared"
    tool.close()


def test_both_describe_themselves_as_the_built_in_tool(place: str | Daybook) -> None:
    for kind in (DaybookMemoryTool, AsyncDaybookMemoryTool):
        made = kind(place, user_id="alice", cache_control={"type": "ephemeral"})
        assert made.to_dict() == {
            "type": "memory_20250818",
            "name": "memory",
            "cache_control": {"type": "ephemeral"},
        }


@given(st.lists(st.sampled_from(["..", ".", "", "a", "b%2e", "\\..\\", " "]), max_size=8))
def test_no_path_leaves_the_root(names: list[str]) -> None:
    try:
        path = checked_path("/".join(["/memories", *names]))
    except PathRefusedError:
        return
    assert path == "/memories" or path.startswith("/memories/")
    assert not {"..", "."} & set(path.split("/"))
