"""What the frames of a session's file say: its facts, its counts and its messages. Pure.

Every frame carries the session's counts after it, so the last one and the newest frame of facts
(its offset is among the counts) are all that listing a session needs to read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from daybook.enginekit.times import moment, moment_or_none, to_micros
from daybook.engines.file.frames import body_checksum, encode_frame
from daybook.model.entry import NewEntry
from daybook.model.lineage import Segment
from daybook.model.session import Session
from daybook.model.session_codec import decode_session, encode_session

__all__ = [
    "BLANK",
    "FACTS",
    "MESSAGES",
    "NO_ROLES",
    "ROLE_NAMES",
    "EntryHead",
    "Facts",
    "MessagesHead",
    "Roles",
    "State",
    "count_roles",
    "decode_facts",
    "decode_messages",
    "encode_blank",
    "encode_facts",
    "encode_messages",
    "encode_part",
    "make_facts",
    "session_of",
    "state_of",
]

BLANK = "v"
FACTS = "s"
MESSAGES = "a"
# The stored numbers of roles: never reorder, only add.
ROLE_NAMES = ("system", "user", "assistant", "tool")
_ROLE_NUMBER = {name: number for number, name in enumerate(ROLE_NAMES)}
Roles = tuple[int, int, int, int]
NO_ROLES: Roles = (0, 0, 0, 0)
_UUID_SIZE = 36


class State(Struct, frozen=True, array_like=True):
    """A session's counts after a frame.

    Attributes:
        first_seq: Lowest number that may be read.
        last_seq: Highest number assigned.
        tokens: Tokens of all its messages.
        roles: Messages by role, in the order of `ROLE_NAMES`.
        active_at: Last activity, microseconds since 1970.
        expires_at: End of its life, or None.
        changes: Grows with every change that the index must follow.
        facts_at: Offset of the newest frame of facts.
    """

    first_seq: int
    last_seq: int
    tokens: int
    roles: Roles
    active_at: int
    expires_at: int | None
    changes: int
    facts_at: int


class Facts(Struct, frozen=True):
    """A session without its counts.

    Attributes:
        tenant: Its tenant.
        incarnation: See `SessionSpan.incarnation`.
        segments: Older streams it shows parts of; a stream is named ``<stream>.<session key>``.
        session: The encoded `Session`.
    """

    tenant: str
    incarnation: int
    session: msgspec.Raw
    segments: tuple[Segment[str], ...] = ()

    def decoded(self) -> Session:
        """Return the session as it was at this frame; nobody else holds its metadata."""
        return decode_session(bytes(self.session))


class EntryHead(Struct, frozen=True, array_like=True, gc=False):
    """A message without its body.

    Attributes:
        id: Its id; or where it stands in the body, if it is 36 characters long and stands there.
        fingerprint: See `NewEntry`.
        role: Its number in `ROLE_NAMES`.
        tokens: Its tokens.
        size: Bytes of its body.
        checksum: See `daybook.engines.file.frames.body_checksum`.
    """

    id: str | int
    fingerprint: bytes
    role: int
    tokens: int
    size: int
    checksum: int

    def name(self, body: memoryview) -> str:
        """Return the message's id."""
        if isinstance(self.id, str):
            return self.id
        return str(body[self.id : self.id + _UUID_SIZE], "utf-8", "replace")


class _FactsHead(Struct, frozen=True, array_like=True):
    state: State
    facts: Facts


class MessagesHead(Struct, frozen=True, array_like=True):
    """The head of a frame of messages: consecutive numbers that end with `state.last_seq`."""

    state: State
    entries: tuple[EntryHead, ...]


_encoder = msgspec.json.Encoder()
_facts_decoder = msgspec.json.Decoder(_FactsHead)
_messages_decoder = msgspec.json.Decoder(MessagesHead)


def state_of(session: Session, *, roles: Roles, changes: int, facts_at: int) -> State:
    """Return the counts of a session."""
    expires_at = session.expires_at
    return State(
        session.first_seq,
        session.last_seq,
        session.token_count,
        roles,
        to_micros(session.last_active_at),
        None if expires_at is None else to_micros(expires_at),
        changes,
        facts_at,
    )


def session_of(facts: Session, state: State) -> Session:
    """Return a session with its counts."""
    active_at: datetime = moment(state.active_at)
    return replace(
        facts,
        first_seq=state.first_seq,
        last_seq=state.last_seq,
        message_count=sum(state.roles),
        token_count=state.tokens,
        last_active_at=active_at,
        expires_at=moment_or_none(state.expires_at),
    )


def encode_facts(state: State, facts: Facts, seed: int) -> bytes:
    """Return a frame of facts."""
    return encode_frame(FACTS, _encoder.encode(_FactsHead(state, facts)), (), seed)


def decode_facts(head: bytes) -> tuple[State, Facts]:
    """Return what a frame of facts says.

    Raises:
        msgspec.MsgspecError: It is not one.
    """
    found = _facts_decoder.decode(head)
    return found.state, found.facts


def make_facts(
    tenant: str, incarnation: int, session: Session, segments: tuple[Segment[str], ...] = ()
) -> Facts:
    """Return the facts of a session."""
    return Facts(tenant, incarnation, msgspec.Raw(encode_session(session)), segments)


def encode_blank(last_seq: int, size: int, seed: int) -> bytes:
    """Return a frame of a size with nothing but a number: it goes in the place of old facts."""
    empty = len(encode_frame(BLANK, b"", (), seed))
    return encode_frame(BLANK, str(last_seq).encode().ljust(size - empty), (), seed)


def encode_messages(state: State, entries: Sequence[NewEntry], seed: int) -> bytes:
    """Return a frame of messages, whose numbers end with `state.last_seq`."""
    first = state.last_seq - len(entries) + 1
    heads = tuple(
        EntryHead(
            _short_id(entry),
            entry.fingerprint,
            _ROLE_NUMBER[entry.role],
            entry.tokens,
            len(entry.body),
            body_checksum(entry.body, seed, seq),
        )
        for seq, entry in enumerate(entries, first)
    )
    head = _encoder.encode(MessagesHead(state, heads))
    return encode_frame(MESSAGES, head, [entry.body for entry in entries], seed)


def encode_part(head: MessagesHead, bodies: Sequence[bytes], seed: int) -> bytes:
    """Return a frame of messages from heads and bodies that were read before."""
    return encode_frame(MESSAGES, _encoder.encode(head), bodies, seed)


def decode_messages(head: bytes) -> MessagesHead:
    """Return what a frame of messages says.

    Raises:
        msgspec.MsgspecError: It is not one.
    """
    return _messages_decoder.decode(head)


def count_roles(before: Roles, entries: Sequence[NewEntry]) -> Roles:
    """Return the counts by role with these messages added."""
    counts = list(before)
    for entry in entries:
        counts[_ROLE_NUMBER[entry.role]] += 1
    system, user, assistant, tool = counts
    return system, user, assistant, tool


def _short_id(entry: NewEntry) -> str | int:
    """Return where the body holds the id, if it does: ids then take no room of their own."""
    if len(entry.id) != _UUID_SIZE:
        return entry.id
    name = entry.id.encode()
    at = entry.body.find(name) if len(name) == _UUID_SIZE else -1
    return entry.id if at < 0 else at
