"""Perplexity, entropy and their kin: the definitions by hand, the inequalities, and NLTK's entropy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.probability import (
    LanguageModel,
    bits_per_byte,
    check_distribution,
    check_ids,
    cross_entropy,
    entropy,
    kl_divergence,
    perplexity,
)  # fmt: skip


class Weather(LanguageModel):
    """Tomorrow is mostly like today: a chain whose probabilities can be written down."""

    vocab = ("sun", "rain")

    def next_log_probs(self, context):
        p = {(): [0.5, 0.5], (0,): [0.75, 0.25], (1,): [0.5, 0.5]}[tuple(context)[-1:]]
        return np.log(p)


def distributions(size):
    weights = st.lists(st.floats(0, 1), min_size=size, max_size=size).filter(lambda w: sum(w) > 1e-3)
    return weights.map(lambda w: np.array(w) / sum(w))


pairs = st.integers(1, 8).flatmap(lambda size: st.tuples(distributions(size), distributions(size)))
some_log_probs = st.lists(st.floats(-30, 0), min_size=1, max_size=20)


# ---- the interface


def test_log_probs_follow_from_next_log_probs_by_the_chain_rule():
    """P(sun sun rain) = 1/2 · 3/4 · 1/4."""
    assert np.exp(Weather().log_probs([0, 0, 1])).tolist() == pytest.approx([1 / 2, 3 / 4, 1 / 4])
    assert Weather().log_probs([]).shape == (0,)
    assert Weather().vocab_size == 2


def test_sequences_of_one_length_share_a_probability_of_one():
    sequences = [[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)]
    assert sum(np.exp(Weather().log_probs(ids).sum()) for ids in sequences) == pytest.approx(1, abs=1e-15)


def test_a_model_without_next_log_probs_says_what_it_must_define():
    class Unfinished(LanguageModel):
        vocab = ("a",)

    with pytest.raises(NotImplementedError, match=r"Unfinished must define next_log_probs\(context\) -> \(V,\)"):
        Unfinished().log_probs([0])


# ---- perplexity, cross-entropy, bits per byte


def test_perplexity_by_hand():
    """Probabilities 1/2 and 1/8: the geometric mean of 2 and 8 is 4; the mean of 2 and 8 would be 5."""
    assert perplexity(np.log([1 / 2, 1 / 8])) == pytest.approx(4)
    assert cross_entropy(np.log([1 / 2, 1 / 8])) == pytest.approx(2 * math.log(2))
    assert perplexity([0.0, 0.0]) == 1  # certain of all
    assert perplexity([0.0, -math.inf]) == math.inf  # one impossible token is enough


@given(st.integers(1, 1000), st.integers(1, 20))
def test_perplexity_of_a_uniform_guess_is_the_size_of_the_vocabulary(size, length):
    assert perplexity(np.full(length, -math.log(size))) == pytest.approx(size)


@given(some_log_probs)
def test_perplexity_is_the_exponential_of_cross_entropy_and_at_least_one(log_probs):
    assert perplexity(log_probs) == pytest.approx(math.exp(cross_entropy(log_probs)))
    assert perplexity(log_probs) >= 1


@given(some_log_probs, st.text(min_size=1))
def test_bits_per_byte_times_bytes_is_the_surprisal_of_the_whole_text(log_probs, text):
    try:
        n_bytes = len(text.encode())
    except UnicodeEncodeError:  # half a surrogate pair is no text
        return
    bits = bits_per_byte(log_probs, text) * n_bytes
    assert bits == pytest.approx(-sum(log_probs) / math.log(2), abs=1e-9)
    assert bits_per_byte(log_probs, n_bytes) == bits_per_byte(log_probs, text)


def test_bits_per_byte_counts_bytes_not_characters():
    """语 is three bytes of UTF-8: one token of probability 1/8 is three bits, one bit a byte."""
    assert bits_per_byte(np.log([1 / 8]), "语") == pytest.approx(1)
    assert bits_per_byte(np.log([1 / 8]), "a") == pytest.approx(3)


# ---- entropy and KL divergence


def test_entropy_by_hand():
    """H(1/2, 1/4, 1/4) = 1/2 · 1 + 2 · 1/4 · 2 = 1.5 bits; a fair coin has one bit, a certain outcome none."""
    assert entropy([1 / 2, 1 / 4, 1 / 4]) / math.log(2) == pytest.approx(1.5)
    assert entropy([0.5, 0.5]) / math.log(2) == pytest.approx(1)
    assert entropy([0, 1, 0]) == 0 and math.copysign(1, entropy([1.0])) == 1


@pytest.mark.filterwarnings("error")  # infinity is an answer, not an accident
def test_kl_divergence_by_hand():
    """KL(1/2, 1/2 ‖ 1/4, 3/4) = 1/2 log 2 + 1/2 log 2/3 = 1/2 log 4/3; the other way round 1/4 log 1/2 + 3/4 log 3/2."""
    assert kl_divergence([1 / 2, 1 / 2], [1 / 4, 3 / 4]) == pytest.approx(math.log(4 / 3) / 2)
    assert kl_divergence([1 / 4, 3 / 4], [1 / 2, 1 / 2]) == pytest.approx(math.log(1 / 2) / 4 + 3 * math.log(3 / 2) / 4)
    assert kl_divergence([0.5, 0.5], [1, 0]) == math.inf
    assert kl_divergence([1, 0], [0.5, 0.5]) == pytest.approx(math.log(2))
    assert kl_divergence([0.5, 0.5], [1, 1e-310]) == pytest.approx(155 * math.log(10) - math.log(2))  # 0.5/1e-310 overflows


@given(pairs)
def test_entropy_lies_between_certainty_and_uniform(pair):
    p, _ = pair
    assert -1e-12 <= entropy(p) <= math.log(len(p)) + 1e-12  # 1e-12: rounding


@given(pairs)
def test_cross_entropy_is_entropy_plus_kl_divergence(pair):
    """So nobody does better than entropy, and KL is what a wrong belief costs: never negative, zero for the truth."""
    p, q = pair
    kl = kl_divergence(p, q)
    assert kl >= -1e-12
    assert kl_divergence(p, p) == 0
    if (q[p > 0] > 0).all():
        seen = p > 0
        assert entropy(p) + kl == pytest.approx(-(p[seen] * np.log(q[seen])).sum(), abs=1e-9)


def test_entropy_is_that_of_nltk():
    from nltk.probability import DictionaryProbDist, entropy as nltk_entropy  # noqa: I001

    p = [0.5, 0.2, 0.2, 0.1]
    assert entropy(p) / math.log(2) == pytest.approx(nltk_entropy(DictionaryProbDist(dict(enumerate(p)))), abs=1e-12)


# ---- bad input


@pytest.mark.parametrize("measure", [perplexity, cross_entropy])
def test_no_tokens_have_no_average(measure):
    with pytest.raises(ValueError, match="no tokens were scored, so there is no average"):
        measure([])


@pytest.mark.parametrize("text", ["", 0, -3])
def test_bits_per_byte_needs_bytes(text):
    with pytest.raises(ValueError, match=r"bits per byte needs a text of at least one byte, got (0|-3)"):
        bits_per_byte([-1.0], text)


@pytest.mark.parametrize("wrong", [[0.5, 0.6], [1.5, -0.5], [], [[0.5, 0.5]], [math.nan, 1.0]])
def test_what_is_no_distribution_is_refused_by_name(wrong):
    with pytest.raises(ValueError, match="p must be a list of probabilities that sums to 1, got"):
        entropy(wrong)
    with pytest.raises(ValueError, match="q must be a list of probabilities that sums to 1, got"):
        kl_divergence([0.5, 0.5], wrong)
    with pytest.raises(ValueError, match="mixture must be a list"):
        check_distribution(wrong, "mixture")


def test_distributions_over_different_vocabularies_cannot_be_compared():
    with pytest.raises(ValueError, match="p has 2 outcomes and q has 3; both must be over the same vocabulary"):
        kl_divergence([0.5, 0.5], [0.5, 0.25, 0.25])


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([0, 2], "token id 2 is not in the vocabulary of 2; encode the text with this model's own vocabulary"),
        ([-1], "token id -1 is not in the vocabulary of 2"),
        ([[0, 1]], r"expected a one-dimensional list of integer token ids, got shape \(1, 2\)"),
        ([0.0, 1.0], "integer token ids, got shape .* of float64; encode the text first"),
        (["sun"], "expected a one-dimensional list of integer token ids"),
        (0, r"expected a one-dimensional list of integer token ids, got shape \(\)"),
        ([True, False], "integer token ids, got shape .* of bool"),
    ],
)
def test_what_are_no_ids_is_refused(ids, message):
    with pytest.raises(ValueError, match=message):
        Weather().log_probs(ids)


def test_ids_come_back_as_int64_unchanged():
    ids = check_ids(np.array([1, 0, 1], dtype=np.uint8), 2)
    assert ids.dtype == np.int64 and ids.tolist() == [1, 0, 1]
    assert check_ids([], 2).dtype == np.int64
