"""A summariser for LangChain's `SummarizationMiddleware` that archives first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import BaseMessage, get_buffer_string
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import ensure_config

from daybook.adapters.langchain.messages import from_langchain, readable
from daybook.adapters.langchain.run_scope import Named, named_in_config, required
from daybook.adapters.langchain.session_history import SessionHistory
from daybook.adapters.opened import BookOrUrl, Place
from daybook.client import AsyncDaybook
from daybook.config import default_url
from daybook.context.strategy import StrategyLike, Summary, TokenWindow, as_strategy
from daybook.errors import BudgetError

__all__ = ["DaybookSummarizer"]

_ROOM = 256  # beside what must be kept


class DaybookSummarizer(Runnable[Any, str]):
    """Stores the messages that leave an agent's state, then returns a summary of all of them.

    ``SummarizationMiddleware(…, summarizer=DaybookSummarizer(url), trim_tokens_to_summarize=None)``

    LangChain's own summary forgets what it was not shown; here every message that leaves is in the
    session first, once, and the summary grows from the one before. With ``model=`` it is written
    by that model, otherwise it is made of quotes.
    """

    def __init__(
        self,
        url: BookOrUrl | None = None,
        *,
        session_id: Named = None,
        user_id: Named = None,
        max_tokens: int = 1000,
        strategy: StrategyLike | None = None,
        **open_options: Any,
    ) -> None:
        """Say where and what.

        Args:
            url: As for `DaybookChatMessageHistory`.
            session_id: The session, or a function of the config; else the config's thread.
            user_id: Its owner, likewise.
            max_tokens: Of the summary: a digest of what is older, then the newest word for word.
            strategy: Parts of it, joined with ``+``.
            open_options: Options of `Daybook.open`.
        """
        self._place = Place(default_url() if url is None else url, open_options)
        self._session_id, self._user_id = session_id, user_id
        self._max_tokens = max_tokens
        self._strategy = as_strategy(strategy or TokenWindow() + Summary())

    def invoke(
        self,
        input: Sequence[BaseMessage],  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **_: Any,
    ) -> str:
        """Store the messages and return the summary."""
        opened = self._place.open()
        return opened.run(self._summary(opened.awaited, input, self._history(config)))

    async def ainvoke(
        self,
        input: Sequence[BaseMessage],  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **_: Any,
    ) -> str:
        """Store the messages and return the summary."""
        book = (await self._place.aopen()).awaited
        return await self._summary(book, input, self._history(config))

    def _history(self, config: RunnableConfig | None) -> SessionHistory:
        known = ensure_config(config)
        session_id = required(named_in_config(self._session_id, known, "session_id"))
        return SessionHistory(session_id, named_in_config(self._user_id, known, "user_id")).check()

    async def _summary(
        self, book: AsyncDaybook, messages: Sequence[BaseMessage], history: SessionHistory
    ) -> str:
        said = [
            from_langchain(message)
            for message in messages
            if message.additional_kwargs.get("lc_source") != "summarization"
        ]
        if said:
            await history.append(book, said)
        try:
            shown = await self._build(book, history, self._max_tokens)
        except BudgetError as error:  # one long turn: it stays whole
            shown = await self._build(book, history, error.needed + _ROOM)
        return get_buffer_string(shown)

    async def _build(
        self, book: AsyncDaybook, history: SessionHistory, max_tokens: int
    ) -> list[BaseMessage]:
        context = await book.context.build(
            history.session_id,
            max_tokens=max_tokens,
            strategy=self._strategy,
            user_id=history.user_id,
            keep_receipt=False,
        )
        return [readable(message) for message in context.messages]
