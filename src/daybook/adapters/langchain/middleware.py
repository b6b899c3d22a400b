"""Memory for `create_agent`: the log keeps the conversation, each call of the model gets a context.

The agent's state is never rewritten. What the model sees is built from the log by
`book.context.build`: history, a digest if the strategy has one, recalled messages, within a budget.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Annotated, Any, NotRequired

from langchain.agents.middleware.types import (
    AgentMiddleware,
    AgentState,
    ModelRequest,
    ModelResponse,
    PrivateStateAttr,
)
from langchain_core.messages import BaseMessage
from langchain_core.tools import BaseTool
from msgspec import Struct

from daybook.adapters.langchain.messages import from_langchain, readable
from daybook.adapters.langchain.recall_tool import create_recall_tool
from daybook.adapters.langchain.run_scope import Named, named_in_runtime, required
from daybook.adapters.langchain.session_history import SessionHistory, life_of
from daybook.adapters.opened import BookOrUrl, Place
from daybook.client import AsyncDaybook
from daybook.config import default_url
from daybook.context.strategy import Relevant, StrategyLike, TokenWindow, as_strategy
from daybook.errors import NotFoundError
from daybook.model.message import Message

__all__ = ["DaybookMiddleware", "DaybookState"]


class DaybookState(AgentState[Any]):  # type: ignore[misc] # untyped where it is checked
    """The agent's state and a place that the caller never sees.

    Attributes:
        daybook_saved: Id of the newest message that is in the log.
    """

    daybook_saved: NotRequired[  # type: ignore[valid-type]
        Annotated[str | None, PrivateStateAttr]
    ]


class _Saving(Struct, frozen=True):
    """What of a state goes into which session."""

    history: SessionHistory
    messages: Sequence[Message]
    newest: str | None


class DaybookMiddleware(AgentMiddleware[DaybookState, Any, Any]):  # type: ignore[misc]
    """Stores what is said as it is said, and shows the model the session's context.

    Messages are stored before the model is called, after it answered and at the end, each once: an
    agent that breaks off loses nothing that was said. With or without a checkpointer, the model
    sees all of the session that fits. The session is `session_id`, ``context.session_id`` or the
    thread; its owner `user_id` or ``context.user_id``.
    """

    state_schema = DaybookState

    def __init__(  # noqa: PLR0913 - what a memory is made of
        self,
        url: BookOrUrl | None = None,
        *,
        session_id: Named = None,
        user_id: Named = None,
        max_tokens: int | None = None,
        strategy: StrategyLike | None = None,
        recall: bool = True,
        recall_tool: bool = False,
        ttl: float | timedelta | None = None,
        name: str = "DaybookMiddleware",
        **open_options: Any,
    ) -> None:
        """Say where the memory is and what the model sees of it.

        Args:
            url: As for `DaybookChatMessageHistory`.
            session_id: The session, or a function from runtime to session.
            user_id: The owner, or a function from runtime to owner: recall reaches all of the
                owner's sessions. Without one a session is its own owner.
            max_tokens: Budget of what the model gets, system prompt included, tools not; None for
                no limit.
            strategy: Parts of the context, joined with ``+``: `TokenWindow`, `Summary` …
            recall: Quote what was said earlier to the point, in a marked block.
            recall_tool: Give the model a tool that searches, too.
            ttl: Seconds after its last message when a session expires.
            name: Two of them in one agent need two names.
            open_options: Options of `Daybook.open`; ``model=`` writes summaries.
        """
        super().__init__()
        self._place = Place(default_url() if url is None else url, open_options)
        self._session_id, self._user_id = session_id, user_id
        self._max_tokens = max_tokens
        chosen = as_strategy(strategy or TokenWindow())
        if recall and chosen.relevant is None:
            chosen = as_strategy(chosen + Relevant())
        self._strategy = chosen
        self._ttl = life_of(ttl)
        self._name = name
        self.tools: Sequence[BaseTool] = []
        if recall_tool:
            self.tools = [create_recall_tool(url, **open_options)]

    @property
    def name(self) -> str:
        """What tells it from other middleware."""
        return self._name

    def before_model(self, state: Any, runtime: Any) -> dict[str, Any] | None:
        """Store what is new in the state."""
        saving = self._saving(state, runtime)
        opened = self._place.open()
        return opened.run(_save(opened.awaited, saving))

    async def abefore_model(self, state: Any, runtime: Any) -> dict[str, Any] | None:
        """Store what is new in the state."""
        saving = self._saving(state, runtime)
        return await _save((await self._place.aopen()).awaited, saving)

    def after_agent(self, state: Any, runtime: Any) -> dict[str, Any] | None:
        """Store the answer."""
        return self.before_model(state, runtime)

    async def aafter_agent(self, state: Any, runtime: Any) -> dict[str, Any] | None:
        """Store the answer."""
        return await self.abefore_model(state, runtime)

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Call the model with the session's context."""
        opened = self._place.open()
        messages = opened.run(self._context(opened.awaited, request))
        return handler(request.override(messages=messages))

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any]:
        """Call the model with the session's context."""
        messages = await self._context((await self._place.aopen()).awaited, request)
        return await handler(request.override(messages=messages))

    def _history(self, runtime: Any) -> SessionHistory:
        session_id = required(named_in_runtime(self._session_id, runtime, "session_id"))
        user_id = named_in_runtime(self._user_id, runtime, "user_id")
        return SessionHistory(session_id, user_id, self._ttl).check()

    def _saving(self, state: Any, runtime: Any) -> _Saving:
        messages: list[BaseMessage] = state["messages"]
        saved = state.get("daybook_saved")
        for at in range(len(messages) - 1, -1, -1):
            if saved is not None and messages[at].id == saved:
                messages = messages[at + 1 :]
                break
        new = [from_langchain(message) for message in messages if not _is_summary(message)]
        newest = messages[-1].id if messages else saved
        return _Saving(self._history(runtime), new, newest)

    async def _context(self, book: AsyncDaybook, request: ModelRequest[Any]) -> list[Any]:
        """Return the context in place of the request's messages; its system prompt stays."""
        history = self._history(request.runtime)
        system = str(request.system_message.text) if request.system_message else None
        try:
            context = await book.context.build(
                history.session_id,
                max_tokens=self._max_tokens,
                strategy=self._strategy,
                system=system,
                user_id=history.user_id,
                keep_receipt=False,
            )
        except NotFoundError:  # it expired or was deleted since it was stored
            return list(request.messages)
        messages = context.messages[1:] if system else context.messages
        return [readable(message) for message in messages]


async def _save(book: AsyncDaybook, saving: _Saving) -> dict[str, Any] | None:
    if not saving.messages:
        return None
    await saving.history.append(book, saving.messages)
    return {"daybook_saved": saving.newest}


def _is_summary(message: BaseMessage) -> bool:
    """Tell whether LangChain's own summary middleware wrote this: it is nothing that was said."""
    return message.additional_kwargs.get("lc_source") == "summarization"
