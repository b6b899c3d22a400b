"""One turn: store the question, build a context, ask the model, run its tools, store the answer.

No storage connection is held while the model or a tool runs. Whatever ends a turn early leaves the
question, every whole round of tools, and what had come of the answer.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing

from msgspec import Struct
from msgspec.structs import replace

from daybook.chat.chat_settings import ChatSettings
from daybook.chat.chat_values import ChatReply, ToolRun
from daybook.chat.ending import completed
from daybook.chat.memory_answer import answer_from_memory
from daybook.chat.tool_functions import CalledFor
from daybook.chat.toolbox import Toolbox, refused
from daybook.chat.turn_marks import answer_id, is_answer, marked, of_turn, with_distinct_calls
from daybook.chat.turn_queue import Place
from daybook.client import AsyncDaybook
from daybook.context.strategy import Strategy
from daybook.errors import BadModelOutputError, ConflictError, DaybookError, InvalidInputError
from daybook.facets.metered_model import MeteredModel
from daybook.facets.session_access import missing_session
from daybook.model.context import Context, ContextReceipt
from daybook.model.entry import Receipt
from daybook.model.message import Message, Usage
from daybook.model.reply import FinishReason, ModelRequest, Reply
from daybook.model.session import Session
from daybook.protocols.clock import new_id

__all__ = ["Asked", "Emit", "Turn"]

Emit = Callable[[str], Awaitable[None]]

_LONGEST_QUERY = 2000
_PAGE = 100


class Asked(Struct, frozen=True):
    """What a turn begins with.

    Attributes:
        session: Where.
        question: The user's message, with its time.
        user_id: Who asks: the session's owner, or someone it is shared with.
    """

    session: Session
    question: Message
    user_id: str

    @property
    def by_owner(self) -> bool:
        """Whether the owner asks; nobody else sees anything of the owner's other sessions."""
        return self.user_id == self.session.user_id


class Turn:
    """One turn on its way."""

    def __init__(
        self,
        book: AsyncDaybook,
        settings: ChatSettings,
        strategy: Strategy,
        max_tokens: int,
        toolbox: Toolbox,
        asked: Asked,
        emit: Emit | None,
    ) -> None:
        """Prepare a turn.

        Args:
            book: Where it is stored.
            settings: How the chat answers.
            strategy: What contexts consist of.
            max_tokens: Their budget.
            toolbox: The tools.
            asked: The question.
            emit: Takes pieces of the answer as they come; None to ask the model for the whole.
        """
        self._book = book
        self._settings = settings
        self._strategy = strategy if asked.by_owner else replace(strategy, relevant=None)
        self._max_tokens = max_tokens
        self._toolbox = toolbox
        self._asked = asked
        self._session = asked.session
        self._question = asked.question
        self._emit = emit
        self._receipts: list[Receipt] = []
        self._tools: list[ToolRun] = []
        self._usage: Usage | None = None
        self._context: ContextReceipt | None = None
        self._said = ""  # of the present call of the model, not stored yet
        self._spoke = False

    async def run(self, place: Place) -> ChatReply:
        """Take the turn.

        Raises:
            NotFoundError: The session ended or was removed.
            ConflictError: The question's id is stored with another body.
            ProviderError: The model failed.
            CostCapError: The call could pass a cap.
            BudgetError: What must be kept does not fit the context.
            StoreError: The store failed.
        """
        receipt = await self._append([self._question])
        if receipt.duplicates:
            found = await self._stored_answer(receipt.last_seq)
            if found is not None:
                return await self._repeated(found)
        try:
            reply = await self._answered(began_before=receipt.duplicates > 0)
            return await self._finished(reply, place, receipt.last_seq)
        except BaseException:
            await self._keep_partial()
            raise

    async def _answered(self, *, began_before: bool) -> Reply:
        model = self._book.model
        if model is None:
            text = await answer_from_memory(
                self._book, self._session, self._question, everywhere=self._asked.by_owner
            )
            await self._say(text)
            self._said = ""
            message = marked(Message.assistant(text), {"no_model": True})
            return Reply(message=message, model="")
        context = await self._built(model)
        self._context = context.receipt
        messages = list(context.messages)
        if began_before:
            messages = of_turn(messages, self._question)
        same = _common(messages, context.messages)
        kept = tuple(at for at in context.cache_after if at < same)
        return await self._rounds(model, messages, kept)

    async def _rounds(
        self, model: MeteredModel, messages: list[Message], cache_after: tuple[int, ...]
    ) -> Reply:
        """Ask the model, run what it asks for, and so on until it answers."""
        most = self._settings.max_tool_rounds
        for number in range(most + 2):
            request = ModelRequest(
                messages=tuple(messages),
                tools=self._toolbox.described,
                max_output_tokens=self._settings.max_output_tokens,
                temperature=self._settings.temperature,
                cache_after=cache_after,
                options=self._settings.model_options,
            )
            reply = await self._call(model, request)
            self._usage = _sum(self._usage, reply.message.usage)
            if not reply.message.tool_calls:
                if not reply.message.content:
                    raise BadModelOutputError(
                        f"the answer is empty ({reply.finish_reason})", provider=model.id
                    )
                return reply
            if number <= most:
                messages += await self._tool_round(reply.message, run=number < most)
        raise BadModelOutputError(
            f"it asks for tools again after {most} rounds of them", provider=model.id
        )

    async def _tool_round(self, message: Message, *, run: bool) -> list[Message]:
        """Run the tools; store the call and all results as one batch, and return it."""
        message = with_distinct_calls(message, new_id)
        if run:
            caller = CalledFor(self._session.id, self._asked.user_id, self._question.id)
            results, runs = await self._toolbox.run(message.tool_calls, caller)
        else:
            results, runs = refused(message.tool_calls, self._settings.max_tool_rounds)
        # Ids of our own: of a model that gives one twice, the second round would pass for known.
        batch = [self._of_answer(one, id=new_id()) for one in (message, *results)]
        self._tools += runs
        said, self._said = self._said, ""
        try:
            await completed(self._append(batch))
        except DaybookError:
            self._said = said
            raise
        return batch

    async def _call(self, model: MeteredModel, request: ModelRequest) -> Reply:
        if self._emit is None:
            whole = await model.generate(request, self._asked.user_id, "reply")
            self._said = whole.message.text
            return whole
        reply: Reply | None = None
        self._spoke, before = False, self._spoke
        async with aclosing(model.stream(request, self._asked.user_id, "reply")) as parts:
            async for part in parts:
                if isinstance(part, Reply):
                    reply = part
                elif part:
                    if before and not self._spoke:
                        await self._emit("\n\n")  # a round of tools stands between the two
                    await self._say(part)
        self._spoke = self._spoke or before
        if reply is None:
            raise BadModelOutputError("the stream ended without an answer", provider=model.id)
        return reply

    async def _say(self, piece: str) -> None:
        self._spoke = True
        if self._emit is not None:
            await self._emit(piece)
        self._said += piece  # now: of a reader who left, no more is kept than was handed over

    async def _built(self, model: MeteredModel) -> Context:
        asks = self._strategy.relevant is not None and self._question.text.strip()
        return await self._book.context.build(
            self._session.id,
            max_tokens=self._max_tokens,
            query=self._question.text[:_LONGEST_QUERY] if asks else None,
            strategy=self._strategy,
            system=self._settings.system_prompt,
            model=model.id,
            user_id=self._session.user_id,
        )

    async def _finished(self, reply: Reply, place: Place, seq: int) -> ChatReply:
        """Store the answer.

        An answer whose lease was lost is stored all the same: it was paid for, and its reader may
        have seen it. It is marked as late, and if another process answered the same question
        meanwhile, that answer stands.
        """
        late = {} if await place.is_ours() else {"late": True}
        name = answer_id(self._session.id, self._question.id)
        message = self._of_answer(reply.message, late, id=name)
        # Once the store was asked, what it has is the answer or nothing, never a part beside it.
        said, self._said = self._said, ""
        try:
            receipt = await completed(self._append([message]))
        except ConflictError:
            found = await self._stored_answer(seq)
            if found is None:
                raise
            return await self._repeated(found)
        except InvalidInputError as exc:
            self._said = said
            raise BadModelOutputError(
                "the answer cannot be stored", provider=reply.model or "chat"
            ) from exc
        if receipt.duplicates:  # by another process, in the same words
            return self._reply(message, repeated=True)
        return self._reply(message, model=reply.model or None, finish_reason=reply.finish_reason)

    async def _keep_partial(self) -> None:
        """Store what came of an answer that was broken off."""
        if not self._said.strip():
            return
        partial = self._of_answer(Message.assistant(self._said), {"incomplete": True})
        # What broke the answer off is what the caller hears of, not this.
        with contextlib.suppress(DaybookError):
            await completed(self._append([partial]))

    async def _stored_answer(self, seq: int) -> Message | None:
        """Return the whole answer of the question, if there is one after its place."""
        while True:
            page = await self._book.history.entries(
                self._session.id, after=seq, before=seq + _PAGE + 1, hidden=True
            )
            for entry in page:
                if is_answer(entry.message, self._question.id):
                    return entry.message
            if not page:
                return None
            seq += _PAGE

    async def _repeated(self, answer: Message) -> ChatReply:
        if self._emit is not None:
            await self._emit(answer.text)
        return self._reply(answer, repeated=True)

    async def _append(self, batch: Sequence[Message]) -> Receipt:
        """Append to the session if it is still the one in which was asked."""
        session, owner = self._session, self._session.user_id
        found = await self._book.sessions.get(session.id, user_id=owner)
        if found is None or found.user_id != owner or found.created_at != session.created_at:
            raise missing_session(session.id)
        # Naming the user would create the session anew if it were removed just now.
        receipt = await self._book.history.append(session.id, batch)
        self._receipts.append(receipt)
        return receipt

    def _of_answer(
        self, message: Message, marks: dict[str, bool] | None = None, **fields: str
    ) -> Message:
        marks_all = {"answers": self._question.id, **(marks or {})}
        return marked(message, marks_all, created_at=self._book.clock.now(), **fields)

    def _reply(
        self,
        message: Message,
        *,
        model: str | None = None,
        finish_reason: FinishReason = "stop",
        repeated: bool = False,
    ) -> ChatReply:
        return ChatReply(
            session_id=self._session.id,
            question=self._question,
            message=message,
            context=self._context,
            usage=self._usage,
            receipts=tuple(self._receipts),
            tools=tuple(self._tools),
            model=model,
            finish_reason=finish_reason,
            repeated=repeated,
        )


def _common(one: Sequence[Message], other: Sequence[Message]) -> int:
    """Return how many messages two contexts begin with alike."""
    for at, (left, right) in enumerate(zip(one, other, strict=False)):
        if left is not right:
            return at
    return min(len(one), len(other))


def _sum(one: Usage | None, other: Usage | None) -> Usage | None:
    if one is None or other is None:
        return one or other
    details = dict(one.details)
    for name, value in other.details.items():
        before = details.get(name)
        countable = isinstance(value, int) and isinstance(before, int)
        details[name] = before + value if countable else value
    return Usage(
        one.input_tokens + other.input_tokens, one.output_tokens + other.output_tokens, details
    )
