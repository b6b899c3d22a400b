"""Fresh ids are UUIDs of version 7, in order of age and all different; chosen ids are checked."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given

from daybook.errors import InvalidInputError
from daybook.model.identifiers import check_id, new_id
from daybook.model.scope import Scope
from daybook.testing.odd_data import AWKWARD_IDS, refused_ids
from tests.model.messages import IDS


def test_fresh_ids_are_uuids_of_version_7() -> None:
    for text in (new_id() for _ in range(500)):
        parsed = UUID(text)
        assert str(parsed) == text
        assert (parsed.version, parsed.variant) == (7, "specified in RFC 4122")


def test_fresh_ids_are_all_different() -> None:
    assert len({new_id() for _ in range(20_000)}) == 20_000


def test_ids_sort_by_the_time_they_were_made(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = [0, 1_000_000, 999_999_999_000_000, 1_700_000_000_000_000_000, 2**61]
    made = list[str]()
    for moment in moments:
        monkeypatch.setattr(time, "time_ns", lambda moment=moment: moment)
        made.append(new_id())
    assert made == sorted(made)
    assert [UUID(text).int >> 80 for text in made] == [moment // 1_000_000 for moment in moments]


def test_every_random_bit_is_used() -> None:
    ones = zeros = 0
    for _ in range(200):
        bits = UUID(new_id()).int
        ones |= bits
        zeros |= ~bits
    free = ((1 << 76) - (1 << 64)) | ((1 << 62) - 1)
    assert ones & zeros & free == free


@given(IDS)
def test_any_text_of_moderate_size_is_an_id(text: str) -> None:
    assert check_id(text, "id") == text


@pytest.mark.parametrize("text", AWKWARD_IDS, ids=ascii)
def test_awkward_ids_are_ids(text: str) -> None:
    assert check_id(text, "id") == text
    assert Scope.of(text, text) == Scope(text, text)


@pytest.mark.parametrize("name", refused_ids())
def test_what_can_name_nothing_is_refused(name: str) -> None:
    wrong: Any = refused_ids()[name]
    with pytest.raises(InvalidInputError, match="session_id"):
        check_id(wrong, "session_id")
    with pytest.raises(InvalidInputError, match="tenant"):
        Scope.of(wrong)


def test_a_scope_reaches_its_user_or_the_whole_tenant() -> None:
    assert Scope("t", "u").reaches("u")
    assert not Scope("t", "u").reaches("U")
    assert Scope("t").reaches("anyone")
