"""The whole contract of `RecordStore`: inherit `RecordStoreContract`, implement ``open``."""

from __future__ import annotations

from daybook.protocols.record_store import RecordStore
from daybook.registry import Engine
from daybook.testing.record_list_contract import RecordListContract
from daybook.testing.record_write_contract import RecordWriteContract

__all__ = ["RecordStoreContract"]


class RecordStoreContract(RecordWriteContract, RecordListContract):
    """Every promise of `daybook.protocols.record_store`."""

    def store_of(self, engine: Engine) -> RecordStore:
        """Return the records."""
        return engine.records
