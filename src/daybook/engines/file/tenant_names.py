"""The tenants' own names, each written into its folder."""

from __future__ import annotations

import msgspec

from daybook.engines.file.folders import Folders
from daybook.engines.file.paths import TENANT_NAME, TENANTS, Place, tenant_of

__all__ = ["TenantNames"]


class TenantNames:
    """Which tenants a store has. Safe on any thread."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._there: set[str] = set()

    def ensure(self, tenant: str) -> None:
        """Write a tenant's name into its folder, unless it stands there."""
        if tenant in self._there:
            return
        place = Place((TENANTS, tenant_of(tenant)), TENANT_NAME)
        if self._folders.stat(place) is None:
            body = msgspec.json.encode({"tenant": tenant})
            self._folders.write_small(place, body, durable=True)
        self._there.add(tenant)

    def every(self) -> list[str]:
        """Return the tenants, sorted; one without any data may be among them."""
        found = []
        for name in self._folders.names((TENANTS,)):
            body = self._folders.read_small(Place((TENANTS, name), TENANT_NAME))
            if body is not None:
                found.append(msgspec.json.decode(body, type=dict[str, str])["tenant"])
        return sorted(found)
