"""Runs moto's server with one request at a time: `moto_one_at_a_time.py HOST PORT`.

DynamoDB makes each request atomic. Moto's own program answers requests in threads that share its
tables without locks, so two conditional writes could both find their condition met; it also closes
the connection after each request, which DynamoDB does not.
"""

from __future__ import annotations

import logging
import sys

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from waitress import serve


def main() -> None:
    """Serve until killed."""
    host, port = sys.argv[1], int(sys.argv[2])
    app = DomainDispatcherApplication(create_backend_app)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # that requests wait is the point
    serve(app, host=host, port=port, threads=1, connection_limit=1_000)


if __name__ == "__main__":
    main()
