"""Strategies for valid messages, JSON values and ids."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from daybook.model.message import ROLES, ContentPart, Message, ToolCall, Usage

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
NUMBERS = (
    st.integers(-(2**64) + 1, 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([2**53 + 1, 2**63, -(2**63), 0.1, 1e300, 5e-324])
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=4)
MOMENTS = st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))]),
)
PARTS = st.builds(ContentPart, type=IDS, text=st.none() | TEXTS, data=OBJECTS)
CALLS = st.builds(ToolCall, id=IDS, name=IDS, arguments=OBJECTS | TEXTS)
COUNTS = st.integers(0, 2**63 - 1)
MESSAGES = st.builds(
    Message,
    role=st.sampled_from(ROLES),
    content=TEXTS | st.lists(PARTS, max_size=3).map(tuple),
    id=IDS,
    name=st.none() | TEXTS,
    tool_calls=st.lists(CALLS, max_size=3).map(tuple),
    tool_call_id=st.none() | IDS,
    created_at=st.none() | MOMENTS,
    usage=st.none() | st.builds(Usage, COUNTS, COUNTS, OBJECTS),
    metadata=OBJECTS,
)
