"""`book.model`: the language model that a book was opened with, its calls counted and capped."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from msgspec.structs import replace

from daybook.errors import StoreError
from daybook.facets.calibrations import Calibrations
from daybook.facets.costs import Costs
from daybook.model.codec import encode_json
from daybook.model.cost import Reservation
from daybook.model.message import Usage
from daybook.model.reply import ModelRequest, Reply
from daybook.model_catalog import get_model
from daybook.protocols.language_model import LanguageModel
from daybook.protocols.token_counter import TokenCounter

__all__ = ["MeteredModel"]

# An answer without a limit of the caller's own: long, and not a model's whole 128,000 held for it.
_OUTPUT_TOKENS = 16_384

_log = logging.getLogger(__name__)
_TOOL_TOKENS = 8


class MeteredModel:
    """Calls a language model for a user, under their caps, and learns from what it reports.

    Room for the call is held in the ledger before it is made and what it took is written after it.
    No storage connection is held while the model answers.
    """

    def __init__(
        self,
        model: LanguageModel,
        costs: Costs,
        calibrations: Calibrations,
        counter: TokenCounter,
    ) -> None:
        self._model = model
        self._costs = costs
        self._calibrations = calibrations
        self._counter = counter

    @property
    def id(self) -> str:
        """Provider and model, for example ``openai:gpt-5-mini``."""
        return self._model.id

    async def generate(self, request: ModelRequest, user_id: str, operation: str) -> Reply:
        """Return the whole answer.

        Args:
            request: What is asked.
            user_id: For whom: whose caps hold, and who is charged.
            operation: For what, for example ``reply`` or ``summary``: how the ledger lists it.

        Raises:
            CostCapError: The call could pass a cap; it was not made.
            ProviderError: The model failed.
        """
        async with aclosing(self._metered(request, user_id, operation, whole=True)) as parts:
            async for part in parts:
                if isinstance(part, Reply):
                    return part
        raise AssertionError("a model's call ends with a reply or an error")

    def stream(
        self, request: ModelRequest, user_id: str, operation: str
    ) -> AsyncGenerator[str | Reply]:
        """Yield pieces of the answer's text as they come, then the whole answer.

        Arguments and errors are those of `generate`. A stream that is closed early is charged for
        what was sent and what had come, by estimate.
        """
        return self._metered(request, user_id, operation, whole=False)

    async def close(self) -> None:
        """Close the model's connections."""
        await self._model.close()

    async def _metered(
        self, request: ModelRequest, user_id: str, operation: str, *, whole: bool
    ) -> AsyncGenerator[str | Reply]:
        estimated = self._sent(request)
        known = await self._calibrations.get(self.id)
        request = replace(request, max_output_tokens=self._most(request))
        held = await self._costs.reserve(
            user_id,
            operation,
            self.id,
            known.at_most(estimated),
            request.max_output_tokens or _OUTPUT_TOKENS,
        )
        reply: Reply | None = None
        came = ""
        try:
            if whole:
                reply = await self._model.generate(request)
                yield reply
            else:
                async with aclosing(self._model.stream(request)) as parts:
                    async for part in parts:
                        if isinstance(part, Reply):
                            reply = part
                        else:
                            came += part
                        yield part
        finally:
            if reply is None and not came:
                await self._costs.cancel(held)
            else:
                partly = Usage(known.corrected(estimated), self._counter.count_text(came))
                used = partly if reply is None else reply.message.usage
                await self._settle(held, used, estimated if reply else 0)

    async def _settle(self, held: Reservation, used: Usage | None, estimated: int) -> None:
        """Write what a call took, or warn if the store fails.

        An answer that is here counts more than its entry in the ledger; the room stays held until
        the reservation ends by itself.
        """
        try:
            await self._costs.settle(held, used)
            if used is not None and estimated:
                await self._calibrations.observe(self.id, estimated, used.input_tokens)
        except StoreError as exc:
            _log.warning("the cost of a call of %s was not written: %s", self.id, exc)

    def _sent(self, request: ModelRequest) -> int:
        """Return the estimated tokens of everything that is sent."""
        tokens = sum(self._counter.count(message) for message in request.messages)
        for tool in request.tools:
            described = encode_json(dict(tool.parameters)).decode()
            tokens += self._counter.count_text(f"{tool.name} {tool.description} {described}")
            tokens += _TOOL_TOKENS
        return tokens

    def _most(self, request: ModelRequest) -> int:
        """Return the longest answer that may come: what is reserved is what is asked for."""
        if request.max_output_tokens is not None:
            return request.max_output_tokens
        facts = get_model(self.id)
        limit = facts.max_output_tokens if facts else None
        return min(limit or _OUTPUT_TOKENS, _OUTPUT_TOKENS)
