"""Every error Daybook raises on purpose, as one tree.

An error says what happened, on which object, and what to do about it; the same facts stand in
its fields. No error carries message text, a stored value or a secret.
"""

from __future__ import annotations

__all__ = [
    "AccessDeniedError",
    "BadModelOutputError",
    "BudgetError",
    "ConfigError",
    "ConflictError",
    "CorruptRecordError",
    "CostCapError",
    "DaybookError",
    "InvalidInputError",
    "MissingDependencyError",
    "NotFoundError",
    "ProviderError",
    "SchemaVersionError",
    "StoreClosedError",
    "StoreError",
    "StoreFullError",
    "StoreTimeoutError",
    "StoreUnavailableError",
    "TurnTimeoutError",
    "UnsupportedError",
]


class DaybookError(Exception):
    """Root of every error raised by Daybook."""


class ConfigError(DaybookError):
    """A URL, option or environment setting is wrong."""


class MissingDependencyError(ConfigError, ImportError):
    """An optional package is needed and absent; the message names what to install."""

    def __init__(self, feature: str, install: str) -> None:
        self.feature = feature
        self.install = install
        super().__init__(f"{feature} needs packages that are not installed: run `{install}`")


class InvalidInputError(DaybookError, ValueError):
    """A caller's value cannot be accepted; nothing was stored."""


class NotFoundError(DaybookError, LookupError):
    """The named thing does not exist, or not for this user: the two are never told apart."""


class ConflictError(DaybookError):
    """What is stored differs from what the caller believes: another body, another version."""


class UnsupportedError(DaybookError):
    """This engine does not declare the capability that was asked for."""


class StoreError(DaybookError):
    """A storage engine failed.

    Attributes:
        engine: Which engine, for example ``sqlite``.
        operation: What was attempted, for example ``append``.
        retryable: True if the same call may succeed later, unchanged.
    """

    retryable = False

    def __init__(self, message: str, *, engine: str, operation: str) -> None:
        self.engine = engine
        self.operation = operation
        super().__init__(f"{engine} {operation}: {message}")


class StoreUnavailableError(StoreError):
    """The store cannot be reached or is locked; retry later."""

    retryable = True


class StoreTimeoutError(StoreError):
    """The store did not answer in time; retry later."""

    retryable = True


class StoreFullError(StoreError):
    """No room is left where the store keeps its data; nothing of the call was stored."""

    retryable = True


class StoreClosedError(StoreError):
    """The store was closed before this call."""


class SchemaVersionError(StoreError):
    """The stored data was written by a newer version; upgrade Daybook to open it."""


class CorruptRecordError(StoreError):
    """Stored bytes do not decode."""


class ProviderError(DaybookError):
    """An embedder or model failed.

    Attributes:
        provider: Which one, for example ``minilm``.
        retryable: True if the same call may succeed later.
        retry_after_s: Seconds the provider asked to wait, if it said.
    """

    def __init__(
        self,
        message: str,
        *,
        provider: str,
        retryable: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        self.provider = provider
        self.retryable = retryable
        self.retry_after_s = retry_after_s
        super().__init__(f"{provider}: {message}")


class BadModelOutputError(ProviderError):
    """A model answered with something that cannot be used."""


class BudgetError(DaybookError):
    """What must be kept does not fit the token budget.

    Attributes:
        needed: Tokens of what must be kept.
        available: Tokens the caller allowed.
    """

    def __init__(self, needed: int, available: int) -> None:
        self.needed = needed
        self.available = available
        super().__init__(
            f"the parts that must be kept take {needed} tokens and only {available} are allowed: "
            f"raise max_tokens to at least {needed}"
        )


class CostCapError(DaybookError):
    """A call of a model could pass a cap on costs; it was not made.

    Amounts are in `unit`: ``micro_usd`` (a millionth of a dollar) or ``tokens``.

    Attributes:
        user_id: Whose cap; None for the cap on all users together.
        operation: The operation the cap is on; None for a cap on all of them.
        cap: The most that may be spent.
        spent: What is spent, and held for calls under way.
        needed: What this call may take at most.
        unit: ``micro_usd`` or ``tokens``.
        period: ``day``, ``month`` (both UTC) or ``total``.
    """

    def __init__(
        self,
        *,
        user_id: str | None,
        operation: str | None,
        cap: int,
        spent: int,
        needed: int,
        unit: str = "micro_usd",
        period: str = "total",
    ) -> None:
        self.user_id = user_id
        self.operation = operation
        self.cap = cap
        self.spent = spent
        self.needed = needed
        self.unit = unit
        self.period = period
        whose = "all users together" if user_id is None else f"user {user_id}"
        what = "" if operation is None else f" for {operation}"
        when = {"day": " a day", "month": " a month"}.get(period, "")
        super().__init__(
            f"{whose} may spend {_amount(cap, unit)}{when}{what}: {_amount(spent, unit)} are spent "
            f"or held and this call may take {_amount(needed, unit)}; wait, or raise the cap"
        )


def _amount(value: int, unit: str) -> str:
    return (
        f"{value // 1_000_000}.{value % 1_000_000:06d} USD"
        if unit == "micro_usd"
        else (f"{value} tokens")
    )


class TurnTimeoutError(DaybookError, TimeoutError):
    """A turn of a chat took too long, waiting for the turns before it included.

    What was said up to then stays; the same turn may be taken again with the same message id.

    Attributes:
        session_id: The session.
        timeout_s: How long a turn may take.
        began: False if it was still waiting for the turns before it.
    """

    def __init__(self, session_id: str, timeout_s: float, *, began: bool) -> None:
        self.session_id = session_id
        self.timeout_s = timeout_s
        self.began = began
        what = "its answer was not complete" if began else "the turns before it had not ended"
        super().__init__(f"session {session_id}: after {timeout_s:g} s {what}; try again")


class AccessDeniedError(DaybookError):
    """The caller's scope does not reach this namespace or tenant."""
