"""Redis, Valkey and their clusters: ``redis://host:6379/0``.

Plain data types and Lua scripts, no modules. Needs `daybook[redis]`.
"""

from daybook.errors import MissingDependencyError

try:
    from daybook.engines.redis.engine import RedisEngine, open_engine
except ImportError as exc:
    if (exc.name or "").partition(".")[0] != "redis":
        raise
    raise MissingDependencyError("the Redis engine", "pip install 'daybook[redis]'") from exc

__all__ = ["RedisEngine", "open_engine"]
