"""Conversations of our own making: a vocabulary under Zipf's law, put into a few sentence shapes.

Words are English where an embedder's table should know them, and made up (from syllables) where a
real conversation has rare names. The same seed gives the same conversation.
"""

from __future__ import annotations

from itertools import accumulate
from random import Random

__all__ = ["Exchange", "Talk"]

Exchange = tuple[str, str]

_COMMON = (
    "house garden doctor school train market winter summer dinner kitchen music guitar violin book "
    "library river mountain bicycle engine window letter painting camera dog cat horse bird tree "
    "flower bread coffee tea soup apple tomato cheese wedding birthday party holiday flight hotel "
    "museum concert theatre film story poem game puzzle football tennis swimming yoga marathon "
    "meeting project deadline report budget salary contract client manager colleague office laptop "
    "phone battery server password database email calendar invoice tax insurance bank loan rent "
    "apartment sofa lamp carpet roof bathroom neighbour brother sister mother father cousin uncle "
    "friend teacher nurse dentist lawyer driver baker gardener plumber appointment medicine "
    "headache knee surgery diet recipe oven pan spice salt sugar lemon chicken salmon rice pasta "
    "weather storm rain snow sunshine beach island boat harbour bridge tunnel station airport "
    "suitcase passport ticket visa city village street corner square park fountain statue church "
    "castle tower history language grammar lesson exam degree university thesis research science "
    "physics chemistry biology planet telescope energy solar charity volunteer election council "
    "jacket shoes scarf sweater dress hat ring necklace watch glasses umbrella bag wallet key lock"
).split()
_VERBS = (
    "bought sold painted repaired visited cooked planned cancelled booked forgot remembered lost "
    "found started finished changed cleaned moved opened closed wrote read watched heard learned "
    "taught tried missed loved hated needed wanted borrowed returned ordered built broke measured"
).split()
_ADJECTIVES = (
    "old new small large red blue green quiet noisy cheap expensive broken lovely strange heavy "
    "light early late warm cold busy empty famous local simple difficult healthy sweet bitter"
).split()
_NAMES = "Amira Bence Chloe Dario Elif Farid Greta Hugo Ida Jonas Keiko Luca Mina Nadia".split()
_MONTHS = (
    "January February March April May June July August September October November December"
).split()
_SHAPES = (
    "I {verb} the {adjective} {word} with {name} in {month} and then the {word} near the {word}.",
    "Do you remember when {name} {verb} a {adjective} {word} at the {word}?",
    "We {verb} {number} {word}s for the {word} because the {word} was {adjective}.",
    "The {word} in {month} cost {number} and {name} said that the {word} is too {adjective}.",
    "Maybe we should have {verb} the {word} before the {adjective} {word} {verb} everything.",
    "My {word} and my {word} are both {adjective}, so {name} {verb} another {word} yesterday.",
)
_SYLLABLES = "ba ce di fe gu ka le mi no pu ra se ti vo zu lan mer tor vin sel".split()
_RARE_WORDS = 20_000
_EXPONENT = 1.05
_TOPIC_WORDS = 12
_LONG_WORD = 4


class Talk:
    """Speaks: sentences, turns, exchanges, questions."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        names = Random(7)
        rare = {
            "".join(names.choices(_SYLLABLES, k=names.randint(2, 4))) for _ in range(_RARE_WORDS)
        }
        self._words = [*_COMMON, *sorted(rare)]
        self._weights = list(
            accumulate(1 / (rank + 10) ** _EXPONENT for rank in range(len(self._words)))
        )
        self._topic: list[str] = []
        self.change_topic()

    def change_topic(self) -> None:
        """Begin a session: some words come up in it again and again."""
        self._topic = self._pick(_TOPIC_WORDS)

    def sentence(self) -> str:
        """Return one sentence."""
        choice = self._random.choice
        parts = choice(_SHAPES).split("{word}")
        filled = [parts[0]]
        for part in parts[1:]:
            drawn = self._random.random() < 1 / 3
            filled += [choice(self._topic) if drawn else self._pick(1)[0], part]
        return "".join(filled).format(
            verb=choice(_VERBS),
            adjective=choice(_ADJECTIVES),
            name=choice(_NAMES),
            month=choice(_MONTHS),
            number=self._random.randint(2, 900),
        )

    def turn(self) -> str:
        """Return one turn: one to three sentences."""
        return " ".join(self.sentence() for _ in range(self._random.randint(1, 3)))

    def text(self, length: int = 200) -> str:
        """Return a text of exactly so many characters."""
        text = self.sentence()
        while len(text) < length:
            text = f"{text} {self.sentence()}"
        return text[:length]

    def exchanges(self, count: int, length: int = 200) -> list[Exchange]:
        """Return pairs of a question and an answer."""
        return [(self.text(length), self.text(length)) for _ in range(count)]

    def question(self, turn: str) -> str:
        """Return a question about a turn: four of its longer words, in another order."""
        words = [word.strip(".,?") for word in turn.split() if len(word) >= _LONG_WORD]
        picked = self._random.sample(words, min(4, len(words)))
        return f"What about the {' '.join(picked)}?"

    def _pick(self, count: int) -> list[str]:
        return self._random.choices(self._words, cum_weights=self._weights, k=count)
