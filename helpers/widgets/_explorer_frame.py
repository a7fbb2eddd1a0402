"""What the attention explorer sends to a page: one reading as a frame of JSON and little-endian binary numbers."""

from typing import Any

import numpy as np

from helpers.widgets._explorer_reading import Attention, Reading
from helpers.widgets._explorer_tokens import TokenReader
from helpers.widgets._suggestions import likeliest, percent, rest_line

MOST_BYTES = 5_000_000  # of weights in a frame; a larger reading sends small pictures, and each head when it is asked for
MOST_LOGITS = 1_000_000  # bytes of scores in a frame; of a larger vocabulary a position's come when they are asked for
THUMB = 48  # cells of such a picture, at most, each way
TOP = 10


def pack(array: np.ndarray, kind: str = "<f2") -> bytes:
    """The numbers in row order; "<f2" is half precision, good to 3 digits, "<f4" single."""
    return np.ascontiguousarray(array, kind).tobytes()


def reading_frame(reading: Reading, tokens: TokenReader) -> dict:
    """All of a reading that does not depend on what is chosen in it."""
    logits = reading.kinds[0].logits
    predictions = [] if logits is None else [_prediction(reading, tokens, t, _softmax(row)) for t, row in enumerate(logits)]
    fit = logits is not None and 4 * logits.size <= MOST_LOGITS
    return {
        "kinds": [kind_frame(kind, tokens, None if 2 * kind.weights.size <= MOST_BYTES else THUMB) for kind in reading.kinds],
        "predictions": predictions,
        "logits": pack(ranked(logits), "<f4") if fit else b"",
        "vocab_size": 0 if logits is None else logits.shape[1],
        "note": reading.note,
        "masked": reading.masked,
        "mask": reading.mask,
        "join": tokens.join,
    }


def head_frame(reading: Reading, number: int, layer: int, head: int) -> dict:
    """One head of attention number `number` in single precision: q, k, v and weights, as bytes."""
    kind = reading.kinds[number]
    parts = {name: pack(array, "<f4") for name, array in kind.head(layer, head).items()}
    return {"kind": number, "layer": layer, "head": head, "width": kind.q.shape[-1]} | parts


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Over the full vocabulary: (T, V) → (T, V)."""
    return np.array([_softmax(row) for row in logits])


def ranked(logits: np.ndarray) -> np.ndarray:
    """Scores in the order of `likeliest`, the largest first, which is all that sampling settings depend on: (…, V) → (…, V)."""
    return -np.sort(-logits, axis=-1)


def thumbnails(weights: np.ndarray, longest: int = THUMB) -> np.ndarray:
    """Each head's matrix in at most longest × longest cells, the largest weight of those that fall into each: (L, H, t, s)."""
    for axis in (2, 3):
        n = weights.shape[axis]
        starts = np.unique(np.linspace(0, n, min(n, longest), endpoint=False).astype(int))
        weights = np.maximum.reduceat(weights, starts, axis=axis)
    return weights


def _softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores.astype(float) - scores.max())
    return powers / powers.sum()


def kind_frame(kind: Attention, tokens: TokenReader, longest: int | None) -> dict:
    """One attention with all its heads' weights, or with pictures of at most longest × longest cells."""
    sent = kind.weights if longest is None else thumbnails(kind.weights, longest)
    return {
        "name": kind.name,
        "causal": kind.causal,
        "own": kind.own,
        "predicts": kind.logits is not None,
        "queries": [tokens.shown(i) for i in kind.queries],
        "keys": [tokens.shown(i) for i in kind.keys],
        "layers": kind.n_layer,
        "heads": kind.n_head,
        "whole": longest is None,
        "shape": list(sent.shape[2:]),  # of each head's matrix in `weights`
        "weights": pack(sent),
    }


def _prediction(reading: Reading, tokens: TokenReader, position: int, p: np.ndarray) -> dict:
    """What is expected at a position: the likeliest tokens, the others' share, and what the text has there."""
    ids, last = reading.kinds[0].queries, position + 1 == len(reading.kinds[0].queries)
    best = likeliest(p, TOP)
    writes = last and not reading.masked
    rows = [[tokens.shown(i), percent(p[i]), float(p[i]), tokens.piece(i) if writes else ""] for i in best]
    actual = ids[position] if reading.masked else None if last else ids[position + 1]
    said, place = "", None
    if actual is not None:
        rank = 1 + int((p > p[actual]).sum())
        place = rank - 1 + int((p[:actual] == p[actual]).sum())  # among all, equally likely ones in the vocabulary's order
        said = f"“{tokens.shown(actual)}”, with {percent(p[actual])}: number {rank:,} of {len(p):,}"
    return {"rows": rows, "rest": rest_line(len(p) - len(best), float(p[best].sum())), "actual": said, "place": place}


def chosen_or_first(reading: Reading, chosen: tuple[int, int, int]) -> tuple[int, int, int]:
    """The attention, layer and head chosen, as near as this reading has them."""
    number = min(chosen[0], len(reading.kinds) - 1)
    kind = reading.kinds[number]
    return number, min(chosen[1], kind.n_layer - 1), min(chosen[2], kind.n_head - 1)


def position_of(given: Any, n: int, what: str) -> int:
    """A position counted from 0, or from the end where it is negative. Raises ValueError where there is none."""
    if not isinstance(given, (int, np.integer)) or isinstance(given, bool) or not -n <= given < n:
        raise ValueError(f"{what} must be a whole number from 0 to {n - 1} (or from −1 back), got {given!r}")
    return int(given) % n
