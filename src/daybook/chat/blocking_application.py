"""`ChatApplication`: the blocking twin of `AsyncChatApplication`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Self

from daybook.blocking import Daybook
from daybook.chat.application import AsyncChatApplication, place_of
from daybook.chat.chat_values import ChatReply, SessionInfo
from daybook.chat.tool_functions import ToolFunction
from daybook.client import ModelChoice
from daybook.context.strategy import StrategyLike
from daybook.loop_thread import LoopThread
from daybook.model.export_format import ExportFormat
from daybook.model.message import Message
from daybook.model.session import Grant, GrantRole, Session

__all__ = ["ChatApplication"]

_Tools = Sequence[ToolFunction | Callable[..., Any]]


class ChatApplication:
    """A whole chat backend, for code that is not async; see `AsyncChatApplication`.

    One object serves any number of threads. It opens its book at once and closes the book that it
    opened: use it with ``with``, or close it.
    """

    def __init__(  # noqa: PLR0913 - as its twin
        self,
        url_or_book: str | Daybook = "sqlite:///chat.db",
        *,
        redis_url: str | None = None,
        model: ModelChoice = None,
        system_prompt: str | None = None,
        max_messages: int | None = None,
        session_ttl: timedelta | float | None = None,
        strategy: StrategyLike | None = None,
        max_tokens: int | None = None,
        tools: _Tools = (),
        max_output_tokens: int | None = None,
        temperature: float | None = None,
        model_options: Mapping[str, Any] | None = None,
        max_tool_rounds: int = 8,
        tool_timeout_s: float = 60.0,
        turn_timeout_s: float = 300.0,
        lease_s: float = 60.0,
        **open_options: Any,
    ) -> None:
        """Open the chat; see `AsyncChatApplication` for the arguments."""
        self._closed = False
        place = place_of(url_or_book, redis_url, model, open_options)
        self._owned: Daybook | None = None
        if isinstance(place, str):
            self._owned = Daybook.open(place, model=model, **open_options)
        self._book: Daybook = self._owned or place
        core, loop = self._book.parts()
        self._loop: LoopThread = loop
        try:
            self._chat = AsyncChatApplication(
                core,
                system_prompt=system_prompt,
                max_messages=max_messages,
                session_ttl=session_ttl,
                strategy=strategy,
                max_tokens=max_tokens,
                tools=tools,
                max_output_tokens=max_output_tokens,
                temperature=temperature,
                model_options=model_options,
                max_tool_rounds=max_tool_rounds,
                tool_timeout_s=tool_timeout_s,
                turn_timeout_s=turn_timeout_s,
                lease_s=lease_s,
            )
        except BaseException:
            if self._owned is not None:
                self._owned.close()
            raise

    @property
    def book(self) -> Daybook:
        """The book that everything is stored in."""
        return self._book

    def create_session(
        self,
        user_id: str,
        title: str | None = None,
        *,
        session_id: str | None = None,
        conversation_id: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> Session:
        """See `AsyncChatApplication.create_session`."""
        return self._loop.run(
            self._chat.create_session(
                user_id,
                title,
                session_id=session_id,
                conversation_id=conversation_id,
                metadata=metadata,
            )
        )

    def info(self, session_id: str | Session, *, user_id: str | None = None) -> SessionInfo | None:
        """See `AsyncChatApplication.info`."""
        return self._loop.run(self._chat.info(session_id, user_id=user_id))

    def get_session_info(
        self, session_id: str | Session, *, user_id: str | None = None
    ) -> SessionInfo | None:
        """See `AsyncChatApplication.info`."""
        return self._loop.run(self._chat.get_session_info(session_id, user_id=user_id))

    def list_sessions(self, user_id: str, *, limit: int = 100) -> list[SessionInfo]:
        """See `AsyncChatApplication.list_sessions`."""
        return self._loop.run(self._chat.list_sessions(user_id, limit=limit))

    def delete_session(self, session_id: str | Session, *, user_id: str | None = None) -> bool:
        """See `AsyncChatApplication.delete_session`."""
        return self._loop.run(self._chat.delete_session(session_id, user_id=user_id))

    def history(
        self, session_id: str | Session, *, limit: int | None = None, user_id: str | None = None
    ) -> list[Message]:
        """See `AsyncChatApplication.history`."""
        return self._loop.run(self._chat.history(session_id, limit=limit, user_id=user_id))

    def export(
        self,
        session_id: str | Session,
        *,
        format: ExportFormat = "json",  # noqa: A002 - the field's own word
        user_id: str | None = None,
    ) -> str:
        """See `AsyncChatApplication.export`."""
        return self._loop.run(self._chat.export(session_id, format=format, user_id=user_id))

    def import_(self, exported: str | bytes, *, user_id: str | None = None) -> Session:
        """See `AsyncChatApplication.import_`."""
        return self._loop.run(self._chat.import_(exported, user_id=user_id))

    def share(
        self,
        session_id: str | Session,
        with_user: str,
        *,
        role: GrantRole = "reader",
        expires_at: datetime | None = None,
        user_id: str | None = None,
    ) -> Grant:
        """See `AsyncChatApplication.share`."""
        return self._loop.run(
            self._chat.share(
                session_id, with_user, role=role, expires_at=expires_at, user_id=user_id
            )
        )

    def revoke(
        self, session_id: str | Session, from_user: str, *, user_id: str | None = None
    ) -> bool:
        """See `AsyncChatApplication.revoke`."""
        return self._loop.run(self._chat.revoke(session_id, from_user, user_id=user_id))

    def fork(
        self,
        session_id: str | Session,
        *,
        at: int | None = None,
        title: str | None = None,
        user_id: str | None = None,
    ) -> Session:
        """See `AsyncChatApplication.fork`."""
        return self._loop.run(self._chat.fork(session_id, at=at, title=title, user_id=user_id))

    def chat(
        self, session_id: str | Session, message: str | Message, *, user_id: str | None = None
    ) -> ChatReply:
        """See `AsyncChatApplication.chat`."""
        return self._loop.run(self._chat.chat(session_id, message, user_id=user_id))

    def stream(
        self, session_id: str | Session, message: str | Message, *, user_id: str | None = None
    ) -> Generator[str | ChatReply, None, None]:
        """See `AsyncChatApplication.stream`; an interrupt (Ctrl-C) ends the answer, too."""
        return self._loop.iterate(self._chat.stream(session_id, message, user_id=user_id))

    def close(self) -> None:
        """See `AsyncChatApplication.close`. Repeatable."""
        if not self._closed:
            self._closed = True
            self._loop.run(self._chat.close())
            if self._owned is not None:
                self._owned.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
