"""All that the world writes, in one shuffled pile: what a model reads that is to be used for many things.

Reviews stand in it without their label, so that a label has to be learned from labelled examples. Used for the checkpoint that
`08_adapting_and_applications.ipynb` starts from.
"""

from functools import cache

from .exact import phrases
from .grammars import grammar
from .instructions import WORDINGS
from .lists import CLASSES, LABELS, RELATIONS, sample_lists
from .randomness import SplitMix64
from .tokens import END, tokenize

SHARES = {  # documents of each kind in a thousand
    "story": 70, "summary": 80, "question": 110, "review": 100, "pair": 150, "program": 130, "task": 160, "list": 200,
}  # fmt: skip


def documents(thousands: int, seed: int, split: str = "train") -> list[str]:
    """So many thousand documents of all kinds, shuffled; ValueError where the number is below 1 or the split unknown."""
    found = [text for kind in SHARES for text in documents_of(kind, thousands, seed, split)]
    _, rng = _seeds(seed)
    for i in range(len(found) - 1, 0, -1):  # Fisher and Yates
        j = rng.below(i + 1)
        found[i], found[j] = found[j], found[i]
    return found


def documents_of(kind: str, thousands: int, seed: int, split: str = "train") -> list[str]:
    """Those of one kind in the pile that `documents` draws with the same numbers, without the others; ValueError likewise."""
    if thousands < 1 or kind not in SHARES:
        raise ValueError(f"thousands must be at least 1, and the kind one of {', '.join(SHARES)}; got {thousands} and {kind!r}")
    own_seed = _seeds(seed)[0][kind]
    if kind == "list":
        return sample_lists(SHARES[kind] * thousands, own_seed, split)
    source, each = grammar(split, kind), SplitMix64(own_seed)
    return [source.sample(each) for _ in range(SHARES[kind] * thousands)]


def _seeds(seed: int) -> tuple[dict[str, int], SplitMix64]:
    """The seed of each kind, and what the pile is shuffled with."""
    rng = SplitMix64(seed)
    return {kind: rng.bits64() for kind in SHARES}, rng


@cache
def document_vocabulary() -> tuple[str, ...]:
    """Every token that any document can contain, sorted, END included; and those of instructions, which no document has."""
    tokens = {token for kind in SHARES if kind != "list" for phrase in phrases(grammar("full", kind)) for token in phrase}
    words = [word for group in CLASSES.values() for word in group] + [*LABELS, ":", ";", END]
    words += [token for table in RELATIONS.values() for answer in table.values() for token in tokenize(answer)]
    words += [word for wordings in WORDINGS.values() for wording in wordings for word in wording.split()]
    return tuple(sorted(tokens.union(words)))
