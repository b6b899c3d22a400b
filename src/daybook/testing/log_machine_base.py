"""What every rule of the log's state machine stands on: the two logs, the clock, the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from daybook.errors import AccessDeniedError, ConflictError, InvalidInputError
from daybook.model.codec import decode_message
from daybook.model.entry import StoredEntry
from daybook.model.scope import Scope
from daybook.protocols.message_log import MessageLog
from daybook.testing.fake_clock import FakeClock
from daybook.testing.log_model import LogModel, ModelSession, Said
from daybook.testing.scenario import Contract

__all__ = [
    "BATCHES",
    "IDS",
    "SAID",
    "SCOPES",
    "TTLS",
    "USERS",
    "LogMachineBase",
    "machine_settings",
    "said_in",
]

T = TypeVar("T")

SCOPES = st.sampled_from(
    [*[Scope("t", "u")] * 5, Scope("t", "v"), Scope("w", "u"), Scope("t"), Scope("t", "U")]
)
USERS = st.sampled_from(["u", "u", "u", "v"])
IDS = st.sampled_from(["s", "s", "s%", "S", "f"])
SAID = st.tuples(st.sampled_from("abcdef"), st.sampled_from(["1"] * 9 + ["2"]))
BATCHES = st.lists(SAID, min_size=1, max_size=4)
TTLS = st.sampled_from([None, None, timedelta(seconds=5), timedelta(seconds=60)])


def machine_settings(examples: int, steps: int, *, shrink: bool) -> settings:
    """Return how long a machine runs; nothing is kept between runs."""
    phases = [one for one in Phase if shrink or one not in (Phase.shrink, Phase.explain)]
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=phases,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def said_in(found: Sequence[StoredEntry]) -> list[tuple[int, Said]]:
    """Return what was read as the model holds it."""
    messages = [(one.seq, decode_message(one.body)) for one in found]
    return [(seq, (message.id, message.text)) for seq, message in messages]


class LogMachineBase(RuleBasedStateMachine):
    """A log, its model and a clock that stands still."""

    def __init__(self, contract: Contract[MessageLog]) -> None:
        super().__init__()
        contract.renew()
        self.clock = FakeClock()
        self.model = LogModel()
        self.runner = asyncio.Runner()
        self.engine = self.do(contract.open(self.clock))
        self.log = contract.store_of(self.engine)

    def do(self, call: Coroutine[Any, Any, T]) -> T:
        """Run one call."""
        return self.runner.run(call)

    def outcome(self, call: Coroutine[Any, Any, T]) -> T | type[Exception]:
        """Return a call's answer, or the class of the error that the protocol allows."""
        try:
            return self.do(call)
        except (ConflictError, AccessDeniedError, InvalidInputError) as exc:
            return type(exc)

    def find(self, scope: Scope, name: str) -> ModelSession | None:
        """Return what the model holds of a session that the scope reaches now."""
        return self.model.find(scope, name, self.clock.now())

    def living(self, user: str, ttl: timedelta | None) -> ModelSession:
        """Return the model of a session made now."""
        now = self.clock.now()
        return ModelSession(user, ttl, now, None if ttl is None else now + ttl)

    def teardown(self) -> None:
        """Close the engine and the loop, with whatever is left on it."""
        try:
            self.do(self.engine.close())
        finally:
            self.runner.close()
