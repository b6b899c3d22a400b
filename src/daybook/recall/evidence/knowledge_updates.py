"""Which of two statements of one person replaces the other, without a model.

Rules over `Claim`s, made for precision: a message wrongly marked as outdated is worse than one not
marked. Two claims about the same thing conflict where the newer gives another value and says that
something changed, where both tell a state that has one value at a time, or where one denies what
the other says. Lists of likes, different pets, plans beside facts and events of different days do
not. English.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from msgspec.structs import replace

from daybook.model.hit import Hit
from daybook.recall.evidence.claims import Claim, claim_of, clauses, may_replace, stems
from daybook.recall.times.question_times import change_places

__all__ = ["mark_superseded", "replaces", "superseded"]

# Beyond these, an update is unlikely to matter to whom asked.
_MOST_HITS = 20
_MOST_READ = 4_000
# Shares of the shorter and of the longer claim that both must have in common.
_LEAST_SHARED = (0.6, 0.4)
_POLAR_SHARED = (0.66, 0.5)
_MOST_FILLERS = 2


def replaces(older: Claim, newer: Claim) -> bool:
    """Tell whether a claim says otherwise of what an older one of the same person claims."""
    if not older.stems & newer.stems and not newer.home:
        return False
    if newer.conditional or newer.adds or (older.denies and newer.denies):
        return False
    if older.conditional and not (newer.changes or newer.replaces):
        return False
    if _favourite_changed(older, newer) or _moved(older, newer) or _switched(older, newer):
        return True
    if older.denies != newer.denies or newer.ends:
        return _reversed(older, newer)
    return _revalued(older, newer)


def superseded(hits: Sequence[Hit]) -> dict[int, int]:
    """Return which hits a newer one replaces: place of the older to place of the newest such.

    Only messages of the same person are compared, never those of an assistant, and only where it
    is certain which came first: by date, or by place in the same session.

    Args:
        hits: Best first; the first twenty are looked at.

    Cost: about half a millisecond for ten messages of three sentences.
    """
    spoken = [place for place, hit in enumerate(hits[:_MOST_HITS]) if hit.message.role == "user"]
    messages = {place: _Message(hits[place].message.text) for place in spoken}
    found: dict[int, int] = {}
    for newer in spoken:
        for older in spoken:
            if not messages[newer].news or not _came_later(hits[older], hits[newer]):
                continue
            if older in found and not _came_later(hits[found[older]], hits[newer]):
                continue
            if _conflicts(messages[older], messages[newer]):
                found[older] = newer
    return found


class _Message:
    """A message's claims, each kind taken apart when it is first asked for."""

    def __init__(self, text: str) -> None:
        self._text = text[:_MOST_READ]

    @cached_property
    def stems(self) -> frozenset[str]:
        """Stems of all of it."""
        return stems(self._text)

    @cached_property
    def news(self) -> list[Claim]:
        """What may replace something older."""
        if not may_replace(self._text):
            return []
        return self._claims(clause for clause in self._clauses if may_replace(clause))

    @cached_property
    def claims(self) -> list[Claim]:
        """All it claims."""
        return self._claims(self._clauses)

    @cached_property
    def _clauses(self) -> list[str]:
        return clauses(self._text)

    def _claims(self, found: Iterable[str]) -> list[Claim]:
        taken = (claim_of(clause) for clause in found)
        return [claim for claim in taken if claim is not None]


def _conflicts(older: _Message, newer: _Message) -> bool:
    """Tell whether anything in the newer message replaces anything in the older."""
    for claim in newer.news:
        # Few words in common with the whole message are too few with any part of it.
        common = len(claim.content & older.stems)
        if common < _LEAST_SHARED[1] * len(claim.content) and not claim.home:
            continue
        if any(replaces(one, claim) for one in older.claims):
            return True
    return False


def mark_superseded(hits: Sequence[Hit], most: int = _MOST_HITS) -> list[Hit]:
    """Return the hits with outdated ones marked, each behind what replaces it.

    Where an outdated one stood before its replacement the two change places, and scores: `why`
    says so with "newer" and "outdated", so that contributions still add up.

    Args:
        hits: Best first.
        most: How many of the best are compared, twenty at most.
    """
    replaced = superseded(hits[:most])
    if not replaced:
        return list(hits)
    marked = [
        replace(hit, superseded_by=hits[replaced[place]].message.id) if place in replaced else hit
        for place, hit in enumerate(hits)
    ]
    return _newer_first(marked, replaced)


def _newer_first(hits: list[Hit], replaced: Mapping[int, int]) -> list[Hit]:
    where = {place: place for place in range(len(hits))}
    # Once more for each link of a chain: what replaces may itself have been put behind another.
    for _ in replaced:
        for older, newer in sorted(replaced.items()):
            here, there = where[older], where[newer]
            if here < there:
                change_places(hits, here, there, "newer", "outdated")
                where[older], where[newer] = there, here
    return hits


def _came_later(older: Hit, newer: Hit) -> bool:
    """Tell whether two messages are of one person and the second was certainly said later."""
    if older.speaker != newer.speaker:
        return False
    if older.session_id == newer.session_id:
        return older.seq < newer.seq
    return older.said_at is not None and newer.said_at is not None and older.said_at < newer.said_at


def _same_subject(older: Claim, newer: Claim) -> bool:
    """Tell whether both are about the same thing; "I moved the meeting" is about the meeting."""
    if older.subject == newer.subject:
        return True
    if newer.subject in ("i", "they", "it", "he", "she"):
        return (newer.changes or newer.ends) and older.subject in newer.stems
    return older.subject == "i" and newer.subject in older.stems and newer.denies


def _alike(one: frozenset[str], other: frozenset[str], least: tuple[float, float]) -> bool:
    """Tell whether enough of the shorter's and of the longer's words are in both."""
    shared, sizes = len(one & other), (len(one), len(other))
    return shared > 0 and shared >= least[0] * min(sizes) and shared >= least[1] * max(sizes)


def _revalued(older: Claim, newer: Claim) -> bool:
    """Tell whether the newer gives another value of the same kind for the same thing."""
    if not _same_subject(older, newer) or not older.content & newer.content:
        return False
    kinds = (
        (older.numbers, newer.numbers),
        (older.dates, newer.dates),
        (older.names, newer.names),
    )
    differing = [one != other and bool(one) and bool(other) for one, other in kinds]
    if newer.replaces or newer.changes:
        if not any(differing):
            return newer.changes and older.lasts and _other_filler(older, newer)
        if not newer.replaces and (older.changes or not older.lasts):
            return False  # two changes, or a change after an event: things that happened
        return _alike(older.content, newer.content, _LEAST_SHARED) and not _values_kept(kinds)
    same_else = sum(one != other for one, other in kinds) == 1
    one_number = len(older.numbers) == len(newer.numbers) == 1
    same_else = same_else and one_number and older.content == newer.content
    return differing[0] and same_else and older.lasts and newer.lasts


def _values_kept(kinds: Sequence[tuple[frozenset[str], ...]]) -> bool:
    """Tell whether every kind of value that both give has some of the older's in the newer's."""
    both = [(one, other) for one, other in kinds if one and other]
    return all(set(one) <= set(other) for one, other in both)


def _other_filler(older: Claim, newer: Claim) -> bool:
    """Tell whether a claim of change differs from the older in one place only."""
    shared = older.content & newer.content
    gone, come = older.content - shared, newer.content - shared
    return (
        len(shared) >= _MOST_FILLERS
        and 0 < len(gone) <= _MOST_FILLERS
        and 0 < len(come) <= _MOST_FILLERS
    )


def _reversed(older: Claim, newer: Claim) -> bool:
    """Tell whether one denies, or ends, what the other says of the same thing."""
    if not _same_subject(older, newer):
        return False
    for one, other in ((older.dates, newer.dates), (older.numbers, newer.numbers)):
        if one and other and one != other:
            return False
    if newer.ends:
        return older.holds and _alike(
            older.content | older.names, newer.content | newer.names, _POLAR_SHARED
        )
    if newer.replaces:
        return _alike(older.stems, newer.stems, _POLAR_SHARED)
    # Without a word of change, two states of one thing must say the same but for the "not".
    return older.lasts and newer.lasts and len(older.content) > 1 and older.content == newer.content


def _moved(older: Claim, newer: Claim) -> bool:
    """Tell whether the subject now lives in another place."""
    both = bool(older.home and newer.home) and older.subject == newer.subject
    return both and not newer.denies and older.home != newer.home


def _switched(older: Claim, newer: Claim) -> bool:
    """Tell whether the newer names what the older says is so as what was given up for another."""
    given_up = newer.given_up
    return (
        bool(given_up) and older.holds and given_up <= older.stems and _same_subject(older, newer)
    )


def _favourite_changed(older: Claim, newer: Claim) -> bool:
    """Tell whether the favourite of the same kind is another one."""
    if not older.favourite or not newer.favourite or older.subject != newer.subject:
        return False
    (kind, old), (same, new) = older.favourite, newer.favourite
    return kind == same and not old & new
