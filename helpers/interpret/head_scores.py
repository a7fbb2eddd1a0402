"""What a head looks at, as a number: the weight that it puts where a head of a known kind would look, beside chance.

Each kind is a mask (T, T), True where such a head looks; the score is the mean weight there, over the queries that have such a
place; chance is the same of a head that spreads its weight evenly. A score says where a head looks, not what it does. Previous
token and induction: Elhage et al., *A Mathematical Framework for Transformer Circuits* (2021); Olsson et al., *In-context
Learning and Induction Heads* (2022). Duplicate token: Wang et al., *Interpretability in the Wild* (2023). First token: Xiao et
al., *Efficient Streaming Language Models with Attention Sinks* (2024).
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike

from helpers.neural_lm import without_dropout
from helpers.transformer import BERT

from .reach import Ids, batch_of, check_part, traced

LONGEST_HALF = 32  # tokens: enough for a mean, and quick
DRAWS = 4  # random sequences, each a token shorter than the one before


class HeadScore(NamedTuple):
    """values: (L, H), each from 0 to 1; chance: what a head with even weights scores there. NaN where no query has a place."""

    values: np.ndarray
    chance: float


class HeadLabel(NamedTuple):
    """A kind that a head is of: its name, its score, and chance."""

    layer: int
    head: int
    name: str
    score: float
    chance: float


def previous_token(n: int) -> np.ndarray:
    """Where a previous-token head looks: at the token before; (n, n) bool, the first token has none."""
    return np.eye(n, k=-1, dtype=bool)


def first_token(n: int) -> np.ndarray:
    """Where a head rests that has nothing to fetch: at the first token; (n, n) bool, without the first's look at itself."""
    where = np.zeros((n, n), dtype=bool)
    where[1:, 0] = True
    return where


def duplicate_token(ids: ArrayLike) -> np.ndarray:
    """Where a duplicate-token head looks: at earlier occurrences of the same token; ids (T,) → (T, T) bool."""
    ids = np.asarray(ids)
    return np.tril(ids[:, None] == ids, k=-1)


def induction(ids: ArrayLike) -> np.ndarray:
    """Where an induction head looks: at the token after each earlier occurrence of the same; ids (T,) → (T, T) bool."""
    same = duplicate_token(ids)
    return np.pad(same[:, :-1], ((0, 0), (1, 0)))


def mass_on(weights: ArrayLike, where: np.ndarray) -> np.ndarray:
    """Mean weight on a mask, over the queries that it has a place for: (…, T, T), (T, T) bool → (…); NaN where none has."""
    weights, asked = np.asarray(weights, dtype=float), where.any(axis=-1)
    if weights.shape[-2:] != where.shape:
        raise ValueError(f"weights of {weights.shape[-2:]} queries and keys do not fit a mask of {where.shape}")
    if not asked.any():
        return np.full(weights.shape[:-2], np.nan)
    return (weights * where).sum(axis=-1)[..., asked].mean(axis=-1)


def even_weights(n: int, causal: bool) -> np.ndarray:
    """A head that looks at all it sees alike: (n, n), each row sums to one."""
    seen = np.tril(np.ones((n, n))) if causal else np.ones((n, n))
    return seen / seen.sum(axis=-1, keepdims=True)


def repeated_ids(vocab_size: int, n: int, seed: int, without: tuple[int, ...] = ()) -> np.ndarray:
    """n different tokens at random, twice in a row: (2 n,) ids. ValueError for n < 3, or more than there are tokens to draw."""
    tokens = np.setdiff1d(np.arange(vocab_size), without)
    if not 3 <= n <= len(tokens):
        raise ValueError(f"a sequence to repeat has from 3 to {len(tokens)} different tokens here, got n = {n}")
    return np.tile(np.random.default_rng(seed).choice(tokens, n, replace=False), 2)


@torch.no_grad()
def self_attention(model: Any, ids: Ids, part: str | None = None) -> np.ndarray:
    """Weights of all heads for a text: → (L, H, T, T) float32; part: of an EncoderDecoder "decoder" (left out) or "encoder".

    Raises ValueError for another part, and for ids that the model cannot read.
    """
    if check_part(model, part) == "cross":
        raise ValueError("these are weights within one text; take part='decoder' or part='encoder'")
    with without_dropout(model):
        return traced(model, batch_of(model, ids), part).attention[:, 0].float().cpu().numpy()


def head_scores(model: Any, ids: Ids, *, seed: int = 0, part: str | None = None) -> dict[str, HeadScore]:
    """The scores of all heads: "previous token", "first token" and "duplicate token" on this text, and "induction".

    Induction is measured on random tokens that come twice in a row, so that nothing but the repetition can be known, at several
    distances, so that a head which looks back equally far each time does not pass for one; in front stands the first token of
    this text, which should be what texts begin with. A short text has a high chance level, and one in which no token comes
    twice has no duplicate score. part, and what is raised: see `self_attention` and `repeated_ids`.
    """
    batch = batch_of(model, ids)
    own = 0 if part == "encoder" else -1  # which of the texts these heads read
    causal = not (isinstance(model, BERT) or part == "encoder")

    def score(weights: np.ndarray, where: np.ndarray) -> HeadScore:
        return HeadScore(mass_on(weights, where), float(mass_on(even_weights(len(where), causal), where)))

    text = batch[own][0].cpu().numpy()
    weights, n = self_attention(model, ids, part), len(text)
    masks = {"previous token": previous_token(n), "first token": first_token(n), "duplicate token": duplicate_token(text)}
    longest = min(LONGEST_HALF, (model.block_size - 1) // 2, model.vocab_size - 1)
    drawn = []
    for draw in range(DRAWS):
        half = min(longest, max(3, longest - draw))
        random = np.append(text[0], repeated_ids(model.vocab_size, half, DRAWS * seed + draw, without=(text[0],)))
        texts = [each[0] for each in batch]
        texts[own] = random
        again = self_attention(model, tuple(texts) if len(texts) > 1 else random, part)
        drawn.append(score(again, induction(random)))
    values, chances = zip(*drawn, strict=True)
    mean = HeadScore(np.mean(values, axis=0), float(np.mean(chances)))
    return {name: score(weights, where) for name, where in masks.items()} | {"induction": mean}


def head_labels(scores: dict[str, HeadScore], threshold: float = 0.4) -> list[HeadLabel]:
    """The kinds that heads are of, by layer and head, strongest first. Most heads are of none.

    threshold: how far from an even head (0) to one that looks nowhere else (1) a score must lie; so a label needs a score above
    both the threshold and chance. Raises ValueError for one outside (0, 1).
    """
    if not 0 < threshold < 1:
        raise ValueError(f"threshold must lie between 0 and 1, got {threshold}")
    found = [
        HeadLabel(int(layer), int(head), name, float(values[layer, head]), chance)
        for name, (values, chance) in scores.items()
        for layer, head in np.argwhere(values - chance > threshold * (1 - chance))
    ]
    return sorted(found, key=lambda label: (label.layer, label.head, -label.score))
