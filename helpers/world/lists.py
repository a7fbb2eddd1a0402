"""Lists of examples: what comes after a colon follows from the examples before it, and from them alone.

    cow: calf; fox: cub; hen: chick            which relation it is, the first example tells
    goose: no; ball: yes; frog: no             what the two labels mean, the first few tell

A model that reads many of these learns to take its task from its context. Some words never stand in the lists of `train` and
`val`, and in `heldout` nothing else is asked last: what these are, only the other documents tell. Used in
`08_adapting_and_applications.ipynb`. Source: Brown et al., *Language Models are Few-Shot Learners* (2020), for the idea.
"""

from collections.abc import Mapping, Sequence

from . import lexicon
from .randomness import SplitMix64
from .tokens import detokenize

CLASSES: Mapping[str, Sequence[str]] = {
    **lexicon.NOUNS, "woman": lexicon.WOMEN, "man": lexicon.MEN, "village": list(lexicon.VILLAGE_RIVER),
    "river": list(lexicon.VILLAGE_RIVER.values()),
}  # fmt: skip
RELATIONS: Mapping[str, Mapping[str, str]] = {
    "young": {animal: facts[0] for animal, facts in lexicon.ANIMALS.items()},
    "home": {animal: facts[1] for animal, facts in lexicon.ANIMALS.items()},
    "food": {animal: facts[2] for animal, facts in lexicon.ANIMALS.items()},
    "river": lexicon.VILLAGE_RIVER,
    "ware": lexicon.VILLAGE_WARE,
}
LABELS = ("yes", "no", "left", "right", "A", "B", "one", "two")
SPLITS = ("train", "val", "heldout")
LONGEST = 9  # examples


def is_kept_back(word: str, group: Sequence[str]) -> bool:
    """Whether a word of a class or relation is kept from the lists of `train`: every fifth."""
    return list(group).index(word) % 5 == 3


def sample_lists(n: int, seed: int, split: str = "train") -> list[str]:
    """Draw n lists, half of labels and half of relations, each of 2 to LONGEST examples; ValueError for an unknown split."""
    if split not in SPLITS:
        raise ValueError(f"there are no lists for split {split!r}; choose one of {', '.join(SPLITS)}")
    rng = SplitMix64(seed)
    return [show_list(_pairs(rng, split)) for _ in range(n)]


def show_list(pairs: Sequence[tuple[str, str]], asked: str | None = None) -> str:
    """The text of a list of (word, what follows); asked: a word at its end with nothing after the colon yet."""
    tokens = [token for word, answer in pairs for token in (word, ":", *answer.split(), ";")]
    return detokenize([*tokens, asked, ":"] if asked is not None else tokens[:-1])


def _pairs(rng: SplitMix64, split: str) -> list[tuple[str, str]]:
    """The examples of one list; in `heldout` the last is of a word that training never shows in one."""
    n = 2 + rng.below(LONGEST - 1)
    if rng.below(2):
        table = RELATIONS[_one_of(rng, list(RELATIONS))]
        words = _drawn(rng, list(table), n, split)
        return [(word, table[word]) for word in words]
    first, second = _several(rng, list(CLASSES), 2)
    label = dict(zip((first, second), _several(rng, LABELS, 2), strict=True))
    pairs = []
    for i in range(n):
        name = (first, second)[rng.below(2)]
        (word,) = _drawn(rng, CLASSES[name], 1, split if i == n - 1 else "train")
        pairs.append((word, label[name]))
    return pairs


def _drawn(rng: SplitMix64, group: Sequence[str], n: int, split: str) -> list[str]:
    """n words of a group, no two alike, fewer where it has not so many; in `heldout` the last is one that was kept back."""
    shown = [word for word in group if not is_kept_back(word, group)]
    if split != "heldout":
        return _several(rng, shown, n)
    return [*_several(rng, shown, n - 1), _one_of(rng, [word for word in group if is_kept_back(word, group)])]


def _one_of(rng: SplitMix64, words: Sequence[str]) -> str:
    return words[rng.below(len(words))]


def _several(rng: SplitMix64, words: Sequence[str], n: int) -> list[str]:
    """n different ones, in random order."""
    left = list(words)
    return [left.pop(rng.below(len(left))) for _ in range(min(n, len(left)))]
