"""The kinds of document that the world writes, each with its grammar for each split.

Grammars are built when first asked for and kept. Used by everything public in `helpers.world`.
"""

from collections.abc import Mapping
from functools import cache

from . import pairs, programs, questions, reviews, story, words
from .engine import Grammar
from .exact import Expectations, expectations

TEMPLATES: dict[str, tuple[str, Mapping[str, str]]] = {
    "story": (story.STORY, story.MACROS),
    "question": (questions.QUESTION, questions.MACROS),
    "review": (reviews.REVIEW, reviews.MACROS),
    "pair": (pairs.PAIR, pairs.MACROS),
    "program": (programs.PROGRAM, programs.MACROS),
    "task": (programs.TASK, programs.TASK_MACROS),
    "summary": (story.SUMMARY, story.MACROS),
}
KINDS = tuple(TEMPLATES)
SPLITS = words.SPLITS


def grammar(split: str = "full", kind: str = "story") -> Grammar:
    """The grammar of a kind of document; ValueError for an unknown split or kind."""
    if kind not in TEMPLATES:
        raise ValueError(f"the world has no documents of kind {kind!r}; choose one of {', '.join(KINDS)}")
    if split not in SPLITS:
        raise ValueError(f"the world has no split {split!r}; choose one of {', '.join(SPLITS)}")
    return _grammar("train" if split == "val" else split, kind)


def expected(split: str = "full", kind: str = "story") -> Expectations:
    """Exact entropy and lengths of a kind of document; ValueError for an unknown split or kind."""
    grammar(split, kind)
    return _expected("train" if split == "val" else split, kind)


@cache
def _grammar(split: str, kind: str) -> Grammar:
    template, macros = TEMPLATES[kind]
    dists = words.distributions(split)
    for module in (reviews, programs, pairs):
        dists |= {name: words.evenly(values) for name, values in module.POOLS.items()}
    dists |= reviews.DISTS | programs.DISTS
    return Grammar(template, dists, words.FORMS | pairs.FORMS | programs.FORMS, macros)


@cache
def _expected(split: str, kind: str) -> Expectations:
    return expectations(_grammar(split, kind))
