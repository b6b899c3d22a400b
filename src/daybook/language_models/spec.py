"""What stands after ``provider:`` in a model's name, and checks of its options. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from daybook.errors import ConfigError

__all__ = ["check_timeout", "from_options", "parse_detail"]

M = TypeVar("M")
_WITH_URL = re.compile(r"(?P<name>.+?)@(?P<url>https?://.+)", re.DOTALL)


def parse_detail(provider: str, detail: str) -> tuple[str, str | None]:
    """Split ``NAME`` or ``NAME@http(s)://…`` into the name and the base URL.

    Raises:
        ConfigError: No model is named.
    """
    with_url = _WITH_URL.fullmatch(detail)
    name, url = (with_url["name"], with_url["url"]) if with_url else (detail, None)
    if not name.strip() or name.startswith(("@http://", "@https://")):
        raise ConfigError(f"{provider}: name a model, for example {provider}:NAME")
    return name, url


def from_options(make: Callable[..., M], provider: str, detail: str, options: dict[str, Any]) -> M:
    """Return ``make(name, base_url=…, **options)`` for what stands after ``provider:``.

    Raises:
        ConfigError: No model is named, two base URLs are, or an option is unknown.
    """
    name, url = parse_detail(provider, detail)
    if url is not None:
        if options.get("base_url") not in (None, url):
            raise ConfigError(
                f"{provider}: one base URL stands in the name and another in base_url"
            )
        options = {**options, "base_url": url}
    known = set(make.__init__.__kwdefaults__ or ())
    unknown = sorted(set(options) - known)
    if unknown:
        raise ConfigError(
            f"{provider}: unknown option {', '.join(unknown)}; known are "
            f"{', '.join(sorted(known | {'retries'}))}"
        )
    return make(name, **options)


def check_timeout(provider: str, timeout_s: float) -> float:
    """Return the timeout as given.

    Raises:
        ConfigError: It is not a number above 0.
    """
    if type(timeout_s) not in (int, float) or not timeout_s > 0:
        raise ConfigError(f"{provider}: timeout_s must be a number above 0")
    return timeout_s
