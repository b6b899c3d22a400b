"""What SDKs raise, as errors of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from daybook.errors import BadModelOutputError, ProviderError
from daybook.language_models.provider_errors import provider_error


class FakeResponse:
    def __init__(self, headers: Mapping[str, str]) -> None:
        self.headers = headers


class FakeStatusError(Exception):
    def __init__(self, status: int, body: Any = None, **headers: str) -> None:
        super().__init__("secret words")
        self.status_code = status
        self.body = body
        self.response = FakeResponse({k.replace("_", "-"): v for k, v in headers.items()})


@pytest.mark.parametrize(
    ("status", "retryable"),
    [(400, False), (401, False), (403, False), (404, False), (408, True), (409, True), (413, False),
     (422, False), (429, True), (418, False), (500, True), (503, True), (529, True), (501, False)],
)  # fmt: skip
def test_a_status_tells_whether_to_come_again(status: int, retryable: bool) -> None:
    error = provider_error(FakeStatusError(status), "p")
    assert (error.retryable, error.provider) == (retryable, "p")
    assert str(status) in str(error)
    assert "secret" not in str(error)


def test_known_codes_are_shown_and_others_are_not() -> None:
    known = {"error": {"code": "context_length_exceeded", "message": "secret"}}
    assert "context_length_exceeded" in str(provider_error(FakeStatusError(400, known), "p"))
    other = {"error": {"code": "secret", "type": "secret"}}
    assert "secret" not in str(provider_error(FakeStatusError(400, other), "p"))


def test_an_empty_account_is_no_rate_limit() -> None:
    body = {"code": "insufficient_quota", "type": "insufficient_quota"}
    assert not provider_error(FakeStatusError(429, body), "p").retryable


def test_a_failure_inside_a_stream_is_told_by_its_code() -> None:
    body = {"type": "error", "error": {"type": "overloaded_error"}}
    error = provider_error(FakeStatusError(200, body), "p")
    assert error.retryable
    body = {"type": "error", "error": {"type": "invalid_request_error"}}
    assert not provider_error(FakeStatusError(200, body), "p").retryable


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "0.5"}, 0.5),
        ({"retry_after_ms": "1500", "retry_after": "9"}, 1.5),
        ({"retry_after": "Wed, 21 Oct 2026 07:28:30 GMT",
          "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
        ({"retry_after": "Wed, 21 Oct 2026 07:27:00 GMT",
          "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0.0),
        ({"retry_after": "Wed, 21 Oct 2026 07:28:30 GMT"}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "-3"}, None),
        ({"retry_after": "nan"}, None),
        ({"retry_after": "inf"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_how_long_to_wait(headers: dict[str, str], wait_s: float | None) -> None:
    assert provider_error(FakeStatusError(429, **headers), "p").retry_after_s == wait_s


def test_networks_and_shapes() -> None:
    assert provider_error(ConnectionResetError("secret"), "p").retryable
    assert provider_error(TimeoutError(), "p").retryable
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads("{secret")
    error = provider_error(caught.value, "p")
    assert isinstance(error, BadModelOutputError)
    assert "secret" not in repr(vars(error))


def test_a_bug_is_named_by_its_kind_alone() -> None:
    error = provider_error(RuntimeError("secret"), "p")
    assert type(error) is ProviderError
    assert not error.retryable
    assert str(error) == "p: the call failed with RuntimeError"
