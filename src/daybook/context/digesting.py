"""From a digest and what was said since to the next digest. Pure; a model's part is handed in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from daybook.context.notes import distinct_notes, fitting_notes, fitting_prose, note_tokens
from daybook.context.salience import facts_of, note_of, priority_of, scored_sentences
from daybook.model.digest import Digest, DigestKind, Note
from daybook.model.entry import HistoryEntry
from daybook.protocols.token_counter import TokenCounter

__all__ = ["EXTRACTIVE", "compacted", "extended", "first_digest", "quotes_of"]

EXTRACTIVE = "extractive"
_FACTS_SHARE = 0.6
_KEPT_BY_COMPACTION = 0.5
# Of the sentences that are no facts, so many a message are quoted at most.
_QUOTES_PER_MESSAGE = 1
_NOTABLE = 2
# The lines around the notes, and what says what they are.
_FRAME_TOKENS = 80


def first_digest(
    kind: DigestKind, first_seq: int, *, made_by: str, mark: str, now: datetime
) -> Digest:
    """Return a digest that covers nothing yet, of what begins at `first_seq`."""
    return Digest(
        kind=kind,
        first_seq=first_seq,
        last_seq=first_seq - 1,
        made_by=made_by,
        mark=mark,
        made_at=now,
    )


def quotes_of(entries: Sequence[HistoryEntry]) -> list[Note]:
    """Return what is worth quoting of some messages: every fact, and the best other sentence each.

    Cost: linear in the text. Pure.
    """
    best: dict[int, tuple[float, Note]] = {}
    facts: list[Note] = []
    for score, entry, sentence in scored_sentences(entries):
        note = note_of(entry, sentence, priority_of(score))
        if note.priority > _NOTABLE and entry.message.role == "user":
            facts.append(note)
        elif note.priority >= _NOTABLE or entry.message.role == "user":
            lower = replace(note, priority=min(note.priority, _NOTABLE))
            if score > best.get(entry.seq, (0.0, lower))[0]:
                best[entry.seq] = (score, lower)
    return sorted([*facts, *(note for _, note in best.values())], key=lambda one: one.seq)


def extended(
    digest: Digest,
    entries: Sequence[HistoryEntry],
    last_seq: int,
    *,
    limit: int,
    counter: TokenCounter,
    now: datetime,
    prose: str | None = None,
    notes: Sequence[Note] | None = None,
) -> Digest:
    """Return a digest that covers `entries` as well.

    Args:
        digest: The one before.
        entries: The messages that follow it.
        last_seq: The last message that is covered now.
        limit: Tokens that it may take.
        counter: Counts notes.
        now: When it is made.
        prose: The model's new summary in place of the one before; None to keep that.
        notes: The model's facts or observations; None to quote.

    What users state about themselves or ask to be kept is always among the notes, whatever the
    model returned. A summary keeps those notes that fit, the most important first. An
    observation log is only appended to; `compacted` makes it smaller.
    """
    more = quotes_of(entries) if notes is None else [*facts_of(entries), *notes]
    together = distinct_notes([*digest.notes, *more])
    if digest.kind == "summary":
        told = digest.prose if prose is None else fitting_prose(prose, limit, counter)
        room = limit - _FRAME_TOKENS - counter.count_text(told)
        together = fitting_notes(together, max(int(limit * _FACTS_SHARE), room), counter)
    else:
        old = set(digest.notes)
        together = [*digest.notes, *(note for note in together if note not in old)]
    return replace(
        digest,
        last_seq=max(digest.last_seq, last_seq),
        prose=digest.prose if prose is None else fitting_prose(prose, limit, counter),
        notes=tuple(together),
        made_at=now,
    )


def compacted(digest: Digest, *, limit: int, counter: TokenCounter, mark: str) -> Digest:
    """Return an observation log within `limit` tokens: as it is, or halved, a new generation.

    Args:
        digest: An observation log.
        limit: Tokens that it may take.
        counter: Counts notes.
        mark: For the new generation.
    """
    limit = max(0, limit - _FRAME_TOKENS)
    if sum(note_tokens(note, counter) for note in digest.notes) <= limit:
        return digest
    kept = fitting_notes(digest.notes, int(limit * _KEPT_BY_COMPACTION), counter)
    return replace(digest, notes=tuple(kept), generation=digest.generation + 1, mark=mark)
