"""An arithmetic coder that turns any language model into a compressor.

A text is a number in [0, 1): each token narrows the interval in proportion to its probability, so a text of probability p ends
with an interval as wide as p, and −log₂ p bits are enough to name a number inside. The better the model, the shorter the
file: prediction is compression. Derived with exact fractions in `01_chain_rule.ipynb`.
Source: Witten, Neal and Cleary, *Arithmetic Coding for Data Compression* (1987).

The decoder asks the model for the same probabilities again, so both ends need the same model on the same kind of machine.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from helpers.probability import LanguageModel, check_ids

REGISTER_BITS = 60
TOTAL = 1 << 32  # probabilities are rounded to multiples of 1/TOTAL
HALF, QUARTER = 1 << (REGISTER_BITS - 1), 1 << (REGISTER_BITS - 2)
LENGTH_BYTES = 4


def cumulative_counts(log_probs: np.ndarray) -> np.ndarray:
    """Whole numbers from 0 to TOTAL that divide it as the distribution does: (V,) nats → (V + 1,) int64.

    Every token keeps at least one part, so that even one that the model rules out can be coded, at 32 bits.
    """
    share = np.exp(log_probs)
    parts = (share / share.sum() * (TOTAL - 2 * len(share))).astype(np.int64) + 1
    parts[np.argmax(parts)] += TOTAL - parts.sum()
    return np.concatenate([[0], np.cumsum(parts)])


def compress(model: LanguageModel, ids: ArrayLike) -> bytes:
    """Code ids (T,) into bytes: four for the number of tokens, then about −log₂ P(ids) / 8.

    Raises ValueError for ids outside the model's vocabulary.
    """
    ids = check_ids(ids, model.vocab_size)
    low, high, pending, bits = 0, (1 << REGISTER_BITS) - 1, 0, bytearray()
    for t, token in enumerate(ids):
        cumulative = cumulative_counts(model.next_log_probs(ids[:t]))
        width = high - low + 1
        high = low + width * int(cumulative[token + 1]) // TOTAL - 1
        low = low + width * int(cumulative[token]) // TOTAL
        while True:
            if high < HALF or low >= HALF:  # the first bit is settled, and so are those that waited for it
                bit = int(low >= HALF)
                bits += bytes([bit]) + bytes([1 - bit]) * pending
                pending, shift = 0, HALF * bit
            elif low >= QUARTER and high < HALF + QUARTER:  # the interval straddles the middle and is narrow: wait
                pending, shift = pending + 1, QUARTER
            else:
                break
            low, high = 2 * (low - shift), 2 * (high - shift) + 1
    bit = int(low >= QUARTER)
    bits += bytes([bit]) + bytes([1 - bit]) * (pending + 1)
    return len(ids).to_bytes(LENGTH_BYTES, "big") + np.packbits(np.frombuffer(bits, np.uint8)).tobytes()


def decompress(model: LanguageModel, data: bytes) -> np.ndarray:
    """The ids (T,) that `compress` was given, from its bytes and the same model. Raises ValueError for data cut short."""
    if len(data) <= LENGTH_BYTES:
        raise ValueError(f"expected at least {LENGTH_BYTES + 1} bytes made by compress, got {len(data)}; the file is cut short")
    n_tokens, coming = int.from_bytes(data[:LENGTH_BYTES], "big"), _bits(data[LENGTH_BYTES:])
    low, high, value = 0, (1 << REGISTER_BITS) - 1, 0
    for _ in range(REGISTER_BITS):
        value = 2 * value + next(coming)
    ids = np.empty(n_tokens, dtype=np.int64)
    for t in range(n_tokens):
        cumulative = cumulative_counts(model.next_log_probs(ids[:t]))
        width = high - low + 1
        token = int(np.searchsorted(cumulative, ((value - low + 1) * TOTAL - 1) // width, side="right")) - 1
        ids[t] = token
        high = low + width * int(cumulative[token + 1]) // TOTAL - 1
        low = low + width * int(cumulative[token]) // TOTAL
        while True:
            if high < HALF or low >= HALF:
                shift = HALF * int(low >= HALF)
            elif low >= QUARTER and high < HALF + QUARTER:
                shift = QUARTER
            else:
                break
            low, high, value = 2 * (low - shift), 2 * (high - shift) + 1, 2 * (value - shift) + next(coming)
    if value != (HALF if low >= QUARTER else QUARTER):  # the two bits with which compress closes, then nothing
        raise ValueError("the data do not end with their last token; they are cut short, or were made with another model")
    return ids


def _bits(data: bytes) -> Iterator[int]:
    """The bits of the data, then zeros for as far as the register looks ahead of the last two; more means data are missing."""
    yield from np.unpackbits(np.frombuffer(data, np.uint8)).tolist()
    for _ in range(REGISTER_BITS - 2):
        yield 0
    raise ValueError("the data ended before all their tokens were read; they are cut short, or were made with another model")
