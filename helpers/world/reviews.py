"""Documents of kind "review": what someone thought of a thing that they bought, with a label that the text alone decides.

Words of praise are negated ("not good"), and a review may praise first and then take it back, so that counting words is not
enough. Used in `08_adapting_and_applications.ipynb`.
"""

from .engine import Distribution

PRAISE = "good great lovely fine superb clever pleasant perfect charming nice excellent special".split()
BLAME = "bad poor awful dull weak silly useless boring horrible ugly cheap strange".split()

MACROS = {
    "opening": """[I|We] [bought|ordered|tried|got|borrowed] {thing.a:product} [on {_:day}|last {_:season}|for my
        {_:kin}|in {_:village}] .""",
    # The label is the last opinion: the second part after "but", else the first.
    "opinion": """[The|Its] {part:part_of(thing)} was
        [{label=positive} {_:praised} @more|{label=negative} {_:blamed} @more] .""",
    "more": """[|[, and|; also ,] the {_:other_part(thing, part)} was @same|, but the {_:other_part(thing, part)} was
        @turned]""",
    "same": "<label=positive?{_:praised}|{_:blamed}>",
    "turned": "<label=positive?{_:blamed} {label=negative}|{_:praised} {label=positive}>",
    "verdict": "[2%|3%In short , <label=positive?@yes|@no> .]",
    "yes": "[I would buy it again|it was worth the money|my {_:kin} loved it]",
    "no": "[I would not buy it again|it was not worth the money|my {_:kin} sent it back]",
}
REVIEW = "@opening @opinion @verdict"

PARTS = {  # what one can have an opinion on
    "story start end idea music language": "book film song game play poem",
    "look price size shape colour quality": "lamp chair clock radio coat bag phone camera bicycle table",
    "taste smell price look size": "meal soup cake pie cheese",
}
_PARTS_OF = {product: parts.split() for parts, products in PARTS.items() for product in products.split()}

POOLS = {
    "product": list(_PARTS_OF),
    "praised": [*PRAISE, *(f"not {word}" for word in BLAME), *(f"never {word}" for word in BLAME[:6])],
    "blamed": [*BLAME, *(f"not {word}" for word in PRAISE), *(f"hardly {word}" for word in PRAISE[:6])],
}


def _other_part(product: str, part: str) -> list[tuple[int, str]]:
    return [(1, other) for other in _PARTS_OF[product] if other != part]


DISTS: dict[str, Distribution] = {
    "part_of": lambda product: [(1, part) for part in _PARTS_OF[product]],
    "other_part": _other_part,
}
