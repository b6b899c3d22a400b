from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from daybook import Message
from daybook.adapters.ai_infra.kept_messages import (
    kept_messages,
    new_messages,
    what_changed,
)

TALK = [{"role": ("user", "assistant")[at % 2], "content": f"message {at}"} for at in range(40)]


def store(stored: list[Message], handed_in: list[Message]) -> list[Message]:
    change = what_changed(stored, handed_in)
    before = [] if change.replaces else stored
    fresh = new_messages(before, handed_in[len(handed_in) - change.added :])
    assert len({message.id for message in (*before, *fresh)}) == len(before) + len(fresh)
    return [*before, *fresh]


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 40), st.booleans()), max_size=12))
def test_whatever_part_is_handed_in_the_whole_is_stored_once(
    steps: list[tuple[int, int, bool]],
) -> None:
    stored: list[Message] = []
    said = 0
    for more, overlap, stale in steps:
        if stale and said:
            stored = store(stored, kept_messages(TALK[:said][-overlap - 1 :]))
        before, said = said, min(len(TALK), said + more)
        start = max(0, before - overlap)
        if start < said:
            stored = store(stored, kept_messages(TALK[start:said]))
        assert [message.text for message in stored] == [one["content"] for one in TALK[:said]]


def test_ids_tell_apart_what_sounds_the_same() -> None:
    stored = store([], [Message.user("ok", id="m1")])
    assert what_changed(stored, [Message.user("ok", id="m1")]).added == 0
    assert what_changed(stored, [Message.user("ok", id="m2")]).added == 1
    assert what_changed(stored, kept_messages([{"role": "user", "content": "ok"}])).added == 0


def test_the_same_call_again_makes_the_same_ids() -> None:
    first, again = (store([], kept_messages(TALK[:5])) for _ in range(2))
    assert [message.id for message in first] == [message.id for message in again]


def test_repeated_texts_of_one_conversation_are_all_kept() -> None:
    talk = kept_messages([{"role": "user", "content": "ok"}] * 3)
    assert len(store([], talk)) == 3
    assert len(store(store([], talk), kept_messages([{"role": "user", "content": "ok"}] * 4))) == 4
