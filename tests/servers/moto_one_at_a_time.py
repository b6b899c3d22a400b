"""Runs moto's server with one request at a time: `moto_one_at_a_time.py HOST PORT`.

DynamoDB makes each request atomic. Moto answers requests in threads that share its tables without
locks, so two conditional writes could both find their condition met. Connections stay open between
requests, as DynamoDB's do.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, run_simple

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class QuietHandler(WSGIRequestHandler):
    """Answers over one lasting connection and prints no line for each request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Print nothing."""


def one_at_a_time(app: WSGIApplication) -> WSGIApplication:
    """Return the app with its requests in a row."""
    turn = threading.Lock()

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with turn:
            return list(app(environ, start_response))

    return serve


def main() -> None:
    """Serve until killed."""
    host, port = sys.argv[1], int(sys.argv[2])
    app = one_at_a_time(DomainDispatcherApplication(create_backend_app))
    run_simple(host, port, app, threaded=True, request_handler=QuietHandler)


if __name__ == "__main__":
    main()
