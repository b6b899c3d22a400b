"""One searchable unit, already analysed: what a search index stores about a turn or a record.

No text is kept here: words are stems' hashes, meaning is a vector. The text stays in the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Collection", "IndexDocument", "IndexState"]

Collection = Literal["turns", "records"]


class IndexDocument(Struct, frozen=True, kw_only=True, eq=False):
    """One analysed unit.

    Attributes:
        key: Unique in its scope and collection: the message id, or the record's key.
        group: The session id, or the record's encoded namespace.
        position: The message's sequence number; 0 for a record.
        created_at: Microseconds since 1970, UTC: when it was said.
        role: Role number, the index into `daybook.model.message.ROLES`; 1 (user) for a record.
        speaker: Who speaks, for people: the message's name, else its role; empty for a record.
        traits: Bit flags of `daybook.recall.text.analysis` (a question, has a number …).
        length: Words of the text.
        terms: Sorted distinct stem hashes (uint32, little-endian) then their counts (uint8).
        tokens: Rows of the static table in order (uint16, little-endian), for late interaction.
        vector: Shape (d,), float32, L2-normalised; None if nothing could be embedded.
        embedder: Id of the embedder that made `vector`; empty without one.
        token_vectors: Its telling tokens' vectors under that embedder, packed by it, for late
            interaction; empty where the embedder makes none.
    """

    key: str
    group: str
    position: int
    created_at: int
    role: int
    speaker: str
    traits: int
    length: int
    terms: bytes
    tokens: bytes
    vector: NDArray[np.float32] | None
    embedder: str
    token_vectors: bytes = b""


class IndexState(Struct, frozen=True, kw_only=True):
    """How far an index is, for `doctor` and `stats`.

    Attributes:
        documents: Documents of the scope (or of all).
        embedders: Documents per embedder id.
    """

    documents: int
    embedders: dict[str, int]
