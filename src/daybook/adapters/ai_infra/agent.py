"""A small agent with ai-infra's arguments, over Daybook's sessions, models and tools."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from daybook.adapters.ai_infra.language_model import ModelChoice, choose_model, run_on_thread
from daybook.adapters.ai_infra.messages import as_messages
from daybook.adapters.ai_infra.session import SessionConfig, SessionResult
from daybook.adapters.ai_infra.session_storage import SessionStorage
from daybook.adapters.ai_infra.trimming import trim_messages
from daybook.chat.tool_functions import CalledFor, ToolFunction
from daybook.chat.toolbox import Toolbox, refused
from daybook.errors import ConfigError
from daybook.model.message import Message
from daybook.model.reply import ModelRequest, Tool
from daybook.protocols.language_model import LanguageModel

__all__ = ["Agent"]

_TOOL_TIMEOUT_S = 60.0


class Agent:
    """Answers prompts with a model and tools, and keeps sessions.

    It is what ai-infra's documentation of memory needs of an agent. For streaming, queues of turns,
    context budgets and answers that survive a crash use `daybook.chat`.
    """

    def __init__(
        self,
        tools: Sequence[Any] | None = None,
        provider: str | None = None,
        model_name: str | None = None,
        *,
        session: SessionStorage | SessionConfig | None = None,
        system: str | None = None,
        middleware: Sequence[Any] = (),
        llm: ModelChoice | None = None,
        max_rounds: int = 8,
    ) -> None:
        """Describe the agent; no model is loaded before the first run.

        Args:
            tools: Functions, LangChain tools, or what `create_memory_tool` returns.
            provider: Who answers, where there is no `llm`.
            model_name: The provider's model.
            session: Where sessions are kept; None for runs that remember nothing.
            system: What stands first in every context.
            middleware: Objects whose ``aprocess`` or ``process`` shortens the messages that are
                sent, such as `SummarizationMiddleware`; what is stored stays whole.
            llm: Who answers; see `choose_model`. Without any, what ``DAYBOOK_MODEL`` names.
            max_rounds: After so many rounds of tools the model has to answer.

        Raises:
            ConfigError: A tool is none.
        """
        self._toolbox = Toolbox([_tool_of(one) for one in tools or ()], timeout_s=_TOOL_TIMEOUT_S)
        self._config = SessionConfig(session) if isinstance(session, SessionStorage) else session
        self._system = system
        self._middleware = middleware
        self._choice = (llm, provider, model_name)
        self._model: LanguageModel | None = None
        self._max_rounds = max_rounds

    def run(
        self, prompt: str, *, session_id: str | None = None, user_id: str | None = None
    ) -> SessionResult:
        """Answer a prompt; with a session id, as the next turn of that session.

        The turn is stored when its answer is complete, whole or not at all.

        Raises:
            ConfigError: There is no model.
            ProviderError: The model failed; nothing was stored.
            StoreError: The store failed.
        """
        return run_on_thread(self.arun(prompt, session_id=session_id, user_id=user_id))

    async def arun(
        self, prompt: str, *, session_id: str | None = None, user_id: str | None = None
    ) -> SessionResult:
        """Do what `run` does, for async code."""
        before: list[Any] = []
        config = self._config if session_id is not None else None
        if config is not None and session_id is not None:
            before = await config.storage.aload(session_id)
        asked = Message.user(prompt)
        caller = CalledFor(session_id or "", user_id or session_id or "", asked.id)
        turn = await self._turn(before, asked, caller)
        if config is not None and session_id is not None:
            await config.storage.aappend(session_id, turn, user_id=user_id)
        return SessionResult(turn[-1].text, session_id or "", [*before, *turn])

    async def _turn(
        self, before: Sequence[Any], asked: Message, caller: CalledFor
    ) -> list[Message]:
        model = self._chosen()
        turn = [asked]
        rounds = 0
        while True:
            messages = await self._context(before, turn)
            tools = self._toolbox.described
            reply = await model.generate(ModelRequest(messages=messages, tools=tools))
            turn.append(reply.message)
            calls = reply.message.tool_calls
            if not calls or rounds > self._max_rounds:
                return turn
            if rounds == self._max_rounds:
                results, _ = refused(calls, self._max_rounds)
            else:
                results, _ = await self._toolbox.run(calls, caller)
            turn += results
            rounds += 1

    async def _context(self, before: Sequence[Any], turn: Sequence[Message]) -> tuple[Message, ...]:
        system = [Message.system(self._system)] if self._system else []
        messages: list[Any] = [*system, *before]
        config = self._config
        if config is not None and config.max_messages is not None:
            room = max(config.max_messages, len(turn) + len(system))
            messages = trim_messages([*messages, *turn], "last", max_messages=room)
        else:
            messages += turn
        if config is not None and config.max_tokens is not None:
            messages = trim_messages(messages, "token", max_tokens=config.max_tokens)
        for one in self._middleware:
            process = getattr(one, "aprocess", None) or one.process
            made = process(messages)
            messages = list(await made if inspect.isawaitable(made) else made)
        return tuple(as_messages(messages))

    def _chosen(self) -> LanguageModel:
        if self._model is None:
            self._model = choose_model(*self._choice)
        if self._model is None:
            raise ConfigError("the agent has no model: pass llm= or set DAYBOOK_MODEL")
        return self._model


def _tool_of(thing: Any) -> ToolFunction | Callable[..., Any]:
    """Return a tool that has a name, a description and `ainvoke` as ours; others as they are."""
    if isinstance(thing, ToolFunction) or not hasattr(thing, "ainvoke"):
        function: ToolFunction | Callable[..., Any] = thing
        return function
    described = Tool(name=thing.name, description=thing.description, parameters=_schema(thing))

    async def call(**arguments: Any) -> Any:
        return await thing.ainvoke(arguments)

    return ToolFunction(described, call)


def _schema(tool: Any) -> Mapping[str, Any]:
    schema = tool.args_schema
    if isinstance(schema, Mapping):
        return schema
    found: Mapping[str, Any] = schema.model_json_schema()
    return found
