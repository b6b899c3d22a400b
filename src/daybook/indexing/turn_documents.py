"""Messages as documents: read from the log, analysed and embedded together."""

from __future__ import annotations

from collections.abc import Sequence

from daybook.indexing.documents import searchable_text, turn_document
from daybook.indexing.models import Models
from daybook.model.entry import HistoryEntry
from daybook.model.index_document import IndexDocument

__all__ = ["documents_of"]


async def documents_of(
    models: Models, entries: Sequence[tuple[str, HistoryEntry]]
) -> list[IndexDocument]:
    """Return the documents of messages; one in which there is nothing to find has none.

    Args:
        models: Analyse and embed.
        entries: Session ids with their messages.

    Raises:
        ProviderError: The embedder failed.
    """
    # A placeholder for bytes that do not decode is nothing that anybody said.
    texts = ["" if entry.corrupt else searchable_text(entry.message) for _, entry in entries]
    found = [(*entry, text) for entry, text in zip(entries, texts, strict=True) if text.strip()]
    analysed = await models.analyse([text for _, _, text in found])
    embedder = models.embedder_id
    return [
        turn_document(group, entry, parts, embedder)
        for (group, entry, _), parts in zip(found, analysed, strict=True)
    ]
