"""What `recall.passages` returns: evidence in a token budget, ready to be read or quoted."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct

from daybook.model.message import Message
from daybook.model.quoted_text import escape_recalled, label

__all__ = ["Passage", "PassageLine", "Recollection", "day_of", "render_line"]

_INDENT = "\n    "


class PassageLine(Struct, frozen=True, kw_only=True):
    """One message of a passage.

    Attributes:
        message: The message, whole, as the log has it.
        seq: Its sequence number in the session.
        speaker: Who said it: the message's name, else its role.
        text: What is quoted of it: all of its text, or with ``[…]`` the part that matches best.
        matched: True for evidence; False for what only makes the evidence understood.
        score: The hit's score; None if it did not match.
        said_again: When the same was said in other messages, as far as they matched too.
        superseded_by: Id of a newer message that says otherwise, if one matched.
    """

    message: Message
    seq: int
    speaker: str
    text: str
    matched: bool
    score: float | None = None
    said_again: tuple[datetime, ...] = ()
    superseded_by: str | None = None

    @property
    def said_at(self) -> datetime | None:
        """When it was said."""
        return self.message.created_at

    @property
    def is_cut(self) -> bool:
        """Whether only a part of the message is quoted."""
        return self.text != self.message.text


class Passage(Struct, frozen=True, kw_only=True):
    """An unbroken run of messages of one session, at least one of which is evidence.

    Attributes:
        session_id: The session.
        lines: In the order said.
        score: That of its best line.
    """

    session_id: str
    lines: tuple[PassageLine, ...]
    score: float

    @property
    def said_at(self) -> datetime | None:
        """When its first line was said."""
        return self.lines[0].said_at

    def as_text(self) -> str:
        """Return the passage with its date and who speaks, escaped as `Recollection.as_text`."""
        rendered, day = [], ""
        for line in self.lines:
            shown = day_of(line.said_at)
            rendered.append(render_line(line, dated=shown != day))
            day = shown
        return "\n".join(rendered)


class Recollection(Struct, frozen=True, kw_only=True):
    """The evidence for a question that fits a token budget.

    Attributes:
        passages: Best first. No message stands in two of them.
        tokens: Tokens of `as_text()`, by the counter that counts messages at append.
        left_out: Messages that matched and found no room.
    """

    passages: tuple[Passage, ...]
    tokens: int
    left_out: int = 0

    def as_text(self) -> str:
        """Return the passages as text to quote to a model; empty if there are none.

        A passage begins with its date in brackets; lines of it read ``Speaker: text``. Further
        lines of a message are indented, so that no text can pose as somebody else's, and what could
        pass for a tag, a role mark or hidden text is escaped. It is data: put it into a user
        message, never into a system prompt (`context.build` does, with marks around it).
        """
        return "\n".join(passage.as_text() for passage in self.passages)


def render_line(line: PassageLine, *, dated: bool) -> str:
    """Return a line as text, with the date in front where it `dated` opens a passage or a day."""
    notes = ""
    if line.said_again:
        days = sorted({day_of(moment) for moment in line.said_again})
        notes = f" (said again {', '.join(days)})"
    if line.superseded_by is not None:
        notes += " (no longer so: see a later message)"
    text = escape_recalled(line.text).strip().replace("\n", _INDENT)
    date = f"[{day_of(line.said_at)}] " if dated else ""
    return f"{date}{label(line.speaker)}: {text}{notes}"


def day_of(moment: datetime | None) -> str:
    """Return the day of a moment, UTC, as passages name it."""
    return "undated" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d")
