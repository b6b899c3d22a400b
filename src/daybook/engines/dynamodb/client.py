"""The botocore client: its own retries off, since only we know the deadline of a call."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader, create_loader

from daybook.engines.dynamodb.driver_errors import translate
from daybook.engines.dynamodb.worker import THREADS
from daybook.errors import ConfigError

__all__ = ["make_client"]


def make_client(region: str, endpoint: str, profile: str, timeout_s: float) -> Any:
    """Return a client for a region, or for another endpoint with an empty profile or a named one.

    Raises:
        ConfigError: Region, endpoint or profile cannot be right.
    """
    config = Config(
        connect_timeout=min(timeout_s, 3.0),
        read_timeout=max(timeout_s / 2, 0.5),
        retries={"total_max_attempts": 1, "mode": "standard"},
        max_pool_connections=2 * THREADS,
        tcp_keepalive=True,
        parameter_validation=False,  # what we send is ours; checking it costs a quarter of a call
    )
    try:
        session = botocore.session.Session(profile=profile or None)
        loader = _loader(session.get_config_variable("data_path"))
        session.register_component("data_loader", loader)
        return session.create_client(
            "dynamodb", region_name=region, endpoint_url=endpoint or None, config=config
        )
    except (BotoCoreError, ValueError) as exc:
        if isinstance(exc, ValueError):
            raise ConfigError("dynamodb: region or endpoint is not valid") from None
        raise translate(exc, "open") from exc


@lru_cache(maxsize=4)
def _loader(search_path: str | None) -> Loader:
    """Return what reads the API's description, once in a process: it takes a third of a second."""
    return create_loader(search_path)
