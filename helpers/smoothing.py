"""Every smoothing of the course: how counts become probabilities that leave something for what was never seen.

All share one form, Katz's, which is also that of ARPA files. A word seen after a context has a probability of its own; every
other word gets the context's back-off weight times its probability after the context one token shorter:

    P(w | h) = p[hw]                     if hw was counted
             = backoff[h] · P(w | h')    if only h was counted, h' being h without its first token
             = P(w | h')                 if not even h was counted

An interpolated model a(hw) + γ(h) P(w | h') is of this form too, with p[hw] = a(hw) + γ(h) P(w | h') and backoff[h] = γ(h).
So each function here turns the counts of one order into `p` and `backoff`, and one scorer serves all. Derived rung by rung in
`02_ngrams.ipynb`. Source: Chen and Goodman, *An Empirical Study of Smoothing Techniques for Language Modeling* (1998).

Shapes: M n-grams of one order, C contexts. `counts` (M,) > 0; `context` (M,) the index of each n-gram's context, in [0, C);
`lower` (M,) the probability of its last token one order down. Each returns `p` (M,) and `backoff` (C,).
"""

import numpy as np

Estimate = tuple[np.ndarray, np.ndarray]


def totals(counts: np.ndarray, context: np.ndarray, n_contexts: int) -> np.ndarray:
    """Sum of the counts after each context: (C,) float; a context that nothing follows has 0."""
    return np.bincount(context, weights=counts, minlength=n_contexts)


def divide(a: np.ndarray, b: np.ndarray, where_zero: float) -> np.ndarray:
    """a / b, and `where_zero` where b is 0."""
    return np.divide(a, b, out=np.full(np.shape(b), where_zero, dtype=float), where=b > 0)


def relative_frequency(counts: np.ndarray, context: np.ndarray, n_contexts: int) -> Estimate:
    """Maximum likelihood, c(hw) / c(h): nothing is left for a word not seen after a seen context."""
    total = totals(counts, context, n_contexts)
    return counts / total[context], (total == 0).astype(float)


def dirichlet(counts: np.ndarray, context: np.ndarray, n_contexts: int, lower: np.ndarray, mu: float) -> Estimate:
    """(c(hw) + μ·lower) / (c(h) + μ): μ imagined tokens, shared out as the lower order would.

    With the uniform distribution as `lower` and μ = kV this is add-k, and add-one (Laplace) for k = 1.
    """
    total = totals(counts, context, n_contexts)
    return (counts + mu * lower) / (total + mu)[context], mu / (total + mu)


def jelinek_mercer(counts: np.ndarray, context: np.ndarray, n_contexts: int, lower: np.ndarray, weight: float) -> Estimate:
    """weight·c(hw)/c(h) + (1 − weight)·lower: a fixed mixture of this order and the one below."""
    total = totals(counts, context, n_contexts)
    return weight * counts / total[context] + (1 - weight) * lower, np.where(total > 0, 1 - weight, 1.0)


def discounted(counts: np.ndarray, context: np.ndarray, n_contexts: int, lower: np.ndarray, discounts: np.ndarray) -> Estimate:
    """Take a fixed amount off each count and hand the sum to the lower order, in proportion to it.

    discounts: (4,), the amount for a count of 0, 1, 2, and 3 or more. Equal amounts give absolute discounting and, on
    continuation counts, interpolated Kneser–Ney; three different ones give its modified form.
    """
    total = totals(counts, context, n_contexts)
    amount = discounts[np.minimum(counts, 3)]
    backoff = divide(totals(amount, context, n_contexts), total, 1.0)
    return (counts - amount) / total[context] + backoff[context] * lower, backoff


def katz(
    counts: np.ndarray, context: np.ndarray, n_contexts: int, lower: np.ndarray, ratios: np.ndarray, vocab_size: int
) -> Estimate:
    """Katz's back-off: counts shrink by Good–Turing, and only words not seen after the context share what that frees.

    ratios: (6,), r*/r for counts 0 to 5; larger counts are trusted. A context that frees nothing but has unseen words counts
    one token more, as SRILM does, so that no word gets probability zero.
    """
    total = totals(counts, context, n_contexts)
    types = np.bincount(context, minlength=n_contexts)
    heirs = (types < vocab_size)[context]  # where every word was seen, nothing is freed, for nobody could have it
    kept = counts * np.where(heirs & (counts < len(ratios)), ratios[np.minimum(counts, len(ratios) - 1)], 1.0)
    kept_total = totals(kept, context, n_contexts)
    total = np.where((total - kept_total < 1e-9) & (types < vocab_size), total + 1, total)
    p = kept / total[context]
    left = 1 - divide(kept_total, total, 0.0)
    unseen = 1 - totals(lower, context, n_contexts)
    return p, np.where(types == 0, 1.0, divide(left, np.where(types < vocab_size, unseen, 0.0), 0.0))


def counts_of_counts(counts: np.ndarray, largest: int) -> np.ndarray:
    """n_r, how many n-grams have count r: (largest + 1,), n_0 being 0."""
    return np.bincount(counts[(counts > 0) & (counts <= largest)], minlength=largest + 1)


def absolute_discount(counts: np.ndarray) -> float:
    """D = n₁ / (n₁ + 2 n₂), approximately the discount that predicts each n-gram best when it is left out (Ney et al. 1994).

    0.5 where the data have no n-gram that came just once or twice.
    """
    _, n1, n2 = counts_of_counts(counts, 2)
    return n1 / (n1 + 2 * n2) if n1 and n2 else 0.5


def modified_discounts(counts: np.ndarray) -> np.ndarray:
    """(0, D₁, D₂, D₃₊) of modified Kneser–Ney: D_r = r − (r + 1) Y n_{r+1} / n_r, with Y = n₁/(n₁ + 2n₂).

    Chen and Goodman, equation 26. KenLM's fall-back (0.5, 1, 1.5) where n₁, n₂ or n₃ is 0 or a discount leaves
    its range, as for letters, which are all frequent.
    """
    n = counts_of_counts(counts, 4).astype(float)
    if (n[1:4] > 0).all():
        r = np.arange(1, 4)
        amounts = r - (r + 1) * n[1] / (n[1] + 2 * n[2]) * n[2:] / n[1:4]
        if ((amounts >= 0) & (amounts <= r)).all():
            return np.array([0.0, *amounts])
    return np.array([0.0, 0.5, 1.0, 1.5])


def good_turing_ratios(counts: np.ndarray, largest: int = 5) -> np.ndarray:
    """d_r = r*/r for r = 0 … largest, with r* = (r + 1) n_{r+1} / n_r, renormalised to leave larger counts alone (Katz, 1987).

    1 (no discount) for every r where the counts of counts are too thin to give a ratio in (0, 1]: all of them where some n_r is
    0, single ones otherwise, and then the total freed is no longer exactly n₁ counts. So letters keep theirs at orders 1 to 3.
    """
    n = counts_of_counts(counts, largest + 1).astype(float)
    r = np.arange(1, largest + 1)
    if (n[1:] == 0).any():
        return np.ones(largest + 1)
    cut = (largest + 1) * n[largest + 1] / n[1]
    ratios = ((r + 1) * n[2:] / n[1:-1] / r - cut) / (1 - cut) if cut < 1 else np.ones(largest)
    return np.array([1.0, *np.where((ratios > 0) & (ratios <= 1), ratios, 1.0)])
