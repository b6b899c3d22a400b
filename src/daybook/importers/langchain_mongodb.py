"""The collection of LangChain's MongoDB histories: a document for each message."""

from __future__ import annotations

from collections.abc import Iterator

from daybook.errors import InvalidInputError
from daybook.importers.langchain_rows import StoredRow, driver, store_calls

__all__ = ["mongodb_rows"]

_DATABASE, _COLLECTION = "chat_history", "message_store"
_SESSION, _MESSAGE = "SessionId", "History"
_ANSWER_MS = 10_000


def mongodb_rows(url: str, collection: str | None = None) -> Iterator[StoredRow]:
    """Yield the documents of a collection, in the order in which they were inserted.

    Args:
        url: As PyMongo takes it; its path names the database, else it is ``chat_history``.
        collection: None for ``message_store``.

    Raises:
        InvalidInputError: There is no such collection, or the URL is not valid.
        StoreUnavailableError: The server cannot be read.
        MissingDependencyError: PyMongo is not installed.
    """
    pymongo = driver("pymongo", "mongodb")
    errors = driver("pymongo.errors", "mongodb")
    bson = driver("bson.errors", "mongodb")
    name = collection or _COLLECTION
    with store_calls("mongodb", errors.PyMongoError, bson.BSONError):
        try:
            client = pymongo.MongoClient(url, serverSelectionTimeoutMS=_ANSWER_MS, tz_aware=True)
        except (ValueError, errors.ConfigurationError):
            raise InvalidInputError("the mongodb:// URL is not valid") from None
        with client:
            database = client.get_default_database(_DATABASE)
            if not database.list_collection_names(filter={"name": name}):
                raise InvalidInputError("there is no such collection with LangChain's messages")
            for document in database[name].find(projection=[_SESSION, _MESSAGE]):
                key = str(document["_id"])
                said_at = getattr(document["_id"], "generation_time", None)
                session, stored = document.get(_SESSION), document.get(_MESSAGE)
                yield StoredRow(session, stored, f"{name}/{key}", key, said_at)
