"""`book.context`: what to send to a model.

The decisions are pure functions in `daybook.context`; this facet reads the log, no further back
than needed, asks recall, has a digest made if the strategy has one, and keeps the receipt.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any, Protocol, get_args

from daybook.context.build import Block, RecallPlan, lay_out
from daybook.context.calibration import Calibration
from daybook.context.cut import Cut, choose_cut
from daybook.context.digest_block import render_digest, render_profile
from daybook.context.strategy import Relevant, Strategy, StrategyLike, as_strategy
from daybook.errors import BudgetError, InvalidInputError, NotFoundError
from daybook.facets.calibrations import Calibrations
from daybook.facets.checks import check_limit
from daybook.facets.context_digests import Covered, Digests
from daybook.facets.context_reading import Reading, read_session
from daybook.facets.context_receipts import (
    Asked,
    Built,
    explained,
    receipt_of,
    without_others,
)
from daybook.facets.history import History
from daybook.facets.session_access import SessionAccess, missing_session
from daybook.facets.session_notes import SessionNotes, incarnation
from daybook.model.context import Context, Explanation
from daybook.model.digest import Digest, DigestJob, DigestKind
from daybook.model.entry import HistoryEntry
from daybook.model.hit import Hit
from daybook.model.identifiers import check_id
from daybook.model.message import Message
from daybook.model.scope import Scope
from daybook.model.session import Session, SessionChanges
from daybook.protocols.clock import Clock, IdFactory
from daybook.protocols.message_log import MessageLog
from daybook.protocols.token_counter import TokenCounter

__all__ = ["MOST_PINS", "ContextBuilder", "Profile", "Searcher", "new_mark"]

MOST_PINS = 32
# Of a newest message that is asked for as it stands; what it is about stands at its beginning.
_LONGEST_QUERY = 2000

Profile = str | Mapping[str, Any]


def new_mark() -> str:
    """Return an unguessable mark for the lines around quoted text."""
    return secrets.token_hex(8)


class Searcher(Protocol):
    """What a context needs of recall."""

    async def search(
        self, query: str, *, user_id: str, session_id: str | None, limit: int
    ) -> list[Hit]:
        """Return the user's messages that best answer a question, best first."""
        ...


class ContextBuilder:
    """Builds context windows from conversations."""

    def __init__(  # noqa: PLR0913 - what it is wired from
        self,
        log: MessageLog,
        history: History,
        access: SessionAccess,
        recall: Searcher,
        notes: SessionNotes,
        digests: Digests,
        *,
        tenant: str,
        counter: TokenCounter,
        clock: Clock,
        id_factory: IdFactory,
        calibrations: Calibrations,
        nonce: Callable[[], str] = new_mark,
    ) -> None:
        self._log = log
        self._history = history
        self._access = access
        self._recall = recall
        self._notes = notes
        self._tenant = tenant
        self._counter = counter
        self._clock = clock
        self._id_factory = id_factory
        self._calibrations = calibrations
        self._nonce = nonce
        self._digests = digests

    async def build(  # noqa: PLR0913 - what may go into a context
        self,
        session_id: str,
        *,
        max_tokens: int | None,
        query: str | None = None,
        strategy: StrategyLike | None = None,
        system: str | None = None,
        profile: Profile | None = None,
        model: str | None = None,
        user_id: str | None = None,
        keep_receipt: bool = True,
    ) -> Context:
        """Return the messages to send to a model for a session's next answer.

        They are, in this order: system prompt and system messages, what is known about the user,
        opening turns and pinned messages, the summary or observations of what is left out, the
        newest turns that fit, a marked block of recalled messages, and the newest user turn. Tool
        calls and their results are in together or not at all; what no provider accepts is left out.

        Args:
            session_id: The session.
            max_tokens: The budget; None for no limit.
            query: What to recall of the owner's sessions (for others: of this one); None for no
                recall, or, if the strategy has a `Relevant`, for the newest user message.
            strategy: Which parts there are, joined with ``+``: `TokenWindow()` unless given.
            system: A system prompt to put first.
            profile: What is known about the user, as text or as names and values.
            model: Whose tokens `max_tokens` are, for example ``openai:gpt-5``: estimates are
                corrected by what it reported before. None for tokens as counted at append.
            user_id: Only if the session is this user's, or shared with them.
            keep_receipt: Store the receipt for `explain`.

        Raises:
            NotFoundError: There is no such session (of this user).
            BudgetError: System messages, pins and the newest turn take more than `max_tokens`.

        A model is asked only for a digest, when messages left the window since the last one; if it
        fails, the digest before stands, and `jobs` says so; one that failed twice in a row is left
        alone for two seconds, then twice as long each time up to five minutes. Cost: reads the
        newest messages that fit, the opening and the digest; one write for the receipt.
        """
        chosen = _checked(max_tokens, query, strategy)
        session = await self._session(session_id, user_id)
        known = Calibration() if model is None else await self._calibrations.get(model)
        budget = None if max_tokens is None else known.budget_in_estimate(max_tokens)
        reading = await read_session(self._history, session, chosen, budget)
        recall = await self._recalled(session, _query(query, chosen, reading), chosen, user_id)
        blocks = self._system(system), self._profile(profile)
        with _in_tokens_of(known, max_tokens):
            built = await self._built(session, reading, chosen, budget, *blocks, recall)
        asked = Asked(chosen, max_tokens, budget, query=recall is not None)
        receipt = receipt_of(
            session, reading, built, asked, id_=self._id_factory(), built_at=self._clock.now()
        )
        if keep_receipt:
            await self._notes.put_receipt(session, receipt)
        plan, tokens = built.plan, known.corrected(built.plan.tokens)
        return Context(plan.messages, tokens, receipt, plan.cache_after)

    async def _built(
        self,
        session: Session,
        reading: Reading,
        strategy: Strategy,
        budget: int | None,
        prompt: Block | None,
        about: Block | None,
        recall: RecallPlan | None,
    ) -> Built:
        """Choose what stays, have the digest made of the rest, and lay all of it out."""
        cut = choose_cut(
            reading.sources,
            strategy,
            max_tokens=budget,
            fixed_tokens=sum(block.tokens for block in (prompt, about) if block),
            recalls=bool(recall and recall.hits),
            floor=await self._floor(session, strategy),
        )
        covered = await self._covered(session, strategy, cut, budget, patient=True)
        digest = self._digest(covered, cut, strategy)
        if covered is not None and digest is None:
            covered = covered.unseen(session.first_seq, cut.evicted_to)
        plan = lay_out(
            cut, counter=self._counter, system=prompt, profile=about, digest=digest, recall=recall
        )
        return Built(plan, covered)

    async def prepare(
        self,
        session_id: str,
        *,
        max_tokens: int | None,
        strategy: StrategyLike,
        model: str | None = None,
        user_id: str | None = None,
    ) -> bool:
        """Bring a session's digest up to what the next `build` will leave out; tell if it is whole.

        Call it after an answer, in the background, with the same arguments: the next `build` then
        need not wait for a model. It leaves a tenth of the budget free for what comes. Repeatable.

        Raises:
            NotFoundError: There is no such session (of this user).
        """
        chosen = _checked(max_tokens, None, strategy)
        session = await self._session(session_id, user_id)
        if chosen.digest is None:
            return True
        budget = max_tokens
        if max_tokens is not None and model is not None:
            budget = (await self._calibrations.get(model)).budget_in_estimate(max_tokens)
        reading = await read_session(self._history, session, chosen, budget)
        cut = choose_cut(
            reading.sources,
            chosen,
            max_tokens=budget,
            fixed_tokens=0 if budget is None else budget // 10,
            recalls=chosen.relevant is not None,
            floor=await self._floor(session, chosen),
        )
        covered = await self._covered(session, chosen, cut, budget)
        return covered is None or covered.missing is None

    async def pin(self, session_id: str, seq: int, *, user_id: str | None = None) -> Session:
        """Keep a message in every context of its session, with the question it answers.

        Args:
            session_id: The session.
            seq: The message's sequence number.
            user_id: Only if the session is this user's.

        Raises:
            NotFoundError: There is no such session (of this user) or no such message in it.
            InvalidInputError: 32 messages are pinned already.
        """
        session = await self._owned(session_id, user_id)
        if not session.first_seq <= check_limit(seq, "seq") <= session.last_seq:
            raise NotFoundError(f"session {session_id} has no message {seq}")
        pins = {pin for pin in session.pins if pin >= session.first_seq} | {seq}
        if len(pins) > MOST_PINS:
            raise InvalidInputError(f"{MOST_PINS} messages are pinned already: unpin one first")
        return await self._change_pins(session, {seq: True})

    async def unpin(self, session_id: str, seq: int, *, user_id: str | None = None) -> Session:
        """Let a message leave the window as any other. Repeatable.

        Raises:
            NotFoundError: There is no such session (of this user).
        """
        session = await self._owned(session_id, user_id)
        return await self._change_pins(session, {check_limit(seq, "seq"): False})

    async def digest(
        self, session_id: str, *, kind: str = "summary", user_id: str | None = None
    ) -> Digest | None:
        """Return the newest summary or observation log of a session; None if there is none.

        Args:
            session_id: The session.
            kind: ``"summary"`` or ``"observations"``.
            user_id: Only if the session is this user's, or shared with them.

        Raises:
            NotFoundError: There is no such session (of this user).
        """
        for known in get_args(DigestKind):
            if kind == known:
                return await self._notes.digest(await self._session(session_id, user_id), known)
        raise InvalidInputError("kind must be 'summary' or 'observations'")

    async def jobs(self, *, user_id: str, limit: int = 100) -> list[DigestJob]:
        """Return the parts of a user's sessions that wait for a model that failed.

        The next `build` or `prepare` tries again; a job ends when it worked, or with its session.
        """
        most = check_limit(limit)
        found = await self._notes.jobs(check_id(user_id, "user_id"), most)
        scope = Scope(self._tenant, user_id)
        open_jobs = []
        for job, begun in found:
            session = await self._log.get_session(scope, job.session_id)
            if session is not None and incarnation(session) == begun:
                open_jobs.append(job)
        return open_jobs

    async def explain(
        self, session_id: str, receipt_id: str | None = None, *, user_id: str | None = None
    ) -> Explanation:
        """Return what a past context held and why.

        Args:
            session_id: The session.
            receipt_id: `receipt.id` of the build; None for the latest one.
            user_id: Only if the session is this user's, or shared with them: they do not learn
                which other sessions of the owner were recalled.

        Raises:
            NotFoundError: There is no such session (of this user), or no such receipt: they are
                kept for thirty days, and end with their session.
        """
        session = await self._session(session_id, user_id)
        receipt = await self._notes.receipt(session, receipt_id)
        if receipt is None:
            raise NotFoundError(f"session {session_id} has no such receipt; they end after 30 days")
        if user_id not in {None, session.user_id}:
            receipt = without_others(receipt)
        return await explained(self._history, session, receipt)

    async def _session(self, session_id: str, user_id: str | None) -> Session:
        return await self._access.require(check_id(session_id, "session_id"), user_id)

    async def _owned(self, session_id: str, user_id: str | None) -> Session:
        scope = Scope.of(self._tenant, user_id)
        session = await self._log.get_session(scope, check_id(session_id, "session_id"))
        if session is None:
            raise missing_session(session_id)
        return session

    async def _change_pins(self, session: Session, pins: dict[int, bool]) -> Session:
        scope = Scope(self._tenant, session.user_id)
        changed = await self._log.update_session(scope, session.id, SessionChanges(pins=pins))
        if changed is None:
            raise missing_session(session.id)
        return changed

    def _system(self, text: str | None) -> Block | None:
        return None if not text else self._block(Message.system(text, id="system"))

    def _profile(self, profile: Profile | None) -> Block | None:
        if not profile:
            return None
        if not isinstance(profile, str):
            profile = "\n".join(f"{name}: {value}" for name, value in profile.items())
        mark = blake2b(profile.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        return self._block(render_profile(profile, mark))

    def _block(self, message: Message) -> Block:
        return Block(message, self._counter.count(message))

    async def _recalled(
        self, session: Session, query: str | None, strategy: Strategy, user_id: str | None
    ) -> RecallPlan | None:
        """Ask recall for twice the limit: the best hits are often in verbatim already."""
        if query is None or not query.strip():
            return None
        limit = (strategy.relevant or Relevant()).limit
        # Who may read one session may not read the owner's others by way of recall.
        only = None if user_id in {None, session.user_id} else session.id
        hits = await self._recall.search(
            query, user_id=session.user_id, session_id=only, limit=2 * limit
        )
        return RecallPlan(hits=hits, limit=limit, nonce=self._nonce(), session_id=session.id)

    async def _floor(self, session: Session, strategy: Strategy) -> int:
        """Return the first message that the newest digest does not cover."""
        if strategy.digest is None:
            return 0
        newest = await self._digests.newest(session, strategy.digest)
        return 0 if newest is None else newest.last_seq + 1

    async def _covered(
        self,
        session: Session,
        strategy: Strategy,
        cut: Cut,
        max_tokens: int | None,
        *,
        patient: bool = False,
    ) -> Covered | None:
        """Have the digest made of everything that the cut leaves out."""
        if strategy.digest is None or cut.evicted_to < session.first_seq:
            return None

        async def read(after: int, before: int, limit: int) -> list[HistoryEntry]:
            # From the front: a page of the newest ones would not be what comes next.
            return await self._history.entries(
                session.id,
                after=after,
                before=min(before, after + 1 + limit),
                user_id=session.user_id,
                hidden=True,
            )

        async def still() -> bool:
            scope = Scope(self._tenant, session.user_id)
            now = await self._log.get_session(scope, session.id)
            same = now is not None and incarnation(now) == incarnation(session)
            return now is not None and same and now.first_seq == session.first_seq

        return await self._digests.cover(
            session,
            strategy.digest,
            up_to=cut.evicted_to,
            max_tokens=max_tokens,
            read=read,
            still=still,
            patient=patient,
        )

    def _digest(self, covered: Covered | None, cut: Cut, strategy: Strategy) -> Block | None:
        if covered is None or strategy.digest is None:
            return None
        digest = covered.digest
        if digest is None:
            digest = self._digests.none_yet(strategy.digest)
        rendered = render_digest(digest, covered.facts, cut.digest_room, self._counter)
        return None if rendered is None else Block(*rendered)


@contextmanager
def _in_tokens_of(known: Calibration, max_tokens: int | None) -> Iterator[None]:
    """Let a refusal speak of the budget as it was given."""
    try:
        yield
    except BudgetError as exc:
        if max_tokens is None or not known.ready:
            raise
        raise BudgetError(math.ceil(exc.needed * known.upper_factor), max_tokens) from None


def _checked(max_tokens: Any, query: Any, strategy: Any) -> Strategy:
    if max_tokens is not None:
        check_limit(max_tokens, "max_tokens")
    if query is not None and not isinstance(query, str):
        raise InvalidInputError(f"query must be a str or None, got {type(query).__name__}")
    return Strategy() if strategy is None else as_strategy(strategy)


def _query(query: str | None, strategy: Strategy, reading: Reading) -> str | None:
    """Return what to recall: what was given, or the newest user message's text."""
    if query is not None or strategy.relevant is None:
        return query
    for entry in reversed(reading.sources.entries):
        if entry.message.role == "user":
            return entry.message.text[:_LONGEST_QUERY]
    return None
