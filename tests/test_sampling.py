"""Sampling: the sets that top-k, top-p and min-p keep, by hand and by definition; frequencies that follow the distribution."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helpers.neural_lm import GRU, NNLM, GRUConfig, NNLMConfig
from helpers.ngrams import NGramModel
from helpers.probability import LanguageModel
from helpers.sampling import generate, generate_batch, normalise, sample, shape_log_probs, stream
from helpers.transformer import GPT, GPTConfig

P = np.array([0.05, 0.4, 0.1, 0.25, 0.2])  # in no order, so that a mix-up of ranks and ids shows


def kept(**settings):
    return np.flatnonzero(np.isfinite(shape_log_probs(np.log(P), **settings))).tolist()


class Cycle(LanguageModel):
    """0 1 2 3 4 0 1 …, certain of it, or drawing from P at every step."""

    vocab = "abcde"

    def __init__(self, certain=True):
        self.certain, self.contexts = certain, []

    def next_log_probs(self, context):
        self.contexts.append(list(context))
        with np.errstate(divide="ignore"):
            return np.log(np.eye(5)[(context[-1] + 1) % 5] if self.certain else P)


any_log_probs = st.lists(st.floats(0, 1), min_size=1, max_size=12).filter(lambda w: sum(w) > 1e-3)
any_settings = st.fixed_dictionaries({
    "temperature": st.floats(0.05, 5),
    "top_k": st.none() | st.integers(1, 15),
    "top_p": st.none() | st.floats(0.01, 1),
    "min_p": st.none() | st.floats(0.01, 1),
})  # fmt: skip


def log_of(weights):
    with np.errstate(divide="ignore"):
        return np.log(np.array(weights) / np.sum(weights))


# ---- the distribution that is sampled from


@given(any_log_probs, any_settings)
def test_the_shaped_distribution_sums_to_one_and_keeps_the_most_likely_token(weights, settings):
    shaped = shape_log_probs(log_of(weights), **settings)
    assert np.exp(shaped).sum() == pytest.approx(1, abs=1e-12)
    assert np.isfinite(shaped[np.argmax(weights)])
    assert not np.isfinite(shaped[np.array(weights) == 0]).any()  # what was ruled out stays so


@given(any_log_probs, any_settings)
def test_no_token_overtakes_another(weights, settings):
    shaped = shape_log_probs(log_of(weights), **settings)
    ranked = shaped[np.argsort(-np.array(weights), kind="stable")]
    assert all(a >= b - 1e-12 for a, b in pairwise(ranked))


def test_with_no_settings_the_distribution_is_the_models():
    assert np.exp(shape_log_probs(np.log(P))) == pytest.approx(P)


def test_temperature_by_hand():
    """Dividing log p by 1/2 squares p: 0.0025, 0.16, 0.01, 0.0625, 0.04, over their sum 0.275."""
    assert np.exp(shape_log_probs(np.log(P), temperature=0.5)) == pytest.approx(P**2 / 0.275)
    assert np.exp(shape_log_probs(np.log(P), temperature=1e6)) == pytest.approx(np.full(5, 0.2), abs=1e-6)


def test_temperature_zero_is_greedy_and_takes_the_first_of_equals():
    assert np.exp(shape_log_probs(np.log(P), temperature=0)).tolist() == [0, 1, 0, 0, 0]
    assert np.exp(shape_log_probs(np.log([0.2, 0.4, 0.4]), temperature=0)).tolist() == [0, 1, 0]
    assert np.exp(shape_log_probs(np.log(P), temperature=1e-3)) == pytest.approx([0, 1, 0, 0, 0])


@pytest.mark.parametrize(("k", "ids"), [(1, [1]), (2, [1, 3]), (3, [1, 3, 4]), (4, [1, 2, 3, 4]), (9, [0, 1, 2, 3, 4])])
def test_top_k_keeps_the_k_most_likely(k, ids):
    assert kept(top_k=k) == ids


@pytest.mark.parametrize(
    ("p", "ids"),
    [(0.01, [1]), (0.39, [1]), (0.41, [1, 3]), (0.64, [1, 3]), (0.66, [1, 3, 4]), (0.94, [1, 2, 3, 4]), (1.0, [0, 1, 2, 3, 4])],
)
def test_top_p_keeps_the_fewest_that_hold_p(p, ids):
    """Ranked 0.4, 0.25, 0.2, 0.1, 0.05, the running sums are 0.4, 0.65, 0.85, 0.95, 1."""
    assert kept(top_p=p) == ids


@pytest.mark.parametrize(
    ("p", "ids"), [(1.0, [1]), (0.6, [1, 3]), (0.49, [1, 3, 4]), (0.26, [1, 3, 4]), (0.12, [0, 1, 2, 3, 4])]
)
def test_min_p_keeps_what_is_at_least_that_share_of_the_best(p, ids):
    """Shares of the best, 0.4: 0.125, 1, 0.25, 0.625, 0.5."""
    assert kept(min_p=p) == ids


def test_kept_tokens_keep_their_proportions():
    assert np.exp(shape_log_probs(np.log(P), top_k=2))[[1, 3]] == pytest.approx([0.4 / 0.65, 0.25 / 0.65])


def test_the_settings_apply_in_the_order_of_the_docstring():
    """At temperature 1/2 the best holds 0.16/0.275 = 58 % instead of 40 %; among the top 2 it holds 0.4/0.65 = 62 %."""
    assert kept(top_p=0.5) == [1, 3] and kept(temperature=0.5, top_p=0.5) == [1]
    assert kept(top_p=0.6) == [1, 3] and kept(top_k=2, top_p=0.6) == [1]
    assert kept(top_k=3, min_p=0.2) == [1, 3, 4]


def naive_shape(p, temperature, top_k, top_p, min_p):
    """One token at a time, by the definitions."""
    p = [x ** (1 / temperature) for x in p]
    p = [x / sum(p) for x in p]
    ranked = [i for i in sorted(range(len(p)), key=lambda i: (-p[i], i)) if p[i] > 0][:top_k]
    if top_p is not None:
        nucleus, total = [], sum(p[i] for i in ranked)
        for i in ranked:
            nucleus.append(i)
            if sum(p[j] for j in nucleus) >= top_p * total:
                break
        ranked = nucleus
    ranked = [i for i in ranked if p[i] >= (min_p or 0) * p[ranked[0]]]
    return [p[i] / sum(p[j] for j in ranked) if i in ranked else 0 for i in range(len(p))]


@given(st.lists(st.integers(0, 50), min_size=1, max_size=12).filter(any), any_settings)
def test_the_shaped_distribution_is_that_of_the_definitions(weights, settings):
    p = np.array(weights) / sum(weights)
    ours, naive = np.exp(shape_log_probs(log_of(weights), **settings)), naive_shape(p, **settings)
    borders = [  # where a sum falls on its limit within rounding, either side is right
        naive_shape(p, **{**settings, name: min(1, settings[name] * factor)})
        for name in ("top_p", "min_p") if settings[name] is not None for factor in (1 - 1e-9, 1 + 1e-9)
    ]  # fmt: skip
    if all(np.allclose(naive, border, atol=1e-6) for border in borders):
        assert ours == pytest.approx(naive, abs=1e-9)


@given(st.lists(st.lists(st.integers(0, 50), min_size=4, max_size=4).filter(any), min_size=1, max_size=5), any_settings)
@example([[1, 2, 3, 4], [4, 3, 2, 1]], {"temperature": 0})
def test_rows_are_shaped_each_by_itself(weights, settings):
    rows = np.array([log_of(row) for row in weights])
    expected = [shape_log_probs(row, **settings) for row in rows]
    assert shape_log_probs(rows, **settings) == pytest.approx(np.array(expected), abs=1e-12)


def test_shaping_leaves_what_it_was_given_as_it_is():
    log_probs = np.log(P)
    shape_log_probs(log_probs, top_k=2, top_p=0.5, min_p=0.5)
    assert np.array_equal(log_probs, np.log(P))


def test_normalise_survives_numbers_whose_exponentials_do_not():
    assert np.exp(normalise(np.array([1000.0, 1000.0]))) == pytest.approx([0.5, 0.5])
    assert np.exp(normalise(np.array([-2000.0, -np.inf]))).tolist() == [1, 0]


# ---- drawing


def test_frequencies_follow_the_probabilities():
    """Each within four standard errors, √(p(1 − p)/n); the seed is fixed, so this passes always or never."""
    rng, n = np.random.default_rng(0), 20_000
    frequencies = np.bincount([sample(np.log(P), rng) for _ in range(n)], minlength=5) / n
    assert (np.abs(frequencies - P) < 4 * np.sqrt(P * (1 - P) / n)).all()


def test_what_has_no_probability_is_never_drawn():
    rng = np.random.default_rng(0)
    assert {sample(log_of([0, 1, 0, 1, 0]), rng) for _ in range(500)} == {1, 3}


class Stub:
    """A generator that returns what it was told."""

    def __init__(self, value):
        self.value = value

    def random(self):
        return self.value


@given(st.lists(st.integers(0, 9), min_size=1, max_size=8).filter(any))
@example([0, 1, 0])
def test_the_ends_of_the_unit_interval_draw_the_first_and_the_last_possible_token(weights):
    possible = np.flatnonzero(weights)
    assert sample(log_of(weights), Stub(0.0)) == possible[0]
    assert sample(log_of(weights), Stub(1 - 2**-53)) == possible[-1]


def test_of_several_rows_one_token_each_is_drawn_with_each_rows_own_numbers():
    rows = np.log([P, P[::-1], P])
    draw = lambda: [np.random.default_rng(seed) for seed in (0, 1, 2)]  # noqa: E731
    assert sample(rows, draw()).tolist() == [sample(row, rng) for row, rng in zip(rows, draw(), strict=True)]


def test_generated_frequencies_follow_the_shaped_distribution():
    n = 5000
    out = generate(Cycle(certain=False), [], n, temperature=0.5, top_k=3, seed=1)
    expected = np.exp(shape_log_probs(np.log(P), temperature=0.5, top_k=3))
    assert (np.abs(np.bincount(out, minlength=5) / n - expected) <= 4 * np.sqrt(expected * (1 - expected) / n)).all()


def test_generate_continues_the_prompt_and_shows_the_model_all_that_came():
    model = Cycle()
    assert generate(model, [3, 4], 4).tolist() == [3, 4, 0, 1, 2, 3]
    assert model.contexts == [[3, 4], [3, 4, 0], [3, 4, 0, 1], [3, 4, 0, 1, 2]]
    assert generate(model, [3, 4], 0).tolist() == [3, 4]


def test_generate_ends_behind_a_stop_token():
    assert generate(Cycle(), [0], 100, stop=[3]).tolist() == [0, 1, 2, 3]
    assert generate(Cycle(), [3], 3, stop=[3]).tolist() == [3, 4, 0, 1]  # the prompt's own stop tokens do not count
    assert generate(Cycle(), [0], 2, stop=[4]).tolist() == [0, 1, 2]


def test_a_seed_fixes_the_text_and_a_generator_goes_on():
    draw = lambda seed: generate(Cycle(certain=False), [], 30, seed=seed).tolist()  # noqa: E731
    assert draw(7) == draw(7) == draw(np.random.default_rng(7))
    assert draw(7) != draw(8)
    rng = np.random.default_rng(7)
    assert draw(rng) != draw(rng)


def test_greedy_generation_from_an_n_gram_model_takes_the_most_likely_token_each_time():
    model = NGramModel.fit(["abcab", "abca"], 3)
    out = generate(model, model.encode_context("a"), 3, temperature=0)
    assert model.decode(out) == "abca"


# ---- token by token


def test_a_stream_gives_each_token_as_soon_as_it_is_drawn():
    model = Cycle()
    tokens = stream(model, [3, 4], 3)
    assert model.contexts == []
    assert next(tokens) == 0 and model.contexts == [[3, 4]]
    assert next(tokens) == 1 and model.contexts == [[3, 4], [3, 4, 0]]
    assert list(tokens) == [2] and len(model.contexts) == 3


def test_a_stream_is_what_generate_adds_to_the_prompt():
    settings = {"temperature": 0.8, "top_k": 4, "top_p": 0.95, "min_p": 0.1, "stop": [2], "seed": 5}
    tokens = list(stream(Cycle(certain=False), [1, 0], 30, **settings))
    assert [1, 0, *tokens] == generate(Cycle(certain=False), [1, 0], 30, **settings).tolist()
    assert tokens.index(2) == len(tokens) - 1 and len(tokens) > 1 and all(type(token) is int for token in tokens)


# ---- several texts side by side

VOCAB = ["\n", *"abcdefghij"]
MODELS = {  # the networks' contexts are shorter than the texts of the tests
    "n-gram": NGramModel.fit(["abcab", "abca", "jihg"], 3),
    "NNLM": NNLM(VOCAB, NNLMConfig(block_size=3, n_embd=8, n_hidden=16)),
    "GRU": GRU(VOCAB, GRUConfig(n_embd=8, n_hidden=16, n_layer=2)),
    "GPT": GPT(GPTConfig(vocab_size=11, block_size=8, n_layer=2, n_head=2, n_embd=16, seed=1)),
    "GPT, rotary, told the token before": GPT(
        GPTConfig(vocab_size=11, block_size=8, n_layer=2, n_head=2, n_embd=16, position="rotary", n_previous=1, seed=2)
    ),
}
PROMPTS = [[1, 2, 3], [], [4], [1, 2, 3, 4, 3, 2, 1, 2, 3, 4, 4, 4, 4], [1, 2, 3]]  # the fourth alone fills the context


@pytest.mark.parametrize("name", MODELS)
def test_a_batch_without_a_cache_text_by_text_and_with_it_is_the_same(name):
    """Greedily; the probabilities differ by rounding only, and no two tokens are that close."""
    model = MODELS[name]
    slow = [list(ids) for ids in PROMPTS]
    for text in slow:
        for _ in range(25):
            text.append(int(model.next_log_probs(text).argmax()))
    assert [generate(model, ids, 25, temperature=0).tolist() for ids in PROMPTS] == slow
    assert [ids.tolist() for ids in generate_batch(model, PROMPTS, 25, temperature=0)] == slow


@pytest.mark.parametrize("name", MODELS)
def test_a_batch_is_read_as_its_texts_are(name):
    model = MODELS[name]
    together, alone = model.reader(), [model.reader() for _ in range(3)]
    for n in (0, 2, 1, 0, 9, 1):
        ids = np.random.default_rng(n).integers(1, 5, (3, n))
        expected = [reader.read(row) for reader, row in zip(alone, ids, strict=True)]
        assert together.read(ids) == pytest.approx(np.array(expected), abs=1e-5)  # float32


@pytest.mark.parametrize("name", MODELS)
def test_a_reader_goes_on_with_the_texts_that_are_kept(name):
    model = MODELS[name]
    together, alone = model.reader(), [model.reader() for _ in range(4)]
    rows = [0, 1, 2, 3]
    for n, kept in ((3, [2, 0, 3]), (9, [0, 2]), (1, [1]), (2, [0])):  # the second time past the context
        ids = np.random.default_rng(n).integers(1, 5, (len(rows), n))
        expected = [alone[i].read(row) for i, row in zip(rows, ids, strict=True)]
        assert together.read(ids) == pytest.approx(np.array(expected), abs=1e-5)  # float32
        together.keep(kept)
        rows = [rows[at] for at in kept]


def test_the_text_all_have_is_read_at_once_and_then_a_token_a_row(monkeypatch):
    model, read = MODELS["GPT"], []
    scan = model.scan
    monkeypatch.setattr(model, "scan", lambda ids, state: (read.append(tuple(ids.shape)), scan(ids, state))[1])
    generate_batch(model, [[1, 2, 3, 4], [1, 2]], 3, seed=0)
    assert read == [(2, 3), *[(2, 1)] * 2, *[(1, 1)] * 2]  # the end token and two more; the second text ends, and is dropped


@pytest.mark.parametrize("name", ["n-gram", "GRU", "GPT"])
def test_each_text_of_a_batch_has_random_numbers_of_its_own(name):
    model, settings = MODELS[name], {"temperature": 1.5, "top_p": 0.95, "stop": [0]}
    together = generate_batch(model, PROMPTS, 12, **settings, seed=3)
    rngs = np.random.default_rng(3).spawn(len(PROMPTS))
    for ids, prompt, rng in zip(together, PROMPTS, rngs, strict=True):
        assert ids.dtype == np.int64
        assert ids.tolist() == generate(model, prompt, 12, **settings, seed=rng).tolist()
    assert together[0].tolist() != together[4].tolist()  # one prompt, two texts
    assert generate_batch(model, PROMPTS[:1], 12, **settings, seed=3)[0].tolist() == together[0].tolist()


def test_a_generator_goes_on_in_a_batch():
    rng = np.random.default_rng(7)
    first, second = (generate_batch(Cycle(certain=False), [[0]], 30, seed=rng)[0].tolist() for _ in range(2))
    assert first != second


def test_each_text_of_a_batch_ends_at_its_own_stop_token():
    out = generate_batch(Cycle(), [[0], [3], [1, 2, 3], [2, 3, 4, 0, 1]], 4, stop=[3])
    assert [ids.tolist() for ids in out] == [[0, 1, 2, 3], [3, 4, 0, 1, 2], [1, 2, 3, 4, 0, 1, 2], [2, 3, 4, 0, 1, 2, 3]]
    assert [ids.tolist() for ids in generate_batch(Cycle(), [[0], [1, 2]], 0)] == [[0], [1, 2]]


def test_a_batch_ends_with_its_last_text():
    model = Cycle()
    generate_batch(model, [[0], [2]], 50, stop=[3])
    assert model.contexts[-4:] == [[0], [2], [0, 1], [0, 1, 2]]  # the second ends with its first token, and is not read on


def test_dropout_is_off_while_generating_and_then_as_it_was():
    model = GPT(GPTConfig(vocab_size=11, block_size=8, n_layer=2, n_head=2, n_embd=16, dropout=0.5)).eval()
    expected = generate(model, [1], 20, temperature=0).tolist()
    model.train()
    assert [*generate_batch(model, [[1]] * 2, 20, temperature=0)[1]] == expected
    tokens = stream(model, [1], 20, temperature=0)
    assert next(tokens) == expected[1] and model.training and model.blocks[0].training


# ---- bad input


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": -0.1}, r"temperature must be 0 \(greedy\) or more, got -0.1"),
        ({"temperature": math.nan}, r"temperature must be 0 \(greedy\) or more, got nan"),
        ({"temperature": math.inf}, r"temperature must be 0 \(greedy\) or more, got inf"),
        ({"top_k": 0}, "top_k must keep at least one token, got 0"),
        ({"top_p": 0}, r"top_p must lie in \(0, 1\], got 0"),
        ({"top_p": 90}, r"top_p must lie in \(0, 1\], got 90"),
        ({"min_p": 1.1}, r"min_p must lie in \(0, 1\], got 1.1"),
        ({"min_p": -1}, r"min_p must lie in \(0, 1\], got -1"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        shape_log_probs(np.log(P), **settings)
    with pytest.raises(ValueError, match=message):
        stream(Cycle(), [0], 3, **settings)  # at once, not with the first token


def test_generate_refuses_what_are_no_ids_or_no_length():
    with pytest.raises(ValueError, match="token id 5 is not in the vocabulary of 5"):
        generate(Cycle(), [5], 3)
    with pytest.raises(ValueError, match="max_new_tokens must be 0 or more, got -1"):
        generate(Cycle(), [0], -1)
    with pytest.raises(ValueError, match="one-dimensional list of integer token ids"):
        generate(Cycle(), [[0], [1]], 3)


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        ([], r"expected a list of prompts, each a list of ids, got \[\]"),
        ([0, 1], r"got \[0, 1\]; wrap a single one: \[ids\]"),
        (["ab", "c"], "expected a list of prompts, each a list of ids, got"),
        ([[0], [1, 5]], "token id 5 is not in the vocabulary of 5"),
        ([[0], [0.5]], "integer token ids"),
    ],
)
def test_a_batch_refuses_what_are_no_prompts(prompts, message):
    with pytest.raises(ValueError, match=message):
        generate_batch(Cycle(), prompts, 3)


def test_a_reader_is_the_model_shown_all_that_it_has_read():
    model = Cycle()
    reader = model.reader()
    assert np.array_equal(reader.read([3, 4]), model.next_log_probs([3, 4]))
    assert np.array_equal(reader.read([0]), model.next_log_probs([3, 4, 0]))
    assert np.array_equal(reader.read([]), model.next_log_probs([3, 4, 0]))
    for wrong in ([5], [[0], [5]]):
        with pytest.raises(ValueError, match="token id 5"):
            reader.read(wrong)
