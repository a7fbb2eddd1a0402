"""Word vectors and what can be asked of them: similarity, neighbours, analogies, and a view in two dimensions.

Used in `04_tokens_and_embeddings.ipynb`. Analogies by addition (3CosAdd): Mikolov, Yih & Zweig, *Linguistic Regularities in
Continuous Space Word Representations* (2013). That leaving out the question's own words flatters: Linzen, *Issues in evaluating
semantic spaces using word analogies* (2016).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True, eq=False)
class Embeddings:
    """A vector for each word of a vocabulary: `emb["king"]`. V words, C dimensions.

    Raises ValueError for vectors that are not one finite row for each word.
    """

    vocab: Sequence[str]
    vectors: np.ndarray  # (V, C)
    context_vectors: np.ndarray | None = None  # (V, C): of the words as neighbours, where the method has them
    counts: np.ndarray | None = None  # (V,): how often each word came in training

    def __post_init__(self):
        object.__setattr__(self, "vocab", list(self.vocab))
        for name in ("vectors", "context_vectors"):
            if (table := getattr(self, name)) is None:
                continue
            table = np.asarray(table)
            if table.ndim != 2 or len(table) != len(self.vocab) or not np.isfinite(table).all():
                raise ValueError(
                    f"{name} must be ({len(self.vocab)}, C), one row of finite numbers for each word of the vocabulary, "
                    f"got shape {table.shape}"
                )
            object.__setattr__(self, name, table)
        if len(self.index) < len(self.vocab):
            raise ValueError("a word comes twice in the vocabulary; each needs one row")

    @cached_property
    def index(self) -> dict[str, int]:
        """The row of each word."""
        return {word: i for i, word in enumerate(self.vocab)}

    @cached_property
    def units(self) -> np.ndarray:
        """The vectors, each scaled to length 1, so that a dot product is a cosine: (V, C); a zero vector stays zero."""
        return _unit(self.vectors)

    def __len__(self) -> int:
        return len(self.vocab)

    def __contains__(self, word: object) -> bool:
        return word in self.index

    def __getitem__(self, word: str) -> np.ndarray:
        """The vector of a word, (C,); ValueError for a word that was not there in training."""
        return self.vectors[self.row(word)]

    def row(self, word: str) -> int:
        """The row of a word; ValueError names words that are spelled nearly so."""
        if word in self.index:
            return self.index[word]
        spelled = {known.lower(): known for known in reversed(self.vocab)}  # "King" is near "king"
        near = [spelled[match] for match in get_close_matches(str(word).lower(), spelled, n=3)]
        raise ValueError(
            f"{word!r} is not among the {len(self)} words of these embeddings"
            + (f"; spelled nearly so: {', '.join(near)}" if near else "")
            + ". A table has no row for a word that training did not show, however alike it is spelled"
        )

    def similarity(self, a: str, b: str) -> float:
        """Cosine of the angle between two words, −1 … 1. ValueError for an unknown word."""
        return float(self.units[self.row(a)] @ self.units[self.row(b)])

    def neighbours(self, word: str | ArrayLike, k: int = 10) -> list[tuple[str, float]]:
        """The k words with the largest cosine to a word, itself left out, or to any vector (C,): [(word, cosine), …].

        Raises ValueError for an unknown word, a vector of another shape and k < 1.
        """
        if isinstance(word, str):
            return self._nearest(self.units[self.row(word)], k, [self.row(word)])
        vector = np.asarray(word, dtype=np.float64)
        if vector.shape != self.vectors.shape[1:]:
            raise ValueError(f"expected a word or a vector of shape {self.vectors.shape[1:]}, got shape {vector.shape}")
        return self._nearest(_unit(vector), k, [])

    def analogy(self, a: str, b: str, c: str, k: int = 1, exclude: bool = True) -> list[tuple[str, float]]:
        """a is to b as c is to what? The k words nearest to b − a + c, of unit vectors (3CosAdd): [(word, cosine), …].

        a, b and c themselves are left out, as is usual, and that flatters: the nearest of all is often c or b. exclude=False
        leaves them in. Raises ValueError for an unknown word and k < 1.
        """
        rows = [self.row(word) for word in (a, b, c)]
        target = self.units[rows[1]] - self.units[rows[0]] + self.units[rows[2]]
        return self._nearest(_unit(target), k, rows if exclude else [])

    def _nearest(self, unit: np.ndarray, k: int, left_out: Sequence[int]) -> list[tuple[str, float]]:
        if k < 1:
            raise ValueError(f"k must be at least 1 word, got {k}")
        cosines = self.units @ unit
        order = [i for i in np.argsort(-cosines, kind="stable")[: k + len(left_out)] if i not in left_out]
        return [(self.vocab[i], float(cosines[i])) for i in order[:k]]


def _unit(vectors: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)


@dataclass(frozen=True)
class Score:
    """How many of the analogies asked were answered right; `unknown` had a word without a vector and were not asked."""

    correct: int
    asked: int
    unknown: int = 0

    @property
    def accuracy(self) -> float:
        """Share of right answers among those asked, 0 … 1; nan where none was asked."""
        return self.correct / self.asked if self.asked else float("nan")

    def __add__(self, other: "Score") -> "Score":
        return Score(self.correct + other.correct, self.asked + other.asked, self.unknown + other.unknown)


Quads = Iterable[tuple[str, str, str, str]]


def analogy_accuracy(emb: Embeddings, questions: Quads | Mapping[str, Quads], exclude: bool = True) -> dict[str, Score]:
    """Ask every analogy (a, b, c, d), a : b = c : d, and count where the nearest word to b − a + c is d.

    questions: quads, or a name and quads for each family → a `Score` for each family and, under "all", of all together.
    exclude as in `Embeddings.analogy`. Analogies with an unknown word are not asked, but counted. Raises ValueError where none
    can be asked.
    """
    families = questions if isinstance(questions, Mapping) else {"all": questions}
    scores = {name: _ask(emb, list(quads), exclude) for name, quads in families.items()}
    scores["all"] = sum(scores.values(), Score(0, 0))
    if not scores["all"].asked:
        raise ValueError(
            f"none of {scores['all'].unknown} analogies can be asked: each has a word that these embeddings do not know"
        )
    return scores


def _ask(emb: Embeddings, quads: list[tuple[str, str, str, str]], exclude: bool) -> Score:
    if wrong := [quad for quad in quads if len(quad) != 4 or isinstance(quad, str)]:
        raise ValueError(f"an analogy has four words (a, b, c, d), a : b = c : d; got {wrong[0]!r}")
    known = np.array([[emb.index[word] for word in quad] for quad in quads if all(word in emb for word in quad)])
    if not len(known):
        return Score(0, 0, len(quads))
    a, b, c, d = known.T
    cosines = (emb.units[b] - emb.units[a] + emb.units[c]) @ emb.units.T  # (questions, V), but for the length of each target
    if exclude:
        np.put_along_axis(cosines, known[:, :3], -np.inf, axis=1)
    return Score(int((cosines.argmax(1) == d).sum()), len(known), len(quads) - len(known))


def pca(vectors: ArrayLike, k: int = 2) -> np.ndarray:
    """Coordinates on the k directions in which the vectors differ most: (V, C) → (V, k), centred, the widest first.

    A direction's sign is free; here its largest coefficient is positive, so that the picture is the same on every machine.
    Raises ValueError for a shape that has no k directions, or numbers that are not finite.
    """
    vectors = np.asarray(vectors, dtype=np.float64)
    if vectors.ndim != 2 or not 1 <= k <= min(vectors.shape, default=0) or not np.isfinite(vectors).all():
        raise ValueError(f"need (V, C) finite vectors and 1 ≤ k ≤ min(V, C), got shape {vectors.shape} and k={k}")
    centred = vectors - vectors.mean(0)
    directions = np.linalg.svd(centred, full_matrices=False)[2][:k]  # (k, C)
    largest = np.take_along_axis(directions, np.abs(directions).argmax(1)[:, None], axis=1)
    return centred @ (directions * np.where(largest < 0, -1, 1)).T
