"""Under which names of the catalog a model may stand that a caller or a provider names.

``openai:gpt-4o-2024-08-06`` is gpt-4o, ``us.anthropic.claude-3-5-haiku-20241022-v1:0`` is
claude-3-5-haiku. Nothing is taken off a name but what says where or of when a model is: a name
that only begins like a known one is another model, with other prices.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["candidate_names"]

# Compiled when first used: importing this is a part of importing the package.
_BASE_URL = r"@https?://.*$"
# A region of Bedrock and the maker: us.anthropic.claude…, meta.llama…
_MAKER = r"^(?:(?:us|eu|apac|jp|au|global)\.)?(?:anthropic|meta|mistral|deepseek|qwen)\."
_BEDROCK_VERSION = r"-v\d+(?::\d+)?$"
_DATE = r"[-@](?:\d{4}-\d{2}-\d{2}|20\d{6})$"


def candidate_names(name: str) -> Iterator[str]:
    """Yield the names to look up, the most exact first; all in lower case, none twice."""
    name = name.strip().lower()
    if (
        name.startswith("ft:") or ":ft:" in name
    ):  # somebody's own training of a model, at other prices
        yield name
        return
    seen = set[str]()
    for place in _places(name):
        for dated in (place, re.sub(_BEDROCK_VERSION, "", place)):
            for candidate in (dated, re.sub(_DATE, "", dated), _family(dated)):
                if candidate and candidate not in seen:
                    seen.add(candidate)
                    yield candidate


def _places(name: str) -> Iterator[str]:
    """Yield a name without its base URL, provider, path and maker, one after the other."""
    yield name
    name = re.sub(_BASE_URL, "", name)
    yield name
    _, colon, rest = name.partition(":")
    if colon:
        yield rest
        yield rest.rpartition("/")[2]
    last = name.rpartition("/")[2]
    yield last
    yield re.sub(_MAKER, "", last)
    yield re.sub(_MAKER, "", rest)


def _family(name: str) -> str:
    """Return ``llama3.1`` of ``llama3.1:8b``: sizes of a family share its window."""
    family, _, size = name.partition(":")
    return family if size and not size.startswith("/") else ""
