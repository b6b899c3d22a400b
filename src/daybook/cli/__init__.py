"""The command line. Importing this package costs nothing: `main` loads what a command needs."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the ``daybook`` command with the arguments of this process."""
    try:
        from daybook.cli.app import app  # noqa: PLC0415 - loads on use

        app(prog_name="daybook")
    except KeyboardInterrupt:  # while modules load; commands handle it themselves
        raise SystemExit(130) from None
