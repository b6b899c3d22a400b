"""Transactions: run, and tried again when another writer was in the way."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import OperationFailure, PyMongoError

from daybook.engines.mongodb.connection import MAJORITY, SNAPSHOT, Handles
from daybook.engines.mongodb.driver_errors import is_duplicate_key

__all__ = ["transact"]

T = TypeVar("T")

_FIRST_PAUSE_S = 0.001
_LONGEST_PAUSE_S = 0.05


async def transact(handles: Handles, body: Callable[[AsyncClientSession], Awaitable[T]]) -> T:
    """Run `body` in a transaction and return its result after the commit.

    It runs again, from the start, when another writer was in the way; the caller's deadline ends
    that. If `body` raises, nothing of it is stored.
    """
    session = handles.client.start_session()
    pause = _FIRST_PAUSE_S
    try:
        while True:
            try:
                return await _attempt(session, body)
            except PyMongoError as exc:
                if not _may_pass(exc):
                    raise
            await asyncio.sleep(random.uniform(0, pause))  # noqa: S311 - jitter, not a secret
            pause = min(pause * 2, _LONGEST_PAUSE_S)
    finally:
        await session.end_session()


async def _attempt(
    session: AsyncClientSession, body: Callable[[AsyncClientSession], Awaitable[T]]
) -> T:
    await session.start_transaction(SNAPSHOT, MAJORITY)
    try:
        result = await body(session)
        await _commit(session)
    except BaseException:
        if session.in_transaction:
            await session.abort_transaction()
        raise
    return result


async def _commit(session: AsyncClientSession) -> None:
    """Commit; again if the answer was lost, which is safe: the server knows the transaction."""
    while True:
        try:
            await session.commit_transaction()
        except PyMongoError as exc:
            if not exc.has_error_label("UnknownTransactionCommitResult"):
                raise
        else:
            return


def _may_pass(error: PyMongoError) -> bool:
    if error.has_error_label("TransientTransactionError"):
        return True
    # Someone else inserted the document after this transaction looked for it.
    return isinstance(error, OperationFailure) and is_duplicate_key(error)
