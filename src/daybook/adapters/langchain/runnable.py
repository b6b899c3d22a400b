"""A runnable with a memory: `RunnableWithMessageHistory`'s keywords, without its losses."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from typing import Any, Literal
from weakref import WeakValueDictionary

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from langchain_core.runnables.config import (
    ensure_config,
    get_config_list,
    get_executor_for_config,
    merge_configs,
    patch_config,
)
from langchain_core.runnables.utils import (
    ConfigurableFieldSpec,
    gather_with_concurrency,
    get_unique_config_specs,
)

from daybook.adapters.langchain.answers import LastAnswer
from daybook.adapters.langchain.history_factory import HistoryFactory
from daybook.adapters.langchain.turn_messages import (
    input_messages,
    joined,
    new_messages,
    output_messages,
)
from daybook.blocking import Daybook
from daybook.client import AsyncDaybook
from daybook.errors import ConfigError, DaybookError, InvalidInputError

__all__ = ["HistoryWriteError", "RunnableWithMessageHistory"]

_log = logging.getLogger("daybook.langchain")
_WAIT_S = 0.01


class HistoryWriteError(DaybookError):
    """A turn was answered and could not be stored; the cause is the store's error.

    Attributes:
        output: The answer, which would be lost otherwise.
    """

    def __init__(self, output: Any) -> None:
        self.output = output
        super().__init__("the turn was answered and could not be stored; see `output` and cause")


class RunnableWithMessageHistory(Runnable[Any, Any]):
    """Gives a runnable the messages of its session, and stores what each run adds to them.

    Unlike LangChain's class of this name:

    - what could not be stored raises `HistoryWriteError`, which holds the answer;
    - a turn is the input and what the output adds to what was sent: nothing is lost or stored
      twice when others write meanwhile, when the history shrank, or when an agent gives back the
      whole conversation; one turn is stored as one batch;
    - a stream is stored as a message, and with `save_partial` also one that was broken off;
    - the function that makes histories may be async, and never keeps an event loop waiting;
    - inputs of one batch for one session run one after the other.
    """

    def __init__(  # noqa: PLR0913 - LangChain's, and how turns are kept
        self,
        runnable: Runnable[Any, Any] | Callable[..., Any],
        get_session_history: Callable[..., Any] | str | Daybook | AsyncDaybook,
        *,
        input_messages_key: str | None = None,
        output_messages_key: str | None = None,
        history_messages_key: str | None = None,
        history_factory_config: Sequence[ConfigurableFieldSpec] | None = None,
        on_write_error: Literal["raise", "log"] = "raise",
        save_partial: bool = False,
        one_turn_at_a_time: bool = False,
        **bound: Any,
    ) -> None:
        """Wrap a runnable.

        Args:
            runnable: What answers: a model, a chain, an agent, a function.
            get_session_history: Returns the history of a session, sync or async; or the URL or
                book where sessions are.
            input_messages_key: Where in a dict the input's messages are.
            output_messages_key: Where in a dict the output's messages are.
            history_messages_key: Where in the dict the runnable wants the history; None to put it
                before the input's messages.
            history_factory_config: Which fields of ``config["configurable"]`` name the history.
            on_write_error: ``"raise"``, or ``"log"`` to return an answer that was not stored.
            save_partial: Store the input, and what came of the answer, of a run that was broken
                off or failed; such an answer has ``response_metadata["partial"]``.
            one_turn_at_a_time: A run waits for others of its session in this process.
            bound: Keyword arguments for every call of the runnable.

        Raises:
            ConfigError: `on_write_error` is neither.
        """
        if on_write_error not in ("raise", "log"):
            raise ConfigError("on_write_error must be 'raise' or 'log'")
        inner: Any = runnable if isinstance(runnable, Runnable) else RunnableLambda(runnable)
        self.runnable: Runnable[Any, Any] = inner.bind(**bound) if bound else inner
        self.get_session_history = get_session_history
        self.input_messages_key = input_messages_key
        self.output_messages_key = output_messages_key
        self.history_messages_key = history_messages_key
        self._factory = HistoryFactory(get_session_history, history_factory_config)
        self._on_write_error = on_write_error
        self._save_partial = save_partial
        self._alone = one_turn_at_a_time
        self._turns: WeakValueDictionary[tuple[Any, ...], _Turns] = WeakValueDictionary()
        self._turns_lock = threading.Lock()

    @property
    def InputType(self) -> Any:  # noqa: N802 - LangChain's name
        """Whatever the runnable takes."""
        return Any

    @property
    def OutputType(self) -> Any:  # noqa: N802 - LangChain's name
        """Whatever the runnable returns."""
        return Any

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """The fields that a run's config may set."""
        return get_unique_config_specs([*self.runnable.config_specs, *self._factory.specs])

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002 - LangChain's name
        """Run, and store the turn."""
        config = ensure_config(config)
        with self._turn(config):
            run = self._begin(input, config, self._factory.get(config))
            run.given = list(run.history.messages)
            try:
                output = self.runnable.invoke(run.input, run.config, **kwargs)
            except BaseException:
                self._save(run, [], partial=True)
                raise
            self._save(run, [output])
            return output

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002 - LangChain's name
        """Run, and store the turn."""
        config = ensure_config(config)
        async with self._aturn(config):
            run = self._begin(input, config, await self._factory.aget(config))
            run.given = list(await run.history.aget_messages())
            try:
                output = await self.runnable.ainvoke(run.input, run.config, **kwargs)
            except BaseException:
                await asyncio.shield(self._asave(run, [], partial=True))
                raise
            await self._asave(run, [output])
            return output

    def stream(
        self,
        input: Any,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[Any]:
        """Run piece by piece, and store the turn at the end."""
        config = ensure_config(config)
        with self._turn(config):
            run = self._begin(input, config, self._factory.get(config))
            run.given = list(run.history.messages)
            chunks: list[Any] = []
            try:
                for chunk in self.runnable.stream(run.input, run.config, **kwargs):
                    chunks.append(chunk)
                    yield chunk
            except BaseException:  # GeneratorExit: the caller has had enough
                self._save(run, chunks, partial=True)
                raise
            self._save(run, chunks)

    async def astream(
        self,
        input: Any,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        """Run piece by piece, and store the turn at the end."""
        config = ensure_config(config)
        async with self._aturn(config):
            run = self._begin(input, config, await self._factory.aget(config))
            run.given = list(await run.history.aget_messages())
            chunks: list[Any] = []
            try:
                async for chunk in self.runnable.astream(run.input, run.config, **kwargs):
                    chunks.append(chunk)
                    yield chunk
            except BaseException:
                await asyncio.shield(self._asave(run, chunks, partial=True))
                raise
            await self._asave(run, chunks)

    def batch(
        self,
        inputs: list[Any],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any | None,
    ) -> list[Any]:
        """Run several inputs, those of one session in order, sessions at the same time."""
        if not inputs:
            return []
        configs = get_config_list(config, len(inputs))
        outputs: list[Any] = [None] * len(inputs)

        def work(places: list[int]) -> None:
            for at in places:
                try:
                    outputs[at] = self.invoke(inputs[at], configs[at], **kwargs)
                except Exception as exc:
                    if not return_exceptions:
                        raise
                    outputs[at] = exc

        with get_executor_for_config(configs[0]) as executor:
            list(executor.map(work, self._by_session(configs)))
        return outputs

    async def abatch(
        self,
        inputs: list[Any],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any | None,
    ) -> list[Any]:
        """Run several inputs, those of one session in order, sessions at the same time."""
        if not inputs:
            return []
        configs = get_config_list(config, len(inputs))
        outputs: list[Any] = [None] * len(inputs)

        async def work(places: list[int]) -> None:
            for at in places:
                try:
                    outputs[at] = await self.ainvoke(inputs[at], configs[at], **kwargs)
                except Exception as exc:
                    if not return_exceptions:
                        raise
                    outputs[at] = exc

        groups = self._by_session(configs)
        await gather_with_concurrency(configs[0].get("max_concurrency"), *map(work, groups))
        return outputs

    def _by_session(self, configs: Sequence[RunnableConfig]) -> list[list[int]]:
        groups: dict[tuple[Any, ...], list[int]] = {}
        for at, config in enumerate(configs):
            groups.setdefault(self._factory.key(config), []).append(at)
        return list(groups.values())

    def _begin(self, given: Any, config: RunnableConfig, history: Any) -> _Run:
        given = self._beside_history(given)
        sent = input_messages(given, self.input_messages_key)
        configurable = {**(config.get("configurable") or {}), "message_history": history}
        answer = LastAnswer()
        inner = merge_configs(
            patch_config(config, configurable=configurable), {"callbacks": [answer]}
        )
        return _Run(history, sent, inner, partial(self._input, given, sent), answer)

    def _beside_history(self, given: Any) -> Any:
        """Return the dict that a history goes into; text and messages are its one other field."""
        if not self.history_messages_key or isinstance(given, dict):
            return given
        name = self.input_messages_key
        if name is None:
            schema: Any = self.runnable.get_input_schema()
            fields = set(schema.model_fields) - {self.history_messages_key, "root"}
            if len(fields) != 1:
                raise InvalidInputError("the input is no dict: set input_messages_key")
            name = fields.pop()
        return {name: given}

    def _input(self, given: Any, sent: list[BaseMessage], before: list[BaseMessage]) -> Any:
        """Return what the runnable gets."""
        if self.history_messages_key:
            return {**given, self.history_messages_key: before}
        stored = {message.id for message in before if message.id}
        messages = [*before, *(message for message in sent if message.id not in stored)]
        if self.input_messages_key:
            return {**given, self.input_messages_key: messages}
        return {**given, next(iter(given)): messages} if _is_state(given) else messages

    def _save(self, run: _Run, chunks: list[Any], *, partial: bool = False) -> None:
        batch = self._turn_of(run, chunks, partial=partial)
        if batch:
            try:
                run.history.add_messages(batch)
            except Exception as exc:  # noqa: BLE001 - raised or logged there
                self._not_stored(exc, chunks, partial=partial)

    async def _asave(self, run: _Run, chunks: list[Any], *, partial: bool = False) -> None:
        batch = self._turn_of(run, chunks, partial=partial)
        if batch:
            try:
                await run.history.aadd_messages(batch)
            except Exception as exc:  # noqa: BLE001 - raised or logged there
                self._not_stored(exc, chunks, partial=partial)

    def _turn_of(self, run: _Run, chunks: list[Any], *, partial: bool) -> list[BaseMessage]:
        if partial and not self._save_partial:
            return []
        output = joined(chunks) if chunks else []
        if isinstance(output, str):  # parsed from a message that has an id, usage and so on
            output = run.answer.of(output) or output
        try:
            made = output_messages(output, self.output_messages_key)
        except DaybookError:
            if not partial:
                raise
            made = []
        if partial and made and isinstance(made[-1], AIMessage):
            marked = {**made[-1].response_metadata, "partial": True}
            made[-1] = made[-1].model_copy(update={"response_metadata": marked})
        return new_messages(run.given, run.sent, made)

    def _not_stored(self, error: Exception, chunks: list[Any], *, partial: bool) -> None:
        """Raise, or log without text; an error that is on its way already is not replaced."""
        if partial or self._on_write_error == "log":
            _log.error("a turn could not be stored: %s", type(error).__name__)
            return
        raise HistoryWriteError(joined(chunks) if chunks else None) from error

    @contextlib.contextmanager
    def _turn(self, config: RunnableConfig) -> Iterator[None]:
        if not self._alone:
            yield
            return
        turns = self._turns_of(config)
        with turns.lock:
            yield

    @contextlib.asynccontextmanager
    async def _aturn(self, config: RunnableConfig) -> AsyncIterator[None]:
        if not self._alone:
            yield
            return
        turns = self._turns_of(config)
        # Threads of any loop may hold it, so it is no lock of asyncio's.
        while not turns.lock.acquire(blocking=False):  # noqa: ASYNC110
            await asyncio.sleep(_WAIT_S)
        try:
            yield
        finally:
            turns.lock.release()

    def _turns_of(self, config: RunnableConfig) -> _Turns:
        with self._turns_lock:
            return self._turns.setdefault(self._factory.key(config), _Turns())


class _Turns:
    """Held by whoever has the turn in a session."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


class _Run:
    """One run: its history, what was said before, and what was sent."""

    def __init__(
        self,
        history: Any,
        sent: list[BaseMessage],
        config: RunnableConfig,
        make_input: Callable[[list[BaseMessage]], Any],
        answer: LastAnswer,
    ) -> None:
        self.history = history
        self.sent = sent
        self.config = config
        self.given: list[BaseMessage] = []
        self.answer = answer
        self._make_input = make_input

    @property
    def input(self) -> Any:
        return self._make_input(self.given)


def _is_state(given: Any) -> bool:
    """Tell whether an input is a graph's state, which stays a dict."""
    return isinstance(given, dict) and list(given) == ["messages"]
