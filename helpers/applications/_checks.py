"""What every metric asks of its input. Used inside `helpers.applications` only."""

from collections.abc import Sequence
from typing import Any


def check_texts(texts: Sequence[str], name: str) -> list[str]:
    """The texts as a list; ValueError where there are none, or where they are not texts but one text."""
    if isinstance(texts, str):
        raise ValueError(f"{name} is one str; expected a list of them: wrap a single one in [ ]")
    texts = list(texts)
    if not texts:
        raise ValueError(f"{name} is empty; there is nothing to measure")
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(f"{name} must hold str, got {type(text).__name__} at index {i}; decode ids first")
    return texts


def check_same_number(name: str, given: Sequence[Any], other_name: str, other: Sequence[Any]) -> None:
    """ValueError unless the two lists are of one length: item i of one belongs to item i of the other."""
    if len(given) != len(other):
        raise ValueError(f"{len(given)} {name} for {len(other)} {other_name}; there must be one for each, in the same order")
