"""``python -m daybook.cli`` is the ``daybook`` command."""

from __future__ import annotations

from daybook.cli import main

if __name__ == "__main__":
    main()
