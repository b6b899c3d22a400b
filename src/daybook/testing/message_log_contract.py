"""The whole contract of `MessageLog`: inherit `MessageLogContract`, implement ``open``.

Example:
    >>> from daybook.engines.inmemory import InMemoryEngine
    >>> class TestMyEngine(MessageLogContract):
    ...     persists = False
    ...
    ...     async def open(self, clock):
    ...         return InMemoryEngine(clock=clock)
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from daybook.model.entry import AppendResult
from daybook.protocols.message_log import MessageLog
from daybook.registry import Engine
from daybook.testing.fake_clock import FakeClock
from daybook.testing.log_append_contract import LogAppendContract
from daybook.testing.log_concurrency_contract import LogConcurrencyContract
from daybook.testing.log_expiry_contract import LogExpiryContract
from daybook.testing.log_fork_contract import LogForkContract
from daybook.testing.log_isolation_contract import LogIsolationContract
from daybook.testing.log_pending_contract import LogPendingContract
from daybook.testing.log_session_contract import LogSessionContract
from daybook.testing.log_state_machine import run_log_machine
from daybook.testing.log_view_contract import LogViewContract
from daybook.testing.log_window_contract import LogWindowContract
from daybook.testing.odd_data import AWKWARD_IDS, ODD_TEXTS
from daybook.testing.sample_data import ALICE, entries, entry, make_session, message_ids
from daybook.testing.sample_data import start_session as start
from daybook.testing.scenario import scenario

__all__ = ["MessageLogContract"]


class MessageLogContract(
    LogAppendContract,
    LogWindowContract,
    LogSessionContract,
    LogExpiryContract,
    LogForkContract,
    LogViewContract,
    LogPendingContract,
    LogConcurrencyContract,
    LogIsolationContract,
):
    """Every promise of `daybook.protocols.message_log`.

    Attributes:
        machine_examples: Random histories compared with the model.
        machine_steps: Calls in each.
    """

    machine_examples: ClassVar[int] = 25
    machine_steps: ClassVar[int] = 30

    def store_of(self, engine: Engine) -> MessageLog:
        """Return the log."""
        return engine.log

    def test_random_histories_agree_with_the_model(self) -> None:
        """A Hypothesis state machine; see `daybook.testing.log_state_machine`."""
        run_log_machine(self, examples=self.machine_examples, steps=self.machine_steps)

    @scenario
    async def test_capabilities_say_what_this_kit_saw(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """A log that keeps nothing says so; one that keeps data but may lose it says why."""
        declared = log.capabilities
        assert declared.ack == "volatile" or self.persists
        assert declared.ack != "volatile" or declared.warnings or not self.persists
        assert declared.several_processes <= self.persists
        assert declared.engine
        assert declared.max_message_bytes >= 10_000_000

    @scenario
    async def test_a_second_open_sees_the_data(self, log: MessageLog, clock: FakeClock) -> None:
        """Sessions, messages, known ids, numbers and marks; or nothing, if declared so."""
        await start(log, clock, "a", "b", ttl=timedelta(days=1))
        await log.append(ALICE, "s", entries("c"))
        session, marks = await log.get_session(ALICE, "s"), await log.pending(limit=9)
        again = await self.reopen(clock)
        if not self.persists:
            assert await again.get_session(ALICE, "s") is None
            return
        assert await again.get_session(ALICE, "s") == session
        assert await again.pending(limit=9) == marks
        assert message_ids(await again.read(ALICE, "s")) == ["a", "b", "c"]
        assert await again.append(ALICE, "s", entries("c", "d")) == AppendResult(3, 4, 1, "alice")

    @scenario
    async def test_numbers_survive_a_clear_and_a_reopen(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """The counter is stored, not derived from what is left."""
        if not self.persists:
            return
        await start(log, clock, "a", "b")
        await log.clear(ALICE, "s")
        again = await self.reopen(clock)
        assert await again.append(ALICE, "s", entries("c")) == AppendResult(3, 3, 0, "alice")

    @scenario
    async def test_any_id_names_one_thing(self, log: MessageLog, clock: FakeClock) -> None:
        """Separators, wildcards, NUL, emoji, 1 kB: all distinct as session and message ids."""
        for number, name in enumerate(AWKWARD_IDS):
            await log.create_session(ALICE, make_session(name, clock))
            first = await log.append(ALICE, name, [entry(name, str(number)), entry("m")])
            assert first == AppendResult(1, 2, 0, "alice"), name
            again = await log.append(ALICE, name, [entry(name, str(number))])
            assert again == AppendResult(1, 1, 1, "alice"), name
        for number, name in enumerate(AWKWARD_IDS):
            stored = [one.body for one in await log.read(ALICE, name)]
            assert stored == [entry(name, str(number)).body, entry("m").body]
            found = await log.get_session(ALICE, name)
            assert found is not None
            assert found.id == name
        page = await log.list_sessions(ALICE, limit=len(AWKWARD_IDS) + 1)
        assert [one.id for one in page.items] == sorted(AWKWARD_IDS)
        assert await log.delete_session(ALICE, "*")
        left = await log.list_sessions(ALICE, limit=len(AWKWARD_IDS) + 1)
        assert len(left.items) == len(AWKWARD_IDS) - 1

    @scenario
    async def test_odd_texts_come_back_byte_for_byte(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """NUL, noncharacters, bidi, both normal forms, 400 kB ± 1 and 10 MB."""
        await start(log, clock)
        given = [entry(f"m{number}", text) for number, text in enumerate(ODD_TEXTS.values())]
        for one in given:
            await log.append(ALICE, "s", [one])
        stored = await log.read(ALICE, "s")
        assert [one.body == wanted.body for one, wanted in zip(stored, given, strict=True)] == (
            [True] * len(given)
        )

    @scenario
    async def test_a_batch_of_thousands_is_one_batch(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """No limit of a driver shows through."""
        names = [f"m{number}" for number in range(3000)]
        result = await log.append(ALICE, "s", entries(*names), create=make_session("s", clock))
        assert result == AppendResult(1, 3000, 0, "alice")
        assert await log.append(ALICE, "s", entries(*names)) == AppendResult(1, 3000, 3000, "alice")
        assert message_ids(await log.read(ALICE, "s")) == names
