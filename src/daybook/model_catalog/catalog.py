"""Looks models up: what was registered, what the user's file says, what the package ships."""

from __future__ import annotations

import functools
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec

from daybook.config import models_file
from daybook.errors import ConfigError, InvalidInputError, NotFoundError
from daybook.model_catalog.facts import ModelFacts
from daybook.model_catalog.names import candidate_names

__all__ = ["get_context_limit", "get_model", "known_models", "register_model"]

_SHIPPED = Path(__file__).with_name("models.json")

_registered: dict[str, ModelFacts] = {}
_registering = Lock()


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    models: tuple[ModelFacts, ...]
    as_of: str = ""
    note: str = ""


def get_model(model: str) -> ModelFacts | None:
    """Return what is known of a model; None if nothing is.

    Args:
        model: Its name, as a spec (``openai:gpt-4o``), as a provider reports it
            (``gpt-4o-2024-08-06``) or as a host names it (``anthropic/claude-opus-5``). Exact
            names come first, registered ones before the user's file before the package's table.

    Raises:
        ConfigError: The file that ``DAYBOOK_MODELS`` names cannot be read.
    """
    own = models_file()
    tables = (_registered, _read(own) if own is not None else {}, _read(_SHIPPED))
    for name in candidate_names(model):
        for table in tables:
            if name in table:
                return table[name]
    return None


def get_context_limit(model: str, *, output_tokens: int = 0) -> int:
    """Return how many tokens may be sent to a model when so many are kept for its answer.

    Raises:
        NotFoundError: Nothing is known of the model.
    """
    facts = get_model(model)
    if facts is None:
        raise NotFoundError(
            f"nothing is known of model {model}: register it with register_model(ModelFacts(…)), "
            "or give a limit in tokens"
        )
    return facts.input_limit(output_tokens)


def register_model(facts: ModelFacts) -> None:
    """Add a model, or replace what is known of one, in this process.

    Raises:
        InvalidInputError: A count of tokens or a price is negative, or there is no name.
    """
    if problem := _problem(facts):
        raise InvalidInputError(f"model {facts.id!r}: {problem}")
    with _registering:
        _registered.update(_by_name(facts))


def known_models() -> list[ModelFacts]:
    """Return every model that is known, by id.

    Raises:
        ConfigError: The file that ``DAYBOOK_MODELS`` names cannot be read.
    """
    own = models_file()
    tables = (_read(_SHIPPED), _read(own) if own is not None else {}, _registered)
    found = {facts.id: facts for table in tables for facts in table.values()}
    return [found[name] for name in sorted(found)]


@functools.lru_cache(maxsize=8)
def _read(path: Path) -> dict[str, ModelFacts]:
    """Return a file's models by every name they have; each file is read once."""
    try:
        table = msgspec.json.decode(path.read_bytes(), type=_Table)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise ConfigError(f"the table of models {path} cannot be read: {exc}") from exc
    models = dict[str, ModelFacts]()
    for facts in table.models:
        if problem := _problem(facts):
            raise ConfigError(f"the table of models {path}: {facts.id!r}: {problem}")
        dated = facts if facts.as_of else msgspec.structs.replace(facts, as_of=table.as_of)
        models.update(_by_name(dated))
    return models


def _by_name(facts: ModelFacts) -> dict[str, ModelFacts]:
    return {name.lower(): facts for name in (facts.id, *facts.aliases)}


def _problem(facts: ModelFacts) -> str | None:
    if not facts.id or not all(facts.aliases):
        return "a name is empty"
    counts: list[Any] = [facts.context_tokens, facts.max_output_tokens, facts.max_input_tokens]
    if any(count is not None and (type(count) is not int or count < 1) for count in counts):
        return "a limit in tokens must be an int of 1 or more"
    prices = facts.prices
    while prices is not None:
        rates = (prices.input, prices.output, prices.cached_input, prices.cache_write)
        if any(rate is not None and not (rate.is_finite() and rate >= 0) for rate in rates):
            return "a price must be 0 or more"
        if (prices.long is None) != (prices.long_above_tokens is None):
            return "long and long_above_tokens go together"
        prices = prices.long
    return None
