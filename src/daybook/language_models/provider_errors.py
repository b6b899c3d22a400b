"""Whatever a provider, its SDK or the network raises, as errors of ours. The only place for it.

Reads status, headers and kinds by name, so that it imports no SDK and serves them all. An SDK's
message may repeat what was sent: nothing of it is passed on, and it is not shown as the cause.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

from daybook.errors import BadModelOutputError, ProviderError
from daybook.language_models.reply_parts import NotAnAnswerError

__all__ = ["calling", "provider_error", "reading", "timed_out"]

_LATER = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
_OK = 200
_FIRST_SERVER_STATUS = 500
_SAYS = {
    400: "the request was refused as invalid",
    401: "the credentials were refused",
    402: "the account is not funded",
    403: "the credentials do not allow this",
    404: "the model or the base URL is unknown",
    408: "the provider ended the wait",
    413: "the request is too large",
    422: "the request was refused as invalid",
    429: "the rate limit is reached",
    529: "the provider is overloaded",
}
# Words of providers that say more than the status. Others are not shown: they could be anything.
_CODES = {
    "api_error": 500,
    "authentication_error": 401,
    "billing_error": 402,
    "content_filter": 400,
    "content_policy_violation": 400,
    "context_length_exceeded": 400,
    "insufficient_quota": 402,
    "invalid_api_key": 401,
    "invalid_request_error": 400,
    "model_not_found": 404,
    "not_found_error": 404,
    "overloaded_error": 529,
    "permission_error": 403,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "request_too_large": 413,
    "server_error": 500,
    "string_above_max_length": 400,
    "timeout_error": 504,
}
_NETWORK = frozenset({"APIConnectionError", "TransportError", "ConnectionError", "ResponseError"})
_TIMEOUTS = frozenset({"APITimeoutError", "TimeoutException", "TimeoutError"})
_SHAPES = frozenset({"APIResponseValidationError", "ValidationError", "JSONDecodeError"})


@contextmanager
def calling(provider: str) -> Iterator[None]:
    """Turn what a call raises into `ProviderError`; ours and cancellation pass through."""
    try:
        yield
    except ProviderError:
        raise
    except Exception as exc:  # noqa: BLE001 - SDKs raise what they like; all of it is mapped
        raise provider_error(exc, provider) from None


@contextmanager
def reading(provider: str) -> Iterator[None]:
    """Turn what reading an answer raises into `BadModelOutputError`."""
    try:
        yield
    except NotAnAnswerError as exc:
        raise BadModelOutputError(str(exc), provider=provider, retryable=True) from None
    except (AttributeError, LookupError, TypeError, ValueError):
        raise _misshapen(provider) from None


def timed_out(provider: str, seconds: float) -> ProviderError:
    """Return the error of a call that took longer than its model's timeout."""
    return ProviderError(f"no answer within {seconds:g} s", provider=provider, retryable=True)


def provider_error(exc: Exception, provider: str) -> ProviderError:
    """Return the error that stands for `exc`; holds nothing of its message."""
    kinds = {kind.__name__ for kind in type(exc).__mro__}
    if isinstance(exc, json.JSONDecodeError | UnicodeDecodeError) or kinds & _SHAPES:
        return _misshapen(provider)
    response = getattr(exc, "response", None)
    code = _code(exc)
    status = _status(exc, response, code)
    if status is not None:
        return _refused(provider, status, code, getattr(response, "headers", None))
    if kinds & _TIMEOUTS:
        return ProviderError("no answer in time", provider=provider, retryable=True)
    if kinds & _NETWORK or isinstance(exc, OSError):
        return ProviderError(
            "cannot be reached, or the connection broke", provider=provider, retryable=True
        )
    if code is not None or "APIError" in kinds:
        return ProviderError("broke off its answer", provider=provider, retryable=True)
    return ProviderError(f"the call failed with {type(exc).__name__}", provider=provider)


def _refused(
    provider: str, status: int, code: str | None, headers: Mapping[str, str] | None
) -> ProviderError:
    says = _SAYS.get(status) or (
        "the provider failed" if status >= _FIRST_SERVER_STATUS else "the request was refused"
    )
    return ProviderError(
        f"{says} (status {status}{f', {code}' if code else ''})",
        provider=provider,
        retryable=status in _LATER and code != "insufficient_quota",
        retry_after_s=_retry_after(headers),
    )


def _misshapen(provider: str) -> BadModelOutputError:
    return BadModelOutputError(
        "what came is not of the known shape", provider=provider, retryable=True
    )


def _status(exc: Exception, response: Any, code: str | None) -> int | None:
    """Return the HTTP status; for an error inside a stream that began well, what its code means."""
    for value in (getattr(exc, "status_code", None), getattr(response, "status_code", None)):
        if type(value) is int and value != _OK:
            return value
    return _CODES[code] if code is not None else None


def _code(exc: Exception) -> str | None:
    """Return the provider's word for what is wrong, if it is one we know."""
    body = getattr(exc, "body", None)
    if isinstance(body, Mapping) and isinstance(body.get("error"), Mapping):
        body = body["error"]
    words = [getattr(exc, "code", None), getattr(exc, "type", None)]
    if isinstance(body, Mapping):
        words += [body.get("code"), body.get("type")]
    return next((word for word in words if isinstance(word, str) and word in _CODES), None)


def _retry_after(headers: Mapping[str, str] | None) -> float | None:
    """Return the seconds that the headers ask to wait.

    A date is taken relative to the answer's own date: no clock of ours is asked, and theirs may
    be off.
    """
    if headers is None:
        return None
    exact = _seconds(headers.get("retry-after-ms"))
    if exact is not None:
        return exact / 1000
    given = headers.get("retry-after")
    plain = _seconds(given)
    if plain is not None or not given:
        return plain
    try:
        until = parsedate_to_datetime(given)
        wait = (until - parsedate_to_datetime(headers.get("date", ""))).total_seconds()
    except (TypeError, ValueError):
        return None
    return max(wait, 0.0)


def _seconds(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None
