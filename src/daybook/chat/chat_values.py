"""What a chat gives back, as frozen values."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from daybook.model.context import ContextReceipt
from daybook.model.entry import Receipt
from daybook.model.message import Message, Usage
from daybook.model.reply import FinishReason
from daybook.model.session import Session

__all__ = ["ChatReply", "SessionInfo", "ToolOutcome", "ToolRun"]

ToolOutcome = Literal["ok", "failed", "timed out", "unknown", "bad arguments", "refused"]


class ToolRun(Struct, frozen=True):
    """One call of a tool.

    Attributes:
        name: The tool that the model asked for.
        call_id: The call, as in the stored messages.
        outcome: How it went; ``refused`` if there had been too many rounds of tools.
        error: Kind of the exception, if the tool raised one. Its text is nowhere.
    """

    name: str
    call_id: str
    outcome: ToolOutcome
    error: str | None = None


class ChatReply(Struct, frozen=True, kw_only=True):
    """The end of a turn.

    Attributes:
        session_id: The session.
        question: The user's message as it is stored.
        message: The answer as it is stored.
        context: What went to the model, and what stayed out; None if no model was asked.
        usage: Tokens of all calls of the turn; None if the provider reported none.
        receipts: Of every append of the turn, in order: the question, each round of tools, the
            answer.
        tools: The calls of tools, in order.
        model: The model that answered, in its provider's words; None if none is configured.
        finish_reason: Why the answer ended.
        repeated: The turn had been taken before: this is the stored answer, nothing was done.
    """

    session_id: str
    question: Message
    message: Message
    context: ContextReceipt | None = None
    usage: Usage | None = None
    receipts: tuple[Receipt, ...] = ()
    tools: tuple[ToolRun, ...] = ()
    model: str | None = None
    finish_reason: FinishReason = "stop"
    repeated: bool = False

    @property
    def text(self) -> str:
        """The answer's text."""
        return self.message.text

    def __str__(self) -> str:
        return self.message.text


class SessionInfo(Struct, frozen=True, kw_only=True):
    """A session at a glance.

    Attributes:
        session_id: Its id.
        user_id: Its owner.
        title: A name for people, if it has one.
        message_count: Messages it holds, hidden ones included.
        token_count: Their tokens.
        created_at: When it was created, UTC.
        last_active: When it was created or last appended to, UTC.
        expires_at: When it ends if nothing happens; None for never.
    """

    session_id: str
    user_id: str
    title: str | None
    message_count: int
    token_count: int
    created_at: datetime
    last_active: datetime
    expires_at: datetime | None

    @classmethod
    def of(cls, session: Session) -> SessionInfo:
        """Return what there is to know of a session."""
        return cls(
            session_id=session.id,
            user_id=session.user_id,
            title=session.title,
            message_count=session.message_count,
            token_count=session.token_count,
            created_at=session.created_at,
            last_active=session.last_active_at,
            expires_at=session.expires_at,
        )
