"""Attention: equal to torch's own in every path, causal, the same with and without a cache, and one rule for long texts."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from helpers.attention import (
    AttentionLM,
    AttentionLMConfig,
    KVCache,
    MultiHeadAttention,
    Rotary,
    WindowedLM,
    attention,
    attention_weights,
    causal_mask,
    heads,
    presets,
    sinusoidal_positions,
    window_start,
    windowed,
)
from helpers.neural_lm import FitConfig, fit
from helpers.probability import LanguageModel
from helpers.transformer import GPT, GPTConfig

SINGLE = {"atol": 1e-5, "rtol": 1e-5}  # float32, sums of at most a few dozen numbers near one
VOCAB = list("\nabcdef")
V = len(VOCAB)


def randn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def spread(model, scale=0.5):
    """The same model with weights, biases and norms that all matter; at its own start much would look equal."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(scale * torch.randn(p.shape, generator=generator))
    return model.eval()


def close(a, b, **tolerance):
    torch.testing.assert_close(a, b, **(tolerance or SINGLE))


# ---- masks and the dot product


def test_causal_mask_by_hand():
    assert causal_mask(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    assert causal_mask(2, 4).tolist() == [[True, True, True, False], [True, True, True, True]]
    assert causal_mask(0, 2).shape == (0, 2) and causal_mask(2).dtype == torch.bool


@pytest.mark.parametrize("sizes", [(3, 2), (-1, 2)])
def test_causal_mask_refuses_queries_that_are_not_the_last(sizes):
    with pytest.raises(ValueError, match="n_queries ≤ n_keys"):
        causal_mask(*sizes)


def test_attention_by_hand():
    """Two keys; scores q·k/√1 are 0 and log 3, so the weights are 1/4 and 3/4, and the mean of 4 and 8 is 7."""
    q, k, v = torch.tensor([[1.0]]), torch.tensor([[0.0], [math.log(3)]]), torch.tensor([[4.0], [8.0]])
    close(attention_weights(q, k), torch.tensor([[0.25, 0.75]]))
    close(attention(q, k, v), torch.tensor([[7.0]]))
    close(attention(q, k, v, torch.tensor([[True, False]])), torch.tensor([[4.0]]))


def test_scores_are_divided_by_the_root_of_the_width():
    q = k = torch.ones(1, 16)
    close(attention_weights(q, torch.cat([k, 0 * k])), torch.tensor([[4.0, 0.0]]).softmax(-1))  # 16 / √16 = 4


MASKS = {
    "none": None,
    "causal": causal_mask(5, 7),
    "random": randn(2, 3, 5, 7, seed=9) > 0,
    "padding": torch.tensor([[1, 1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1]], dtype=torch.bool)[:, None, None],
    "rows that see nothing": causal_mask(5, 7) & (torch.arange(5) != 2)[:, None],
}


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_attention_is_torchs(mask):
    q, k, v = randn(2, 3, 5, 4), randn(2, 3, 7, 4, seed=1), randn(2, 3, 7, 6, seed=2)
    expected = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    close(attention(q, k, v, mask), expected)
    assert expected.isfinite().all()


def test_a_query_that_may_look_nowhere_gets_zeros_and_a_gradient_that_is_a_number():
    q, k, v = (randn(4, 3, seed=i).requires_grad_() for i in range(3))
    mask = causal_mask(4) & (torch.arange(4) != 1)[:, None]
    weights = attention_weights(q, k, mask)
    assert weights[1].tolist() == [0, 0, 0, 0]
    assert weights.sum(-1).tolist() == pytest.approx([1, 0, 1, 1])
    attention(q, k, v, mask).sum().backward()
    assert all(x.grad.isfinite().all() for x in (q, k, v))


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 5), st.integers(0, 5), st.integers(1, 6), st.booleans(), st.integers(0, 100))
def test_weights_are_a_distribution_over_what_may_be_seen(T, more, D, causal, seed):
    mask = causal_mask(T, T + more) if causal else None
    weights = attention_weights(3 * randn(T, D, seed=seed), 3 * randn(T + more, D, seed=seed + 1), mask)
    assert weights.min() >= 0
    close(weights.sum(-1), torch.ones(T))
    if causal:
        assert (weights[~mask] == 0).all()


def test_half_precision_stays_half():
    q, k, v = (randn(2, 5, 4, seed=i).bfloat16() for i in range(3))
    assert attention(q, k, v, causal_mask(5)).dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("q", "k", "v", "mask", "message"),
    [
        ((5, 4), (7, 3), (7, 3), None, r"q \(5, 4\) and k \(7, 3\) must be"),
        ((4,), (7, 4), (7, 4), None, "one width D"),
        ((5, 4), (7, 4), (6, 4), None, "same S tokens"),
        ((5, 4), (7, 4), (7, 4), torch.ones(5, 7), r"write mask.bool\(\)"),
        ((5, 4), (7, 4), (7, 4), torch.ones(7, 5, dtype=torch.bool), r"scores \(5, 7\)"),
        ((5, 4), (7, 4), (7, 4), torch.ones(2, 5, 7, dtype=torch.bool), "broadcasts"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(q, k, v, mask, message):
    with pytest.raises(ValueError, match=message):
        attention(randn(*q), randn(*k), randn(*v), mask)


# ---- heads


def torchs(ours, **options):
    """torch's MultiheadAttention with our weights."""
    theirs = nn.MultiheadAttention(ours.query.in_features, ours.n_head, batch_first=True, **options)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key.weight, ours.value.weight]))
        theirs.in_proj_bias.copy_(torch.cat([ours.query.bias, ours.key.bias, ours.value.bias]))
        theirs.out_proj.load_state_dict(ours.output.state_dict())
    return theirs.eval()


@pytest.mark.parametrize("kind", ["self", "causal", "padded", "padded and causal", "cross"])
def test_multi_head_attention_is_torchs(kind):
    ours = spread(MultiHeadAttention(12, 3))
    x, memory = randn(2, 5, 12), randn(2, 7, 12, seed=1) if kind == "cross" else None
    causal = "causal" in kind
    seen = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], dtype=torch.bool) if "padded" in kind else None
    keys = x if memory is None else memory
    expected, weights = torchs(ours)(
        x, keys, keys, key_padding_mask=None if seen is None else ~seen, attn_mask=~causal_mask(5) if causal else None,
        average_attn_weights=False,
    )  # fmt: skip
    record = []
    options = {"memory": memory, "causal": causal, "mask": None if seen is None else seen[:, None, None]}
    close(ours(x, **options), expected)
    close(ours(x, **options, record=record), expected)
    close(record[0].weights, weights)
    close(ours.output(record[0].heads), expected)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("n_kv_head", [1, 2, 4])
def test_grouped_heads_are_full_heads_with_repeated_weights(n_kv_head, causal):
    """Query head h looks at key head h // group, as in torch and in Llama."""
    grouped, full = spread(MultiHeadAttention(8, 4, n_kv_head=n_kv_head)), MultiHeadAttention(8, 4)
    weights = grouped.state_dict()
    for name in ("key", "value"):
        for part in ("weight", "bias"):
            w = weights[f"{name}.{part}"]
            heads = w.unflatten(0, (n_kv_head, 2)).repeat_interleave(4 // n_kv_head, dim=0)
            weights[f"{name}.{part}"] = heads.flatten(0, 1)
    full.load_state_dict(weights)
    x = randn(2, 6, 8)
    close(grouped(x, causal=causal), full(x, causal=causal))
    assert grouped.key.weight.shape == (2 * n_kv_head, 8)


@pytest.mark.parametrize("qk_norm", [False, True])
@pytest.mark.parametrize("case", ["plain", "causal", "mask", "causal mask", "cached", "cross"])
def test_the_recorded_path_computes_the_same(case, qk_norm):
    layer, rotary = spread(MultiHeadAttention(16, 4, n_kv_head=2, qk_norm=qk_norm)), Rotary(4, 10)
    x = randn(2, 5, 16)
    found = []
    for record in (None, []):
        options = {
            "plain": {},
            "causal": {"causal": True, "rotary": rotary},
            "mask": {"mask": randn(2, 1, 5, 5, seed=5) > 0},
            "causal mask": {"causal": True, "mask": torch.tensor([True, False, True, True, True])},
            "cached": {"causal": True, "cache": KVCache(10), "rotary": rotary},
            "cross": {"memory": randn(2, 7, 16, seed=2)},
        }[case]
        if case == "cached":
            layer(randn(2, 3, 16, seed=3), **options)
        found.append(layer(x, **options, record=record))
    close(*found)
    trace = record[0]
    S = {"cached": 8, "cross": 7}.get(case, 5)
    assert trace.q.shape == (2, 4, 5, 4) and trace.k.shape == trace.v.shape == (2, 2, S, 4)
    assert trace.weights.shape == (2, 4, 5, S) and trace.heads.shape == (2, 5, 16)


def test_weights_are_formed_only_for_a_record(monkeypatch):
    def fail(*_):
        raise AssertionError("the weights were formed")

    monkeypatch.setattr(heads, "attention_weights", fail)
    layer = MultiHeadAttention(8, 2)
    layer(randn(1, 4, 8), causal=True)
    layer(randn(1, 4, 8), mask=causal_mask(4))
    with pytest.raises(AssertionError, match="were formed"):
        layer(randn(1, 4, 8), record=[])


def test_query_key_norm_brings_all_to_one_length():
    layer, record = MultiHeadAttention(16, 2, qk_norm=True), []
    layer(10 * randn(1, 5, 16), record=record)
    for x in (record[0].q, record[0].k):
        close(x.norm(dim=-1), torch.full((1, 2, 5), 8**0.5), atol=1e-3, rtol=0)  # √D, before its factors are learned


def test_dropout_acts_in_training_only():
    layer = MultiHeadAttention(8, 2, dropout=0.5)
    x = randn(1, 6, 8)
    for record in (None, []):
        torch.manual_seed(0)
        assert not torch.equal(layer.train()(x, record=record), layer(x, record=record))
        assert torch.equal(layer.eval()(x, record=record), layer(x, record=record))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 7), st.data())
def test_a_later_token_never_moves_an_earlier_output(T, data):
    layer, t = spread(MultiHeadAttention(8, 4, n_kv_head=2, qk_norm=True)), data.draw(st.integers(0, T - 1))
    rotary, x = Rotary(2, 8), randn(1, T, 8)
    changed = torch.cat([x[:, : t + 1], randn(1, T - t - 1, 8, seed=data.draw(st.integers(1, 99)))], dim=1)
    for record in (None, []):
        before, after = (layer(y, causal=True, rotary=rotary, record=record) for y in (x, changed))
        close(before[:, : t + 1], after[:, : t + 1], atol=1e-6, rtol=0)


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(6)))
def test_without_positions_and_mask_order_does_not_matter(order):
    layer, x = spread(MultiHeadAttention(8, 2)), randn(1, 6, 8)
    close(layer(x[:, order]), layer(x)[:, order])


@pytest.mark.parametrize("sizes", [(10, 3, None), (12, 4, 3), (12, 4, 8), (12, 0, None), (12, 4, 0), (0, 1, None)])
def test_widths_that_do_not_divide_are_refused(sizes):
    with pytest.raises(ValueError, match="must be a multiple"):
        MultiHeadAttention(sizes[0], sizes[1], n_kv_head=sizes[2])


# ---- the cache


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.booleans())
def test_with_a_cache_a_text_may_come_in_any_pieces(pieces, rotate):
    layer, n = spread(MultiHeadAttention(8, 4, n_kv_head=2)), sum(pieces)
    rotary, cache, x = Rotary(2, 20) if rotate else None, KVCache(20), randn(2, n, 8)
    found = torch.cat([layer(part, causal=True, rotary=rotary, cache=cache) for part in x.split(pieces, dim=1)], dim=1)
    close(found, layer(x, causal=True, rotary=rotary))
    assert len(cache) == n


def test_a_memorys_keys_are_computed_once():
    layer, cache, memory = spread(MultiHeadAttention(8, 2)), KVCache(5), randn(1, 5, 8)
    first = layer(randn(1, 1, 8, seed=1), memory=memory, cache=cache)
    close(first, layer(randn(1, 1, 8, seed=1), memory=memory))
    with torch.no_grad():
        layer.key.weight.zero_()
    close(layer(randn(1, 1, 8, seed=1), memory=memory, cache=cache), first)
    assert len(cache) == 5


def test_a_cache_that_is_full_or_of_another_shape_stays_as_it_is():
    cache = KVCache(3)
    with pytest.raises(ValueError, match="empty"):
        cache.read()
    k, v = randn(2, 4, 2, 5), randn(2, 4, 2, 5, seed=1)
    cache.append(k, v)
    with pytest.raises(ValueError, match="holds 2 of 3 tokens and cannot take 2 more"):
        cache.append(k, v)
    for wrong in ((k[:1, :, :1], v[:1, :, :1]), (k[:, :, :1], v)):
        with pytest.raises(ValueError, match="the same tokens"):
            cache.append(*wrong)
    assert len(cache) == 2 and torch.equal(cache.read()[0], k) and torch.equal(cache.read()[1], v)
    cache.append(k[:, :, :1], v[:, :, :1])
    assert len(cache) == 3 and torch.equal(cache.read()[0], torch.cat([k, k[:, :, :1]], dim=2))


# ---- positions


def test_sinusoidal_positions_by_hand():
    """Width 4, so two frequencies, 1 and 1/100."""
    table = sinusoidal_positions(3, 4)
    assert table[0].tolist() == [0, 1, 0, 1]
    expected = [math.sin(2), math.cos(2), math.sin(0.02), math.cos(0.02)]
    assert table[2].tolist() == pytest.approx(expected, abs=1e-7)
    assert sinusoidal_positions(3, 4, "halves")[2].tolist() == pytest.approx([expected[i] for i in (0, 2, 1, 3)], abs=1e-7)


def test_sinusoidal_positions_are_marians():
    from transformers.models.marian.modeling_marian import MarianSinusoidalPositionalEmbedding

    theirs = MarianSinusoidalPositionalEmbedding(50, 16).create_weight()
    close(sinusoidal_positions(50, 16, "halves"), theirs, atol=1e-6, rtol=0)


def test_rotary_by_hand():
    """Width 2: one frequency, 1, so position t turns by t radians; (1, 0) → (cos t, sin t)."""
    turned = Rotary(2, 4)(torch.tensor([[1.0, 0.0]] * 3))
    close(turned, torch.tensor([[math.cos(t), math.sin(t)] for t in range(3)]))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 59), st.integers(0, 99))
def test_rotary_products_depend_on_the_distance_only(m, n, shift, seed):
    rotary, q, k = Rotary(8, 100), randn(1, 8, seed=seed), randn(1, 8, seed=seed + 1)
    products = [(rotary(q, m + s) * rotary(k, n + s)).sum() for s in (0, shift)]
    close(*products, atol=1e-4, rtol=0)
    close(rotary(q, m).norm(), q.norm())


@pytest.mark.parametrize("base", [10_000.0, 500_000.0])
def test_rotary_is_hugging_faces(base):
    from transformers import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb

    config = LlamaConfig(hidden_size=32, num_attention_heads=4, rope_parameters={"rope_type": "default", "rope_theta": base})
    q, k = randn(2, 4, 30, 8), randn(2, 4, 30, 8, seed=1)
    cos, sin = LlamaRotaryEmbedding(config)(q, torch.arange(5, 35)[None])
    rotary = Rotary(8, 40, base)
    for ours, theirs in zip((rotary(q, 5), rotary(k, 5)), apply_rotary_pos_emb(q, k, cos, sin), strict=True):
        close(ours, theirs)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_rotary_keeps_the_precision_of_its_input(dtype):
    x = randn(3, 4).to(dtype)
    turned = Rotary(4, 3)(x)
    assert turned.dtype == dtype
    close(turned.float(), Rotary(4, 3)(x.float()), atol=2e-2, rtol=2e-2)


def test_positions_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="position 4 is beyond the 4"):
        Rotary(2, 4)(randn(2, 2), start=3)
    with pytest.raises(ValueError, match="even"):
        Rotary(3, 4)
    with pytest.raises(ValueError, match="'interleaved' or 'halves'"):
        sinusoidal_positions(3, 4, "other")


# ---- the rule for long texts


def test_window_start_by_hand():
    assert [window_start(n, 4) for n in range(12)] == [0, 0, 0, 0, 0, 2, 2, 4, 4, 6, 6, 8]
    assert [window_start(n, 1) for n in range(4)] == [0, 0, 1, 2]
    assert [window_start(n, 5) for n in range(12)] == [0, 0, 0, 0, 0, 0, 2, 2, 4, 4, 6, 6]


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 30), st.integers(0, 300))
def test_a_window_holds_at_least_half_a_context_and_at_most_all_of_it(block_size, n):
    held = n - window_start(n, block_size)
    assert held <= block_size
    assert held == n or held > block_size - max(1, block_size // 2)
    assert window_start(n, block_size) <= window_start(n + 1, block_size)


KINDS = ("GPT, learned positions", "GPT, rotary and grouped", "one layer", "one layer, window 3", "GPT, told the tokens before")
BLOCK_SIZES = (1, 2, 5, 8)


def build(kind, block_size):
    gpt = {"vocab_size": V, "block_size": block_size, "n_layer": 2, "n_head": 4, "n_embd": 8}
    one = {"block_size": block_size, "n_embd": 8, "n_head": 2}
    model = {
        "GPT, learned positions": lambda: GPT(GPTConfig(**gpt), VOCAB),
        "GPT, rotary and grouped": lambda: GPT(GPTConfig(**gpt, position="rotary", n_kv_head=2, qk_norm=True), VOCAB),
        "GPT, told the tokens before": lambda: GPT(GPTConfig(**gpt, n_previous=3), VOCAB),
        "one layer": lambda: AttentionLM(VOCAB, AttentionLMConfig(**one)),
        "one layer, window 3": lambda: AttentionLM(VOCAB, AttentionLMConfig(**one, window=3, rotary=False)),
    }[kind]()
    return spread(model)


MODELS = {(kind, size): build(kind, size) for kind in KINDS for size in BLOCK_SIZES}
models = st.sampled_from(list(MODELS))


@pytest.mark.parametrize("length", [0, 1, 2, 5, 6, 8, 9, 13, 30])
@pytest.mark.parametrize("block_size", BLOCK_SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_one_pass_and_one_token_at_a_time_give_the_same(kind, block_size, length):
    model, ids = MODELS[kind, block_size], np.random.default_rng(length).integers(0, V, length)
    found = model.log_probs(ids)
    assert found.shape == (length,) and found.dtype == np.float64
    assert found == pytest.approx(LanguageModel.log_probs(model, ids), abs=1e-4)
    assert np.exp(model.next_log_probs(ids)).sum() == pytest.approx(1, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(models, st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_a_scan_in_any_pieces_gives_the_same(key, pieces):
    model, ids = MODELS[key], np.random.default_rng(sum(pieces)).integers(0, V, sum(pieces))
    stream, state, logits = torch.tensor([[model.end, *ids[:-1]], [model.end, *ids[:-1]]]), None, []
    for part in stream.split(pieces, dim=1):
        out, state = model.scan(part, state)
        logits.append(out)
    log_probs = F.log_softmax(torch.cat(logits, dim=1).detach().double(), dim=-1)
    for row in log_probs:
        assert row[np.arange(len(ids)), ids].numpy() == pytest.approx(model.log_probs(ids), abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(models, st.lists(st.integers(0, V - 1), min_size=1, max_size=8), st.data())
def test_a_position_depends_on_no_later_token(key, ids, data):
    model, ids = MODELS[key], ids[: key[1]]
    t = data.draw(st.integers(0, len(ids) - 1))
    changed = ids[: t + 1] + data.draw(st.lists(st.integers(0, V - 1), max_size=key[1] - t - 1))
    before, after = (model(torch.tensor([text]))[0, : t + 1] for text in (ids, changed))
    close(before, after)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_forgotten_does_not_count(kind):
    """The twelfth token is predicted from the last of the first twelve's window: with block_size 8, tokens 4 to 11."""
    model, ids = MODELS[kind, 8], np.arange(12) % V
    begin = window_start(len(ids) + 1, 8) - 1  # the end token stands before
    changed = ids.copy()
    changed[:begin] = (changed[:begin] + 1) % V
    assert begin == 7 and np.array_equal(model.next_log_probs(ids), model.next_log_probs(changed))
    changed[begin] += 1
    assert not np.array_equal(model.next_log_probs(ids), model.next_log_probs(changed))


def test_a_long_text_is_scored_in_parts_with_the_same_result(monkeypatch):
    model, ids = MODELS[KINDS[0], 5], np.random.default_rng(0).integers(0, V, 60)
    whole, sizes = model.log_probs(ids), []
    monkeypatch.setitem(windowed.SCORED_AT_ONCE, "cpu", 4 * 6)
    read = model.read
    monkeypatch.setattr(model, "read", lambda ids: sizes.append(len(ids)) or read(ids))
    assert model.log_probs(ids) == pytest.approx(whole, abs=1e-6)
    assert max(sizes) <= 4 < sum(sizes)


def test_a_model_in_half_precision_is_scored_as_exactly_as_its_logits_allow():
    model, ids = build(KINDS[0], 8).bfloat16(), np.arange(6)
    assert model(torch.tensor([[1, 2]])).dtype == torch.bfloat16
    log_probs = F.log_softmax(model(torch.tensor([[model.end, *ids[:-1]]]))[0].detach().double(), dim=-1)
    assert model.log_probs(ids) == pytest.approx(log_probs[np.arange(6), ids].numpy(), abs=1e-5)


def test_scores_do_not_depend_on_dropout():
    model = spread(GPT(GPTConfig(vocab_size=V, block_size=5, n_layer=1, n_head=2, n_embd=8, dropout=0.5), VOCAB)).train()
    ids = np.arange(V)
    found = model.log_probs(ids)
    assert np.array_equal(found, model.log_probs(ids)) and model.training
    assert model.next_log_probs(ids[:3])[3] == pytest.approx(found[3], abs=1e-5) and model.blocks[0].training
    history = fit(model, np.tile(ids, 9), FitConfig(steps=1, crop=5, lr=1e-12), np.tile(ids, 9))
    assert history.val_loss[0] == pytest.approx(history.val_loss[1], abs=1e-5)


def test_too_long_a_text_and_other_ids_are_refused():
    model = MODELS[KINDS[2], 5]
    with pytest.raises(ValueError, match="block_size is 5 but the text has 6 tokens"):
        model(torch.zeros(1, 6, dtype=torch.int64))
    for wrong in (torch.zeros(6, dtype=torch.int64), torch.zeros(1, 3), torch.full((1, 2), V)):
        with pytest.raises(ValueError, match=r"ids|vocabulary"):
            model(wrong)
    for method in (model.log_probs, model.next_log_probs):
        with pytest.raises(ValueError, match="vocabulary"):
            method([V])


def test_a_subclass_must_say_how_it_reads():
    bare = WindowedLM(VOCAB)
    with pytest.raises(NotImplementedError, match="read"):
        bare.read(torch.zeros(1, 1, dtype=torch.int64))
    with pytest.raises(NotImplementedError, match="new_cache"):
        bare.new_cache()


# ---- one layer as a language model


def test_attention_lm_is_its_formula():
    """s(w, t) = e_w · (x_t + W_o Σ a_ts v_s) + c_w, token by token, in double precision."""
    model = spread(AttentionLM(VOCAB, AttentionLMConfig(block_size=6, n_embd=4, window=2, rotary=False))).double()
    ids = [3, 1, 4, 1]
    E0, E1 = (E.weight for E in model.embeddings)
    x = [E0[a] + E1[b] for a, b in zip(ids, [model.end, *ids], strict=False)]
    layer, expected = model.attention, []
    for t, x_t in enumerate(x):
        scores = torch.stack([(layer.query.weight @ x_t) @ (layer.key.weight @ x_s) / 2 for x_s in x[: t + 1]])  # √4
        fetched = sum(a * (layer.value.weight @ x_s) for a, x_s in zip(scores.softmax(0), x, strict=False))
        expected.append(model.output.weight @ (x_t + layer.output.weight @ fetched) + model.output.bias)
    close(model(torch.tensor([ids]))[0], torch.stack(expected), atol=1e-10, rtol=0)


def test_attention_lm_shows_its_heads():
    model, ids = build("one layer, window 3", 8), torch.tensor([[1, 2, 3, 4]])
    trace = model.trace(ids)
    assert trace.weights.shape == (1, 2, 4, 4) and not trace.weights.requires_grad
    assert torch.equal(trace.weights, trace.weights.tril())
    x = sum(E(F.pad(ids, (2, 0), value=model.end)[:, 2 - i : 6 - i]) for i, E in enumerate(model.embeddings))
    close(model.output(x + model.attention.output(trace.heads)), model(ids))


def test_seeds_of_attention_lm_and_nothing_else_decide():
    config, state = AttentionLMConfig(block_size=4, n_embd=8), torch.random.get_rng_state()
    first, again, other = (AttentionLM(VOCAB, c) for c in (config, config, AttentionLMConfig(block_size=4, n_embd=8, seed=1)))
    assert torch.equal(torch.random.get_rng_state(), state)
    for (name, a), b, c in zip(first.named_parameters(), again.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b) and (a.ndim == 1 or not torch.equal(a, c)), name
    assert np.exp(first.next_log_probs([1, 2])) == pytest.approx(np.full(V, 1 / V), abs=0.1)


@pytest.mark.parametrize(("rotary", "low", "high"), [(True, 0.5, 1.0), (False, 0.1, 0.3)])
def test_attention_lm_learns_what_needs_a_look_back(rotary, low, high):
    """Lines such as "aba" and "bcb": the third letter is certain for who knows which came one before the last; else 1/6."""
    rng = np.random.default_rng(0)
    pairs = rng.integers(1, V, (400, 2))
    ids = np.column_stack([pairs[:, 0], pairs[:, 1], pairs[:, 0], np.zeros(400, dtype=int)]).ravel()
    model = AttentionLM(VOCAB, AttentionLMConfig(block_size=8, n_embd=32, n_head=2, rotary=rotary, qk_norm=True))
    fit(model, ids, FitConfig(steps=400, batch_size=32, crop=8, lr=1e-2))
    assert low < np.exp(model.log_probs(ids)[2::4]).mean() < high


@pytest.mark.parametrize("wrong", [{"block_size": 0}, {"n_embd": 0}, {"n_head": 0}, {"window": 0}])
def test_sizes_below_one_are_refused(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be at least 1, got 0"):
        AttentionLMConfig(**wrong)


def test_scores_of_one_place_are_those_of_reading_all():
    model, ids = build("one layer, window 3", 8), torch.tensor([[1, 2, 3, 4]])
    close(model.output(model.hidden(ids)[:, 2]), model(ids)[:, 2])


def test_attention_lm_begins_with_variance_one_and_norms_that_do_nothing():
    model = AttentionLM([str(i) for i in range(500)] + ["</s>"], AttentionLMConfig(n_embd=64, window=5, qk_norm=True))
    x = sum(table.weight[:500] for table in model.embeddings)
    assert x.var().item() == pytest.approx(1, rel=0.05)  # 32,000 numbers: their variance is within 1 % or so of its mean
    assert all(torch.equal(norm.weight, torch.ones(64)) for norm in (model.attention.query_norm, model.attention.key_norm))


def test_presets_say_what_they_are():
    preset = presets.PRESETS["attention-words"]
    assert preset.how == "1 head of 64, each token knows its last 5; 500 steps of 16 × 96 tokens"
    assert presets.PRESETS["attention-characters"].how.startswith("8 heads of 16, each token knows its last 4")
