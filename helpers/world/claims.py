"""Every factual statement that a text makes, checked: against the world, and against what the text itself said before.

`parse` reads only what the world can write, and a model's texts are often not that. So statements are found by small patterns
over the tokens: the wording of each slot of the story grammar and of each sentence of `facts`, whatever stands around it. What
is said in other words is not seen. Derived in `09_limits_and_outlook.ipynb`.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from . import lexicon as lex
from .tokens import END, tokenize
from .truths import facts


class Claim(NamedTuple):
    """`subject` has `value` by `relation`: True, False, or None where it cannot be checked; the value is token `start`.

    about "world": the relation is river, ware, home, food, young, colour, do or work ("an axe to chop wood": chop, wood).
    about "story": holder (X still had the Y), pronoun (the hero's, who is the first person named), village (where the closing
    puts the hero), price (what was paid) or thing (what the closing remembers).
    """

    about: str
    relation: str
    subject: str
    value: str
    true: bool | None
    start: int


# Patterns run over the tokens with one space before, between and after them, so a token is known by its two spaces.
_S, _V = r"(?P<s>\w+)", r"(?P<v>\w+)(?= )"
_NEED, _THERE = rf" (?:needed|looked for|wanted) an?(?: \w+)? {_S} to", rf" The {_S} is there to"
# Without a subject s, a pattern speaks of the village of its sentence, or of the animal of the story.
_WORLD = (
    ("river", r" (?:on|by|beside) the (?P<v>[A-Z]\w*)(?= )"),
    ("river", rf" where the {_V} (?:runs|flows) "),
    ("ware", rf" where they (?:make|sell) the best {_V}"),
    ("ware", rf" (?:famous|known) for its {_V}"),
    ("young", rf" is that for the {_V}"),
    ("young", rf" And the {_V} (?:ate|slept|played) "),
    ("home", rf" to the(?: \w+)? {_V} with an? \w+ of "),
    ("home", rf" (?:Look|Try) in the {_V}(?=.*? the {_S} and her )"),
    ("home", rf" The {_S} lives in the {_V}"),
    ("food", rf" with an? \w+ of {_V}"),
    ("food", rf" (?:because|The) {_S} eats? {_V}"),
    ("colour", rf" {_S} , all {_V}"),
    ("do", rf"{_NEED} {_V}"),
    ("do", rf"{_THERE} {_V}"),
    ("work", rf"{_NEED} \w+ {_V}"),
    ("work", rf"{_THERE} \w+ {_V}"),
)
# Other statements are worded like these: they count only where the relation knows the subject or the value.
_LOOSE = (
    ("young", rf" an?(?: \w+)? {_S} with her {_V}"),
    ("young", rf" the {_S} and her {_V}"),
    ("young", rf" The {_S} has an? {_V}"),
    ("home", rf" and the {_S} in the {_V}"),
    ("colour", rf" The {_S} is {_V} \."),
)
_PLACED = "".join(f"(?<= {word} )|" for word in ("in", "In", "left", "from", "to")).rstrip("|")
_VILLAGE = re.compile(rf" (?:{'|'.join(lex.VILLAGE_RIVER)}|(?:{_PLACED})[A-Z]\w*)(?= )")
_ANIMAL = re.compile(rf" ({'|'.join(lex.ANIMALS)}) with her ")
_EATERS = re.compile(r" because (\w+) eat ")

_STILL = re.compile(rf" {_S} still had the {_V}")
_HAD = re.compile(r" (?P<s>\w+) (?:had|came too , with) an? (?:\w+ ){0,2}?(?P<v>\w+) (?=[.,;]|and )")
_CLOSING_VILLAGE = (
    rf" {_S} was back in {_V}",
    rf" {_S} (?:went home|came home|walked back|returned) to {_V}",
    rf" In {_V} they still(?: \w+ about {_S} )?",
    rf" {_S} slept(?: \w+)? in {_V}",
)
_CLOSING_THING = (
    rf" never forgot the {_V}",
    rf" they still \w+ about \w+ and the {_V}",
    rf" telling (?:his|her) \w+ about the {_V}",
    rf" slept [^.?!]*?, with the {_V}",
    rf" slept [^.?!]*?, and the {_V} in the ",
)
_PRONOUN = re.compile(r"(?<! with)(?<! and) (?P<v>[Hh]e|[Ss]he|[Hh]is|[Hh]er)(?= )")  # "a cow with her calf" is not the hero's
_ONE = {lex.plural(noun): noun for nouns in lex.NOUNS.values() for noun in nouns}
_NAMES = frozenset((*lex.WOMEN, *lex.MEN))
_PEOPLE = _NAMES.union(
    *lex.GENDER_PAIRS, lex.WOMENS_JOBS, lex.MENS_JOBS, lex.NEUTRAL_JOBS, ("boys", "girls", "children", "friend")
)


def claims(text: str) -> list[Claim]:
    """Every factual statement of one text, up to its end token, in the order of their values.

    `claims('Tom was in Ashby, on the Lune.')` is one claim, about "world", that is False. A text that the world cannot write
    is read as far as it is worded like one that it can; ValueError only where it is no string.
    """
    if not isinstance(text, str):
        raise ValueError(f"expected a text as a str, got {type(text).__name__}; detokenize tokens first")
    tokens = tokenize(text)
    tokens = tokens[: tokens.index(END)] if END in tokens else tokens
    said = f" {' '.join(tokens)} "
    found = {(c.about, c.relation, c.start): c for c in (*_about_world(said), *_about_story(said))}
    return sorted(found.values(), key=lambda claim: claim.start)


def _about_world(said: str) -> Iterator[Claim]:
    for loose, patterns in ((False, _WORLD), (True, _LOOSE)):
        for relation, pattern in patterns:
            known = _facts()[relation]
            for match in re.finditer(pattern, said):
                subject = match["s"] if "s" in match.re.groupindex else _context(relation, said, match.start("v"))
                subject = _ONE.get(subject, subject)
                if subject is None or (loose and subject not in known and match["v"] not in known.values()):
                    continue
                true = known[subject] == match["v"] if subject in known else None
                yield _claim("world", relation, subject, match, true)


def _context(relation: str, said: str, at: int) -> str | None:
    """What a statement without a subject speaks of: the last village of the sentence so far, or the animal with young."""
    if relation in ("river", "ware"):
        villages = _VILLAGE.findall(said, _sentence(said, at), at)
        return villages[-1].strip() if villages else None
    animals = _ANIMAL.findall(said, 0, at) or _EATERS.findall(said)[:1]
    return animals[-1] if animals else None


def _about_story(said: str) -> Iterator[Claim]:
    hero = next((word for word in said.split() if word in _NAMES), "")
    for match in _STILL.finditer(said):
        had = [m["v"] for m in _HAD.finditer(said, 0, match.end("s")) if m["s"] == match["s"]]
        yield _claim("story", "holder", match["s"], match, _same(had[-1], match["v"]) if had else None)
    for match in _PRONOUN.finditer(said) if hero else ():
        at = match.start()
        if {hero} in (_people(said[:at]), _people(said[_sentence(said, at) : at])):
            true = (match["v"].lower() in ("she", "her")) == lex.is_female(hero)
            yield _claim("story", "pronoun", hero, match, true)
    opening = re.split(r" [.?!] ", said, maxsplit=1)[0] + " "
    home = next(iter(_VILLAGE.findall(opening)), "").strip()
    for match in (m for pattern in _CLOSING_VILLAGE for m in re.finditer(pattern, said)):
        who = match["s"] if match["s"] in _NAMES else hero
        told = home and who == hero and match.start("v") > len(opening)
        yield _claim("story", "village", who, match, match["v"] == home if told else None)
    for match in re.finditer(r" (?:paid|counted out) (?P<v>\w+) coins ", said):
        asked = re.findall(r" (?:wanted|asked for) (\w+) coins ", said[: match.start() + 1])
        yield _claim("story", "price", hero, match, match["v"] == asked[-1] if asked else None)
    for match in (m for pattern in _CLOSING_THING for m in re.finditer(pattern, said)):
        before = said[: _sentence(said, match.start("v"))].split()
        yield _claim("story", "thing", hero, match, any(_same(word, match["v"]) for word in before) if before else None)


def _claim(about: str, relation: str, subject: str, match: re.Match, true: bool | None) -> Claim:
    return Claim(about, relation, subject, match["v"], true, match.string.count(" ", 0, match.start("v")) - 1)


def _same(noun: str, other: str) -> bool:
    return _ONE.get(noun, noun) == _ONE.get(other, other)


def _people(part: str) -> set[str]:
    """The people in a part of a text; the girl of "a girl named Tess" is Tess."""
    return _PEOPLE.intersection(re.sub(r" (?:girl|boy) named ", " ", part).split())


def _sentence(said: str, at: int) -> int:
    """Where the sentence begins that a position lies in."""
    return 1 + max(said.rfind(f" {mark} ", 0, at) for mark in ".?!")


@cache
def _facts() -> dict[str, dict[str, str]]:
    """relation: subject: value; the use of a tool is cut into `do` and `work`."""
    tables: dict[str, dict[str, str]] = {}
    for fact in facts():
        use = zip(("do", "work"), fact.value.split(), strict=False)
        parts = use if fact.relation == "use" else [(fact.relation, fact.value)]
        for relation, value in parts:
            tables.setdefault(relation, {})[fact.subject] = value
    return tables
