"""Runs servers by hand: `python -m tests.servers redis postgres`, until Ctrl-C.

Prints a line to export for each; tests that are run with those use these servers.
"""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import ExitStack, suppress

from tests.servers.catalog import KINDS
from tests.servers.launch import ServerFailedError, ServerMissingError, owned_folder


def main() -> int:
    """Start the servers named on the command line, all of them if none is."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers", description=__doc__)
    parser.add_argument("kinds", nargs="*", choices=[[], *KINDS], metavar="KIND",
                        help=", ".join(KINDS))  # fmt: skip
    wanted = parser.parse_args().kinds or list(KINDS)
    with ExitStack() as stack:
        for kind in wanted:
            try:
                server = KINDS[kind].start(stack.enter_context(owned_folder(kind)))
            except (ServerMissingError, ServerFailedError) as failure:
                print(f"{kind}: {failure}", file=sys.stderr)  # noqa: T201
                return 1
            print(f"export {KINDS[kind].variable}='{server.url}'", flush=True)  # noqa: T201
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
