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
    if thousands < 1:
        raise ValueError(f"thousands must be at least 1, got {thousands}")
    rng, found = SplitMix64(seed), []
    for kind, share in SHARES.items():
        if kind == "list":
            found += sample_lists(share * thousands, rng.bits64(), split)
        else:
            source, each = grammar(split, kind), SplitMix64(rng.bits64())
            found += [source.sample(each) for _ in range(share * thousands)]
    for i in range(len(found) - 1, 0, -1):  # Fisher and Yates
        j = rng.below(i + 1)
        found[i], found[j] = found[j], found[i]
    return found


@cache
def document_vocabulary() -> tuple[str, ...]:
    """Every token that any document can contain, sorted, END included; and those of instructions, which no document has."""
    tokens = {token for kind in SHARES if kind != "list" for phrase in phrases(grammar("full", kind)) for token in phrase}
    words = [word for group in CLASSES.values() for word in group] + [*LABELS, ":", ";", END]
    words += [token for table in RELATIONS.values() for answer in table.values() for token in tokenize(answer)]
    words += [word for wordings in WORDINGS.values() for wording in wordings for word in wording.split()]
    return tuple(sorted(tokens.union(words)))
