"""Write a part of a conversation down for a model to read, in chunks that it can take. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC

from msgspec import Struct

from daybook.context.recalled_block import escape_recalled
from daybook.model.codec import encode_json
from daybook.model.entry import HistoryEntry
from daybook.model.message import Message
from daybook.protocols.token_counter import TokenCounter

__all__ = ["Chunk", "chunks_of"]

_LINE = "\n"


class Chunk(Struct, frozen=True):
    """Some messages as text.

    Attributes:
        text: One paragraph for each message: number, date, speaker, what was said.
        last_seq: The last message that is complete with this chunk.
        entries: The messages that are complete with it.
        touched: Every message of which a part is in it.
    """

    text: str
    last_seq: int
    entries: tuple[HistoryEntry, ...]
    touched: tuple[HistoryEntry, ...] = ()


def chunks_of(
    entries: Iterable[HistoryEntry], chunk_tokens: int, counter: TokenCounter
) -> Iterator[Chunk]:
    """Yield messages in order, so many that each chunk takes about `chunk_tokens`.

    Every message is in one, whole or in parts: one that is larger than a chunk is split over
    several. A chunk's `last_seq` does not move until its message is complete.

    Cost: linear in the text. Pure.
    """
    lines: list[str] = []
    complete: list[HistoryEntry] = []
    touched: list[HistoryEntry] = []
    tokens = 0
    last_seq = 0
    for entry in entries:
        parts = _parts(_paragraph(entry), chunk_tokens, counter)
        for index, (part, size) in enumerate(parts):
            if lines and tokens + size > chunk_tokens:
                yield Chunk(_LINE.join(lines), last_seq, tuple(complete), tuple(touched))
                lines, complete, touched, tokens = [], [], [], 0
            if not touched or touched[-1] is not entry:
                touched.append(entry)
            lines.append(part)
            tokens += size
            if index == len(parts) - 1:
                complete.append(entry)
                last_seq = entry.seq
    if lines:
        yield Chunk(_LINE.join(lines), last_seq, tuple(complete), tuple(touched))


def _paragraph(entry: HistoryEntry) -> str:
    message = entry.message
    said = f"{message.created_at.astimezone(UTC):%Y-%m-%d %H:%M}, " if message.created_at else ""
    speaker = escape_recalled(message.name or "").replace("\n", " ")[:80]
    who = f"{speaker} ({message.role})" if speaker else message.role
    return f"[{entry.seq}] {said}{who}: {escape_recalled(_said(message))}"


def _said(message: Message) -> str:
    """Return what a message says, the tools it asks for and parts without text included."""
    pieces = [message.text] if message.text else []
    if not isinstance(message.content, str):
        pieces += [f"({part.type})" for part in message.content if not part.text]
    for call in message.tool_calls:
        arguments = call.arguments
        shown = arguments if isinstance(arguments, str) else encode_json(arguments).decode()
        pieces.append(f"(calls {call.name} with {shown})")
    return "\n".join(pieces) or "(nothing)"


def _parts(text: str, chunk_tokens: int, counter: TokenCounter) -> list[tuple[str, int]]:
    """Return a text with its tokens, in halves of halves until each part fits a chunk."""
    size = counter.count_text(text)
    if size <= chunk_tokens or len(text) < 2:  # noqa: PLR2004 - nothing to split
        return [(text, size)]
    middle = len(text) // 2
    space = text.rfind(" ", middle // 2, middle + 1)
    cut = space + 1 if space > 0 else middle
    left = _parts(text[:cut], chunk_tokens, counter)
    return left + _parts(text[cut:], chunk_tokens, counter)
