"""The one place where botocore's exceptions become Daybook's."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)

from daybook.errors import (
    ConfigError,
    DaybookError,
    StoreError,
    StoreFullError,
    StoreTimeoutError,
    StoreUnavailableError,
    UnsupportedError,
)

__all__ = ["ENGINE", "code_of", "is_lost", "is_passing", "is_unanswered", "translate"]

ENGINE = "dynamodb"

_LOST = "ConditionalCheckFailed"
_PASSING = {
    "InternalFailure",
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "ServiceUnavailable",
    "ThrottlingError",
    "ThrottlingException",
    "TransactionConflict",
    "TransactionConflictException",
    "TransactionInProgressException",
}
_UNKNOWN_OPERATION = "UnknownOperationException"
_REFUSED = {
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "UnrecognizedClientException",
}


def code_of(error: ClientError) -> str:
    """Return DynamoDB's own word for an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_lost(error: ClientError) -> bool:
    """Tell whether a condition did not hold, so that nothing was written."""
    if code_of(error) == "ConditionalCheckFailedException":
        return True
    return any(reason == _LOST for reason in _reasons(error))


def is_passing(error: ClientError) -> bool:
    """Tell whether the same request may succeed in a moment."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code_of(error) in _PASSING or (isinstance(status, int) and status >= _SERVER_SIDE):
        return True
    reasons = [reason for reason in _reasons(error) if reason != "None"]
    return bool(reasons) and all(reason in _PASSING for reason in reasons)


_SERVER_SIDE = 500


def is_unanswered(error: BotoCoreError) -> bool:
    """Tell whether no answer came: it may have been done, and repeating it does no harm."""
    return isinstance(error, HTTPClientError | BotoConnectionError)


def translate(error: Exception, operation: str) -> DaybookError:
    """Return the Daybook error of a driver error. Never holds a stored value."""
    if isinstance(error, ClientError):
        return _from_service(error, operation)
    if isinstance(error, NoCredentialsError | PartialCredentialsError | ProfileNotFound):
        return ConfigError(
            "dynamodb: no AWS credentials were found: set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, a profile (?profile=), or run where a role gives them"
        )
    if isinstance(error, ReadTimeoutError | ConnectTimeoutError):
        return StoreTimeoutError(
            "no answer in time; repeat the call", engine=ENGINE, operation=operation
        )
    if isinstance(error, HTTPClientError | BotoConnectionError):
        return StoreUnavailableError(
            "the endpoint cannot be reached: check region, endpoint and network",
            engine=ENGINE,
            operation=operation,
        )
    name = type(error).__name__
    return StoreError(f"the driver reported {name}", engine=ENGINE, operation=operation)


def _from_service(error: ClientError, operation: str) -> DaybookError:
    code = code_of(error)
    facts: dict[str, Any] = {"engine": ENGINE, "operation": operation}
    if code == "ResourceNotFoundException":
        return StoreUnavailableError(
            "the table is not there: open the engine again, or create it", **facts
        )
    if code == _UNKNOWN_OPERATION:
        return UnsupportedError(f"dynamodb {operation}: this server has no transactions")
    if code in _REFUSED:
        return StoreError(f"AWS refused the credentials ({code}): check the role's rights", **facts)
    if code == "ItemCollectionSizeLimitExceededException":
        return StoreFullError("an item collection is full", **facts)
    if is_passing(error):
        return StoreUnavailableError(f"busy ({code}); retry", **facts)
    return StoreError(f"the service reported {code or 'an error without a name'}", **facts)


def _reasons(error: ClientError) -> list[str]:
    """Return why each part of a transaction was refused; empty for anything else."""
    found = error.response.get("CancellationReasons") or []
    return [str(reason.get("Code", "None")) for reason in found]
