"""The Lua scripts: read from the package, put together, named by their hash.

A script's first lines may name the parts of ``lua/shared`` it uses; `call.lua` stands before each:

- ``--@ use session mark`` puts those parts before the script;
- ``--@ nest making drop make : make`` puts parts into a function `making` that returns `make`, so
  that a script that rarely needs them does not build them each time it runs.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha1
from importlib.resources import files

from msgspec import Struct

__all__ = ["Script", "load_script"]

_USE = "--@ use "
_NEST = "--@ nest "


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
    text = _text(name)
    parts = [_text("shared/call")]
    for line in text.splitlines():
        if line.startswith(_USE):
            parts += [_text(f"shared/{part}") for part in line.removeprefix(_USE).split()]
        elif line.startswith(_NEST):
            parts.append(_nested(line.removeprefix(_NEST)))
        else:
            break
    source = "\n".join([*parts, text]).encode()
    # The server's own name for a script, not a protection of anything.
    return Script(name, source, sha1(source, usedforsecurity=False).hexdigest().encode())


def _nested(line: str) -> str:
    names, _, returned = line.partition(" : ")
    function, *parts = names.split()
    inside = "\n".join(_text(f"shared/{part}") for part in parts)
    return f"local function {function}()\n{inside}\nreturn {', '.join(returned.split())}\nend"


def _text(name: str) -> str:
    return files(__package__).joinpath(f"lua/{name}.lua").read_text(encoding="utf-8")
