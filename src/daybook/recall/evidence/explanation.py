"""Say in words why a hit stands where it does.

The ranker adds up named numbers (`Hit.why`). Many of them measure nearly the same, and one corrects
another, so that a single one misleads: here they are added up by what they are about, and each sum
becomes a sentence. The sums still make the whole score.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from daybook.model.hit import Hit, Reason
from daybook.recall.evidence.matched_words import Stems, shared_words, words_asked

__all__ = ["KINDS", "WORDED_FEATURES", "explained"]

_ABOUT_EQUAL = 1e-9
_MOST_WORDS = 6


class _Ground(Struct, frozen=True):
    """What some features are about.

    Attributes:
        kind: As `Reason.kind`.
        features: Names in `Hit.why`.
        more: The sentence where they add to the score; ``{speaker}`` is who said it.
        less: Where they take from it.
    """

    kind: str
    features: tuple[str, ...]
    more: str
    less: str


_NEIGHBOURS = ("1", "2", "-1", "-2")
_GROUNDS = (
    _Ground(
        "words",
        ("b_raw", "b_name", "b_prev", "b_ctx", "cov", *(f"nb_b{at}" for at in _NEIGHBOURS)),
        "what is said around it shares words with your question",
        "shares no telling words with your question",
    ),
    _Ground(
        "meaning",
        ("d_raw", "d_prev", "d_ctx", "li", *(f"nb_d{at}" for at in _NEIGHBOURS)),
        "close in meaning to your question",
        "not close in meaning to your question",
    ),
    _Ground(
        "session",
        ("b_ses3", "d_ses3"),
        "its session is about this",
        "its session is about other things",
    ),
    _Ground(
        "answer",
        ("prev_qm", "qa_b", "qa_d"),
        "answers a question asked just before it",
        "answers a question about something else",
    ),
    _Ground("speaker", ("spk",), "said by {speaker}, whom you name", "not said by whom you name"),
    _Ground("date", ("date",), "said at the time that you ask about", "said at another time"),
    _Ground(
        "event",
        ("event",),
        "said around the event that you name",
        "not said around the event that you name",
    ),
    _Ground("said date", ("said_date",), "names a date that you ask about", "names another date"),
    _Ground(
        "update",
        ("newer", "outdated"),
        "newer than a message that says otherwise",
        "a newer message says otherwise",
    ),
    _Ground("when", ("when_temp",), "names a time, and you ask for one", "names a time"),
    _Ground("number", ("many_num",), "has a number, and you ask for one", "has a number"),
    _Ground("question", ("qm",), "is a question", "asks rather than tells"),
    _Ground(
        "length",
        ("lnz", "ln"),
        "short and to the point",
        "long: much of it may be about other things",
    ),
    _Ground(
        "assistant",
        ("asst", "asked_asst"),
        "said by the assistant, which you ask about",
        "said by the assistant, and people's own words go first",
    ),
    _Ground(
        "reply",
        ("prev_asst",),
        "follows what the assistant said",
        "follows what the assistant said",
    ),
)
_OTHER = _Ground("other", (), "other signs", "other signs")
_GROUND = {ground.kind: ground for ground in (*_GROUNDS, _OTHER)}
_KIND_OF = {feature: ground.kind for ground in _GROUNDS for feature in ground.features}

WORDED_FEATURES = frozenset(_KIND_OF)
KINDS = tuple(ground.kind for ground in _GROUNDS)


def explained(hits: Iterable[Hit], query: str, analyzer: Stems) -> list[Hit]:
    """Return hits with their `reasons`: largest effect first, adding up to the score.

    Args:
        hits: As `recall.search` found them.
        query: What was asked.
        analyzer: Finds which words of the question a message has.

    Cost: about 20 µs for a message of 26 words. Pure.
    """
    asked = words_asked(query, analyzer)

    def shared(text: str) -> tuple[str, ...]:
        return shared_words(text, asked, analyzer)

    return [replace(hit, reasons=_reasons(hit, shared)) for hit in hits]


def _reasons(hit: Hit, shared: Callable[[str], tuple[str, ...]]) -> tuple[Reason, ...]:
    effects: dict[str, float] = {}
    for name, part in hit.why.items():
        kind = _KIND_OF.get(name, _OTHER.kind)
        effects[kind] = effects.get(kind, 0.0) + part
    reasons = [
        _reason(_GROUND[kind], effect, hit, shared(hit.message.text) if kind == "words" else ())
        for kind, effect in effects.items()
        if abs(effect) > _ABOUT_EQUAL
    ]
    return tuple(sorted(reasons, key=lambda reason: -abs(reason.effect)))


def _reason(ground: _Ground, effect: float, hit: Hit, words: tuple[str, ...]) -> Reason:
    if words:
        text = f"shares {'' if effect > 0 else 'only '}{_listed(words)} with your question"
    else:
        text = (ground.more if effect > 0 else ground.less).replace("{speaker}", hit.speaker)
    return Reason(kind=ground.kind, text=text, effect=effect, words=words)


def _listed(words: Sequence[str]) -> str:
    quoted = [f"“{word}”" for word in words[:_MOST_WORDS]]
    if len(words) > _MOST_WORDS:
        return f"{', '.join(quoted)} and {len(words) - _MOST_WORDS} more words"
    if len(quoted) == 1:
        return f"the word {quoted[0]}"
    return f"the words {', '.join(quoted[:-1])} and {quoted[-1]}"
