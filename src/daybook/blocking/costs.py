"""`book.costs` and `book.calibrations` for code that is not async."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from daybook.context.calibration import Calibration
from daybook.facets.calibrations import Calibrations
from daybook.facets.costs import EXPIRES_AFTER, By, Costs
from daybook.loop_thread import LoopThread
from daybook.model.cost import Cap, CostTotals, Period, Reservation
from daybook.model.message import Usage
from daybook.model.reply import Reply

__all__ = ["BlockingCalibrations", "BlockingCosts"]


class BlockingCosts:
    """Blocking twin of `Costs`."""

    def __init__(self, facet: Costs, loop: LoopThread) -> None:
        self._facet = facet
        self._run = loop.run

    def record(
        self, user_id: str, operation: str, used: Reply | Usage, *, model: str | None = None
    ) -> int | None:
        """See `Costs.record`."""
        return self._run(self._facet.record(user_id, operation, used, model=model))

    def reserve(
        self,
        user_id: str,
        operation: str,
        model: str,
        input_tokens: int,
        max_output_tokens: int,
        *,
        expires_after: timedelta = EXPIRES_AFTER,
    ) -> Reservation:
        """See `Costs.reserve`."""
        return self._run(
            self._facet.reserve(
                user_id,
                operation,
                model,
                input_tokens,
                max_output_tokens,
                expires_after=expires_after,
            )
        )

    def settle(self, reservation: Reservation, used: Reply | Usage | None) -> int | None:
        """See `Costs.settle`."""
        return self._run(self._facet.settle(reservation, used))

    def cancel(self, reservation: Reservation) -> None:
        """See `Costs.cancel`."""
        return self._run(self._facet.cancel(reservation))

    def totals(
        self,
        user_id: str | None = None,
        *,
        since: date | None = None,
        until: date | None = None,
        by: By = "operation",
    ) -> CostTotals:
        """See `Costs.totals`."""
        return self._run(self._facet.totals(user_id, since=since, until=until, by=by))

    def set_cap(
        self,
        user_id: str | None,
        usd: Decimal | int | str | None = None,
        *,
        tokens: int | None = None,
        period: Period = "month",
        operation: str | None = None,
    ) -> Cap:
        """See `Costs.set_cap`."""
        return self._run(
            self._facet.set_cap(user_id, usd, tokens=tokens, period=period, operation=operation)
        )

    def remove_cap(
        self, user_id: str | None, *, period: Period = "month", operation: str | None = None
    ) -> bool:
        """See `Costs.remove_cap`."""
        return self._run(self._facet.remove_cap(user_id, period=period, operation=operation))

    def caps(self) -> list[Cap]:
        """See `Costs.caps`."""
        return self._run(self._facet.caps())


class BlockingCalibrations:
    """Blocking twin of `Calibrations`."""

    def __init__(self, facet: Calibrations, loop: LoopThread) -> None:
        self._facet = facet
        self._run = loop.run

    def get(self, model_id: str) -> Calibration:
        """See `Calibrations.get`."""
        return self._run(self._facet.get(model_id))

    def observe(self, model_id: str, estimated: int, actual: int) -> Calibration:
        """See `Calibrations.observe`."""
        return self._run(self._facet.observe(model_id, estimated, actual))
