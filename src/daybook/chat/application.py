"""`AsyncChatApplication`: a whole chat backend in one object."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from typing import Any, Self

from daybook.chat.chat_sessions import ChatSessions, id_of
from daybook.chat.chat_settings import DEFAULT_STRATEGY, ChatSettings, context_tokens
from daybook.chat.chat_values import ChatReply
from daybook.chat.ending import completed, ended
from daybook.chat.questions import asked_by
from daybook.chat.tool_functions import ToolFunction
from daybook.chat.toolbox import Toolbox
from daybook.chat.turn import Asked, Emit, Turn
from daybook.chat.turn_line import Standing, TurnLine
from daybook.chat.turn_queue import TurnQueue
from daybook.client import AsyncDaybook, ModelChoice
from daybook.context.strategy import Strategy, StrategyLike
from daybook.errors import (
    ConfigError,
    DaybookError,
    StoreClosedError,
    TurnTimeoutError,
    UnsupportedError,
)
from daybook.model.message import Message
from daybook.model.session import Session

__all__ = ["AsyncChatApplication"]

_log = logging.getLogger("daybook.chat")
_Tools = Sequence[ToolFunction | Callable[..., Any]]


class AsyncChatApplication(ChatSessions):
    """Sessions, turns with a model and its tools, streaming, forks, sharing, export.

    Turns of one session queue, in this process in order of arrival and across processes. A user's
    message is durable before the model is asked; what is broken off keeps what had come, marked.
    Wherever a method names a `user_id`, the session must be theirs or shared with them.

    Use it with ``async with``, or close it; it opens its book when it is first used, and closes the
    book that it opened.

    Args:
        url_or_book: Where it is stored, or an open book, which stays open and brings its own
            model.
        redis_url: Another name for the URL.
        model: What answers, as in `AsyncDaybook.open`; None for answers from memory alone.
        system_prompt: What stands first in every context.
        max_messages: New sessions show so many of their newest messages; None for all.
        session_ttl: New sessions end so long after their last activity, as a timedelta or in
            seconds; None for never.
        strategy: What contexts consist of; `DEFAULT_STRATEGY` unless given.
        max_tokens: Their budget; by default what the model can take, 32,000 at most.
        tools: Functions that the model may call; see `ToolFunction`.
        max_output_tokens: Longest answer; None for the provider's own limit.
        temperature: None for the provider's default.
        model_options: More fields for every call of this provider.
        max_tool_rounds: After so many rounds of tools in a turn the model has to answer.
        tool_timeout_s: Longest run of one call of a tool.
        turn_timeout_s: Longest turn, waiting for those before it included.
        lease_s: So long other processes wait for one that died in a turn.
        open_options: Further arguments of `AsyncDaybook.open`: ``index``, ``embedder`` …
    """

    def __init__(  # noqa: PLR0913 - what a chat is made of
        self,
        url_or_book: str | AsyncDaybook = "sqlite:///chat.db",
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
        """Describe the chat; nothing is opened yet.

        Raises:
            ConfigError: Arguments contradict each other, or a tool is none.
            InvalidInputError: A value is wrong.
        """
        self._toolbox = Toolbox(tools, timeout_s=tool_timeout_s)
        self._settings = ChatSettings.checked(
            system_prompt=system_prompt,
            max_messages=max_messages,
            session_ttl=session_ttl,
            strategy=strategy,
            max_tokens=max_tokens,
            max_output_tokens=max_output_tokens,
            temperature=temperature,
            model_options=model_options,
            max_tool_rounds=max_tool_rounds,
            turn_timeout_s=turn_timeout_s,
            lease_s=lease_s,
        )
        self._place = place_of(url_or_book, redis_url, model, open_options)
        self._open_options = {"model": model, **open_options}
        self._opened: _Opened | None = None
        self._opening = asyncio.Lock()
        self._closed = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._line = TurnLine()

    @property
    def book(self) -> AsyncDaybook:
        """The book that everything is stored in.

        Raises:
            ConfigError: It is not open yet.
        """
        if self._opened is None:
            raise ConfigError("the chat is not open yet: use it with `async with`")
        return self._opened.book

    # ---------------------------------------------------------------------------------- turns

    async def chat(
        self, session_id: str | Session, message: str | Message, *, user_id: str | None = None
    ) -> ChatReply:
        """Take a turn and return the answer.

        Args:
            session_id: The session.
            message: What the user says: text, or a message of theirs. One with an id of the
                caller's may be sent again after a failure: a turn that has its answer is not taken
                twice.
            user_id: Who says it: the session's owner, or someone it is shared with as a writer;
                None for the owner, unchecked.

        Raises:
            NotFoundError: There is no such session (for this user).
            AccessDeniedError: It is shared with the user for reading only.
            InvalidInputError: The message cannot be stored.
            ConflictError: Its id is stored with another body.
            ProviderError: The model failed. The user's message is stored.
            CostCapError: The call could pass a cap. The user's message is stored.
            BudgetError: The message does not fit a context. It is stored.
            TurnTimeoutError: It took too long.
            StoreError: The store failed; send the same message again.

        Ordering: a turn sees all turns of the session that ended before it began.
        Retry-safe: yes, by message id.
        """
        task = self._begin(id_of(session_id), message, user_id, None)
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
            await ended(task)
        return self._result(task)

    async def stream(
        self, session_id: str | Session, message: str | Message, *, user_id: str | None = None
    ) -> AsyncGenerator[str | ChatReply]:
        """Take a turn and yield the answer's text in pieces, then the `ChatReply`.

        Arguments and errors are those of `chat`. The model is read no faster than the pieces are
        taken. Closed early, the generator stores what had come before it returns. Texts from
        before and after a round of tools are parted by an empty line.
        """
        pieces: asyncio.Queue[str] = asyncio.Queue(maxsize=1)
        task = self._begin(id_of(session_id), message, user_id, pieces.put)
        try:
            while not task.done():
                getting = asyncio.ensure_future(pieces.get())
                try:
                    await asyncio.wait({getting, task}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    getting.cancel()
                if getting.done() and not getting.cancelled():
                    yield getting.result()
            while not pieces.empty():
                yield pieces.get_nowait()
            yield self._result(task)
        finally:
            task.cancel()
            await ended(task)

    # ------------------------------------------------------------------------------- lifetime

    async def close(self) -> None:
        """End the turns under way, keeping what has come of them; close the book it opened.

        Repeatable.
        """
        self._closed = True
        here = asyncio.get_running_loop()
        tasks = [task for task in self._tasks if task.get_loop() is here]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        opened, self._opened = self._opened, None
        if opened is not None and isinstance(self._place, str):
            await opened.book.close()

    async def __aenter__(self) -> Self:
        await self._ready()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _opened_book(self) -> AsyncDaybook:
        return (await self._ready()).book

    async def _ready(self) -> _Opened:
        if self._opened is None:
            async with self._opening:
                if self._closed:
                    raise _closed()
                if self._opened is None:
                    await completed(self._open())
        assert self._opened is not None  # noqa: S101 - `_open` sets it or raises
        return self._opened

    async def _open(self) -> None:
        if isinstance(self._place, str):
            book = await AsyncDaybook.open(self._place, **self._open_options)
        else:
            book = self._place
        self._opened = await _Opened.around(book, self._settings)

    def _begin(
        self, session_id: str, message: str | Message, user_id: str | None, emit: Emit | None
    ) -> asyncio.Task[ChatReply]:
        """Take the place in line at once; return the turn on its way."""
        standing = self._line.stand(session_id)

        async def take() -> ChatReply:
            opened = await self._ready()
            asked = await asked_by(opened.book, session_id, message, user_id)
            return await self._taken(opened, asked, standing, emit)

        task = self._start(take())
        # Not in `take`: a task that is cancelled at once never runs.
        task.add_done_callback(lambda _: standing.leave())
        return task

    async def _taken(
        self, opened: _Opened, asked: Asked, standing: Standing, emit: Emit | None
    ) -> ChatReply:
        turn = Turn(
            opened.book,
            self._settings,
            opened.strategy,
            opened.max_tokens,
            self._toolbox,
            asked,
            emit,
        )
        limit = asyncio.timeout(self._settings.turn_timeout_s)
        began = False
        try:
            async with limit, opened.queue.turn(asked.session, standing) as place:
                began = True
                reply = await turn.run(place)
        except TimeoutError:
            if not limit.expired():
                raise
            raise TurnTimeoutError(
                asked.session.id, self._settings.turn_timeout_s, began=began
            ) from None
        if opened.strategy.digest is not None and not reply.repeated:
            _ = self._start(_prepare(opened, asked.session))
        return reply

    def _result(self, task: asyncio.Task[ChatReply]) -> ChatReply:
        if task.cancelled() and self._closed:
            raise _closed()
        return task.result()

    def _start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


class _Opened:
    """What is known once the book is open."""

    def __init__(
        self, book: AsyncDaybook, strategy: Strategy, max_tokens: int, lease_s: float
    ) -> None:
        self.book = book
        self.strategy = strategy
        self.max_tokens = max_tokens
        self.queue = TurnQueue(book.turn_leases, lease_s=lease_s)

    @classmethod
    async def around(cls, book: AsyncDaybook, settings: ChatSettings) -> _Opened:
        strategy = settings.strategy
        if strategy is None:
            strategy = await _default_strategy(book)
        model_id = None if book.model is None else book.model.id
        tokens = settings.max_tokens or context_tokens(model_id, settings.max_output_tokens)
        return cls(book, strategy, tokens, settings.lease_s)


async def _default_strategy(book: AsyncDaybook) -> Strategy:
    """Return the default, without recall where there is no index to recall from."""
    try:
        await book.recall.is_lost()
    except UnsupportedError:
        return Strategy(tail=DEFAULT_STRATEGY.tail, digest=DEFAULT_STRATEGY.digest)
    return DEFAULT_STRATEGY


async def _prepare(opened: _Opened, session: Session) -> None:
    """Have the digest made that the next turn would wait for; if it fails, that one tries again."""
    try:
        await opened.book.context.prepare(
            session.id,
            max_tokens=opened.max_tokens,
            strategy=opened.strategy,
            user_id=session.user_id,
        )
    except DaybookError as exc:
        _log.warning("a digest could not be prepared: %s", type(exc).__name__)


def place_of(
    url_or_book: Any, redis_url: str | None, model: ModelChoice, open_options: Mapping[str, Any]
) -> Any:
    """Return the URL or the book of a chat.

    Raises:
        ConfigError: There are two, or a book and ways to open one.
    """
    if redis_url is not None:
        if url_or_book != "sqlite:///chat.db":
            raise ConfigError("chat: give a URL or redis_url, not both")
        return redis_url
    if not isinstance(url_or_book, str) and (model is not None or open_options):
        given = ", ".join(["model"] * (model is not None) + sorted(open_options))
        raise ConfigError(f"chat: give {given} where the book is opened, the chat borrows it")
    return url_or_book


def _closed() -> StoreClosedError:
    return StoreClosedError("it was closed", engine="daybook", operation="chat")
