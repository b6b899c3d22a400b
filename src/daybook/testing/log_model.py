"""What a message log must answer, in a few dictionaries: the reference of the state machine.

It knows nothing of bytes, locks or files, and is read as a restatement of the protocol.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from daybook.model.scope import Scope

__all__ = ["LogModel", "ModelSession", "Said"]

Said = tuple[str, str]  # a message's id and text


@dataclass
class ModelSession:
    """One session: its owner, its life and what was said, by sequence number."""

    user_id: str
    ttl: timedelta | None
    active_at: datetime
    expires_at: datetime | None
    title: str | None = None
    last_seq: int = 0
    said: dict[int, Said] = field(default_factory=dict)

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

    def create(
        self, tenant: str, user: str, session_id: str, ttl: timedelta | None, now: datetime
    ) -> ModelSession:
        """Put a new session in the place of an expired one."""
        self.drop(tenant, session_id)
        new = ModelSession(user, ttl, now, None if ttl is None else now + ttl)
        self.sessions[tenant, session_id] = new
        return new

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
