"""Data augmentation: more labelled examples from those there are, or from a model that writes them.

Swapping words: Zhang, Zhao & LeCun, *Character-level Convolutional Networks for Text Classification* (2015); having a model
write: Anaby-Tavor et al., *Do Not Have Enough Data? Deep Learning to the Rescue!* (2020). Introduced in
`08_adapting_and_applications.ipynb`.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from helpers.probability import LanguageModel
from helpers.sampling import generate_batch
from helpers.tokenizers import Tokenizer
from helpers.world import reviews, words

from ._checks import check_same_number, check_texts

Groups = Sequence[Sequence[str]]


def review_groups() -> tuple[tuple[str, ...], ...]:
    """Words of the world's reviews that may stand for each other without a change of the label, or of the grammar.

    Words of praise, words of blame, and what holds no opinion: things with the same parts, days, seasons, relatives, villages.
    Some words of praise and blame stand after "never" and "hardly" as well, and form groups of their own.
    """
    opinions = []
    for pool, word_of, before in (("praised", reviews.BLAME, "never"), ("blamed", reviews.PRAISE, "hardly")):
        said = [word for word in word_of if f"{before} {word}" in reviews.POOLS[pool]]
        opinions += [said, [word for word in word_of if word not in said]]
    neutral = [things.split() for things in reviews.PARTS.values()]
    neutral += [words.POOLS[name] for name in ("day", "season", "kin", "village")]
    return tuple(tuple(group) for group in opinions + neutral)


def synonym_swap(text: str, groups: Groups, rng: np.random.Generator, rate: float = 0.5) -> str:
    """A text in which each word of a group has given place, with probability `rate`, to another of its group, drawn evenly.

    Words are matched whole and as they are written; a group may hold phrases, of which the longest counts. Whether the label
    stays depends on the groups alone. Raises ValueError for a rate outside [0, 1], a word in two groups, and a group of one.
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"rate must lie in [0, 1], got {rate}")
    others = _others(groups)
    if not others:
        return text

    def swap(match: re.Match[str]) -> str:
        if rng.random() >= rate:
            return match[0]
        return others[match[0]][rng.integers(len(others[match[0]]))]

    longest_first = sorted(others, key=len, reverse=True)
    return re.sub(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", swap, text)


def _others(groups: Groups) -> dict[str, list[str]]:
    """Each word with the rest of its group."""
    others: dict[str, list[str]] = {}
    for group in groups:
        if isinstance(group, str) or len(group) < 2:
            raise ValueError(f"a group must be a list of two words or more, got {group!r}")
        for word in group:
            if word in others or list(group).count(word) > 1:
                raise ValueError(f"{word!r} stands in two groups, or twice in one; what may replace it must be one group")
            others[word] = [other for other in group if other != word]
    return others


def augment(
    texts: Sequence[str], labels: Sequence, change: Callable[[str, np.random.Generator], str], copies: int, seed: int
) -> tuple[list[str], list]:
    """The examples, then so many changed copies of all of them, each with its original's label: N → N · (1 + copies).

    `augment(texts, labels, lambda text, rng: synonym_swap(text, review_groups(), rng), copies=4, seed=0)`. Raises ValueError
    for no texts, lists that differ in length, and copies below 0.
    """
    texts, labels = check_texts(texts, "texts"), list(labels)
    check_same_number("labels", labels, "texts", texts)
    if copies < 0:
        raise ValueError(f"copies must be 0 or more, got {copies}")
    rng = np.random.default_rng(seed)
    return texts + [change(text, rng) for _ in range(copies) for text in texts], labels * (1 + copies)


@dataclass(frozen=True)
class Drawn:
    """Labelled texts that a model wrote, `texts` and `labels` of one length, and how many it wrote until these were kept."""

    texts: list[str]
    labels: list
    tries: int


def draw_labelled(
    model: LanguageModel, tokenizer: Tokenizer, prompts: Mapping[str | int, str], n: int,
    keep: Callable[[str, str | int], bool], *, max_new_tokens: int, stop: Iterable[int] = (), temperature: float = 1.0,
    top_p: float | None = None, tries: int | None = None, batch: int = 16, seed: int = 0,
) -> Drawn:  # fmt: skip
    """Have a model write n texts for each label, by a prompt for each, and keep those of which `keep(text, label)` is true.

    A text is what follows the prompt, without the stop token and without spaces at its ends; one that was kept before, under
    any label, is not kept again. After `tries` texts for a label (10 n by default) that is all, so there may be fewer than n.
    The same seed gives the same texts. stop, temperature, top_p: see `helpers.sampling.generate`.
    Raises ValueError for no prompts, n or batch below 1, and as `generate` does.
    """
    if not prompts or n < 1 or batch < 1:
        raise ValueError(f"expected prompts and n and batch of at least 1, got {len(prompts)} prompts, n={n}, batch={batch}")
    stop, limit = frozenset(stop), 10 * n if tries is None else tries
    texts: dict[str, str | int] = {}  # in the order in which they were kept
    total = 0
    for (label, prompt), rng in zip(prompts.items(), np.random.default_rng(seed).spawn(len(prompts)), strict=True):
        ids, kept, tried = tokenizer.encode(prompt), 0, 0
        while kept < n and tried < limit:
            size = min(batch, limit - tried)
            rows = generate_batch(model, [ids] * size, max_new_tokens, temperature, top_p=top_p, stop=stop, seed=rng)
            for row in rows:
                tried += 1
                text = tokenizer.decode([token for token in row[len(ids) :] if token not in stop]).strip()
                if kept < n and text and text not in texts and keep(text, label):
                    texts[text] = label
                    kept += 1
        total += tried
    return Drawn(list(texts), list(texts.values()), total)
