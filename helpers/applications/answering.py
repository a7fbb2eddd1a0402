"""Question answering: find the passage by BM25, and grade the answer by exact match and token F1.

The grades are SQuAD's: Rajpurkar et al., *SQuAD: 100,000+ Questions for Machine Comprehension of Text* (2016). BM25: Robertson
& Zaragoza, *The Probabilistic Relevance Framework* (2009). Introduced in `08_adapting_and_applications.ipynb`.

The grades are a dozen lines here, checked against torchmetrics: to import that takes longer than to train what it grades.
BM25 is bm25s's, which is kept up and needs NumPy only; rank-bm25 has had no release since 2022, and its usual variant gives
words that stand in over half of the passages a negative weight, patched by a floor.
"""

import logging
import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ._checks import check_same_number, check_texts

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


@dataclass(frozen=True)
class AnswerScores:
    """Shares from 0 to 1, averaged over questions: answers that match, and F1 of the words that answer and truth share."""

    exact_match: float
    f1: float


def answer_scores(predictions: Sequence[str], references: Sequence[str | Sequence[str]]) -> AnswerScores:
    """Grade answers as SQuAD does; a reference is the true answer, or a list of them, of which the nearest counts.

    Raises ValueError for no answers, for a question without a true answer, and for lists that differ in length.
    """
    predictions = check_texts(predictions, "predictions")
    if isinstance(references, str):
        raise ValueError("references is one str; expected a list: wrap a single one in [ ]")
    golds = [check_texts([one] if isinstance(one, str) else one, f"reference {i}") for i, one in enumerate(references)]
    check_same_number("predictions", predictions, "references", golds)
    pairs = list(zip(predictions, golds, strict=True))
    return AnswerScores(
        sum(any(normalise_answer(p) == normalise_answer(g) for g in gold) for p, gold in pairs) / len(pairs),
        sum(max(token_f1(p, g) for g in gold) for p, gold in pairs) / len(pairs),
    )


def normalise_answer(text: str) -> str:
    """What SQuAD compares: small letters, no ASCII punctuation, no articles, single spaces.

    `normalise_answer("The  cat's Hat.") == "cats hat"`.
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def token_f1(prediction: str, reference: str) -> float:
    """2PR / (P + R), with P the share of the prediction's words that are in the reference, R the other way; each word counts
    as often as both have it. Where one has no words left, 1 if neither has, else 0."""
    predicted, true = normalise_answer(prediction).split(), normalise_answer(reference).split()
    if not predicted or not true:
        return float(predicted == true)
    common = (Counter(predicted) & Counter(true)).total()
    return 2 * common / (len(predicted) + len(true))


class Found(NamedTuple):
    """A passage, its index among the retriever's, and its BM25 score (0: no word of the question stands in it)."""

    index: int
    passage: str
    score: float


class Retriever:
    """Passages by their words: `Retriever(passages).best(question, k)` gives the k that BM25 scores highest, best first.

    The score is a sum over the question's words of log(1 + (N − n + ½)/(n + ½)) · f / (f + k₁(1 − b + b·L/L̄)): N passages, n
    with the word, f times in this one, which has L words where the average has L̄. Rare words count most; a word's tenth
    occurrence adds little (k₁); long passages get no advantage (b). Words are runs of letters and digits, small; all count.
    """

    def __init__(self, passages: Sequence[str], k1: float = 1.5, b: float = 0.75):
        """Index passages; ValueError where there are none, or where no passage has a word, or k1 or b is out of range."""
        import bm25s  # with SciPy, where that is installed: a second

        logging.getLogger("bm25s").setLevel(logging.WARNING)  # it sets itself to DEBUG, and reports each index on stderr
        self.passages = check_texts(passages, "passages")
        if k1 < 0 or not 0 <= b <= 1:
            raise ValueError(f"k1 must be 0 or more and b must lie in [0, 1], got {k1} and {b}")
        words = [_words(passage) for passage in self.passages]
        if not any(words):
            raise ValueError("no passage has a word; there is nothing to find")
        self._index = bm25s.BM25(k1=k1, b=b, method="lucene", dtype="float64")
        self._index.index(words, show_progress=False)

    def scores(self, question: str) -> list[float]:
        """The BM25 score of every passage, in their order: N numbers, 0 or more."""
        known = self._index.get_tokens_ids(_words(question))
        return self._index.get_scores_from_ids(known).tolist() if known else [0.0] * len(self.passages)

    def best(self, question: str, k: int = 1) -> list[Found]:
        """The k best passages for a question, or all if there are fewer; of equals, the earlier first.

        Raises ValueError where k is below 1.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        scores = self.scores(question)
        order = sorted(range(len(scores)), key=lambda i: -scores[i])[:k]  # sorted() keeps equals in their order
        return [Found(i, self.passages[i], scores[i]) for i in order]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
