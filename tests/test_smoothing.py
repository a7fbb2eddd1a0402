"""The smoothings, one order at a time: each leaves room for the unseen and takes no more than it needs."""

import importlib.util
from collections import Counter, defaultdict
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import smoothing as sm
from helpers.ngrams import NGramModel


@st.composite
def orders(draw):
    """The n-grams of one order over a vocabulary of V words, with a lower distribution for each context.

    Returns counts (M,), context (M,), the number of contexts C, word (M,), and the lower order: the same (V,) for all contexts.
    """
    V, C = draw(st.integers(1, 8)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    table = rng.poisson(draw(st.sampled_from([0.3, 1.0, 3.0])), (C, V))
    context, word = np.nonzero(table)  # sorted by context; some contexts may have nothing after them
    lower = rng.dirichlet(np.full(V, 0.5)) * 0.9 + 0.1 / V
    return table[context, word], context, C, word, lower


def distributions(p, backoff, context, word, lower):
    """P(w | h) for all words after each context, as an n-gram model puts the pieces together: (C, V)."""
    table = backoff[:, None] * lower
    table[context, word] = p
    return table


def smooth(name, data):
    counts, context, C, word, lower = data
    of_ngrams = lower[word]
    return {
        "dirichlet": lambda: sm.dirichlet(counts, context, C, of_ngrams, 2.5),
        "jelinek-mercer": lambda: sm.jelinek_mercer(counts, context, C, of_ngrams, 0.7),
        "discounted": lambda: sm.discounted(counts, context, C, of_ngrams, np.array([0, 0.6, 1.2, 1.7])),
        "katz": lambda: sm.katz(counts, context, C, of_ngrams, np.array([1, 0.5, 0.8, 0.9, 0.95, 0.97]), len(lower)),
    }[name]()


SMOOTH = ["dirichlet", "jelinek-mercer", "discounted", "katz"]


# ---- properties


@settings(max_examples=200, deadline=None)
@given(orders(), st.sampled_from(SMOOTH))
def test_after_every_context_the_probabilities_sum_to_one(data, name):
    _, context, _, word, lower = data
    table = distributions(*smooth(name, data), context, word, lower)
    assert (table >= 0).all()
    assert table.sum(axis=1) == pytest.approx(np.ones(len(table)), abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(orders(), st.sampled_from(SMOOTH))
def test_a_context_that_nothing_followed_leaves_all_to_the_lower_order(data, name):
    _, context, C, word, lower = data
    table = distributions(*smooth(name, data), context, word, lower)
    for unseen in set(range(C)) - set(context.tolist()):
        assert table[unseen] == pytest.approx(lower, abs=1e-15)


@settings(max_examples=100, deadline=None)
@given(orders(), st.sampled_from(SMOOTH))
def test_no_word_is_impossible_where_one_was_not_seen(data, name):
    _, context, _, word, lower = data
    assert (distributions(*smooth(name, data), context, word, lower) > 0).all()


@settings(max_examples=60, deadline=None)
@given(orders())
def test_maximum_likelihood_is_the_share_of_each_word_and_nothing_else(data):
    counts, context, C, word, lower = data
    table = distributions(*sm.relative_frequency(counts, context, C), context, word, lower)
    expected = np.zeros_like(table)
    expected[context, word] = counts
    total = expected.sum(axis=1, keepdims=True)
    expected = np.where(total > 0, expected / np.maximum(total, 1), lower)
    assert table == pytest.approx(expected, abs=1e-15)


@settings(max_examples=60, deadline=None)
@given(orders())
def test_katz_discounts_nothing_where_every_word_was_seen(data):
    """Nobody is there to have what a discount frees: without this the probabilities would not sum to one."""
    counts, context, C, _, lower = data
    p, _ = smooth("katz", data)
    for full in (c for c in range(C) if (context == c).sum() == len(lower)):
        assert p[context == full] == pytest.approx(counts[context == full] / counts[context == full].sum(), abs=1e-15)


@settings(max_examples=60, deadline=None)
@given(orders())
def test_the_smoothings_meet_where_their_parameters_say_so(data):
    """No discount, no imagined tokens, no weight on the lower order: all are maximum likelihood."""
    counts, context, C, word, lower = data
    mle, _ = sm.relative_frequency(counts, context, C)
    of_ngrams = lower[word]
    assert sm.discounted(counts, context, C, of_ngrams, np.zeros(4))[0] == pytest.approx(mle)
    assert sm.dirichlet(counts, context, C, of_ngrams, 1e-12)[0] == pytest.approx(mle)
    assert sm.jelinek_mercer(counts, context, C, of_ngrams, 1.0)[0] == pytest.approx(mle)
    seen = (np.bincount(context, minlength=C) == len(lower))[context]  # of the contexts after which every word was seen
    assert smooth("katz", data)[0][seen] == pytest.approx(mle[seen])


# from counts of counts, so that estimates with all of n₁ … n₆ above zero are common
any_counts = st.lists(st.integers(0, 9), min_size=8, max_size=8).map(lambda n: np.repeat(np.arange(1, 9), n))


@settings(max_examples=150, deadline=None)
@given(any_counts)
def test_estimated_discounts_stay_in_their_range(counts):
    assert 0 < sm.absolute_discount(counts) <= 1
    amounts = sm.modified_discounts(counts)
    assert amounts[0] == 0 and (amounts >= 0).all() and (amounts[1:] <= [1, 2, 3]).all()
    ratios = sm.good_turing_ratios(counts)
    assert ratios[0] == 1 and (ratios > 0).all() and (ratios <= 1).all()


@given(any_counts)
def test_counts_of_counts_count_the_counts(counts):
    n = Counter(counts.tolist())
    assert sm.counts_of_counts(counts, 4).tolist() == [0, n[1], n[2], n[3], n[4]]


# ---- by hand


def test_modified_discounts_by_hand():
    """n₁ … n₄ = 10, 5, 4, 3, Y = 10/20 = 1/2. D₁ = 1 − 2/2 · 5/10 = 1/2, D₂ = 2 − 3/2 · 4/5 = 4/5, D₃₊ = 3 − 2 · 3/4 = 3/2."""
    counts = np.repeat([1, 2, 3, 4, 9], [10, 5, 4, 3, 2])
    assert sm.modified_discounts(counts) == pytest.approx([0, 1 / 2, 4 / 5, 3 / 2], abs=1e-15)
    assert sm.absolute_discount(counts) == pytest.approx(1 / 2)


@pytest.mark.parametrize(
    ("of_each", "discounts"),
    [
        ([0, 5, 4, 3], [0, 0.5, 1, 1.5]),  # no n-gram that came once
        ([10, 5, 0, 3], [0, 0.5, 1, 1.5]),  # none that came three times
        ([10, 5, 4, 0], [0, 1 / 2, 4 / 5, 3]),  # none that came four times is no hindrance: D₃₊ = 3 − 4 Y · 0
        ([1, 1, 9, 1], [0, 0.5, 1, 1.5]),  # D₂ = 2 − 3 · 1/3 · 9 < 0
    ],
)
def test_modified_discounts_fall_back_as_lmplz_does(of_each, discounts):
    """lm/builder/adjust_counts.cc asks for n₁, n₂, n₃ > 0 and each 0 ≤ D_r ≤ r; `--discount_fallback` is 0.5 1 1.5."""
    counts = np.repeat([1, 2, 3, 4, 9], [*of_each, 2])
    assert sm.modified_discounts(counts) == pytest.approx(discounts)


def test_absolute_discount_without_rare_n_grams_is_a_half():
    for counts in ([3, 4, 5], [1, 1, 5], [2, 2]):
        assert sm.absolute_discount(np.array(counts)) == 0.5


def test_katz_by_hand():
    """Two contexts, V = 3, lower (1/2, 1/4, 1/4), ratios d₁ = 1/2, d₂ = 3/4, the rest kept.

    Context 0: counts 1, 2 of words 0, 1: kept 1/2 and 3/2 of 3: P = 1/6, 1/2, left 1/3, all for word 2, whose lower
    probability is 1/4: back-off 4/3. Context 1: count 6 of word 0, kept whole, so one token more: P = 6/7, left 1/7 over
    the 1/2 of the other two, back-off 2/7.
    """
    counts, context, lower = np.array([1, 2, 6]), np.array([0, 0, 1]), np.array([1 / 2, 1 / 4, 1 / 2])
    p, backoff = sm.katz(counts, context, 2, lower, np.array([1, 1 / 2, 3 / 4, 1, 1, 1]), 3)
    assert p == pytest.approx([1 / 6, 1 / 2, 6 / 7], abs=1e-15)
    assert backoff == pytest.approx([4 / 3, 2 / 7], abs=1e-15)


def test_modified_kneser_ney_of_a_bigram_by_fractions():
    """Chen and Goodman's formula once more, in exact fractions and words, on a corpus whose discounts need no fall-back."""
    corpus = ["aaad", "ebc", "eda", "dac", "dbaa", "a", "c", "b", "ae", "ecb", "aacb", "abd", "a", "baba"]
    model = NGramModel.fit(corpus, 2, "modified-kneser-ney")
    bigrams = Counter(pair for s in corpus for pair in zip(["<s>", *s], [*s, "</s>"], strict=True))
    before = defaultdict(set)
    for left, right in bigrams:
        before[right].add(left)
    unigrams = {word: len(lefts) for word, lefts in before.items()}

    def discounts(counts):
        n = Counter(counts)
        if not (n[1] and n[2] and n[3]):
            return {1: Fraction(1, 2), 2: Fraction(1), 3: Fraction(3, 2)}, True
        y = Fraction(n[1], n[1] + 2 * n[2])
        return {r: r - (r + 1) * y * Fraction(n[r + 1], n[r]) for r in (1, 2, 3)}, False

    (of_unigrams, _), (of_bigrams, fell_back) = discounts(unigrams.values()), discounts(bigrams.values())
    assert not fell_back and all(0 <= d <= r for r, d in of_bigrams.items())

    def share(counts, discount, word, lower):
        total = sum(counts.values())
        freed = sum(discount[min(count, 3)] for count in counts.values())
        own = counts[word] - discount[min(counts[word], 3)] if word in counts else 0
        return Fraction(own + freed * lower, total)

    for context in ["<s>", *"abcde"]:
        after = {right: count for (left, right), count in bigrams.items() if left == context}
        ours = np.exp(model.next_log_probs("" if context == "<s>" else context))
        exact = [
            share(after, of_bigrams, word, share(unigrams, of_unigrams, word, Fraction(1, model.vocab_size)))
            for word in model.vocab
        ]
        assert sum(exact) == 1
        assert ours == pytest.approx([float(p) for p in exact], abs=1e-15)


# ---- an oracle


@pytest.mark.skipif(not importlib.util.find_spec("nltk"), reason="NLTK is not installed")
def test_good_turing_frees_as_much_as_nltk_gives_to_the_unseen():
    """Katz's ratios keep Good–Turing's total for the unseen, n₁ of N tokens, which NLTK's SimpleGoodTuring states as P₀."""
    from nltk.probability import FreqDist, SimpleGoodTuringProbDist

    counts = np.repeat([1, 2, 3, 4, 5, 6, 7, 8, 9, 12], [60, 24, 12, 7, 5, 4, 3, 2, 2, 1])
    frequencies = FreqDist({i: int(count) for i, count in enumerate(counts)})
    unseen = SimpleGoodTuringProbDist(frequencies, bins=len(counts) + 1).prob("the one that was not seen")
    kept = counts * np.where(counts <= 5, sm.good_turing_ratios(counts)[np.minimum(counts, 5)], 1)
    assert 1 - kept.sum() / counts.sum() == pytest.approx(unseen, abs=1e-12)


# ---- thin and broken input


def test_no_counts_at_all_give_the_fall_back():
    none = np.array([], dtype=np.int64)
    assert sm.absolute_discount(none) == 0.5
    assert sm.modified_discounts(none).tolist() == [0, 0.5, 1, 1.5]
    assert sm.good_turing_ratios(none).tolist() == [1] * 6


@pytest.mark.parametrize("name", SMOOTH)
def test_an_order_without_n_grams_leaves_all_to_the_lower_order(name):
    none = np.array([], dtype=np.int64)
    p, backoff = smooth(name, (none, none, 3, none, np.array([0.5, 0.5])))
    assert p.shape == (0,) and backoff.tolist() == [1, 1, 1]


def test_counts_and_contexts_must_be_of_one_length():
    with pytest.raises(ValueError, match="weights and list don't have the same length"):
        sm.relative_frequency(np.array([1, 2]), np.array([0]), 1)
