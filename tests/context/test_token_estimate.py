"""The estimate against counts of real tokenizers, written down, and its shape."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.context.token_estimate import ApproximateTokenCounter
from daybook.model.message import ContentPart, Message, ToolCall

COUNTER = ApproximateTokenCounter()

# Text, and what cl100k_base, o200k_base, Claude 2's and DeepSeek's tokenizers count for it.
COUNTED = {
    "今天天气很好,我们打算去公园散步,然后在附近的餐厅吃晚饭。": (40, 24, 37, 16),
    "오늘은 날씨가 아주 좋아서 공원을 산책한 다음 저녁을 먹을 생각입니다.": (43, 22, 45, 27),
    "Morgen möchten wir bei schönem Wetter im Park spazieren gehen und danach essen.": (
        (20, 17, 25, 23)
    ),
    "She said: it\u2019s fine\u2026 or is it?": (11, 11, 12, 12),
    "The invoice of 14 March lists 3 laptops at $1,249.00 each.": (19, 19, 18, 19),
    '{"city":"Paris","nights":3,"rooms":[{"beds":2,"price":129.5}]}': (24, 24, 23, 24),
    "def area(width: float, height: float) -> float:\n    return width * height\n": (
        (19, 19, 20, 19)
    ),
    "I never said that she liked the blue one better than the green one.": (15, 15, 15, 15),
}


@pytest.mark.parametrize(("text", "counts"), COUNTED.items())
def test_it_is_near_the_mean_of_real_tokenizers(text: str, counts: tuple[int, ...]) -> None:
    mean = sum(counts) / len(counts)
    assert COUNTER.count_text(text) == pytest.approx(mean, rel=0.25)


@given(st.text(), st.text())
def test_more_text_is_never_fewer_tokens(text: str, more: str) -> None:
    alone = COUNTER.count_text(text)
    assert (alone == 0) == (text == "")
    assert COUNTER.count_text(text + more) >= alone - 1


@given(st.text(st.characters(max_codepoint=127), max_size=90))
def test_ascii_counts_the_same_beside_other_scripts(text: str) -> None:
    beside = COUNTER.count_text(text + "\u4e2d" * 40)
    assert 38 <= beside - COUNTER.count_text(text) + 1 <= 40


def test_words_digits_and_dense_text_differ() -> None:
    assert COUNTER.count_text("hello there my friend ") < COUNTER.count_text(
        "1234567890 1234567890 "
    )
    assert COUNTER.count_text("iVBORw0KGgo" * 40) == 220


def test_everything_in_a_message_counts() -> None:
    bare = COUNTER.count(Message.user(""))
    arguments = {"query": "flights to Paris", "days": 3}
    assert bare == 4
    assert COUNTER.count(Message.user("", name="Alice")) > bare
    called = COUNTER.count(Message.assistant("", tool_calls=(ToolCall("a", "search", arguments),)))
    raw = ToolCall("a", "search", '{"query":"flights to Paris","days":3}')
    assert called == COUNTER.count(Message.assistant("", tool_calls=(raw,))) > bare + 10


def test_parts_count_like_text_and_pictures_by_the_piece() -> None:
    text = COUNTER.count(Message.user((ContentPart("text", "hello there"),)))
    assert text == COUNTER.count(Message.user("hello there")) + 1
    picture = ContentPart("image_url", data={"image_url": {"url": "data:" + "A" * 100_000}})
    assert COUNTER.count(Message.user((picture,))) == 1_005
    assert ApproximateTokenCounter(media_tokens=7).count(Message.user((picture,))) == 12
    for data in ({"image_url": {"url": "x", "detail": "low"}}, {"detail": "low"}):
        assert COUNTER.count(Message.user((ContentPart("image", data=data),))) == 90
    other = ContentPart("citation", data={"source": "a book", "page": 12})
    assert COUNTER.count(Message.user((other,))) > 10


def test_a_lone_surrogate_does_not_stop_it() -> None:
    assert COUNTER.count_text("\ud800 dog") > 1
