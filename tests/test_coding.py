"""The arithmetic coder: any model, any ids, back byte for byte, at the cost of the model's cross-entropy."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from helpers.coding import LENGTH_BYTES, TOTAL, compress, cumulative_counts, decompress
from helpers.ngrams import NGramModel
from helpers.probability import LanguageModel


class Table(LanguageModel):
    """A random bigram model: row 0 at the beginning, then one row for each previous token. table: (V + 1, V) probabilities."""

    def __init__(self, table):
        self.table = np.asarray(table, dtype=float)
        self.vocab = [str(token) for token in range(self.table.shape[1])]

    def next_log_probs(self, context):
        with np.errstate(divide="ignore"):
            return np.log(self.table[context[-1] + 1 if len(context) else 0])


@st.composite
def models(draw):
    """From one token to twenty; from almost uniform to almost certain; some tokens ruled out where zeros is drawn."""
    size, seed = draw(st.integers(1, 20)), draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    table = rng.dirichlet(np.full(size, draw(st.sampled_from([0.05, 1.0, 50.0]))), size=size + 1) + 1e-300
    if draw(st.booleans()):
        table[rng.random(table.shape) < 0.3] = 0
        table[np.arange(size + 1), rng.integers(0, size, size + 1)] += 0.1
    return Table(table / table.sum(axis=1, keepdims=True))


def some_ids(model, max_size=60):
    return st.lists(st.integers(0, model.vocab_size - 1), max_size=max_size)


@settings(max_examples=150, deadline=None)
@given(models(), st.data())
def test_what_was_compressed_comes_back(model, data):
    """Whatever the ids: also tokens that the model rules out, also none."""
    ids = data.draw(some_ids(model))
    assert decompress(model, compress(model, ids)).tolist() == ids


@settings(max_examples=150, deadline=None)
@given(models(), st.data())
def test_size_is_cross_entropy_and_a_few_bytes(model, data):
    """Four bytes of length, less than two bits to name a number inside the interval, and the last byte filled up.

    The coder's probabilities differ from the model's by rounding to 2⁻³²: a token of probability p costs at most
    −log₂(p − 3V · 2⁻³²) bits, and one that the model rules out 32 bits.
    """
    ids = data.draw(some_ids(model))
    p = np.exp(model.log_probs(ids))
    bits = -np.log2(np.maximum(p * (1 - 2 * model.vocab_size / TOTAL), 1 / TOTAL)).sum()
    size = len(compress(model, ids))
    assert bits / 8 - 1 <= size - LENGTH_BYTES <= (bits + 2) / 8 + 1


def sampled_text(model, length, seed=0):
    rng, ids = np.random.default_rng(seed), []
    for _ in range(length):
        ids.append(int(rng.choice(model.vocab_size, p=np.exp(model.next_log_probs(ids)))))
    return ids


def test_ten_thousand_tokens_cost_what_the_model_says():
    """Rounding must not add up over a long text: of these 1,400 bytes two are allowed, for the end and the last byte."""
    model = Table([[0.5, 0.25, 0.125, 0.125]] + 2 * [[0.9, 0.05, 0.03, 0.02]] + 2 * [[0.25] * 4])
    ids = sampled_text(model, 10_000)
    data, bits = compress(model, ids), -model.log_probs(ids).sum() / math.log(2)
    assert len(data) - LENGTH_BYTES == pytest.approx(bits / 8, abs=2)
    assert decompress(model, data).tolist() == ids


def exact_interval(model, ids):
    """[low, low + width) in exact fractions: the definition of arithmetic coding, without registers, carries or bits.

    With it the sum of the widths on the way: a register of 60 bits, at least a quarter of it in use, rounds each end of the
    next interval by less than 2⁻⁵⁸ of the width before.
    """
    low, width, widths = Fraction(0), Fraction(1), Fraction(0)
    for t, token in enumerate(ids):
        cumulative = cumulative_counts(model.next_log_probs(ids[:t])).tolist()
        low, widths = low + width * Fraction(cumulative[token], TOTAL), widths + width
        width *= Fraction(cumulative[token + 1] - cumulative[token], TOTAL)
    return low, width, widths


@settings(max_examples=100, deadline=None)
@given(models(), st.data())
def test_the_bits_name_a_number_inside_the_exact_interval(model, data):
    """And nearly the shortest: two bits more than its width asks for, and the last byte filled up."""
    ids = data.draw(some_ids(model, max_size=12))
    low, width, widths = exact_interval(model, ids)
    payload = compress(model, ids)[LENGTH_BYTES:]
    value = Fraction(int.from_bytes(payload, "big"), 256 ** len(payload))
    slack = widths * Fraction(1, 2**57)
    assert low - slack <= value < low + width + slack
    assert len(payload) * 8 <= -math.log2(width) + 2 + 8


def test_three_tokens_by_hand():
    """P = 1/2, 1/4, 1/4 for a, b, c, at every step. `b a c`: [1/2, 3/4), [1/2, 5/8), [19/32, 5/8).

    In binary that is [0.10011, 0.101), but for 2⁻³² at the ends, where the rounding of probabilities puts them beside the
    binary fractions. 0.100111, the middle, is named: 1001 1100 as a byte, 0x9C, behind the length 3.
    """
    model = Table([[0.5, 0.25, 0.25]] * 4)
    assert compress(model, [1, 0, 2]).hex() == "00000003" + "9c"
    assert decompress(model, bytes.fromhex("00000003" + "9c")).tolist() == [1, 0, 2]


def test_what_is_certain_costs_nothing():
    certain = Table(np.roll(np.eye(3), 1, axis=1)[[2, 0, 1, 2]])  # 0 1 2 0 1 2 …
    ids = [t % 3 for t in range(3000)]
    assert len(compress(certain, ids)) == LENGTH_BYTES + 1
    assert decompress(certain, compress(certain, ids)).tolist() == ids


def test_a_vocabulary_of_one_token_costs_nothing():
    model = Table([[1.0], [1.0]])
    assert cumulative_counts(np.array([0.0])).tolist() == [0, TOTAL]
    assert len(compress(model, [0] * 500)) == LENGTH_BYTES + 1
    assert decompress(model, compress(model, [0] * 500)).tolist() == [0] * 500


def test_what_the_model_rules_out_costs_32_bits_but_is_kept():
    model = Table([[1.0, 0.0]] * 3)
    ids = [0, 1, 0, 1, 1, 0]
    assert len(compress(model, ids)) <= LENGTH_BYTES + 3 * 4 + 1
    assert decompress(model, compress(model, ids)).tolist() == ids


def test_no_tokens_are_five_bytes():
    model = Table([[0.5, 0.5]] * 3)
    data = compress(model, [])
    assert len(data) == LENGTH_BYTES + 1
    assert decompress(model, data).tolist() == [] and decompress(model, data).dtype == np.int64


@given(st.integers(1, 300), st.integers(0, 10**6))
def test_every_token_gets_a_part_in_proportion_to_its_probability(size, seed):
    """Off by less than 3V of 2³² parts, never none: V parts go to «one for each token», the rounding to the most likely."""
    p = np.random.default_rng(seed).dirichlet(np.full(size, 0.1))
    p[: size // 3] = 0
    p[-1] += 1e-6
    p /= p.sum()
    with np.errstate(divide="ignore"):
        cumulative = cumulative_counts(np.log(p))
    parts = np.diff(cumulative)
    assert cumulative[0] == 0 and cumulative[-1] == TOTAL
    assert parts.min() >= 1
    assert size == 1 or (parts[p == 0] == 1).all()
    assert np.abs(parts - p * TOTAL).max() <= 3 * size


def test_a_text_comes_back_through_an_n_gram_model_byte_for_byte():
    lines = ["to be, or not to be", "that is the question", "", "whether 'tis nobler in the mind to suffer"]
    for smoothing in ("modified-kneser-ney", "mle"):
        model = NGramModel.fit(lines[:3], 4, smoothing)
        seen = "to be, or\nnot\n"
        assert model.decode(decompress(model, compress(model, model.encode_all(seen.splitlines())))) == seen


# ---- bad input


@settings(max_examples=150, deadline=None)
@given(models(), st.data())
def test_cut_data_are_an_error_unless_they_are_another_text(model, data):
    """Any data that compress would not have made are refused. A cut can leave those of another text; no coder sees that."""
    ids = data.draw(some_ids(model))
    whole = compress(model, ids)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    try:
        other = decompress(model, cut)
    except ValueError:
        return
    again = compress(model, other)
    assert len(other) == len(ids)
    assert again.rstrip(b"\0") == cut.rstrip(b"\0")  # a last byte of zeros says nothing


def test_every_cut_of_a_text_is_seen():
    model = Table([[0.5, 0.25, 0.125, 0.125]] * 5)
    whole = compress(model, sampled_text(model, 300))
    for length in range(len(whole)):
        with pytest.raises(ValueError, match="cut short"):
            decompress(model, whole[:length])


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\0\0\1"])
def test_data_shorter_than_their_length_say_so(data):
    with pytest.raises(ValueError, match=f"expected at least 5 bytes made by compress, got {len(data)}; the file is cut short"):
        decompress(Table([[0.5, 0.5]] * 3), data)


def test_another_model_is_seen():
    one, other = Table([[0.9, 0.1]] * 3), Table([[0.4, 0.6]] * 3)
    data = compress(one, sampled_text(one, 200))
    with pytest.raises(ValueError, match="made with another model"):
        decompress(other, data)


@given(models(), st.integers(0, 30))
def test_ids_outside_the_vocabulary_are_an_error(model, beyond):
    assume(model.vocab_size > 0)
    with pytest.raises(ValueError, match=rf"token id {model.vocab_size + beyond} is not in the vocabulary of"):
        compress(model, [0, model.vocab_size + beyond])
