"""Whose memory a command reads: the named user, or the only one there is."""

from __future__ import annotations

from daybook.client import AsyncDaybook
from daybook.errors import InvalidInputError, NotFoundError

__all__ = ["all_users", "choose_user"]

_PAGE = 1000
_LISTED = 20


async def all_users(book: AsyncDaybook) -> dict[str, int]:
    """Return the users of the tenant with how many sessions each has, most sessions first."""
    counts: dict[str, int] = {}
    cursor: str | None = None
    while True:
        page = await book.sessions.list(limit=_PAGE, cursor=cursor)
        for session in page.items:
            counts[session.user_id] = counts.get(session.user_id, 0) + 1
        cursor = page.cursor
        if cursor is None:
            break
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


async def choose_user(book: AsyncDaybook, named: str | None) -> str:
    """Return the named user, or the only one.

    Raises:
        NotFoundError: There is none yet.
        InvalidInputError: There are several; lists them.
    """
    if named is not None:
        return named
    users = await all_users(book)
    if not users:
        raise NotFoundError("this daybook is empty: run `daybook import FILE` first")
    if len(users) > 1:
        listed = ", ".join(list(users)[:_LISTED])
        more = f" and {len(users) - _LISTED} more" if len(users) > _LISTED else ""
        raise InvalidInputError(f"whose memory? Add --user; there are {listed}{more}")
    return next(iter(users))
