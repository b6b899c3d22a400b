"""Many UUIDs as texts."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from daybook.recall.columns.uuid_texts import uuid_texts


@given(ids=st.lists(st.uuids(), max_size=6), rest=st.binary(max_size=15))
def test_the_texts_are_canonical(ids: list[UUID], rest: bytes) -> None:
    packed = b"".join(one.bytes for one in ids)
    assert uuid_texts(packed + rest) == [str(one) for one in ids]
