"""What a message log must answer, in a few dictionaries: the reference of the state machine.

It knows nothing of bytes, locks or files, and is read as a restatement of the protocol.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from daybook.model.scope import Scope
from daybook.model.session import Ancestor

__all__ = ["LogModel", "ModelSession", "Said"]

Said = tuple[str, str]  # a message's id and text


@dataclass
class ModelSession:
    """One session: its owner, its life and what was said, by sequence number."""

    user_id: str
    ttl: timedelta | None
    active_at: datetime
    expires_at: datetime | None
    first_seq: int = 1
    ancestors: tuple[Ancestor, ...] = ()
    title: str | None = None
    last_seq: int = field(default=-1)
    max_messages: int | None = None
    grants: dict[str, str | None] = field(default_factory=dict)
    said: dict[int, Said] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Number the first message `first_seq`, unless told otherwise."""
        if self.last_seq < 0:
            self.last_seq = self.first_seq - 1

    def first_in_view(self) -> int:
        """Return the lowest number that `max_messages` leaves in view."""
        shown = self.last_seq if self.max_messages is None else self.max_messages
        return self.last_seq - shown + 1

    def place_of(self, message_id: str) -> int | None:
        """Return where a message stands."""
        return next((seq for seq, one in self.said.items() if one[0] == message_id), None)


class LogModel:
    """All tenants' sessions, and which of them have unsettled changes."""

    def __init__(self) -> None:
        self.sessions: dict[tuple[str, str], ModelSession] = {}
        self.unsettled: set[tuple[str, str, str]] = set()

    def taken(self, tenant: str, session_id: str, now: datetime) -> ModelSession | None:
        """Return a live session, whoever owns it."""
        found = self.sessions.get((tenant, session_id))
        if found is None or (found.expires_at is not None and found.expires_at <= now):
            return None
        return found

    def find(self, scope: Scope, session_id: str, now: datetime) -> ModelSession | None:
        """Return a live session that the scope reaches."""
        found = self.taken(scope.tenant, session_id, now)
        return found if found and scope.user_id in (None, found.user_id) else None

    def create(self, tenant: str, new: ModelSession, session_id: str) -> None:
        """Put a new session in the place of an expired one."""
        self.drop(tenant, session_id)
        self.sessions[tenant, session_id] = new

    def fork(
        self,
        tenant: str,
        parent_id: str,
        child_id: str,
        at: int,
        ttl: timedelta | None,
        now: datetime,
    ) -> ModelSession:
        """Copy what was said up to a place."""
        parent = self.sessions[tenant, parent_id]
        inherited = tuple(Ancestor(one.session_id, min(one.seq, at)) for one in parent.ancestors)
        fork = ModelSession(
            parent.user_id,
            ttl,
            now,
            None if ttl is None else now + ttl,
            parent.first_seq,
            (*inherited, Ancestor(parent_id, at)),
            last_seq=at,
            said={seq: said for seq, said in parent.said.items() if seq <= at},
        )
        self.create(tenant, fork, child_id)
        self.unsettled.add((tenant, fork.user_id, child_id))
        return fork

    def drop(self, tenant: str, session_id: str) -> None:
        """Remove a session, whatever its state."""
        gone = self.sessions.pop((tenant, session_id), None)
        if gone is not None:
            self.unsettled.add((tenant, gone.user_id, session_id))

    def fits(self, session: ModelSession | None, batch: list[Said]) -> bool:
        """Tell whether no id of a batch stands for two texts."""
        texts = {said[0]: said[1] for said in session.said.values()} if session else {}
        return all(texts.setdefault(name, text) == text for name, text in batch)

    def append(
        self, tenant: str, session_id: str, batch: list[Said], now: datetime
    ) -> tuple[int, int, int]:
        """Add what is new; return the lowest and highest place and the number of repeats."""
        session = self.sessions[tenant, session_id]
        places, repeats = [], 0
        for said in batch:
            place = session.place_of(said[0])
            repeats += place is not None
            if place is None:
                session.last_seq = place = session.last_seq + 1
                session.said[place] = said
            places.append(place)
        if repeats < len(batch):
            session.active_at = now
            session.expires_at = None if session.ttl is None else now + session.ttl
            self.unsettled.add((tenant, session.user_id, session_id))
        return min(places), max(places), repeats

    def reached(self, scope: Scope, now: datetime) -> dict[str, ModelSession]:
        """Return the live sessions of a scope by id."""
        return {
            name: session
            for (tenant, name), session in self.sessions.items()
            if tenant == scope.tenant and self.find(scope, name, now) is session
        }

    def expired(self, now: datetime) -> list[tuple[str, str]]:
        """Return the places of sessions whose life is over."""
        return [place for place in self.sessions if self.taken(*place, now) is None]
