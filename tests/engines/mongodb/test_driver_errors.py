"""Each error of the driver as one of ours, without a server."""

from __future__ import annotations

import pytest
from bson.errors import InvalidBSON
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    DocumentTooLarge,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidOperation,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    ServerSelectionTimeoutError,
    WTimeoutError,
)

from daybook.engines.mongodb.driver_errors import map_errors
from daybook.errors import (
    ConfigError,
    DaybookError,
    InvalidInputError,
    StoreClosedError,
    StoreError,
    StoreFullError,
    StoreTimeoutError,
    StoreUnavailableError,
)

SECRET = "what-the-driver-quotes"


def _failed(code: int, text: str = SECRET) -> OperationFailure:
    return OperationFailure(text, code)


def _passing() -> OperationFailure:
    labels = {"errorLabels": ["TransientTransactionError"]}
    return OperationFailure(SECRET, 1, labels)


CASES: list[tuple[Exception, type[DaybookError]]] = [
    (AutoReconnect(SECRET), StoreUnavailableError),
    (NotPrimaryError(SECRET), StoreUnavailableError),
    (ServerSelectionTimeoutError(SECRET), StoreUnavailableError),
    (_passing(), StoreUnavailableError),
    *((_failed(code), StoreUnavailableError) for code in (91, 112, 189, 251, 11600, 10107)),
    (NetworkTimeout(SECRET), StoreTimeoutError),
    (ExecutionTimeout(SECRET, 50), StoreTimeoutError),
    (WTimeoutError(SECRET, 64), StoreTimeoutError),
    (_failed(262), StoreTimeoutError),
    (_failed(14031), StoreFullError),
    (_failed(8000, f"you are over your space quota {SECRET}"), StoreFullError),
    (_failed(8000), StoreError),
    (_failed(13), StoreError),
    (_failed(18), StoreError),
    (_failed(96), StoreError),
    (DuplicateKeyError(SECRET, 11000), StoreError),
    (InvalidBSON(SECRET), StoreError),
    (DocumentTooLarge(SECRET), InvalidInputError),
    (_failed(10334), InvalidInputError),
    (_failed(2, f"object to insert too large {SECRET}"), InvalidInputError),
    (_failed(2), StoreError),
    (BulkWriteError({"writeErrors": [{"code": 17419, "op": SECRET}]}), InvalidInputError),
    (BulkWriteError({"writeErrors": [{"code": 121, "op": SECRET}]}), StoreError),
    (ConfigurationError(SECRET), ConfigError),
    (InvalidOperation(f"Cannot use MongoClient after close {SECRET}"), StoreClosedError),
]


@pytest.mark.parametrize(("given", "kind"), CASES, ids=map(str, range(len(CASES))))
def test_a_driver_s_error_is_ours_and_quotes_nothing(
    given: Exception, kind: type[DaybookError]
) -> None:
    assert SECRET in str(given)
    with pytest.raises(DaybookError) as caught, map_errors("append"):
        raise given
    assert type(caught.value) is kind
    assert caught.value.__suppress_context__
    assert SECRET not in f"{caught.value!r} {vars(caught.value)}"


def test_what_is_no_driver_s_error_passes() -> None:
    """Ours, and mistakes of the program, which nobody may take for the server's."""
    for one in (KeyError("k"), InvalidInputError("i")):
        with pytest.raises(type(one)) as caught, map_errors("append"):
            raise one
        assert caught.value is one
