"""Distributions and word forms that the templates name: what `{x:dist(y)}` draws and what `{x.form}` says.

Everything is integers and strings, so that the same text comes out everywhere. Used inside `helpers.world` only.
"""

from collections.abc import Callable, Mapping, Sequence

from . import lexicon as lex
from .engine import Distribution, Form

SPLITS = ("full", "train", "val", "heldout")

# Plain word lists: {x:mood} draws one evenly.
POOLS: dict[str, Sequence[str]] = {
    "village": tuple(lex.VILLAGE_RIVER),
    "name": (*lex.WOMEN, *lex.MEN),
    "woman": lex.WOMEN,
    "man": lex.MEN,
    "kin": lex.KIN,
    "stranger": lex.STRANGERS,
    "weather": "cold warm wet windy sunny foggy frosty bright grey dark cloudy mild rainy fine stormy hot misty dry".split(),
    "time": "morning afternoon evening".split(),
    "day": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
    "season": "spring summer autumn winter".split(),
    "mood": (
        "happy sad tired proud lonely curious worried excited calm cheerful thirsty restless bored cold nervous "
        "hungry hopeful foolish brave sick"
    ).split(),
    "glad": "happy proud cheerful tired calm pleased merry content sleepy hungry wiser muddy dusty".split(),
    "character": (
        "kind clever quiet brave polite gentle merry careful lazy tall strong shy thin friendly honest patient "
        "curious cheerful grumpy wise silent handsome modest young"
    ).split(),
    "settled": (
        "small quiet busy pretty sleepy old poor rich lonely muddy tidy crowded noisy peaceful pleasant distant modern"
    ).split(),
    "place": (
        "mill church bridge well school inn orchard garden gate wall market hill meadow field farm library harbour "
        "palace bakery chapel"
    ).split(),
    "built": (
        "old new little big empty quiet narrow broken ruined high grey white dark round lovely famous low plain "
        "wide long tall crooked ancient hidden"
    ).split(),
    "went": "walked ran hurried wandered strolled marched crept raced rode limped rushed danced".split(),
    "past": "past towards around behind by near".split(),
    "how": (
        "slowly quickly quietly happily sadly softly bravely carefully proudly alone badly calmly eagerly lazily nervously"
    ).split(),
    "manner": (
        "slowly quickly quietly sadly softly kindly calmly gently warmly shyly bravely eagerly nervously politely"
    ).split(),
    "number": "two three four five six seven eight nine ten".split(),
    "coat": "coat shirt jacket cloak vest shawl sweater".split(),
    "hat": "hat cap scarf hood belt".split(),
    "colour": "red green blue yellow black white brown grey pink purple".split(),
    "near": "near behind by beside opposite".split(),
    "below": "near behind by beside under".split(),
    "state": "gone wet clean lost missing dirty safe broken dry hidden ready new hot heavy open dusty".split(),
    "treasure_noun": lex.TREASURES,
    "animal_noun": tuple(lex.ANIMALS),
    "fruit_noun": tuple(lex.FRUIT_COLOUR),
    "tool_noun": tuple(lex.TOOL_USE),
    "job": (*lex.WOMENS_JOBS, *lex.MENS_JOBS, *lex.NEUTRAL_JOBS),
    "counted": tuple(form for noun in lex.TREASURES for form in (noun, lex.plural(noun))),
    "container": "basket bag box bowl sack cart".split(),
    "sky": "day morning afternoon weather month week".split(),
    "game": "chess cards games music".split(),
    "song": "songs poems rhymes riddles stories dances".split(),
    "how_first": "Sure enough|Of course|Far inside|Indeed|Nearby".split("|"),
}


def distributions(split: str) -> dict[str, Distribution]:
    """The named distributions for a split: they differ only in the (adjective, noun) pairs."""
    dists: dict[str, Distribution] = {name: evenly(values) for name, values in POOLS.items()}
    dists |= {f"{kind}_pair": evenly(pairs(kind, split)) for kind in lex.NOUNS}
    dists["other_name"] = lambda name: [(1, other) for other in POOLS["name"] if other != name]
    dists["other_village"] = lambda village: [(1, other) for other in POOLS["village"] if other != village]
    dists["other_treasure"] = lambda pair: [(1, n) for n in lex.TREASURES if n != pair.split()[-1]]
    dists["third_treasure"] = lambda pair, noun: [(1, n) for n in lex.TREASURES if n not in (pair.split()[-1], noun)]
    dists["pair_other"] = lambda noun: [(1, pair) for pair in pairs("treasure", split) if pair.split()[-1] != noun]
    dists["other_glad"] = lambda glad: [(1, other) for other in POOLS["glad"] if other != glad]
    dists["other_kin"] = lambda kin: [(1, other) for other in lex.KIN if other != kin]
    dists["other_place"] = lambda place: [(1, other) for other in POOLS["place"] if other != place]
    dists["job_of"] = job_of
    dists["person_of"] = person_of
    return dists


def pairs(kind: str, split: str) -> list[str]:
    """The (adjective, noun) pairs of a class that a split may show, as 'ripe apple'."""
    allowed = {"full": (True, False), "heldout": (True,)}.get(split, (False,))
    both = [(a, n) for n in lex.NOUNS[kind] for a in lex.ADJECTIVES[kind]]
    return [f"{a} {n}" for a, n in both if lex.is_held_out(kind, a, n) in allowed]


def job_of(person: str) -> list[tuple[int, str]]:
    """Jobs of a woman or a man, at the planted rate: 17 to 3 for what the stereotype expects, 10 for neutral jobs."""
    hers, his = (17, 3) if lex.is_female(person) else (3, 17)
    weighted = [(hers, job) for job in lex.WOMENS_JOBS] + [(his, job) for job in lex.MENS_JOBS]
    return weighted + [(10, job) for job in lex.NEUTRAL_JOBS]


def person_of(job: str) -> list[tuple[int, str]]:
    """A woman or a man, given the job, at the same rate."""
    hers = 17 if job in lex.WOMENS_JOBS else 3 if job in lex.MENS_JOBS else 10
    return [(hers, "woman"), (20 - hers, "man")]


def evenly(values: Sequence[str]) -> Distribution:
    """The distribution that gives each of its values the same weight, whatever came before."""
    weighted = [(1, value) for value in values]
    return lambda: weighted


def _noun(value: str) -> str:
    return value.split()[-1]


def _pronoun(female: str, male: str) -> Form:
    return lambda person: female if lex.is_female(person) else male


def _of(table: Mapping[str, object], index: int | None = None) -> Callable[[str], str]:
    return lambda value: str(table[_noun(value)] if index is None else table[_noun(value)][index])


FORMS: dict[str, Form] = {
    "he": _pronoun("she", "he"),
    "him": _pronoun("her", "him"),
    "his": _pronoun("her", "his"),
    "person": lambda person: person,
    "a": lex.with_article,
    "noun": _noun,
    "plural": lambda value: " ".join([*value.split()[:-1], lex.plural(_noun(value))]),
    "it": lambda pair: (
        lex.plural(_noun(pair)) if _noun(pair) in lex.FRUIT_COLOUR else _noun(pair)
    ),  # fruits are bought by number
    "nouns": lambda value: lex.plural(_noun(value)),
    "was": lambda noun: "was" if noun in lex.TREASURES else "were",
    "river": _of(lex.VILLAGE_RIVER),
    "ware": _of(lex.VILLAGE_WARE),
    "young": _of(lex.ANIMALS, 0),
    "home": _of(lex.ANIMALS, 1),
    "food": _of(lex.ANIMALS, 2),
    "colour": _of(lex.FRUIT_COLOUR),
    "do": _of(lex.TOOL_USE, 0),
    "work": _of(lex.TOOL_USE, 1),
}
