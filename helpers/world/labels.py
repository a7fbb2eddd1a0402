"""The truth about labelled documents: whether a review is positive, and what an English sentence is in Chinese.

Used in `08_adapting_and_applications.ipynb` to score classifiers and translators.
"""

from .grammars import grammar
from .reading import derive
from .tokens import END, detokenize, tokenize


def label(text: str) -> str:
    """'positive' or 'negative': what a review comes to; ValueError where the text is no review of the world."""
    return derive(text, "full", "review").env["label"]


def translate(english: str) -> str:
    """The Chinese translation of an English sentence of the world; ValueError for any other sentence."""
    if not isinstance(english, str):
        raise ValueError(f"expected an English sentence as a str, got {type(english).__name__}")
    source, tokens = grammar("full", "pair"), [*tokenize(english), "\t"]
    begin = len(tokens)
    while tokens[-1] != END:  # nothing is left to chance after the tab, so each step has one token
        (token,) = source.next_token_probs(tokens)
        tokens.append(token)
    return detokenize(tokens[begin:])
