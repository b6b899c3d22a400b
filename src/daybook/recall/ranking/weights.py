"""Weights of the ranker, read from JSON files that `tools/fit_ranker` writes."""

from __future__ import annotations

import functools
from pathlib import Path

import msgspec

from daybook.errors import ConfigError

__all__ = ["RankerWeights", "load_weights", "weights_for"]

_FOLDER = Path(__file__).parent / "weights"


class RankerWeights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two linear models, and where they come from.

    Attributes:
        name: Which family of embedders they are for.
        version: Changes with every fit.
        provenance: What they were fitted on, how, and how well they did.
        first: Weight of each feature in the first stage, which picks rows for late interaction.
        final: Weight of each feature, `li` included, in the score.
    """

    name: str
    version: str
    provenance: dict[str, str]
    first: dict[str, float]
    final: dict[str, float]


@functools.cache
def load_weights(name: str) -> RankerWeights:
    """Return the shipped weights called `name`, read once.

    Raises:
        ConfigError: There are none of that name, or the file is damaged.
    """
    path = _FOLDER / f"{name}.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=RankerWeights)
    except (OSError, msgspec.DecodeError) as exc:
        raise ConfigError(f"ranker weights {path} cannot be read: {exc}") from exc


def weights_for(embedder_id: str) -> RankerWeights:
    """Return the weights for vectors of an embedder.

    Args:
        embedder_id: As `Embedder.id`; empty without vectors.

    Raises:
        ConfigError: The installation lacks a weights file.
    """
    if not embedder_id:
        return load_weights("lexical")
    return load_weights("static" if embedder_id.startswith("static") else "minilm")
