"""How a session id stays unique in its tenant although users live in different buckets.

Each id has a natural bucket. A session that lives there (every session whose id was generated)
is its own claim: making it is one script. One with an id of the caller's choice usually lives in
another bucket, its user's; then its id is claimed first by an alias in the natural bucket, which
also says where the session is. An alias that nothing came of, because its maker died in between,
is taken over: first its claim is revoked where it points, so that a maker who was only slow fails,
then it is replaced, unless somebody else did so meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from daybook.engines.redis.buckets import bucket_of_user, natural_bucket
from daybook.engines.redis.script_calls import Reply, ScriptCalls
from daybook.errors import ConflictError

__all__ = ["Attempt", "SessionClaims"]

Attempt = Callable[[dict[str, Any]], Awaitable[Reply]]

# A maker takes two round trips; one that has not finished after this long is taken for dead. If it
# is not, it fails: no harm is done.
_PATIENCE_MS = 2_000
_WAIT_S = 0.02
# Much longer than any call may take.
_FENCE_MS = 3_600_000


class SessionClaims:
    """Makes sessions."""

    def __init__(self, calls: ScriptCalls, now: Callable[[], int], margin_ms: int) -> None:
        self._calls = calls
        self._now = now
        self._margin_ms = margin_ms

    async def make(
        self,
        tenant: str,
        fields: dict[str, Any],
        attempt: Attempt,
        check: Callable[[], None] = lambda: None,
    ) -> Reply:
        """Run a script that makes a session in its user's bucket, with the claims it needs.

        Args:
            tenant: Whose.
            fields: The session, see `new_session_fields`.
            attempt: Runs the script with these fields and a claim.
            check: Called before an id is claimed; raises if the session would not be made.

        Raises:
            ConflictError: A live session has the id.
        """
        session_id = fields["id"]
        home = bucket_of_user(tenant, fields["user"])
        natural = natural_bucket(tenant, session_id)
        claim: dict[str, Any] = {"natural": natural == home}
        while True:
            reply = await attempt({**fields, **claim})
            if reply.status == "taken":
                raise _taken(session_id)
            if reply.status == "claim":
                check()
                claim["token"] = await self._claim(tenant, session_id, natural, home)
            elif reply.status == "alias":
                alias, age_ms = reply.values
                claim["expect"] = await self._free(tenant, session_id, home, alias, age_ms)
            elif reply.status == "lost":
                claim["token"] = None
            else:
                return reply

    async def forget(self, tenant: str, session_id: str, bucket: int, token: int | None) -> None:
        """Remove the alias of a session that is gone; without its claim's number, look it up."""
        natural = natural_bucket(tenant, session_id)
        if natural == bucket:
            return
        named = {"tenant": tenant, "id": session_id, "now": self._now()}
        if token is not None:
            expect = f"2:{bucket:02x}{token}:"
        else:
            alias = (await self._calls.call("alias", natural, named)).values[0]
            if not alias or _place(alias)[0] != bucket:
                return
            if not await self._revoke(tenant, session_id, *_place(alias)):
                return
            expect = alias
        await self._calls.call("unalias", natural, {**named, "expect": expect})

    async def _claim(self, tenant: str, session_id: str, natural: int, home: int) -> int | None:
        """Return the number of a claim; None to try the script again without one."""
        named: dict[str, Any] = {
            "tenant": tenant,
            "id": session_id,
            "bucket": f"{home:02x}",
            "now": self._now(),
            "margin": self._margin_ms,
        }
        reply = await self._calls.call("claim", natural, named)
        if reply.status == "alias":
            alias, age_ms = reply.values
            expect = await self._free(tenant, session_id, home, alias, age_ms)
            if expect is None:
                return None
            reply = await self._calls.call("claim", natural, {**named, "expect": expect})
        if reply.status == "taken":
            raise _taken(session_id)
        token: int | None = reply.values[0] if reply.status == "ok" else None
        return token

    async def _free(
        self, tenant: str, session_id: str, home: int, alias: str, age_ms: int
    ) -> str | None:
        """Return the alias if nothing stands behind it and its claim is revoked.

        None if its maker may still be at work, or has just made it for the same user: try again.

        Raises:
            ConflictError: A live session of another user has the id.
        """
        bucket, token = _place(alias)
        patient = age_ms < _PATIENCE_MS
        if await self._revoke(tenant, session_id, bucket, None if patient else token):
            if not patient:
                return alias
            await asyncio.sleep(_WAIT_S)
        elif bucket != home:
            raise _taken(session_id)
        return None

    async def _revoke(self, tenant: str, session_id: str, bucket: int, token: int | None) -> bool:
        """Tell whether no live session is there; with a number, see that its claim stays unused."""
        named = {
            "tenant": tenant,
            "id": session_id,
            "token": token,
            "fence": _FENCE_MS,
            "now": self._now(),
        }
        reply = await self._calls.call("revoke", bucket, named)
        return reply.status == "ok"


def _place(alias: str) -> tuple[int, int]:
    """Return the bucket and the claim's number of an alias: ``2:<bucket><number>:<time>``."""
    bucket = alias.partition(":")[2][:2]
    number = alias.partition(":")[2][2:].partition(":")[0]
    return int(bucket, 16), int(number)


def _taken(session_id: str) -> ConflictError:
    return ConflictError(
        f"session {session_id!r} is there already: choose another id, or leave the id out to get "
        "a fresh one"
    )
