"""From next-token probabilities to text: how to choose the next token, and again, and again.

Derived in `02_ngrams.ipynb` (sampling) and `07_mini_gpt.ipynb` (the rest). Top-p: Holtzman et al., *The Curious Case of Neural
Text Degeneration* (2020); min-p: Nguyen et al., *Turning Up the Heat* (2024).
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from helpers.probability import LanguageModel, check_ids


def shape_log_probs(
    log_probs: np.ndarray,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
) -> np.ndarray:
    """The distribution that is really sampled from: (V,) nats → (V,) nats, normalised again.

    In this order: divide by temperature (0 means greedy: all on the most likely token, the first of equals); keep the top_k
    most likely; keep the fewest that hold top_p of the probability; keep those at least min_p times as likely as the best.
    Raises ValueError for a setting out of range.
    """
    if not 0 <= temperature < np.inf:
        raise ValueError(f"temperature must be 0 (greedy) or more, got {temperature}")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k must keep at least one token, got {top_k}")
    for name, value in (("top_p", top_p), ("min_p", min_p)):
        if value is not None and not 0 < value <= 1:
            raise ValueError(f"{name} must lie in (0, 1], got {value}")
    if temperature == 0:
        return np.where(np.arange(len(log_probs)) == np.argmax(log_probs), 0.0, -np.inf)
    shaped = normalise(log_probs / temperature)
    order = np.argsort(-shaped, kind="stable")
    keep = np.isfinite(shaped[order])
    if top_k is not None:
        keep[top_k:] = False
    if top_p is not None:
        p = np.where(keep, np.exp(shaped[order]), 0.0)
        keep &= np.cumsum(p) - p < top_p * p.sum()  # a token stays while those before it do not yet hold top_p
    if min_p is not None:
        keep &= shaped[order] >= shaped[order[0]] + np.log(min_p)
    return normalise(np.where(keep[np.argsort(order)], shaped, -np.inf))


def normalise(log_weights: np.ndarray) -> np.ndarray:
    """Subtract log Σ exp, so that the probabilities sum to one: (V,) → (V,) nats."""
    top = log_weights.max()
    return log_weights - (top + np.log(np.exp(log_weights - top).sum()))


def sample(log_probs: np.ndarray, rng: np.random.Generator) -> int:
    """Draw one token id from (V,) nats: the first at which the running sum of probabilities passes a uniform number."""
    cumulative = np.cumsum(np.exp(log_probs))
    return int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))


def generate(
    model: LanguageModel,
    ids: ArrayLike,
    max_new_tokens: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    *,
    stop: Iterable[int] = (),
    seed: int | np.random.Generator = 0,
) -> np.ndarray:
    """Go on from ids (T,) by at most max_new_tokens tokens: the prompt and what follows, (≤ T + max_new_tokens,) int64.

    stop: token ids after which to end, the token itself included. seed: an int, or a generator to go on drawing from.
    Raises ValueError for ids outside the vocabulary or a setting out of range.
    """
    if max_new_tokens < 0:
        raise ValueError(f"max_new_tokens must be 0 or more, got {max_new_tokens}")
    ids, rng, stop = check_ids(ids, model.vocab_size), np.random.default_rng(seed), set(stop)
    out, reader, new = list(ids), model.reader(), ids
    for _ in range(max_new_tokens):
        new = [sample(shape_log_probs(reader.read(new), temperature, top_k, top_p, min_p), rng)]
        out += new
        if new[0] in stop:
            break
    return np.array(out, dtype=np.int64)
