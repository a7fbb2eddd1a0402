"""What every language model of the course can do, and how all of them are measured.

A language model is a function from a context to a distribution over the next token. Everything else, the probability of a
text, perplexity, bits per byte, sampling and compression, follows from that one function. Derived in
`01_chain_rule.ipynb`. Entropy and cross-entropy: Shannon, *A Mathematical Theory of Communication* (1948).

Units: log probabilities are natural logarithms (nats) everywhere; only `bits_per_byte` and what says so is in bits.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

LN2 = math.log(2)


class LanguageModel:
    """The one interface, from unigram to GPT.

    A model has a `vocab`, its tokens in the order of their ids, and gives `next_log_probs`. `log_probs` follows by the chain
    rule; a model that can score a whole text in one pass overrides it.
    """

    vocab: Sequence[str]

    @property
    def vocab_size(self) -> int:
        """V, the number of tokens."""
        return len(self.vocab)

    def next_log_probs(self, context: ArrayLike) -> np.ndarray:
        """Log probability of every possible next token: context (T,) ids → (V,) nats."""
        raise NotImplementedError(f"{type(self).__name__} must define next_log_probs(context) -> (V,)")

    def log_probs(self, ids: ArrayLike) -> np.ndarray:
        """Log probability of each token given those before it, by the chain rule: ids (T,) → (T,) nats."""
        ids = check_ids(ids, self.vocab_size)
        return np.array([self.next_log_probs(ids[:t])[token] for t, token in enumerate(ids)])

    def reader(self) -> "Reader":
        """Something that reads texts piece by piece; a model that can go on from where it was overrides it."""
        return Reader(self)


class Reader:
    """Reads a text that grows, or several side by side, as in generation: each `read` adds tokens, and says what may come next.

    This one reads all from the beginning each time.
    """

    def __init__(self, model: LanguageModel):
        self.model, self.ids = model, None

    def read(self, ids: ArrayLike) -> np.ndarray:
        """Add tokens, none at first if you like → log probability of every next token: (T,) ids → (V,) nats.

        Several texts get equally many tokens each, and stay as many unless `keep` drops some: (B, T) ids → (B, V) nats.
        """
        ids = self.checked(ids)
        self.ids = ids if self.ids is None else np.concatenate([self.ids, ids], axis=-1)
        return np.apply_along_axis(self.model.next_log_probs, -1, self.ids)

    def keep(self, rows: ArrayLike) -> None:
        """Go on with these of the texts, (B,) indices, in this order: the others have ended, and need not be read on."""
        self.ids = self.ids[rows]

    def checked(self, ids: ArrayLike) -> np.ndarray:
        """The ids, (T,) or (B, T), as int64; ValueError where they are none of the model's vocabulary."""
        ids = np.asarray(ids)
        return check_ids(ids.ravel() if ids.ndim == 2 else ids, self.model.vocab_size).reshape(ids.shape)


def check_ids(ids: ArrayLike, vocab_size: int) -> np.ndarray:
    """Return ids as a (T,) int64 array; raise ValueError where they are not token ids of a vocabulary of this size."""
    array = np.asarray(ids)
    if array.size == 0:
        array = array.astype(np.int64)
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(
            f"expected a one-dimensional list of integer token ids, got shape {array.shape} of {array.dtype}; "
            "encode the text first, and pass one text at a time"
        )
    if array.size and not (array.min() >= 0 and array.max() < vocab_size):
        wrong = array[(array < 0) | (array >= vocab_size)][0]
        raise ValueError(
            f"token id {wrong} is not in the vocabulary of {vocab_size}; encode the text with this model's own vocabulary"
        )
    return array.astype(np.int64, copy=False)


def perplexity(log_probs: ArrayLike) -> float:
    """exp of the average negative log probability: (T,) nats → the number of equally likely tokens that would be as hard.

    The average is taken over log probabilities, never over perplexities: `perplexity([log(1/2), log(1/8)])` is 4, not 5.
    """
    return math.exp(cross_entropy(log_probs))


def cross_entropy(log_probs: ArrayLike) -> float:
    """Average negative log probability of the tokens that came: (T,) nats → nats per token."""
    log_probs = np.asarray(log_probs, dtype=float)
    if log_probs.size == 0:
        raise ValueError("no tokens were scored, so there is no average; pass at least one log probability")
    return float(-log_probs.mean())


def bits_per_byte(log_probs: ArrayLike, text: str | int) -> float:
    """Total negative log probability in bits, over the text's length in UTF-8 bytes: (T,) nats → bits per byte.

    The only figure here that compares models with different tokens: nats per token shrink when tokens do, bytes stay.
    `text` is the text that the log probabilities cover, or its number of bytes.
    """
    n_bytes = text if isinstance(text, int) else len(text.encode("utf-8"))
    if n_bytes <= 0:
        raise ValueError(f"bits per byte needs a text of at least one byte, got {n_bytes}")
    return float(-np.sum(np.asarray(log_probs, dtype=float)) / LN2 / n_bytes)


def check_distribution(p: ArrayLike, name: str = "p") -> np.ndarray:
    """Return p as a (V,) array; raise ValueError unless it is non-negative and sums to one."""
    p = np.asarray(p, dtype=float)
    if p.ndim != 1 or p.size == 0 or (p < 0).any() or not math.isclose(p.sum(), 1.0, abs_tol=1e-6):
        raise ValueError(
            f"{name} must be a list of probabilities that sums to 1, got {p.size} numbers that sum to {p.sum():.6g}"
        )
    return p


def entropy(p: ArrayLike) -> float:
    """H(p) = −Σ p log p, the expected surprisal of a distribution: (V,) → nats."""
    p = check_distribution(p)
    p = p[p > 0]
    return float(-(p * np.log(p)).sum()) + 0.0  # + 0.0: a certain outcome has entropy 0, not −0


def kl_divergence(p: ArrayLike, q: ArrayLike) -> float:
    """KL(p‖q) = Σ p log(p/q), what believing q costs: two (V,) → nats; infinite where q forbids what p allows."""
    p, q = check_distribution(p, "p"), check_distribution(q, "q")
    if p.shape != q.shape:
        raise ValueError(f"p has {p.size} outcomes and q has {q.size}; both must be over the same vocabulary")
    p, q = p[p > 0], q[p > 0]
    if (q == 0).any():
        return math.inf
    return float((p * (np.log(p) - np.log(q))).sum())  # p / q would overflow for a tiny q
