"""The Lua scripts: read from the package, put together, named by their hash.

A script's first line may name the parts it uses: ``--@ use session mark`` puts
``lua/shared/session.lua`` and ``lua/shared/mark.lua`` before it. `call.lua` stands before each.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha1
from importlib.resources import files

from msgspec import Struct

__all__ = ["Script", "load_script"]

_USE = "--@ use "


class Script(Struct, frozen=True):
    """A script.

    Attributes:
        name: Its file's name.
        source: What the server runs.
        sha: How the server calls it once it knows it.
    """

    name: str
    source: bytes
    sha: bytes


@cache
def load_script(name: str) -> Script:
    """Return a script with the parts it uses."""
    folder = files(__package__) / "lua"
    text = (folder / f"{name}.lua").read_text(encoding="utf-8")
    first, _, _ = text.partition("\n")
    used = first.removeprefix(_USE).split() if first.startswith(_USE) else []
    parts = [
        (folder / "shared" / f"{part}.lua").read_text(encoding="utf-8") for part in ("call", *used)
    ]
    source = "\n".join([*parts, text]).encode()
    # The server's own name for a script, not a protection of anything.
    return Script(name, source, sha1(source, usedforsecurity=False).hexdigest().encode())
