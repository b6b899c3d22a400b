"""Whose data a call may touch."""

from __future__ import annotations

from msgspec import Struct

from daybook.model.identifiers import check_id

__all__ = ["DEFAULT_TENANT", "Scope"]

DEFAULT_TENANT = "default"


class Scope(Struct, frozen=True):
    """A tenant and, where the call names one, a user of it. Every storage call takes one.

    A scope without a user reaches all users of the tenant; no scope reaches two tenants.
    """

    tenant: str = DEFAULT_TENANT
    user_id: str | None = None

    @classmethod
    def of(cls, tenant: str, user_id: str | None = None) -> Scope:
        """Make a checked scope.

        Raises:
            InvalidInputError: A name is not a valid id.
        """
        check_id(tenant, "tenant")
        if user_id is not None:
            check_id(user_id, "user_id")
        return cls(tenant, user_id)

    def reaches(self, user_id: str) -> bool:
        """Tell whether data of `user_id` may be touched under this scope."""
        return self.user_id is None or self.user_id == user_id
