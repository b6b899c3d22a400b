"""The same conversations told in other ways, so that weights do not learn how the data were cut.

What is at hand are scopes of some hundred turns, assistant chats cut by topic, and friends who
take turns with whole paragraphs. Users' histories are larger, know no topics, and hold chats in
which each sentence is a message of its own. Everything here is deterministic.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from benchmarks.recall_quality.conversations import Conversation, Question, Turn

__all__ = ["grown", "long_sessions", "split_messages"]

_SEED = 3
_FEWEST_WORDS = 3
_UNPUNCTUATED = 0.5
_LOWERED = 0.3
_TURNS_PER_SESSION = 25
_PEER_SHARE = 0.6
_FIRST_DAY = datetime(2022, 1, 1, tzinfo=UTC)
_DAYS = 900
_NAMES = (
    "Alice Ben Carla David Elena Frank Grace Henry Isla Jack Kira Liam Mona Noah Olga Peter Quinn "
    "Rosa Sam Tara"
).split()
_SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s+")
_PHOTO = " [shares a photo:"

Stems = Callable[[str], list[int]]


def long_sessions(conversation: Conversation) -> Conversation:
    """Return a conversation whose numbered sub-sessions ("B1.0", "B1.1") are one session each.

    Assistant chats come cut by topic; a running application knows no topics. Fitting on both
    ways of cutting keeps what depends on session borders from being learned too well.
    """
    turns = [replace(turn, session=turn.session.split(".")[0]) for turn in conversation.turns]
    return replace(conversation, turns=turns)


def split_messages(conversation: Conversation, stems: Stems) -> Conversation:
    """Return a conversation between people in which each sentence is a message of its own.

    Half of them lose their last full stop, a third their capitals, as in real chats. The evidence
    is the sentence of each evidence turn that shares most words with answer and question.

    Args:
        conversation: Between named people.
        stems: Cuts a text into comparable words.
    """
    chance = random.Random(f"{_SEED} {conversation.id}")
    parts = {turn.id: _sentences(turn.text) for turn in conversation.turns}
    turns = [
        replace(turn, id=f"{turn.id}#{number}", text=_informal(part, chance))
        for turn in conversation.turns
        for number, part in enumerate(parts[turn.id])
    ]
    questions = [
        replace(
            question,
            evidence=tuple(
                f"{turn}#{_nearest(parts[turn], question, stems)}" for turn in question.evidence
            ),
        )
        for question in conversation.questions
    ]
    return replace(conversation, turns=turns, questions=questions)


def _sentences(text: str) -> list[str]:
    """Return the sentences; a very short one stays with the one before, a photo with the last."""
    said, photo, caption = text.partition(_PHOTO)
    parts: list[str] = []
    for part in _SENTENCE_ENDS.split(said.strip()):
        if parts and len(part.split()) < _FEWEST_WORDS:
            parts[-1] += f" {part}"
        else:
            parts.append(part)
    parts[-1] = (parts[-1] + photo + caption).strip()
    return parts


def _informal(text: str, chance: random.Random) -> str:
    if chance.random() < _UNPUNCTUATED:
        text = text.rstrip(".!")
    return text.lower() if chance.random() < _LOWERED else text


def _nearest(parts: Sequence[str], question: Question, stems: Stems) -> int:
    """Return the place of the sentence most like answer (counted twice) and question."""
    answer, asked = set(stems(question.answer)), set(stems(question.text))

    def likeness(part: str) -> tuple[int, int]:
        held = set(stems(part))
        return 2 * len(answer & held) + len(asked & held), len(part.split())

    return max(range(len(parts)), key=lambda number: likeness(parts[number]))


def grown(conversations: Sequence[Conversation], made_up: int, questions: int) -> Conversation:
    """Return all conversations as one user's, among turns that were made up from their turns.

    A made-up turn is the first half of one turn and the second half of another, never of evidence:
    alike in words and subjects to what is asked for, and no answer.

    Args:
        conversations: What to join; ids of turns and sessions get the conversation's before them.
        made_up: How many turns to make up.
        questions: At most so many of each data set are asked, drawn evenly.
    """
    joined = Conversation("grown", "grown")
    asked: dict[str, list[Question]] = {}
    for one in conversations:
        joined.turns.extend(
            replace(turn, id=f"{one.id}|{turn.id}", session=f"{one.id}|{turn.session}")
            for turn in one.turns
        )
        asked.setdefault(one.dataset, []).extend(
            replace(question, evidence=tuple(f"{one.id}|{turn}" for turn in question.evidence))
            for question in one.questions
            if question.evidence
        )
    for group in asked.values():
        step = -(-len(group) // questions)
        joined.questions.extend(group[::step])
    joined.turns.extend(_made_up_turns(conversations, made_up))
    return joined


def _made_up_turns(conversations: Sequence[Conversation], count: int) -> Iterator[Turn]:
    chance = random.Random(_SEED)
    spare = {"peer": list[str](), "user": list[str](), "assistant": list[str]()}
    for one in conversations:
        evidence = {turn for question in one.questions for turn in question.evidence}
        for turn in one.turns:
            if turn.id not in evidence:
                spare["peer" if turn.speaker else turn.role].append(turn.text)
    session = 0
    while count > 0:
        session += 1
        said_at = _FIRST_DAY + timedelta(days=chance.randrange(_DAYS))
        peers = chance.random() < _PEER_SHARE
        pair = chance.sample(_NAMES, 2) if peers else ["", ""]
        for number in range(min(count, _TURNS_PER_SESSION)):
            role = "user" if peers or number % 2 == 0 else "assistant"
            text = _spliced(spare["peer" if peers else role], chance)
            name = f"made-up {session}"
            yield Turn(f"{name}.{number}", name, pair[number % 2], role, text, said_at)
        count -= _TURNS_PER_SESSION


def _spliced(texts: Sequence[str], chance: random.Random) -> str:
    """Return the first half of one text and the second half of another."""
    if not texts:
        return ""
    first, second = chance.choice(texts).split(), chance.choice(texts).split()
    return " ".join(first[: max(1, len(first) // 2)] + second[len(second) // 2 :])
