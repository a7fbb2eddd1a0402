"""From next-token probabilities to text: how to choose the next token, and again, and again.

Derived in `02_ngrams.ipynb` (sampling) and `07_mini_gpt.ipynb` (the rest). Top-p: Holtzman et al., *The Curious Case of Neural
Text Degeneration* (2020); min-p: Nguyen et al., *Turning Up the Heat* (2024).
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike

from helpers.probability import LanguageModel, check_ids

Seed = int | np.random.Generator  # a generator is gone on drawing from
Settings = tuple[float, int | None, float | None, float | None]  # temperature, top_k, top_p, min_p


def shape_log_probs(
    log_probs: np.ndarray,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
) -> np.ndarray:
    """The distribution that is really sampled from: (…, V) nats → (…, V) nats, normalised again.

    In this order: divide by temperature (0 means greedy: all on the most likely token, the first of equals); keep the top_k
    most likely; keep the fewest that hold top_p of the probability; keep those at least min_p times as likely as the best.
    Raises ValueError for a setting out of range.
    """
    _check_settings(temperature, top_k, top_p, min_p)
    if temperature == 0:
        best = log_probs.argmax(axis=-1, keepdims=True)
        return np.where(np.arange(log_probs.shape[-1]) == best, 0.0, -np.inf)
    shaped = normalise(log_probs / temperature)
    if top_k is not None or top_p is not None:
        order = np.argsort(-shaped, axis=-1, kind="stable")
        ranked = np.take_along_axis(shaped, order, axis=-1)
        ranked[..., top_k or ranked.shape[-1] :] = -np.inf
        if top_p is not None:
            p = np.exp(ranked)
            before = p.cumsum(axis=-1) - p  # a token stays while those before it do not yet hold top_p
            ranked[before >= top_p * p.sum(axis=-1, keepdims=True)] = -np.inf
        np.put_along_axis(shaped, order, ranked, axis=-1)
    if min_p is not None:
        shaped[shaped < shaped.max(axis=-1, keepdims=True) + np.log(min_p)] = -np.inf
    return normalise(shaped)


def normalise(log_weights: np.ndarray) -> np.ndarray:
    """Subtract log Σ exp, so that the probabilities sum to one: (…, V) → (…, V) nats."""
    top = log_weights.max(axis=-1, keepdims=True)
    return log_weights - (top + np.log(np.exp(log_weights - top).sum(axis=-1, keepdims=True)))


def sample(log_probs: np.ndarray, rng: np.random.Generator | Sequence[np.random.Generator]) -> int | np.ndarray:
    """Draw one token id from (V,) nats: the first at which the running sum of probabilities passes a uniform number.

    Of several rows, (B, V), draw one each, (B,), with a generator for each.
    """
    cumulative = np.cumsum(np.exp(log_probs), axis=-1)
    uniform = rng.random() if log_probs.ndim == 1 else np.array([one.random() for one in rng])[:, None]
    drawn = (cumulative <= uniform * cumulative[..., -1:]).sum(axis=-1)
    return int(drawn) if log_probs.ndim == 1 else drawn


def stream(
    model: LanguageModel, ids: ArrayLike, max_new_tokens: int, temperature: float = 1.0, top_k: int | None = None,
    top_p: float | None = None, min_p: float | None = None, *, stop: Iterable[int] = (), seed: Seed = 0,
) -> Iterator[int]:  # fmt: skip
    """Go on from ids (T,), and give each new token id as soon as it is drawn; settings and errors as in `generate`.

    `for token in stream(model, ids, 100): print(decode([token]), end="")` shows a text while it is written.
    """
    settings, rng = (temperature, top_k, top_p, min_p), np.random.default_rng(seed)
    return (step[0] for step in _steps(model, [ids], max_new_tokens, settings, stop, [rng]))


def generate(
    model: LanguageModel, ids: ArrayLike, max_new_tokens: int, temperature: float = 1.0, top_k: int | None = None,
    top_p: float | None = None, min_p: float | None = None, *, stop: Iterable[int] = (), seed: Seed = 0,
) -> np.ndarray:  # fmt: skip
    """Go on from ids (T,) by at most max_new_tokens tokens: the prompt and what follows, (≤ T + max_new_tokens,) int64.

    temperature to min_p: see `shape_log_probs`. stop: token ids after which to end, the token itself included. seed: an int, or
    a generator to go on drawing from. Raises ValueError for ids outside the vocabulary or a setting out of range.
    """
    new = stream(model, ids, max_new_tokens, temperature, top_k, top_p, min_p, stop=stop, seed=seed)
    return np.append(ids, list(new)).astype(np.int64)


def generate_batch(
    model: LanguageModel, prompts: Sequence[ArrayLike], max_new_tokens: int, temperature: float = 1.0,
    top_k: int | None = None, top_p: float | None = None, min_p: float | None = None, *, stop: Iterable[int] = (),
    seed: Seed = 0,
) -> list[np.ndarray]:  # fmt: skip
    """Go on from several prompts side by side, each as by `generate`: B times (T_i,) ids → B arrays (≤ T_i + max_new_tokens,).

    Prompts may differ in length, and each ends at its own stop token; `[ids] * 8` is eight texts from one prompt. Text i draws
    from `np.random.default_rng(seed).spawn(B)[i]`, whatever the others are. Raises ValueError as `generate` does, and for no
    prompts.
    """
    if not len(prompts) or any(np.ndim(ids) != 1 for ids in prompts):
        raise ValueError(f"expected a list of prompts, each a list of ids, got {prompts!r}; wrap a single one: [ids]")
    settings, rngs = (temperature, top_k, top_p, min_p), np.random.default_rng(seed).spawn(len(prompts))
    new: list[list[int]] = [[] for _ in prompts]
    for step in _steps(model, prompts, max_new_tokens, settings, stop, rngs):
        for row, token in step.items():
            new[row].append(token)
    return [np.append(ids, tokens).astype(np.int64) for ids, tokens in zip(prompts, new, strict=True)]


def _steps(
    model: LanguageModel, prompts: Sequence[ArrayLike], max_new_tokens: int, settings: Settings, stop: Iterable[int],
    rngs: Sequence[np.random.Generator],
) -> Iterator[dict[int, int]]:  # fmt: skip
    """Check all that is given, at once and not with the first token; then as `_draw`."""
    _check_settings(*settings)
    if max_new_tokens < 0:
        raise ValueError(f"max_new_tokens must be 0 or more, got {max_new_tokens}")
    return _draw(model, [check_ids(ids, model.vocab_size) for ids in prompts], max_new_tokens, settings, set(stop), rngs)


def _draw(
    model: LanguageModel, prompts: list[np.ndarray], max_new_tokens: int, settings: Settings, stop: set[int],
    rngs: Sequence[np.random.Generator],
) -> Iterator[dict[int, int]]:  # fmt: skip
    """The tokens drawn at each step, by the row that they are for.

    All rows are at the same position, so nothing is padded: what the shortest prompt is long is read at once, and then a row
    that has prompt left reads its own next token in place of one drawn. When half of the rows that are read have ended, the
    reader goes on with the others alone.
    """
    begin = min(len(ids) for ids in prompts)
    ends = [len(ids) + max_new_tokens for ids in prompts]
    reader, new, read = model.reader(), np.stack([ids[:begin] for ids in prompts]), list(range(len(prompts)))  # (B, begin)
    for t in range(begin, max(ends)):
        log_probs = reader.read(new)  # (rows that are read, V), of the token at t
        drawing = [at for at, i in enumerate(read) if len(prompts[i]) <= t < ends[i]]
        rows = [read[at] for at in drawing]
        if settings[0] == 0:  # greedy: the likeliest, and nothing is drawn
            drawn = log_probs[drawing].argmax(axis=-1).tolist()
        else:
            drawn = sample(shape_log_probs(log_probs[drawing], *settings), [rngs[i] for i in rows]).tolist()
        step = dict(zip(rows, drawn, strict=True))
        yield step
        ends = [t if step.get(i) in stop else end for i, end in enumerate(ends)]
        if t + 1 >= max(ends):
            return
        going = [at for at, i in enumerate(read) if t + 1 < ends[i]]
        if 2 * len(going) <= len(read):
            reader.keep(going)
            read = [read[at] for at in going]
        new = np.array([[prompts[i][t] if t < len(prompts[i]) else step.get(i, 0)] for i in read])  # 0: past a row's end


def _check_settings(temperature: float, top_k: int | None, top_p: float | None, min_p: float | None) -> None:
    if not 0 <= temperature < np.inf:
        raise ValueError(f"temperature must be 0 (greedy) or more, got {temperature}")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k must keep at least one token, got {top_k}")
    for name, value in (("top_p", top_p), ("min_p", min_p)):
        if value is not None and not 0 < value <= 1:
            raise ValueError(f"{name} must lie in (0, 1], got {value}")
