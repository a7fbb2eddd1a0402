"""Sentiment: accuracy and F1, and the two baselines that a model must beat. All of it scikit-learn's.

Introduced in `08_adapting_and_applications.ipynb`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._checks import check_same_number, check_texts

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin
    from sklearn.pipeline import Pipeline

Label = str | int


@dataclass(frozen=True)
class SentimentScores:
    """Shares from 0 to 1: of right labels; F1 averaged over the labels, each alike; F1 of the positive label alone."""

    accuracy: float
    f1_macro: float
    f1_positive: float


def sentiment_scores(predictions: Sequence[Label], labels: Sequence[Label], positive: Label = "positive") -> SentimentScores:
    """Grade predicted labels (N,) against the true ones (N,).

    What a model answers that is no label at all counts as wrong, and makes no class of its own. A label that is never
    predicted has F1 0. Raises ValueError for no labels, for lists that differ in length, and where no true label is `positive`.
    """
    from sklearn.metrics import accuracy_score, f1_score  # takes seconds, and only whoever classifies needs it

    predictions, labels = list(predictions), list(labels)
    check_same_number("predictions", predictions, "labels", labels)
    classes = sorted(set(labels), key=str)
    if positive not in classes:
        raise ValueError(f"no label is {positive!r}, the positive one; the labels are {classes}")
    predictions = [classes.index(p) if p in classes else -1 for p in predictions]
    truth = [classes.index(label) for label in labels]

    def f1(of: Sequence[int]) -> float:
        return float(f1_score(truth, predictions, labels=of, average="macro", zero_division=0))

    accuracy = float(accuracy_score(truth, predictions))
    return SentimentScores(accuracy, f1(range(len(classes))), f1([classes.index(positive)]))


def majority(texts: Sequence[str], labels: Sequence[Label]) -> "ClassifierMixin":
    """A classifier that gives every text the most frequent label (of equally frequent ones, the first in order).

    Raises ValueError as `bag_of_words` does, but is content with one label.
    """
    from sklearn.dummy import DummyClassifier

    texts, labels = _check_examples(texts, labels)
    return DummyClassifier(strategy="most_frequent").fit(texts, labels)


def bag_of_words(texts: Sequence[str], labels: Sequence[Label], n: int = 1, C: float = 1.0) -> "Pipeline":
    """Logistic regression on how often each word comes, fitted: `.predict(texts)` gives labels, `.predict_proba` their
    probabilities.

    n: the longest n-grams of words that count as features; with 1 it cannot see what "not" stands before. C: the inverse
    strength of the L2 penalty. Raises ValueError for no texts, for lists that differ in length, and for a single label.
    """
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    texts, labels = _check_examples(texts, labels)
    if len(set(labels)) < 2:
        raise ValueError(f"all {len(labels)} labels are {labels[0]!r}; a classifier needs examples of two labels at least")
    words = CountVectorizer(token_pattern=r"\w+", ngram_range=(1, n))  # scikit-learn's own pattern drops "I" and "a"
    return make_pipeline(words, LogisticRegression(C=C, max_iter=1000)).fit(texts, labels)


def _check_examples(texts: Sequence[str], labels: Sequence[Label]) -> tuple[list[str], list[Label]]:
    texts, labels = check_texts(texts, "texts"), list(labels)
    check_same_number("labels", labels, "texts", texts)
    return texts, labels
