"""Images, audio and files in content parts, whoever's spelling they came in. Pure.

Reads OpenAI's, Anthropic's and LangChain's fields; each provider writes its own.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from typing import Any, Literal

from msgspec import Struct

from daybook.model.message import ContentPart

__all__ = ["Media", "media_of", "stand_in"]

Kind = Literal["image", "audio", "file"]

_KINDS: dict[str, Kind] = {
    "image": "image",
    "image_url": "image",
    "input_image": "image",
    "audio": "audio",
    "input_audio": "audio",
    "file": "file",
    "input_file": "file",
    "document": "file",
}
# How the base64 text of the four image formats begins that every provider takes.
_IMAGE_STARTS = {
    "iVBORw": "image/png",
    "/9j/": "image/jpeg",
    "R0lGOD": "image/gif",
    "UklGR": "image/webp",
}
_AUDIO_FORMATS = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav"}


class Media(Struct, frozen=True, kw_only=True):
    """What a part shows: by URL, by value (base64, or a file's text), or by a provider's id."""

    kind: Kind
    url: str | None = None
    base64: str | None = None
    text: str | None = None
    file_id: str | None = None
    mime: str | None = None
    name: str | None = None
    detail: str | None = None

    @property
    def data_url(self) -> str | None:
        """The value as a ``data:`` URL, or None if only a URL or an id is known."""
        if self.base64 is None:
            return None
        return f"data:{self.mime or 'application/octet-stream'};base64,{self.base64}"

    @property
    def audio_format(self) -> str:
        """OpenAI's word for the sound's format."""
        word = (self.mime or "audio/wav").partition("/")[2]
        return _AUDIO_FORMATS.get(word, word)

    @property
    def readable(self) -> str | None:
        """The text of a text file, decoded; None for anything else."""
        if (
            self.text is not None
            or self.base64 is None
            or not (self.mime or "").startswith("text/")
        ):
            return self.text
        try:
            return b64decode(self.base64).decode()
        except (Base64Error, ValueError):
            return None


def media_of(part: ContentPart) -> Media | None:
    """Return what a part shows, or None if it shows nothing or not in a known spelling."""
    kind = _KINDS.get(part.type)
    if kind is None:
        return None
    fields = _fields(part)
    url, base64, mime = _text(fields, "url"), _text(fields, "base64", "data", "file_data"), None
    if url is not None and url.startswith("data:"):
        url, base64 = None, url
    if base64 is not None and base64.startswith("data:"):
        head, _, base64 = base64.removeprefix("data:").partition(",")
        mime = head.partition(";")[0] or None
    mime = mime or _text(fields, "media_type", "mime_type") or _guess(kind, fields, base64)
    text = None
    if fields.get("type") == "text" or fields.get("source_type") == "text":
        text, base64 = base64 or _text(fields, "text"), None
    found = Media(
        kind=kind,
        url=url,
        base64=base64,
        text=text,
        file_id=_text(fields, "file_id"),
        mime=mime,
        name=_text(fields, "filename", "title", "name"),
        detail=_text(fields, "detail"),
    )
    return found if found.url or found.base64 or found.text or found.file_id else None


def stand_in(part: ContentPart) -> str:
    """Return what is said in place of a part that cannot be sent: its text, else ``[image]``."""
    return part.text or f"[{part.type}]"


def _fields(part: ContentPart) -> dict[str, Any]:
    """Return a part's fields with those of the object that most spellings nest beside them."""
    fields = dict(part.data)
    for name in ("source", "image_url", "input_audio", "file", "input_file"):
        nested = fields.pop(name, None)
        if isinstance(nested, dict):
            fields.update(nested)
        elif isinstance(nested, str):
            fields["url"] = nested
    return fields


def _text(fields: dict[str, Any], *names: str) -> str | None:
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and value:
            return value
    return None


def _guess(kind: Kind, fields: dict[str, Any], base64: str | None) -> str | None:
    if kind == "audio":
        word = _text(fields, "format")
        return f"audio/{word}" if word else None
    if kind == "image" and base64:
        return next((mime for head, mime in _IMAGE_STARTS.items() if base64.startswith(head)), None)
    name = _text(fields, "filename")
    return "application/pdf" if name and name.lower().endswith(".pdf") else None
