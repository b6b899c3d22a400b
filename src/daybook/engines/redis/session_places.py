"""Calls about one session, sent to the bucket where it lives.

A scope that names its user says where. Else the id's natural bucket is asked, which has the
session itself or its alias; aliases are remembered, and asked for again if the session is no
longer where one says.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Any

from daybook.engines.redis.buckets import bucket_of_user, natural_bucket
from daybook.engines.redis.script_calls import Reply, ScriptCalls
from daybook.model.scope import Scope

__all__ = ["SessionPlaces"]

_MOST_REMEMBERED = 10_000


class SessionPlaces:
    """Finds sessions."""

    def __init__(self, calls: ScriptCalls) -> None:
        self._calls = calls
        self._lock = Lock()
        self._remembered: OrderedDict[tuple[str, str], int] = OrderedDict()

    async def call(
        self, script: str, scope: Scope, session_id: str, arguments: dict[str, Any], *bodies: bytes
    ) -> Reply:
        """Run a script where a session is; the answer says ``missing`` if it is nowhere."""
        named = {"tenant": scope.tenant, "user": scope.user_id, "id": session_id, **arguments}
        if scope.user_id is not None:
            home = bucket_of_user(scope.tenant, scope.user_id)
            return await self._calls.call(script, home, named, *bodies)
        remembered = self._recall(scope.tenant, session_id)
        if remembered is not None:
            reply = await self._calls.call(script, remembered, named, *bodies)
            if reply.status != "missing":
                return reply
        natural = natural_bucket(scope.tenant, session_id)
        reply = await self._calls.call(script, natural, named, *bodies)
        if reply.status == "missing" and reply.values[0]:
            elsewhere = int(reply.values[0], 16)
            self._remember(scope.tenant, session_id, elsewhere)
            reply = await self._calls.call(script, elsewhere, named, *bodies)
        return reply

    def _recall(self, tenant: str, session_id: str) -> int | None:
        with self._lock:
            bucket = self._remembered.get((tenant, session_id))
            if bucket is not None:
                self._remembered.move_to_end((tenant, session_id))
            return bucket

    def _remember(self, tenant: str, session_id: str, bucket: int) -> None:
        with self._lock:
            self._remembered[tenant, session_id] = bucket
            if len(self._remembered) > _MOST_REMEMBERED:
                self._remembered.popitem(last=False)
