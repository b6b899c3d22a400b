"""From names to implementations: ``sqlite:///chat.db`` to an engine, ``minilm`` to an embedder.

Engines, embedders and language models are found by entry point, ours by the same door as anyone's.
Nothing is imported until its name is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import parse_qsl, unquote

from msgspec import Struct

from daybook.errors import ConfigError
from daybook.model.capabilities import EngineCapabilities
from daybook.protocols.clock import Clock
from daybook.protocols.embedder import Embedder, TokenEmbedder
from daybook.protocols.language_model import LanguageModel
from daybook.protocols.message_log import MessageLog
from daybook.protocols.record_store import RecordStore
from daybook.protocols.search_index import SearchIndex

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = [
    "EMBEDDERS",
    "ENGINES",
    "LANGUAGE_MODELS",
    "Engine",
    "EngineUrl",
    "available",
    "load_callable",
    "load_embedder",
    "load_language_model",
    "load_token_embedder",
    "open_engine",
    "parse_url",
    "wrap_language_model",
]

ENGINES = "daybook.engines"
EMBEDDERS = "daybook.embedders"
LANGUAGE_MODELS = "daybook.language_models"


class EngineUrl(Struct, frozen=True):
    """A parsed engine URL.

    Attributes:
        scheme: Which engine.
        location: What stands between ``://`` and ``?``, percent-decoded.
        options: The query's names and values.
        address: The location as it was written, still percent-encoded, for drivers that read a
            user's name and password out of it themselves.
    """

    scheme: str
    location: str
    options: Mapping[str, str]
    address: str = ""

    def take(self, **allowed: str) -> dict[str, str]:
        """Return the options with defaults filled in.

        Raises:
            ConfigError: An option that this engine does not know.
        """
        unknown = sorted(set(self.options) - set(allowed))
        if unknown:
            raise ConfigError(
                f"{self.scheme}: unknown option {', '.join(unknown)}; known are "
                f"{', '.join(sorted(allowed)) or 'none'}"
            )
        return {**allowed, **self.options}


class Engine(Protocol):
    """An opened engine: up to three stores that share one place."""

    @property
    def capabilities(self) -> EngineCapabilities:
        """What it promises."""
        ...

    @property
    def log(self) -> MessageLog:
        """Its message log."""
        ...

    @property
    def records(self) -> RecordStore:
        """Its record store."""
        ...

    @property
    def index(self) -> SearchIndex | None:
        """Its search index, or None: pair it with another engine's."""
        ...

    async def close(self) -> None:
        """Release everything. Repeatable."""
        ...


class _EngineModule(Protocol):
    async def open_engine(self, url: EngineUrl, *, clock: Clock) -> Engine: ...


class _EmbedderModule(Protocol):
    def from_spec(self, spec: str) -> Embedder: ...


class _LanguageModelModule(Protocol):
    def from_spec(self, spec: str, **options: Any) -> LanguageModel: ...


def parse_url(url: str) -> EngineUrl:
    """Split an engine URL.

    Raises:
        ConfigError: There is no scheme. The URL itself, which may hold a password, is not shown.
    """
    scheme, separator, rest = str(url).partition("://")
    if not separator or not scheme:
        raise ConfigError(
            "an engine URL starts with a scheme, for example sqlite:///chat.db or inmemory://"
        )
    location, _, query = rest.partition("?")
    return EngineUrl(scheme.lower(), unquote(location), dict(parse_qsl(query)), location)


async def open_engine(url: str, *, clock: Clock) -> Engine:
    """Open the engine that a URL names.

    Raises:
        ConfigError: The scheme is unknown, or an option is.
        MissingDependencyError: The engine's driver is not installed.
        StoreError: The engine could not be opened.
    """
    parsed = parse_url(url)
    module = cast("_EngineModule", _load(ENGINES, parsed.scheme, "engine"))
    return await module.open_engine(parsed, clock=clock)


def load_embedder(spec: str) -> Embedder:
    """Return the embedder that ``name`` or ``name:detail`` describes.

    Raises:
        ConfigError: The name is unknown.
        MissingDependencyError: Its packages are not installed.
    """
    name, _, detail = spec.partition(":")
    module = cast("_EmbedderModule", _load(EMBEDDERS, name, "embedder"))
    return module.from_spec(detail)


def load_language_model(spec: str, **options: Any) -> LanguageModel:
    """Return the language model that ``provider:model`` describes, for example ``openai:gpt-5``.

    Args:
        spec: ``provider:model``; ``provider:model@https://…/v1`` for another base URL.
        options: The provider's own settings: ``api_key``, ``base_url``, ``timeout_s`` …

    Raises:
        ConfigError: The provider is unknown, no model is named, or an option is wrong.
        MissingDependencyError: The provider's package is not installed.
    """
    name, _, detail = spec.partition(":")
    module = cast("_LanguageModelModule", _load(LANGUAGE_MODELS, name, "language model"))
    return module.from_spec(detail, **options)


def wrap_language_model(thing: Any) -> LanguageModel:
    """Return a name, a model, a LangChain chat model or a function as a language model.

    Raises:
        ConfigError: It is none of these.
        MissingDependencyError: The provider's package is not installed.
    """
    models = import_module("daybook.language_models")
    return cast("LanguageModel", models.as_language_model(thing))


async def load_callable(function: Callable[[Sequence[str]], Any]) -> Embedder:
    """Return an embedder around a function from texts to vectors, sync or async.

    It is called once, on one short text, to learn how wide its vectors are. Its module and name
    become the embedder's id: rename the function when its vectors change.

    Raises:
        ConfigError: The function did not return one row for one text.
    """
    answer = function(["width"])
    rows = await answer if isawaitable(answer) else answer
    try:
        (row,) = rows
        dimensions = len(row)
    except (TypeError, ValueError):
        raise ConfigError(
            "embedder: the function must return one vector for each text it is given"
        ) from None
    name = f"{function.__module__}.{getattr(function, '__qualname__', type(function).__name__)}"
    custom = import_module("daybook.embedders.custom")
    embedder: Embedder = custom.CallableEmbedder(
        function, id=f"callable:{name}", dimensions=dimensions
    )
    return embedder


def load_token_embedder() -> TokenEmbedder:
    """Return the table of token vectors that ships with the package."""
    return cast("TokenEmbedder", load_embedder("static"))


def available(group: str) -> dict[str, EntryPoint]:
    """Return the entry points of a group by name, sorted."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - a fifth of the import time

    found = {point.name: point for point in entry_points(group=group)}
    return dict(sorted(found.items()))


@cache
def _load(group: str, name: str, kind: str) -> Any:
    # Found once, it is not looked for again: among a hundred packages that takes ten milliseconds.
    points = available(group)
    if name not in points:
        known = ", ".join(points) or "none: reinstall daybook"
        raise ConfigError(f"unknown {kind} {name!r}; installed are {known}")
    return points[name].load()
