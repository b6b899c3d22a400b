"""Whose data a call may touch."""

from __future__ import annotations

from msgspec import Struct

from daybook.errors import InvalidInputError
from daybook.model.identifiers import check_id

__all__ = ["DEFAULT_TENANT", "Scope", "check_tenant", "internal_tenant", "is_internal"]

DEFAULT_TENANT = "default"
_INTERNAL = "daybook:"


def check_tenant(value: object) -> str:
    """Return `value` if it may name a caller's tenant.

    Raises:
        InvalidInputError: It is no id, or begins with ``daybook:``, which is ours.
    """
    tenant = check_id(value, "tenant")
    if is_internal(tenant):
        raise InvalidInputError(f"tenant must not begin with {_INTERNAL!r}: choose another name")
    return tenant


def is_internal(tenant: str) -> bool:
    """Tell whether a tenant holds what Daybook itself records."""
    return tenant.startswith(_INTERNAL)


def internal_tenant(tenant: str) -> str:
    """Return the tenant that holds what Daybook itself records about a tenant's users."""
    return f"{_INTERNAL}{tenant}"


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
