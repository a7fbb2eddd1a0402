"""Text generation: how varied it is, and whether what it says is so.

Bits per byte, the third measure, is `helpers.probability.bits_per_byte`. Distinct-n: Li et al., *A Diversity-Promoting
Objective Function for Neural Conversation Models* (2016). Introduced in `08_adapting_and_applications.ipynb`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from helpers import world
from helpers.world.lexicon import plural

from ._checks import check_texts


def distinct_n(texts: Sequence[Sequence[str]], n: int) -> float:
    """Number of different n-grams over number of all n-grams in some texts, each a list of tokens: a share in (0, 1].

    No n-gram crosses from one text to the next. (Li et al. divide by the number of tokens, which for n > 1 is larger by n − 1 a
    text.) It falls as the text grows, so compare equal amounts of text only. Raises ValueError where there is no n-gram, or n
    is below 1.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    if isinstance(texts, str) or any(isinstance(text, str) for text in texts):
        raise ValueError("expected lists of tokens, got a str; tokenize the texts first")
    grams = [tuple(text[i : i + n]) for text in texts for i in range(len(text) - n + 1)]
    if not grams:
        raise ValueError(f"no text has {n} tokens, so there is no {n}-gram; pass longer texts or a smaller n")
    return len(set(grams)) / len(grams)


@dataclass(frozen=True)
class Statement:
    """What a story says of a thing of which the world knows a fact: `said` is its value there, `truth` that of the fact."""

    relation: str
    subject: str
    said: str
    truth: str

    @property
    def true(self) -> bool:
        """Whether it is so."""
        return self.said == self.truth


@dataclass(frozen=True)
class FactScores:
    """Shares from 0 to 1 over stories, and what the stories dared to say.

    `possible`: could be a story of the world, word for word. `unbroken`: no statement is false. `true`: share of true
    statements (1 where there are none). `statements`: their number a story; nobody errs who says nothing.
    """

    possible: float
    unbroken: float
    true: float
    statements: float


def fact_scores(stories: Sequence[str]) -> FactScores:
    """Check stories, such as a model's, against the fixed facts of the world. Raises ValueError for no stories."""
    stories = check_texts(stories, "stories")
    said = [statements(story) for story in stories]
    everything = [one for each in said for one in each]
    return FactScores(
        sum(_is_possible(story) for story in stories) / len(stories),
        sum(all(one.true for one in each) for each in said) / len(stories),
        sum(one.true for one in everything) / len(everything) if everything else 1.0,
        len(everything) / len(stories),
    )


def statements(story: str) -> list[Statement]:
    """Every statement of a fixed fact in a story, true or false, in the order of `helpers.world.facts`.

    Found by the ways in which the world's stories say such things: "Ashby, on the Tarn", "owls eat mice", "six plums, all
    purple", so a text that goes wrong elsewhere can be checked as well. What the story says twice is counted twice.
    """
    truths = _truths()
    found = []
    for relation, pattern in _patterns():
        for match in pattern.finditer(story):
            subject, said = _singular().get(match["subject"], match["subject"]), match["said"]
            found.append(Statement(relation, subject, said, truths[relation, subject]))
    return found


def _is_possible(story: str) -> bool:
    return world.log_prob(story) > float("-inf")


@cache
def _truths() -> dict[tuple[str, str], str]:
    return {(fact.relation, fact.subject): fact.value for fact in world.facts()}


@cache
def _singular() -> dict[str, str]:
    return {plural(subject): subject for relation, subject in _truths() if relation in ("food", "colour")}


# How stories say each relation: {s} a subject, {p} its plural, {v} the value.
_SAID = {
    "river": (
        "{s}(?:, an? [a-z]+ (?:village|town))?,? (?:on|by|beside) the {v}",
        "{s}, where the {v} (?:runs|flows)",
    ),
    "ware": ("{s}, where they (?:make|sell) the best {v}", "{s}, an? [a-z]+ place (?:famous|known) for its {v}"),
    "young": ("{s} (?:with|and) her {v}",),
    "home": (
        "to the (?:[a-z]+ )?{v} with an? [a-z]+ of [a-z]+, because {p} eat",
        "and the {s} in the {v}\\.",
        "(?:Look|Try) in the {v},.{{1,400}}? the {s} and her ",
    ),
    "food": ("with an? [a-z]+ of {v}, because {p} eat", "because {p} eat {v}"),
    "colour": ("{p}, all {v}",),
    "use": ("an? [a-z]+ {s} to {v}",),
}
_VALUES = {"river": "[A-Z][a-z]+", "use": "[a-z]+ [a-z]+"}  # any other is one word


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    subjects: dict[str, list[str]] = {}
    for relation, subject in _truths():
        subjects.setdefault(relation, []).append(subject)
    found = []
    for relation, ways in _SAID.items():
        names = subjects[relation]
        parts = {
            "s": rf"\b(?P<subject>{'|'.join(names)})\b",
            "p": rf"\b(?P<subject>{'|'.join(map(plural, names))})\b",
            "v": rf"\b(?P<said>{_VALUES.get(relation, '[a-z]+')})\b",
        }
        found += [(relation, re.compile(way.format(**parts))) for way in ways]
    return tuple(found)
