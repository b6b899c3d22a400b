"""Histories of made-up stores with one bug each: what the append checker must convict.

A sound history is drawn from a seed, then spoiled the way the bug would spoil it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from tools.crash.append_checker import Append, History, Kind, Read

__all__ = ["BUGS", "sound_history"]

Spoil = Callable[[History, random.Random], None]

# Shares of the calls of a sound history.
_REFUSED = 0.05
_READ = 0.25
_RETRIED = 0.2


def sound_history(seed: int, *, clients: int = 8, batches: int = 120) -> History:
    """Return what a correct store leaves: overlapping calls, retries, refusals, reads."""
    rng = random.Random(seed)
    history = History()
    free_at = [0] * clients  # when each client's last call returned
    clock = 0  # the moment of the newest commit or read
    for number in range(batches):
        client = rng.randrange(clients)
        invoked = max(free_at[client], clock - rng.randrange(40)) + 1
        clock = max(clock, invoked) + 1
        completed = clock + rng.randrange(40)
        ids = tuple(f"{client}-{number}-{part}" for part in range(rng.randint(1, 4)))
        call = Append(client, ids, invoked, completed, "ok")
        choice = rng.random()
        if choice < _REFUSED:
            history.appends.append(replace(call, outcome="failed"))
        elif choice < _REFUSED + _READ and history.final:
            seen = tuple(history.final[-rng.randint(1, 20) :])
            history.reads.append(Read(client, seen, invoked, completed))
        else:
            _deliver(history, rng, call)
        free_at[client] = completed
    return history


def _deliver(history: History, rng: random.Random, append: Append) -> None:
    """Store a batch; sometimes its first reply is lost and it is sent again."""
    first = len(history.final) + 1
    last = first + len(append.ids) - 1
    history.final.extend(enumerate(append.ids, start=first))
    acknowledged = replace(append, first_seq=first, last_seq=last)
    if rng.random() < _RETRIED:
        history.appends.append(replace(append, completed=None, outcome="unknown"))
    history.appends.append(acknowledged)


def _acked(history: History, rng: random.Random, least: int = 1) -> Append:
    return rng.choice(
        [one for one in history.appends if one.outcome == "ok" and len(one.ids) >= least]
    )


def _renumber(history: History) -> None:
    history.final = list(enumerate((one for _, one in history.final), start=1))


def _lose_update(history: History, rng: random.Random) -> None:
    gone = set(_acked(history, rng).ids)
    history.final = [(seq, one) for seq, one in history.final if one not in gone]
    _renumber(history)


def _duplicate_on_retry(history: History, rng: random.Random) -> None:
    history.final.extend((0, one) for one in _acked(history, rng).ids)
    _renumber(history)


def _reorder_batches(history: History, _: random.Random) -> None:
    early, late = history.final[:20], history.final[-20:]
    history.final = late + history.final[20:-20] + early
    _renumber(history)


def _tear_batch(history: History, rng: random.Random) -> None:
    gone = _acked(history, rng, least=2).ids[-1]
    history.final = [(seq, one) for seq, one in history.final if one != gone]
    _renumber(history)


def _interleave_batch(history: History, rng: random.Random) -> None:
    batch = _acked(history, rng, least=2)
    place = next(index for index, (_, one) in enumerate(history.final) if one == batch.ids[0])
    moved = history.final.pop(place)
    history.final.insert((place + 7) % len(history.final), moved)
    _renumber(history)


def _reverse_batch(history: History, rng: random.Random) -> None:
    ids = set(_acked(history, rng, least=2).ids)
    places = [index for index, (_, one) in enumerate(history.final) if one in ids]
    names = [history.final[place][1] for place in reversed(places)]
    for place, name in zip(places, names, strict=True):
        history.final[place] = (history.final[place][0], name)


def _drop_tail(history: History, rng: random.Random) -> None:
    del history.final[-rng.randint(3, 9) :]


def _serve_stale_read(history: History, _: random.Random) -> None:
    late = history.reads[-1]
    old = tuple(history.final[:5])
    history.reads[-1] = replace(late, entries=old)


def _read_own_write_late(history: History, _: random.Random) -> None:
    append = [one for one in history.appends if one.outcome == "ok"][-1]
    moment = (append.completed or 0) + 1
    seen = tuple(history.final[: append.first_seq - 1][-3:])
    history.reads.append(Read(append.client, seen, moment, moment + 5))


def _invent_message(history: History, _: random.Random) -> None:
    history.final.append((len(history.final) + 1, "nobody-sent-this"))


def _store_refused(history: History, _: random.Random) -> None:
    refused = Append(0, ("refused-0", "refused-1"), 1, 2, "failed")
    history.appends.append(refused)
    history.final.extend(enumerate(refused.ids, start=len(history.final) + 1))


def _skip_numbers(history: History, rng: random.Random) -> None:
    cut = rng.randrange(5, len(history.final) - 5)
    history.final = [(seq + (place >= cut), one) for place, (seq, one) in enumerate(history.final)]


def _show_uncommitted(history: History, _: random.Random) -> None:
    """A read shows a batch that was rolled back afterwards."""
    last = history.reads[-1]
    dirty = (last.entries[-1][0], "rolled-back")
    history.reads[-1] = replace(last, entries=(*last.entries[:-1], dirty))


def _answer_another_caller(history: History, _: random.Random) -> None:
    """A caller gets the receipt of somebody else's batch."""
    acked = [index for index, one in enumerate(history.appends) if one.outcome == "ok"]
    place, other = acked[0], history.appends[acked[-1]]
    mine = history.appends[place]
    history.appends[place] = replace(mine, first_seq=other.first_seq, last_seq=other.last_seq)


BUGS: dict[str, tuple[Spoil, frozenset[Kind]]] = {
    "a lost update": (_lose_update, frozenset({"lost"})),
    "a duplicate on retry": (_duplicate_on_retry, frozenset({"duplicated"})),
    "batches in another order": (_reorder_batches, frozenset({"reordered"})),
    "a torn batch": (_tear_batch, frozenset({"torn"})),
    "an interleaved batch": (_interleave_batch, frozenset({"torn", "reordered"})),
    "a batch turned round": (_reverse_batch, frozenset({"reordered"})),
    "a dropped tail": (_drop_tail, frozenset({"lost", "diverged"})),
    "a stale cache": (_serve_stale_read, frozenset({"stale"})),
    "own writes unseen": (_read_own_write_late, frozenset({"stale"})),
    "an invented message": (_invent_message, frozenset({"phantom"})),
    "a refused batch stored": (_store_refused, frozenset({"phantom"})),
    "numbers skipped": (_skip_numbers, frozenset({"gap"})),
    "an uncommitted read": (_show_uncommitted, frozenset({"diverged"})),
    "another caller's receipt": (_answer_another_caller, frozenset({"receipt"})),
}
"""What went wrong, how to make it so, and what the checker must call it (one of these)."""
