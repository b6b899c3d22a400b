"""Calibrations are learned, shared through the store, and stay small there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from daybook.context.calibration import Calibration
from daybook.errors import InvalidInputError
from daybook.facets.calibrations import Calibrations
from daybook.model.scope import Scope, internal_tenant
from daybook.protocols.record_store import RecordStore
from daybook.registry import open_engine
from daybook.testing.fake_clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def records(clock: FakeClock) -> AsyncIterator[RecordStore]:
    engine = await open_engine("inmemory://", clock=clock)
    yield engine.records
    await engine.close()


async def test_a_model_is_calibrated_under_all_its_names(
    records: RecordStore, clock: FakeClock
) -> None:
    calibrations = Calibrations(records, tenant="t", clock=clock)
    assert await calibrations.get("gpt-4o") == Calibration()
    for name in ("gpt-4o", "openai:gpt-4o", "gpt-4o-2024-08-06"):
        await calibrations.observe(name, 100, 120)
    assert (await calibrations.get("openai:gpt-4o")).factor == 1.2
    assert not (await calibrations.get("gpt-4o-mini")).ready


async def test_another_process_uses_what_was_learned(
    records: RecordStore, clock: FakeClock
) -> None:
    one, other = (Calibrations(records, tenant="t", clock=clock) for _ in range(2))
    stranger = Calibrations(records, tenant="u", clock=clock)
    for _ in range(3):
        await one.observe("m", 100, 150)
    assert (await other.get("m")).factor == 1.5
    assert not (await stranger.get("m")).ready
    for _ in range(8):
        await one.observe("m", 100, 200)
    assert (await other.get("m")).factor == 1.5  # as it knows it
    clock.advance(timedelta(minutes=5))
    assert (await other.get("m")).factor == 2


async def test_what_several_learn_at_once_is_all_kept(
    records: RecordStore, clock: FakeClock
) -> None:
    crowd = [Calibrations(records, tenant="t", clock=clock) for _ in range(4)]
    await asyncio.gather(*(crowd[call % 4].observe("m", 100, 100 + call) for call in range(4 * 16)))
    seen = (await Calibrations(records, tenant="t", clock=clock).get("m")).seen
    assert 64 - 4 * 7 <= seen <= 64


async def test_an_observation_is_known_at_once_and_written_in_time(
    records: RecordStore, clock: FakeClock
) -> None:
    calibrations = Calibrations(records, tenant="t", clock=clock)
    for call in range(1, 1001):
        known = await calibrations.observe("m", 100, 110)
        assert known.seen == call
        clock.advance(timedelta(seconds=10))
    kept = await records.list(Scope(internal_tenant("t")), (), limit=100)
    scope = Scope(internal_tenant("t"))
    versions = [len(await records.versions(scope, r.namespace, r.key, limit=999)) for r in kept]
    assert sum(versions) <= 70


async def test_a_failed_write_goes_with_the_next(records: RecordStore, clock: FakeClock) -> None:
    calibrations = Calibrations(records, tenant="t", clock=clock)
    await calibrations.get("m")
    cell = calibrations._of("m").cell
    sound = cell.change

    async def broken(step: object) -> None:
        raise TimeoutError

    cell.change = broken  # type: ignore[method-assign]
    with pytest.raises(TimeoutError):
        await calibrations.observe("m", 100, 110)
    cell.change = sound  # type: ignore[method-assign]
    await calibrations.observe("m", 100, 110)
    assert (await Calibrations(records, tenant="t", clock=clock).get("m")).seen == 2


async def test_unreported_tokens_teach_nothing_and_wrong_ones_are_errors(
    records: RecordStore, clock: FakeClock
) -> None:
    calibrations = Calibrations(records, tenant="t", clock=clock)
    assert (await calibrations.observe("m", 100, 0)).seen == 0
    for estimated, actual in ((-1, 5), (5, -1), (1.5, 5), (True, 5)):
        with pytest.raises(InvalidInputError, match="must be an int of 0 or more"):
            await calibrations.observe("m", estimated, actual)  # type: ignore[arg-type]
