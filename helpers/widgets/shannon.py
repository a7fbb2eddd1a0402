"""From guesses to bits: Shannon's bounds on the entropy of a text.

Derived in `01_chain_rule.ipynb`. Somebody guesses each character until right; the list of guess numbers holds as much
information as the text, for the same guesser could turn it back into the text. Source: Shannon, *Prediction and Entropy of
Printed English*, Bell System Technical Journal 30 (1951).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from helpers.probability import LanguageModel
from helpers.widgets._base import new_figure, to_png
from helpers.widgets._pictures import rank_strip, strip_height

Encode = Callable[[str], ArrayLike]


def guessing_bounds(ranks: Sequence[int]) -> tuple[float, float]:
    """Shannon's lower and upper bound on the entropy, from guess numbers: ranks (T,), 1 for a first guess → bits per character.

    With q_i the share of characters found at guess i: upper = −Σ q_i log2 q_i, lower = Σ i (q_i − q_{i+1}) log2 i. The lower
    one is for a guesser who tries likelier characters first, so q is put in decreasing order: in a short game chance can make
    third guesses more frequent than second ones. Both are estimates from T guesses; for small T the upper one is too low.
    `guessing_bounds([1, 1, 2, 1])` is (0.5, 0.811). Raises ValueError for no guesses or a guess number below 1.
    """
    if len(ranks) == 0:
        raise ValueError("nothing has been guessed yet, so there is nothing to bound; play at least one character")
    if min(ranks) < 1:
        raise ValueError(f"guess numbers start at 1, got {min(ranks)}")
    q = np.array(sorted(Counter(ranks).values(), reverse=True)) / len(ranks)
    i = np.arange(1, len(q) + 1)
    upper = -np.sum(q * np.log2(q))
    lower = np.sum(i * (q - np.append(q[1:], 0)) * np.log2(i))
    return float(min(lower, upper)) + 0.0, float(upper) + 0.0  # equal up to rounding where q is uniform; + 0.0: never −0


@dataclass(frozen=True)
class GuessingResult:
    """How well the characters of `text` were guessed: `ranks` holds the number of guesses that each took.

    The bounds are in bits per character. They are None where nothing was guessed.
    """

    text: str
    ranks: tuple[int, ...]
    lower_bits: float | None
    upper_bits: float | None

    @classmethod
    def of(cls, text: str, ranks: Sequence[int]) -> "GuessingResult":
        """The result of guessing the first characters of `text`, as many as there are ranks."""
        lower, upper = guessing_bounds(ranks) if ranks else (None, None)
        return cls(text[: len(ranks)], tuple(int(rank) for rank in ranks), lower, upper)

    @property
    def n(self) -> int:
        """How many characters were guessed."""
        return len(self.ranks)

    def __repr__(self) -> str:
        if not self.n:
            return "No character has been guessed yet: play, then ask for the result again."
        first = self.ranks.count(1)
        return (
            f"{self.n} character{'s' if self.n > 1 else ''}, {first} at the first guess: at most {self.upper_bits:.2f} bits "
            f"per character (for an ideal guesser at least {self.lower_bits:.2f})"
        )

    def _repr_png_(self) -> bytes | None:
        if not self.n:
            return None
        title, _, bounds = repr(self).partition(": ")
        figure = new_figure(strip_height(self.n) + 0.55)
        rank_strip(figure, self.text, self.ranks, title=title, below=[bounds])
        return to_png(figure)


def model_ranks(
    model: LanguageModel, context: str, text: str, alphabet: Sequence[str], encode: Encode | None = None
) -> list[int]:
    """How many guesses a model of characters takes for each character of `text`, trying likelier ones first.

    It guesses among `alphabet` only, equally likely ones in its order. `encode(str) -> ids` gives one id a character; left
    out, each character is looked up in the model's vocab, with a newline as "</s>" where it has no "\\n".
    Raises ValueError where a character of the alphabet is not in the vocabulary.
    """
    encode = encode or character_encoder(model)
    ids = np.array([np.asarray(encode(character))[-1] for character in alphabet])
    ranks = []
    for position, character in enumerate(text):
        log_probs = np.asarray(model.next_log_probs(encode(context + text[:position])))[ids]
        order = np.argsort(-log_probs, kind="stable")
        ranks.append(1 + int(np.flatnonzero(order == alphabet.index(character))[0]))
    return ranks


def character_encoder(model: LanguageModel) -> Encode:
    """encode(str) -> ids for a model whose tokens are characters."""
    index = {token: i for i, token in enumerate(model.vocab)}
    if "\n" not in index and "</s>" in index:
        index["\n"] = index["</s>"]
    unknown = index.get("<unk>")

    def encode(text: str) -> np.ndarray:
        ids = [index.get(character, unknown) for character in text]
        if None in ids:
            raise ValueError(
                f"the model's vocabulary has no token {text[ids.index(None)]!r}; train it on text of this kind, or pass encode="
            )
        return np.array(ids, dtype=np.int64)

    return encode
