"""From a run's config to its history, as `RunnableWithMessageHistory` finds it, sync or async."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import run_in_executor
from langchain_core.runnables.utils import ConfigurableFieldSpec

from daybook.adapters.langchain.history import DaybookChatMessageHistory
from daybook.blocking import Daybook
from daybook.client import AsyncDaybook
from daybook.errors import InvalidInputError

__all__ = ["HistoryFactory"]

_SESSION_ID = ConfigurableFieldSpec(
    id="session_id",
    annotation=str,
    name="Session ID",
    description="Unique identifier for a session.",
    default="",
    is_shared=True,
)


class HistoryFactory:
    """Calls the user's function with what the config names."""

    def __init__(
        self,
        factory: Callable[..., Any] | str | Daybook | AsyncDaybook,
        specs: Sequence[ConfigurableFieldSpec] | None,
    ) -> None:
        self.specs = [_SESSION_ID] if specs is None else list(specs)
        if isinstance(factory, str | Daybook | AsyncDaybook):
            place = factory
            factory = lambda session_id: DaybookChatMessageHistory(session_id, place)  # noqa: E731
        self._factory: Callable[..., Any] = factory
        self._parameters = list(inspect.signature(factory).parameters)
        self._is_async = inspect.iscoroutinefunction(factory)

    def key(self, config: RunnableConfig) -> tuple[Any, ...]:
        """Return what tells a session from others."""
        configurable = config.get("configurable") or {}
        return tuple(str(configurable.get(spec.id)) for spec in self.specs)

    def get(self, config: RunnableConfig) -> Any:
        """Return the history.

        Raises:
            InvalidInputError: The config lacks a name, or the function takes other names.
        """
        made = self._call(config)
        return _run_elsewhere(made) if inspect.isawaitable(made) else made

    async def aget(self, config: RunnableConfig) -> Any:
        """Return the history; a function that is not async does not keep the loop waiting."""
        if self._is_async:
            return await self._call(config)
        made = await run_in_executor(config, self._call, config)
        return await made if inspect.isawaitable(made) else made

    def _call(self, config: RunnableConfig) -> Any:
        configurable = config.get("configurable") or {}
        names = [spec.id for spec in self.specs]
        missing = [name for name in names if name not in configurable]
        if missing and self._parameters:
            raise InvalidInputError(
                f"missing {', '.join(missing)} in config['configurable']: pass, for example, "
                f"config={{'configurable': {{'{missing[0]}': '…'}}}}"
            )
        if len(names) == 1:
            return self._factory(configurable[names[0]]) if self._parameters else self._factory()
        if set(names) != set(self._parameters):
            raise InvalidInputError(
                f"get_session_history takes {', '.join(self._parameters)}; the config fields are "
                f"{', '.join(names)}"
            )
        return self._factory(**{name: configurable[name] for name in names})


def _run_elsewhere(awaitable: Any) -> Any:
    """Run an awaitable to its end on a loop of its own, whether or not one runs here."""
    outcome: list[Any] = []

    async def wait() -> Any:
        return await awaitable

    def work() -> None:
        try:
            outcome.extend((True, asyncio.run(wait())))
        except BaseException as exc:  # noqa: BLE001 - raised again below
            outcome.extend((False, exc))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    worked, value = outcome
    if worked:
        return value
    raise value
