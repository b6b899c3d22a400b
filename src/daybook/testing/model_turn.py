"""What a provider does in one call of a test: an answer, or one of the ways to fail."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from daybook.model.message import Usage
from daybook.model.reply import FinishReason

__all__ = ["FAULTS", "Fault", "ScriptedCall", "Turn"]

Fault = Literal[
    "invalid",
    "limited",
    "overloaded",
    "silent",
    "garbled",
    "cut",
    "unfinished",
    "failing",
    "stalled",
]
FAULTS: dict[Fault, str] = {
    "invalid": "refuses the request for good (status 400)",
    "limited": "refuses it for now and asks for a wait of 7 s (status 429)",
    "overloaded": "fails for now (status 529 or 503)",
    "silent": "takes the request and never answers",
    "garbled": "answers with what cannot be read",
    "cut": "breaks the connection after the first piece",
    "unfinished": "ends a stream in good order, but before the answer's end",
    "failing": "says after the first piece of a stream that it failed",
    "stalled": "sends the first piece of a stream and nothing more",
}


class ScriptedCall(Struct, frozen=True):
    """A tool call, its arguments as the model wrote them."""

    id: str
    name: str
    arguments: str


class Turn(Struct, frozen=True, kw_only=True):
    """One call's script.

    Attributes:
        pieces: The answer's text as it streams.
        calls: Tools it asks for.
        finish: Why it ends.
        usage: The tokens that the provider reports, in our terms.
        echo: Answer with the last user's text instead.
        fault: How the call fails; `pieces` holds what comes before.
    """

    pieces: tuple[str, ...] = ("A", " fine", " answer.")
    calls: tuple[ScriptedCall, ...] = ()
    finish: FinishReason = "stop"
    usage: Usage = Usage(120, 30, {"cached_tokens": 70, "cache_write_tokens": 20})
    echo: bool = False
    fault: Fault | None = None
