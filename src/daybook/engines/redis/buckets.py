"""Which bucket a user, a session id or an owner of records belongs to, and the buckets' keys. Pure.

Every key carries its bucket in braces, so that on a cluster a bucket lies in one slot and one
script may touch any of its keys at once. A user's sessions, forks, marks and records are all in
the user's bucket.
"""

from __future__ import annotations

import re
from hashlib import blake2b

__all__ = ["BUCKETS", "Buckets", "bucket_of_user", "natural_bucket"]

# Never to be changed for stored data. Enough to spread over any cluster that is run in practice,
# few enough that asking all of them is one short script.
BUCKETS = 256

_GENERATED = re.compile(r"[0-9a-f]{6}-").match


def bucket_of_user(tenant: str, user_id: str) -> int:
    """Return the bucket of a user, or of the records below this first label.

    It is the first byte of the tag that `daybook.facets.sessions` puts before generated ids.
    """
    return blake2b(user_id.encode(), key=tenant.encode()[:64], digest_size=3).digest()[0]


def natural_bucket(tenant: str, session_id: str) -> int:
    """Return the bucket in which a session id is claimed, and looked for if the user is unknown.

    A generated id names its user's bucket, so that is where the session itself is.
    """
    if _GENERATED(session_id):
        return int(session_id[:2], 16)
    name = f"{len(tenant)}:{tenant}{session_id}"
    return blake2b(name.encode(), digest_size=1).digest()[0]


class Buckets:
    """The keys of all buckets under one prefix."""

    def __init__(self, prefix: str) -> None:
        self.tags = [f"{bucket:02x}".encode() for bucket in range(BUCKETS)]
        # A bucket's counter is the first key it gets and the last that could go: the one key
        # that scripts declare, from which they derive the others.
        self.counters = [f"{prefix}:{{{bucket:02x}}}:n".encode() for bucket in range(BUCKETS)]
