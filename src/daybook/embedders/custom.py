"""Use any function that turns texts into vectors as an embedder."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from daybook.enginekit.in_thread import in_thread
from daybook.errors import BadModelOutputError, DaybookError, InvalidInputError, ProviderError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from daybook.protocols.embedder import Purpose

__all__ = ["CallableEmbedder", "EmbedFunction"]

# What the function returns: anything numpy reads as rows of numbers, at once or when awaited.
EmbedFunction = Callable[[list[str]], Any | Awaitable[Any]]


class CallableEmbedder:
    """Wraps `texts -> vectors`, sync or async, and checks what comes back.

    A sync function runs on a worker thread. Empty texts are not passed on. Rows are made unit
    length.

    Example:
        >>> async def lengths(texts: list[str]) -> list[list[float]]:
        ...     return [[len(text), 1.0] for text in texts]
        >>> embedder = CallableEmbedder(lengths, id="lengths-1", dimensions=2)
    """

    def __init__(
        self,
        function: EmbedFunction,
        *,
        id: str,  # noqa: A002 - the protocol's own word
        dimensions: int,
        query_function: EmbedFunction | None = None,
        batch_size: int = 256,
    ) -> None:
        """Take the function and what it makes.

        Args:
            function: Gets a non-empty list of non-empty texts, returns as many rows.
            id: Name and version of the model; change it when the vectors change.
            dimensions: Width of a row.
            query_function: Used instead for `purpose="query"`; must share the vector space.
            batch_size: Most texts given in one call.

        Raises:
            InvalidInputError: `id` is empty, or `dimensions` or `batch_size` below 1.
        """
        if not id.strip():
            raise InvalidInputError("callable embedder: id is empty, name the model and version")
        if dimensions < 1 or batch_size < 1:
            raise InvalidInputError(
                f"callable embedder {id}: dimensions ({dimensions}) and batch_size "
                f"({batch_size}) must be at least 1"
            )
        self._functions: dict[Purpose, EmbedFunction] = {
            "document": function,
            "query": query_function or function,
        }
        self._id = id
        self._dimensions = dimensions
        self._batch_size = batch_size

    @property
    def id(self) -> str:
        """Name and version, as given."""
        return self._id

    @property
    def dimensions(self) -> int:
        """Width of a vector, as given."""
        return self._dimensions

    async def embed(
        self, texts: Sequence[str], *, purpose: Purpose = "document"
    ) -> NDArray[np.float32]:
        """Return one unit row for each text, batch after batch.

        Raises:
            BadModelOutputError: The function gave another shape, or NaN or infinity.
            ProviderError: The function raised; its error is the cause.
        """
        rows = np.zeros((len(texts), self._dimensions), dtype=np.float32)
        filled = [i for i, text in enumerate(texts) if text]
        for start in range(0, len(filled), self._batch_size):
            chosen = filled[start : start + self._batch_size]
            answer = await self._call(self._functions[purpose], [texts[i] for i in chosen])
            rows[chosen] = self._checked(answer, len(chosen))
        return rows

    async def _call(self, function: EmbedFunction, texts: list[str]) -> Any:
        try:
            if _is_async(function):
                return await function(texts)
            answer = await in_thread(function, texts)
            return await answer if inspect.isawaitable(answer) else answer
        except DaybookError:
            raise
        except Exception as exc:
            raise ProviderError(
                f"the embedding function raised {type(exc).__name__}", provider=self._id
            ) from exc

    def _checked(self, answer: Any, count: int) -> NDArray[np.float32]:
        try:
            rows = np.asarray(answer, dtype=np.float64)
        except (TypeError, ValueError) as exc:
            raise BadModelOutputError(
                "the embedding function returned something other than equally long rows of numbers",
                provider=self._id,
            ) from exc
        if rows.shape != (count, self._dimensions):
            raise BadModelOutputError(
                f"the embedding function returned shape {rows.shape}, "
                f"expected {(count, self._dimensions)}",
                provider=self._id,
            )
        if not np.isfinite(rows).all():
            raise BadModelOutputError(
                "the embedding function returned NaN or infinity", provider=self._id
            )
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        norms[norms == 0] = 1
        return np.asarray(rows / norms, np.float32)


def _is_async(function: EmbedFunction) -> bool:
    call = getattr(function, "__call__", None)  # noqa: B004 - its type is what matters
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)
