"""What is true in the world: a list of facts, and whether a sentence about them is true.

Each fact can be said in one sentence; the same sentence with another value in its place is false. No story contradicts them.
Used in `08_adapting_and_applications.ipynb` (questions) and `09_limits_and_outlook.ipynb` (false statements counted).
"""

from dataclasses import dataclass
from functools import cache

from . import lexicon as lex


@dataclass(frozen=True)
class Fact:
    """`subject` has `value` by `relation`; `sentence` says it and `question` asks for it."""

    relation: str
    subject: str
    value: str
    sentence: str
    question: str


_RELATIONS = {  # relation: (its table, sentence, question); {s} subject, {p} its plural, {a} it with its article, {v} value
    "home": ({a: w[1] for a, w in lex.ANIMALS.items()}, "The {s} lives in the {v}.", "Where does the {s} live?"),
    "food": ({a: w[2] for a, w in lex.ANIMALS.items()}, "The {s} eats {v}.", "What does the {s} eat?"),
    "young": ({a: w[0] for a, w in lex.ANIMALS.items()}, "The {s} has a {v}.", "What is the young of the {s}?"),
    "river": (lex.VILLAGE_RIVER, "{s} lies on the {v}.", "On which river does {s} lie?"),
    "ware": (lex.VILLAGE_WARE, "{s} is known for its {v}.", "What is {s} known for?"),
    "colour": (lex.FRUIT_COLOUR, "The {s} is {v}.", "What colour is the {s}?"),
    "use": ({t: " ".join(u) for t, u in lex.TOOL_USE.items()}, "The {s} is there to {v}.", "What is the {s} there for?"),
}


def facts() -> list[Fact]:
    """Every fixed fact of the world."""
    return [
        Fact(relation, subject, value, sentence.format(s=subject, v=value), question.format(s=subject))
        for relation, (table, sentence, question) in _RELATIONS.items()
        for subject, value in table.items()
    ]


def is_true(sentence: str) -> bool | None:
    """Whether a sentence in the words of `facts()` is true; None where it is not such a sentence."""
    return _statements().get(sentence.strip())


@cache
def _statements() -> dict[str, bool]:
    said: dict[str, bool] = {}
    for table, sentence, _ in _RELATIONS.values():
        for subject, truth in table.items():
            said |= {sentence.format(s=subject, v=value): value == truth for value in table.values()}
    return said
