"""Paths of the memory tool: names of records, never of files. Pure."""

from __future__ import annotations

from daybook.model.identifiers import MAX_ID_BYTES

__all__ = ["ROOT", "PathRefusedError", "checked_path", "parents_of"]

ROOT = "/memories"


class PathRefusedError(ValueError):
    """A path cannot be used; the message is for the model."""


def checked_path(path: object) -> str:
    """Return a path with ``.``, ``..`` and double slashes resolved; it is at or below the root.

    Raises:
        PathRefusedError: It leads elsewhere, or cannot be a name.

    Example:
        >>> checked_path("/memories//notes/./old/../new.md")
        '/memories/notes/new.md'
    """
    if not isinstance(path, str) or not (path == ROOT or path.startswith(f"{ROOT}/")):
        raise PathRefusedError(f"Path must start with {ROOT}, got: {path}")
    names: list[str] = []
    for name in path[len(ROOT) :].split("/"):
        if name == "..":
            if not names:
                raise PathRefusedError(f"Path {path} would escape {ROOT} directory")
            names.pop()
        elif name not in ("", "."):
            names.append(name)
    resolved = "/".join([ROOT, *names])
    try:
        size = len(resolved.encode())
    except UnicodeEncodeError:
        raise PathRefusedError("Path is not valid Unicode text") from None
    if "\x00" in resolved or size > MAX_ID_BYTES:
        raise PathRefusedError(f"Path holds a NUL or is longer than {MAX_ID_BYTES} bytes")
    return resolved


def parents_of(path: str) -> list[str]:
    """Return the directories above a path, below the root.

    Example:
        >>> parents_of("/memories/a/b/c.md")
        ['/memories/a', '/memories/a/b']
    """
    names = path[len(ROOT) + 1 :].split("/")[:-1]
    return ["/".join([ROOT, *names[:end]]) for end in range(1, len(names) + 1)]
