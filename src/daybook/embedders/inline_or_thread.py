"""Run a quick computation at once and a long one on a worker thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["embed_inline_or_in_thread"]


async def embed_inline_or_in_thread(
    encode: Callable[[Sequence[str]], NDArray[np.float32]],
    texts: Sequence[str],
    *,
    inline_characters: int,
) -> NDArray[np.float32]:
    """Return `encode(texts)`; more than `inline_characters` of text goes to a thread.

    A thread costs about 0.1 ms and keeps the event loop free, so each embedder states how much
    text it can embed in less time than that is worth.
    """
    if sum(map(len, texts)) <= inline_characters:
        return encode(texts)
    return await asyncio.to_thread(encode, texts)
