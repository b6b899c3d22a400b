"""Where things stand below the store's root. Pure.

Every name is a hash of an identifier, never the identifier itself: no id can leave the root, meet
a reserved name, or fall together with another on a file system that folds case or Unicode forms.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

__all__ = [
    "GENERATION",
    "INCARNATIONS",
    "LOCK",
    "MARKER",
    "TEMPORARY",
    "TENANTS",
    "TENANT_NAME",
    "Place",
    "Session",
    "folded",
    "listing_of",
    "marks_of",
    "name_of",
    "records_of",
    "records_place",
    "references_of",
    "session_at",
    "session_key",
    "session_place",
    "sessions_of",
    "shared_of",
    "shared_place",
    "tenant_of",
]

MARKER = "daybook.json"
LOCK = "lock"
GENERATION = "generation"
INCARNATIONS = "incarnations"
TEMPORARY = "tmp"
TENANTS = "tenants"
TENANT_NAME = "tenant.json"
_SUFFIX = ".log"
_NAMES_KEPT = 4096


class Place(NamedTuple):
    """A file: the names of the folders on the way, and its own."""

    folders: tuple[str, ...]
    name: str


@lru_cache(_NAMES_KEPT)
def name_of(kind: str, *ids: str) -> str:
    """Return 40 hexadecimal digits for identifiers; `kind` keeps different things apart.

    160 bits: even someone who chooses the ids cannot make two of them meet.
    """
    digest = blake2b(digest_size=20, person=kind.encode())
    for one in ids:
        body = one.encode()
        digest.update(len(body).to_bytes(4, "big"))
        digest.update(body)
    return digest.hexdigest()


def folded(name: str) -> str:
    """Return the folder, one of 256, that a name falls into."""
    return name[:2]


def tenant_of(tenant: str) -> str:
    """Return the name of a tenant's folder."""
    return name_of("tenant", tenant)


class Session(NamedTuple):
    """The hashed names of a session: of its tenant, and its own."""

    tenant: str
    key: str


@lru_cache(_NAMES_KEPT)
def session_key(tenant: str, session_id: str) -> Session:
    """Return the hashed names of a session."""
    return Session(tenant_of(tenant), name_of("session", tenant, session_id))


def sessions_of(tenant: str) -> tuple[str, ...]:
    """Return the folder of a tenant's sessions; each is in the folder `folded` says."""
    return (TENANTS, tenant, "sessions")


@lru_cache(_NAMES_KEPT)
def session_place(session: Session) -> Place:
    """Return where a session's file stands."""
    return Place((*sessions_of(session.tenant), folded(session.key)), session.key + _SUFFIX)


def session_at(place: Place) -> Session:
    """Return whose file a place is for: the reverse of `session_place`."""
    return Session(place.folders[1], place.name.removesuffix(_SUFFIX))


def listing_of(tenant: str, user: str) -> tuple[str, ...]:
    """Return the folder that names a user's sessions, each by an empty file."""
    return (TENANTS, tenant, "users", folded(user), user)


def marks_of(tenant: str) -> tuple[str, ...]:
    """Return the folder of a tenant's pending marks."""
    return (TENANTS, tenant, "pending")


def shared_of(tenant: str) -> tuple[str, ...]:
    """Return the folder of streams whose session is gone and that forks still show."""
    return (TENANTS, tenant, "shared")


def shared_place(tenant: str, stream: str) -> Place:
    """Return where such a stream stands."""
    return Place(shared_of(tenant), stream + _SUFFIX)


def references_of(tenant: str, *stream: str) -> tuple[str, ...]:
    """Return the folder of who refers to which streams, or of one stream."""
    return (TENANTS, tenant, "references", *stream)


def records_of(tenant: str) -> tuple[str, ...]:
    """Return the folder of a tenant's records; each owner's file is in the folder `folded` says."""
    return (TENANTS, tenant, "records")


def records_place(tenant: str, owner: str) -> Place:
    """Return where an owner's records stand; both arguments are hashed names."""
    return Place((*records_of(tenant), folded(owner)), owner + _SUFFIX)
