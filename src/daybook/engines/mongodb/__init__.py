"""MongoDB 5.0 or newer, as a replica set or a sharded cluster."""

from daybook.engines.mongodb.engine import MongoEngine, open_engine

__all__ = ["MongoEngine", "open_engine"]
