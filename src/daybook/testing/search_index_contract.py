"""The whole contract of `SearchIndex`: inherit `SearchIndexContract`, implement ``open``."""

from __future__ import annotations

from daybook.protocols.search_index import SearchIndex
from daybook.registry import Engine
from daybook.testing.index_scale_contract import IndexScaleContract
from daybook.testing.index_search_contract import IndexSearchContract
from daybook.testing.index_write_contract import IndexWriteContract

__all__ = ["SearchIndexContract"]


class SearchIndexContract(IndexWriteContract, IndexSearchContract, IndexScaleContract):
    """Every promise of `daybook.protocols.search_index`."""

    def store_of(self, engine: Engine) -> SearchIndex:
        """Return the index."""
        assert engine.index is not None
        return engine.index
