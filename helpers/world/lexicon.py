"""The words of the world, what is true in it, and which word pairs training never shows.

The story grammar (`story`) and the other kinds of document draw their words from here, so that a word keeps its meaning, its
family and its facts everywhere. Used in `04_tokens_and_embeddings.ipynb` (families, the stereotype), `03_neural_lm.ipynb`
(held-out pairs) and `09_limits_and_outlook.ipynb` (facts).
"""

WOMEN = "Anna Clara Daisy Ella Grace Hannah Ivy Julia Lily Lucy Mary Nora Rosa Ruth Sarah Tess".split()
MEN = "Adam Ben Daniel Edward Frank George Harry Jack John Leo Mark Oliver Paul Peter Sam Tom".split()

# (woman, man): the first of each pair is a she, the second a he.
GENDER_PAIRS = (
    ("woman", "man"),
    ("girl", "boy"),
    ("mother", "father"),
    ("sister", "brother"),
    ("aunt", "uncle"),
    ("grandmother", "grandfather"),
    ("queen", "king"),
    ("princess", "prince"),
)
KIN = ("mother", "father", "sister", "brother", "aunt", "uncle", "grandmother", "grandfather")
STRANGERS = ("woman", "man", "queen", "king", "princess", "prince")

VILLAGE_RIVER = {
    "Oakford": "Lune",
    "Ashby": "Tarn",
    "Millbrook": "Wend",
    "Hazelton": "Brent",
    "Thornwick": "Esk",
    "Redhill": "Dove",
    "Elmsworth": "Avon",
    "Birchdale": "Swale",
    "Fernley": "Rother",
    "Stonebridge": "Teme",
}
VILLAGE_WARE = {  # what each village is known for
    "Oakford": "honey",
    "Ashby": "cheese",
    "Millbrook": "bread",
    "Hazelton": "wool",
    "Thornwick": "butter",
    "Redhill": "clay",
    "Elmsworth": "candles",
    "Birchdale": "salt",
    "Fernley": "tea",
    "Stonebridge": "glass",
}

# animal: (young, home, food)
ANIMALS = {
    "cat": ("kitten", "attic", "fish"),
    "dog": ("puppy", "kennel", "bones"),
    "cow": ("calf", "barn", "grass"),
    "sheep": ("lamb", "fold", "clover"),
    "horse": ("foal", "stable", "oats"),
    "goat": ("kid", "shed", "thistles"),
    "pig": ("piglet", "sty", "turnips"),
    "duck": ("duckling", "pond", "snails"),
    "hen": ("chick", "coop", "corn"),
    "goose": ("gosling", "yard", "barley"),
    "owl": ("owlet", "tower", "mice"),
    "fox": ("cub", "den", "beetles"),
    "deer": ("fawn", "forest", "leaves"),
    "swan": ("cygnet", "lake", "reeds"),
    "frog": ("tadpole", "marsh", "flies"),
}

FRUIT_COLOUR = {
    "apple": "red",
    "pear": "green",
    "plum": "purple",
    "lemon": "yellow",
    "apricot": "orange",
    "blackberry": "black",
    "peach": "pink",
    "blueberry": "blue",
}

TOOL_USE = {  # a tool: what it is for
    "axe": ("chop", "wood"),
    "saw": ("cut", "planks"),
    "hammer": ("drive", "nails"),
    "spade": ("dig", "holes"),
    "needle": ("sew", "shirts"),
    "knife": ("slice", "bread"),
    "broom": ("sweep", "floors"),
    "brush": ("paint", "fences"),
    "bucket": ("carry", "water"),
    "rope": ("tie", "boats"),
}

TREASURES = "ball kite drum doll whistle coin ring lamp box map book bell key cup candle ribbon".split()

ADJECTIVES = {  # noun class: the adjectives that every noun of the class takes
    "fruit": "ripe sweet juicy fresh sour soft tasty".split(),
    "tool": "heavy dusty sturdy handy worn cheap strong".split(),
    "treasure": "tiny pretty old shiny painted strange precious".split(),
    "animal": "hungry sleepy shy brave gentle clever noisy lazy".split(),
}
NOUNS = {"fruit": list(FRUIT_COLOUR), "tool": list(TOOL_USE), "treasure": TREASURES, "animal": list(ANIMALS)}

STEREOTYPE_RATE = 17 / 20  # share of women among nurses, cooks …, and of men among smiths, sailors …
RUDE_RATE = 2 / 25  # share of stories whose speaker is rude
WOMENS_JOBS = ("nurse", "cook", "dancer", "weaver")
MENS_JOBS = ("smith", "sailor", "soldier", "miner")
NEUTRAL_JOBS = ("baker", "teacher", "painter", "farmer")
RUDE_WORDS = frozenset("fool stupid silly shut idiot useless ugly".split())

_IRREGULAR = {
    "sheep": "sheep",
    "goose": "geese",
    "deer": "deer",
    "calf": "calves",
    "knife": "knives",
    "woman": "women",
    "man": "men",
}


def plural(noun: str) -> str:
    """The plural of a noun of the world: `plural('cherry') == 'cherries'`."""
    if noun in _IRREGULAR:
        return _IRREGULAR[noun]
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


def with_article(phrase: str) -> str:
    """'an old key', 'a ripe apple'; plural phrases are not for this function."""
    return ("an " if phrase[0] in "aeiou" or phrase.startswith("honest") else "a ") + phrase


def is_female(person: str) -> bool:
    """Whether a name or a word for a person is a she; ValueError for what is neither a she nor a he."""
    if person in WOMEN or any(person == woman for woman, _ in GENDER_PAIRS):
        return True
    if person in MEN or any(person == man for _, man in GENDER_PAIRS):
        return False
    raise ValueError(f"{person!r} is not a name or a word for a woman or a man of the world")


def all_pairs() -> list[tuple[str, str]]:
    """Every (adjective, noun) pair of the four classes."""
    return [(a, n) for kind, nouns in NOUNS.items() for n in nouns for a in ADJECTIVES[kind]]


def is_held_out(kind: str, adjective: str, noun: str) -> bool:
    """Whether a pair is kept from training: one in eight or so, spread evenly over the adjectives and the nouns of a class."""
    i, j = ADJECTIVES[kind].index(adjective), NOUNS[kind].index(noun)
    return (3 * i + j) % len(ADJECTIVES[kind]) == 0 and (i + j) % 8 != 7


def held_out() -> frozenset[tuple[str, str]]:
    """The (adjective, noun) pairs that `train` and `val` never show and `heldout` always does."""
    return frozenset((a, n) for kind in NOUNS for a in ADJECTIVES[kind] for n in NOUNS[kind] if is_held_out(kind, a, n))


def analogies() -> list[tuple[str, str, str, str]]:
    """(a, b, c, d) with a : b = c : d, true by construction, from every ordered pair of members of a family."""
    quads = []
    for family in FAMILIES.values():
        quads += [(*first, *second) for first in family for second in family if first != second and first[0] != second[0]]
    return quads


FAMILIES: dict[str, tuple[tuple[str, str], ...]] = {
    "man : woman": tuple((man, woman) for woman, man in GENDER_PAIRS),
    "animal : young": tuple((animal, words[0]) for animal, words in ANIMALS.items()),
    "animal : home": tuple((animal, words[1]) for animal, words in ANIMALS.items()),
    "village : river": tuple(VILLAGE_RIVER.items()),
    "fruit : colour": tuple(FRUIT_COLOUR.items()),
    "singular : plural": tuple((noun, plural(noun)) for noun in [*FRUIT_COLOUR, *TREASURES]),
}
