"""`book.calibrations`: how far token estimates are from each model's own counts."""

from __future__ import annotations

from threading import Lock

from msgspec import Struct

from daybook.context.calibration import LEAST_SAMPLES, Calibration
from daybook.errors import InvalidInputError
from daybook.facets.bounded_cell import BoundedCell, Stepped
from daybook.model.identifiers import check_id
from daybook.model.scope import Scope, internal_tenant
from daybook.protocols.clock import Clock
from daybook.protocols.record_store import RecordStore

__all__ = ["Calibrations"]

# The second label differs from all others under any user's name.
_OWNER, _KIND = "daybook:models", "calibrations"
# What one process saw is written after so many calls: the ratios of others come in no sooner.
_WRITE_EVERY = 8
_FRESH_S = 300


class _Known(Struct):
    """What this process holds of a model."""

    cell: BoundedCell[Calibration]
    shown: Calibration = Calibration()
    unwritten: list[tuple[int, int]] = []
    read_at: float | None = None


class Calibrations:
    """Learns from what providers report; what one process learns, the others of a store use."""

    def __init__(self, records: RecordStore, *, tenant: str, clock: Clock) -> None:
        """Open the calibrations of a tenant; nothing is read.

        Args:
            records: Where they are kept.
            tenant: Whose.
            clock: Decides when what others learned is read again.
        """
        self._records = records
        self._scope = Scope(internal_tenant(tenant))
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._lock = Lock()

    async def get(self, model_id: str) -> Calibration:
        """Return what is known of a model; if nothing is, a calibration whose factors are 1.

        Cost: from memory; the store is asked once, and again after five minutes.
        """
        known = self._of(model_id)
        now = self._clock.now().timestamp()
        if known.read_at is None or not 0 <= now - known.read_at < _FRESH_S:
            stored = await known.cell.read() or Calibration()
            with self._lock:
                known.shown = _with(stored, known.unwritten)
                known.read_at = now
        return known.shown

    async def observe(self, model_id: str, estimated: int, actual: int) -> Calibration:
        """Learn from one call and return what is known now.

        Args:
            model_id: The model, under any of its names.
            estimated: Tokens that were estimated for everything that was sent.
            actual: Input tokens that the provider reported; 0 if it did not: nothing is learned.

        Cost: a write for the first calls and then for every eighth; a process that ends may take
        up to seven observations with it.
        """
        for value, what in ((estimated, "estimated"), (actual, "actual")):
            if type(value) is not int or value < 0:
                raise InvalidInputError(f"{what} must be an int of 0 or more")
        before = await self.get(model_id)
        if not estimated or not actual:
            return before
        known = self._of(model_id)
        with self._lock:
            known.unwritten.append((estimated, actual))
            known.shown = known.shown.observe(estimated, actual)
            if known.shown.seen > LEAST_SAMPLES and len(known.unwritten) < _WRITE_EVERY:
                return known.shown
            writing, known.unwritten = known.unwritten, []
        try:
            written: Calibration = await known.cell.change(
                lambda stored: _stepped(stored or Calibration(), writing)
            )
        except BaseException:
            with self._lock:  # they go with the next write
                known.unwritten = [*writing, *known.unwritten]
            raise
        with self._lock:
            known.shown = _with(written, known.unwritten)
            known.read_at = self._clock.now().timestamp()
            return known.shown

    def _of(self, model_id: str) -> _Known:
        from daybook.model_catalog import get_model  # noqa: PLC0415 - as in costs

        check_id(model_id, "model_id")
        facts = get_model(model_id)
        name = model_id if facts is None else facts.id
        with self._lock:
            known = self._known.get(name)
            if known is None:
                namespace = (_OWNER, _KIND, name)
                cell = BoundedCell(self._records, self._scope, namespace, Calibration)
                known = self._known[name] = _Known(cell)
            return known


def _with(stored: Calibration, more: list[tuple[int, int]]) -> Calibration:
    for estimated, actual in more:
        stored = stored.observe(estimated, actual)
    return stored


def _stepped(stored: Calibration, more: list[tuple[int, int]]) -> Stepped[Calibration]:
    value = _with(stored, more)
    return Stepped(value, value)
