"""MongoDB 5.0 or newer, as a replica set or a sharded cluster. Needs `daybook[mongodb]`."""

from daybook.errors import MissingDependencyError

try:
    from daybook.engines.mongodb.engine import MongoEngine, open_engine
except ImportError as exc:
    if (exc.name or "").partition(".")[0] not in ("pymongo", "bson"):
        raise
    raise MissingDependencyError("the MongoDB engine", "pip install 'daybook[mongodb]'") from exc

__all__ = ["MongoEngine", "open_engine"]
