"""PostgreSQL 14 or newer: ``postgresql://user:password@host/database``.

Log, records and search index in one schema, for any number of processes. Needs
`daybook[postgresql]`.
"""

from daybook.errors import MissingDependencyError

try:
    from daybook.engines.postgresql.engine import PostgreSQLEngine, open_engine
except ImportError as exc:
    if (exc.name or "").partition(".")[0] != "psycopg":
        raise
    raise MissingDependencyError(
        "the PostgreSQL engine", "pip install 'daybook[postgresql]'"
    ) from exc

__all__ = ["PostgreSQLEngine", "open_engine"]
