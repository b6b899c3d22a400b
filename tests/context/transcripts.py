"""Random conversations as agents really leave them, broken ones among them."""

from __future__ import annotations

from hypothesis import strategies as st

from daybook.model.entry import HistoryEntry
from daybook.model.message import ContentPart, Message, ToolCall

__all__ = ["budgets", "entries_of", "sound_transcripts", "transcripts"]

Step = tuple[str, int, int]

_KINDS = (
    "user",
    "user",
    "assistant",
    "call",
    "call",
    "result",
    "result",
    "result",
    "parts",
    "system",
    "orphan",
    "twice",
    "corrupt",
)
_SOUND_KINDS = ("user", "assistant", "round", "parts", "system")

budgets = st.integers(min_value=1, max_value=400)


def entries_of(*messages: Message, tokens: int = 10) -> list[HistoryEntry]:
    """Number messages from 1, each of the same size."""
    return [HistoryEntry(seq, message, tokens) for seq, message in enumerate(messages, 1)]


class _Writer:
    """Turns steps into messages; keeps the calls that wait for a result."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.corrupt: set[int] = set()
        self.open: list[str] = []
        self.answered: list[str] = []
        self.calls = 0

    def write(self, kind: str, pick: int) -> None:
        getattr(self, f"_{kind}")(pick)

    def _user(self, pick: int) -> None:
        self.messages.append(Message.user(f"u{pick}"))

    def _assistant(self, pick: int) -> None:
        self.messages.append(Message.assistant(f"a{pick}"))

    def _system(self, pick: int) -> None:
        self.messages.append(Message.system(f"s{pick}"))

    def _parts(self, pick: int) -> None:
        parts = (ContentPart("text", f"p{pick}"), ContentPart("image", data={"url": "x"}))
        self.messages.append(Message.user(parts))

    def _corrupt(self, pick: int) -> None:
        self.corrupt.add(len(self.messages))
        self._assistant(pick)

    def _call(self, pick: int) -> None:
        """Ask for one to three tools; now and then under an id used before."""
        ids = []
        for number in range(1 + pick % 3):
            self.calls += 1
            reuse = pick % 7 == 0 and number == 0
            ids.append("call-0" if reuse else f"call-{self.calls}")
        calls = tuple(ToolCall(one, "look") for one in ids)
        self.messages.append(Message.assistant("", tool_calls=calls))
        self.open += ids

    def _result(self, pick: int) -> None:
        """Answer any open call, so results come late, in any order, or never."""
        if self.open:
            call_id = self.open.pop(pick % len(self.open))
            self.answered.append(call_id)
            self.messages.append(Message.tool("r", tool_call_id=call_id))

    def _round(self, pick: int) -> None:
        """Ask, and get all answers, in any order."""
        self._call(6 * pick + 1 + pick % 2)
        while self.open:
            self._result(pick)

    def _orphan(self, pick: int) -> None:
        self.messages.append(Message.tool("?", tool_call_id=f"nobody-{pick}"))

    def _twice(self, pick: int) -> None:
        if self.answered:
            again = self.answered[pick % len(self.answered)]
            self.messages.append(Message.tool("again", tool_call_id=again))


def _written(steps: list[Step]) -> list[HistoryEntry]:
    writer = _Writer()
    sizes: list[int] = []
    for kind, pick, size in steps:
        writer.write(kind, pick)
        sizes += [size] * (len(writer.messages) - len(sizes))
    return [
        HistoryEntry(seq, message, size, corrupt=seq - 1 in writer.corrupt)
        for seq, (message, size) in enumerate(zip(writer.messages, sizes, strict=True), 1)
    ]


def _steps(kinds: tuple[str, ...]) -> st.SearchStrategy[list[HistoryEntry]]:
    step = st.tuples(
        st.sampled_from(kinds),
        st.integers(min_value=0, max_value=20),
        st.integers(min_value=1, max_value=30),
    )
    return st.lists(step, max_size=30).map(_written)


transcripts = _steps(_KINDS)
sound_transcripts = _steps(_SOUND_KINDS)
