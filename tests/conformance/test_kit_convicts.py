"""The kit convicts every broken double and acquits the sound engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from daybook.engines.inmemory import InMemoryEngine
from daybook.protocols.clock import Clock
from daybook.registry import Engine
from daybook.testing.broken_doubles import Double, opener_of
from daybook.testing.broken_forks import (
    FORK_DOUBLES,
    ClearedWithItsParent,
    ForkUnmarked,
    InheritedIdsForgotten,
    LiveParent,
    LostWithItsParent,
    PlacesEndAtTheFork,
    TakesItsParentAlong,
    WindowEndsAtTheFork,
)
from daybook.testing.broken_indexes import INDEX_DOUBLES, IndexDouble
from daybook.testing.broken_logs import (
    LOG_DOUBLES,
    DeletionUnmarked,
    DroppedTail,
    DuplicateOnRetry,
    LogDouble,
    NumbersReused,
    OldestWindow,
    PartialBatch,
)
from daybook.testing.broken_races import LOG_RACE_DOUBLES, RECORD_RACE_DOUBLES
from daybook.testing.broken_records import (
    RECORD_DOUBLES,
    ExpiryIgnored,
    PrefixCollision,
    RecordDouble,
    RestoreForEver,
    RestoreKeepsOld,
    RestoreRenumbers,
    SweepKeepsSilent,
    VersionIgnored,
)
from daybook.testing.broken_views import (
    VIEW_DOUBLES,
    EndComputedAnew,
    FirstNumberIgnored,
    ViewHidesOneMore,
    ViewOfTheWindow,
)
from daybook.testing.conviction import failures
from daybook.testing.log_state_machine import run_log_machine
from daybook.testing.message_log_contract import MessageLogContract
from daybook.testing.record_state_machine import run_record_machine
from daybook.testing.record_store_contract import RecordStoreContract
from daybook.testing.scenario import Contract
from daybook.testing.search_index_contract import SearchIndexContract

ALL_LOG_DOUBLES = [LOG_DOUBLES, FORK_DOUBLES, VIEW_DOUBLES, LOG_RACE_DOUBLES]
ALL_RECORD_DOUBLES = [RECORD_DOUBLES, RECORD_RACE_DOUBLES]

# Those that one caller alone can notice.
MACHINE_DOUBLES: list[Double] = [
    DuplicateOnRetry,
    DroppedTail,
    PartialBatch,
    OldestWindow,
    NumbersReused,
    DeletionUnmarked,
    LiveParent,
    LostWithItsParent,
    ClearedWithItsParent,
    TakesItsParentAlong,
    InheritedIdsForgotten,
    WindowEndsAtTheFork,
    PlacesEndAtTheFork,
    ForkUnmarked,
    ViewHidesOneMore,
    ViewOfTheWindow,
    EndComputedAnew,
    FirstNumberIgnored,
    PrefixCollision,
    VersionIgnored,
    ExpiryIgnored,
    SweepKeepsSilent,
    RestoreRenumbers,
    RestoreKeepsOld,
    RestoreForEver,
]


async def open_sound(clock: Clock) -> Engine:
    return InMemoryEngine(clock=clock)


def convict(contract: Any, double: Double, test: str) -> None:
    opener = opener_of(double, open_sound)
    if not failures(contract, opener, only=test):
        others = sorted(failures(contract, opener))
        pytest.fail(f"acquitted by {test}; convicted by {others}")


def each(tables: Sequence[Mapping[Any, str]]) -> pytest.MarkDecorator:
    pairs = [pair for table in tables for pair in table.items()]
    return pytest.mark.parametrize(
        ("double", "test"), pairs, ids=[f"{double.__name__}-{test[5:]}" for double, test in pairs]
    )


@each(ALL_LOG_DOUBLES)
def test_every_broken_log_is_convicted_of_what_it_breaks(
    double: type[LogDouble], test: str
) -> None:
    convict(MessageLogContract, double, test)


@each(ALL_RECORD_DOUBLES)
def test_every_broken_record_store_is_convicted_of_what_it_breaks(
    double: type[RecordDouble], test: str
) -> None:
    convict(RecordStoreContract, double, test)


@each([INDEX_DOUBLES])
def test_every_broken_index_is_convicted_of_what_it_breaks(
    double: type[IndexDouble], test: str
) -> None:
    convict(SearchIndexContract, double, test)


@pytest.mark.parametrize("double", [LogDouble, RecordDouble, IndexDouble])
def test_a_double_that_breaks_nothing_is_acquitted(double: Double) -> None:
    opener = opener_of(double, open_sound)
    assert failures(MessageLogContract, opener) == {}
    assert failures(RecordStoreContract, opener) == {}
    assert failures(SearchIndexContract, opener) == {}


class BrokenContract(Contract[Any]):
    """Opens a double for the state machines."""

    def __init__(self, double: Double) -> None:
        self.opener = opener_of(double, open_sound)
        self.is_log = issubclass(double, LogDouble)

    async def open(self, clock: Clock) -> Engine:
        return await self.opener(clock)

    def store_of(self, engine: Engine) -> Any:
        return engine.log if self.is_log else engine.records


@pytest.mark.parametrize("double", MACHINE_DOUBLES, ids=lambda double: double.__name__)
def test_random_histories_convict_too(double: Double) -> None:
    contract = BrokenContract(double)
    run = run_log_machine if contract.is_log else run_record_machine
    with pytest.raises(AssertionError):
        run(contract, examples=3000, steps=30, shrink=False)  # ends at the first failure
