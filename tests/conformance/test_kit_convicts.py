"""The kit convicts every broken double and acquits the sound engine."""

from __future__ import annotations

import pytest

from daybook.engines.inmemory import InMemoryEngine
from daybook.protocols.clock import Clock
from daybook.registry import Engine
from daybook.testing.broken_doubles import opener_of
from daybook.testing.broken_logs import LOG_DOUBLES, LogDouble
from daybook.testing.broken_records import RECORD_DOUBLES, RecordDouble
from daybook.testing.conviction import failures
from daybook.testing.message_log_contract import MessageLogContract
from daybook.testing.record_store_contract import RecordStoreContract


async def open_sound(clock: Clock) -> Engine:
    return InMemoryEngine(clock=clock)


@pytest.mark.parametrize("double", LOG_DOUBLES, ids=lambda double: double.__name__)
def test_every_broken_log_is_convicted_of_what_it_breaks(double: type[LogDouble]) -> None:
    found = failures(MessageLogContract, opener_of(double, open_sound))
    assert LOG_DOUBLES[double] in found, f"acquitted; failed instead: {sorted(found)}"


@pytest.mark.parametrize("double", RECORD_DOUBLES, ids=lambda double: double.__name__)
def test_every_broken_record_store_is_convicted_of_what_it_breaks(
    double: type[RecordDouble],
) -> None:
    found = failures(RecordStoreContract, opener_of(double, open_sound))
    assert RECORD_DOUBLES[double] in found, f"acquitted; failed instead: {sorted(found)}"


@pytest.mark.parametrize("double", [LogDouble, RecordDouble], ids=lambda double: double.__name__)
def test_a_double_that_breaks_nothing_is_acquitted(
    double: type[LogDouble | RecordDouble],
) -> None:
    opener = opener_of(double, open_sound)
    assert failures(MessageLogContract, opener) == {}
    assert failures(RecordStoreContract, opener) == {}
