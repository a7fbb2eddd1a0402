"""Quantisation: a row by hand, torch's own fake quantisation, the bound on each error, sizes by formula, and models at work."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from helpers import paths
from helpers.attention import AttentionLM, AttentionLMConfig
from helpers.neural_lm import GRU, Bigram
from helpers.quantisation import (
    QuantisedEmbedding,
    QuantisedLinear,
    model_bytes,
    pack,
    quantise,
    quantise_model,
    unpack,
)
from helpers.sampling import generate
from helpers.training import encoded, load_model
from helpers.transformer import BERT, GPT, SINCE_GPT2, BERTConfig, EncoderDecoder, EncoderDecoderConfig, GPTConfig

V, C, BLOCK = 13, 16, 8
SIZES = {"vocab_size": V, "block_size": BLOCK, "n_layer": 2, "n_head": 4, "n_embd": C}
VOCAB = [str(i) for i in range(V - 1)] + ["</s>"]
MODELS = {
    "GPT": lambda: GPT(GPTConfig(**SIZES)),
    "GPT, modern": lambda: GPT(GPTConfig(**SIZES, **SINCE_GPT2["all of them"], n_hidden=48, n_previous=2, tied=False)),
    "BERT": lambda: BERT(BERTConfig(**SIZES, n_segment=2)),
    "encoder–decoder": lambda: EncoderDecoder(EncoderDecoderConfig(**SIZES)),
    "GRU": lambda: GRU(VOCAB),
    "attention": lambda: AttentionLM(VOCAB, AttentionLMConfig(block_size=BLOCK, n_embd=C, window=2)),
}
LANGUAGE_MODELS = ["GPT", "GPT, modern", "GRU", "attention"]
IDS = torch.from_numpy(np.random.default_rng(0).integers(V, size=(3, 6)))


def matrix(rows, inputs, seed=0, scale=1.0):
    return scale * torch.randn(rows, inputs, generator=torch.Generator().manual_seed(seed))


def largest(bits):
    return 2 ** (bits - 1) - 1


def each_scale(quantised):
    """The scale of every weight, (out, in) float32."""
    return quantised.scales.float().repeat_interleave(quantised.shape[1] // quantised.scales.shape[1], dim=1)


@torch.no_grad()
def logits_of(model):
    return model(IDS, IDS.flip(0)) if isinstance(model, EncoderDecoder) else model(IDS)


# --- one matrix ------------------------------------------------------------------------------------------------------------


def test_a_row_by_hand():
    # The largest of the first row is 7, so with 4 bits its scale is 1, and −3.5 goes to the even neighbour; the second row's
    # is 3.5, its scale 0.5, and −0.9 / 0.5 = −1.8 is nearest to −2.
    quantised = quantise(torch.tensor([[7.0, -3.5, 1.2, 0.5], [-0.9, 3.5, 0.0, -3.5]]), bits=4)
    assert quantised.scales.tolist() == [[1.0], [0.5]]
    assert quantised.codes.tolist() == [[7, -4, 1, 0], [-2, 7, 0, -7]]
    assert quantised.dequantised().tolist() == [[7.0, -4.0, 1.0, 0.0], [-1.0, 3.5, 0.0, -3.5]]
    assert quantised.stored.tolist() == [[7 + 16 * 12, 1 + 16 * 0], [14 + 16 * 7, 0 + 16 * 9]]  # −4 is 12, −2 14, −7 9


def test_a_row_in_groups_by_hand():
    quantised = quantise(torch.tensor([[7.0, -3.5, 0.7, 0.06]]), bits=4, group=2)
    assert quantised.codes.tolist() == [[7, -4, 7, 1]]  # the second group's scale is 0.1; with the row's, 1, they were 1 and 0
    assert quantise(torch.tensor([[7.0, -3.5, 0.7, 0.06]]), bits=4).codes.tolist() == [[7, -4, 1, 0]]
    torch.testing.assert_close(quantised.scales.detach(), torch.tensor([[1.0, 0.1]]).half(), atol=0, rtol=0)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([8, 4]), st.integers(1, 5), st.integers(1, 4), st.integers(1, 7), st.floats(-9, 5), st.integers(0, 99))
def test_no_weight_is_off_by_more_than_half_a_scale(bits, rows, groups, group, log_scale, seed):
    weight = matrix(rows, groups * group, seed, math.exp(log_scale))
    quantised = quantise(weight, bits, group)
    error = (quantised.dequantised() - weight).abs()
    # A scale below 6e-5 is off by up to 2⁻²⁵ in float16, and the largest weight then by that times the largest code; float32
    # itself by 2⁻²³ of the weight.
    assert (error <= each_scale(quantised) / 2 + largest(bits) * 2**-25 + weight.abs() * 2**-22).all()
    assert quantised.codes.dtype == torch.int8 and quantised.codes.abs().max() <= largest(bits)
    assert quantised.scales.dtype == torch.float16 and quantised.scales.shape == (rows, groups)
    assert quantised.dequantised().dtype == torch.float32 and quantised.dequantised().shape == weight.shape


@pytest.mark.parametrize("group", [None, 8])
@pytest.mark.parametrize("bits", [8, 4])
def test_against_torch(bits, group):
    weight = matrix(12, 32)
    quantised = quantise(weight, bits, group)
    scales, n = quantised.scales.detach().float().flatten(), largest(bits)
    rows = weight.reshape(len(scales), -1)  # a row of a group for torch, which knows scales of channels only
    theirs = torch.fake_quantize_per_channel_affine(rows, scales, torch.zeros(len(scales), dtype=torch.int32), 0, -n, n)
    torch.testing.assert_close(quantised.dequantised(), theirs.view_as(weight), atol=1e-6, rtol=1e-6)  # a code is 0.01 or more


@pytest.mark.parametrize("bits", [8, 4])
def test_smaller_groups_err_less_in_the_mean(bits):
    weight = matrix(64, 128)
    errors = [(quantise(weight, bits, group).dequantised() - weight).abs().mean() for group in (None, 64, 16, 4)]
    assert errors == sorted(errors, reverse=True) and errors[-1] < 0.8 * errors[0]


def test_one_large_weight_spoils_its_own_group_only():
    weight = matrix(1, 64)
    weight[0, 3] = 100.0
    row, grouped = ((quantise(weight, 8, group).dequantised() - weight).abs()[0] for group in (None, 8))
    assert grouped[8:].mean() < 0.1 * row[8:].mean()
    torch.testing.assert_close(grouped[:8], row[:8], atol=0, rtol=0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(-8, 7), min_size=5, max_size=5), min_size=1, max_size=4), st.integers(0, 5))
def test_packed_codes_come_back(rows, n):
    codes = torch.tensor(rows, dtype=torch.int8)[:, :n]
    packed = pack(codes)
    assert packed.dtype == torch.uint8 and packed.shape == (len(rows), math.ceil(n / 2))
    assert torch.equal(unpack(packed, n), codes)


@pytest.mark.parametrize(("inputs", "group"), [(32, None), (32, 8), (7, None), (9, 3)])
@pytest.mark.parametrize("bits", [8, 4])
def test_bytes_by_formula(bits, inputs, group):
    quantised = quantise(matrix(5, inputs), bits, group)
    scales = 2 * 5 * (inputs // group if group else 1)
    assert quantised.nbytes == 5 * (inputs if bits == 8 else math.ceil(inputs / 2)) + scales
    assert model_bytes(quantised) == quantised.nbytes


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("group", [None, 2])
@pytest.mark.parametrize("size", [0.0, 1e-9])  # 1e-9 / 7 is 0 in float16
def test_zeros_and_what_float16_takes_for_zero_have_codes_0(bits, group, size):
    weight = matrix(3, 4)
    weight[1] = size
    quantised = quantise(weight, bits, group)
    assert quantised.codes[1].tolist() == [0] * 4
    assert torch.equal(quantised.dequantised()[1], torch.zeros(4)) and quantised.dequantised().isfinite().all()
    assert torch.equal(quantised.dequantised()[0], quantise(weight[:1], bits, group).dequantised()[0])


@pytest.mark.parametrize(("bits", "group"), [(8, None), (4, None), (4, 3)])
def test_rows_alone_are_the_rows_of_the_whole(bits, group):
    quantised, rows = quantise(matrix(V, 9), bits, group), IDS
    assert torch.equal(quantised.dequantised(rows), quantised.dequantised()[rows])


# --- layers ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [True, False])
def test_a_linear_layer_multiplies_by_what_the_codes_stand_for(bias):
    linear, x = nn.Linear(6, 5, bias), matrix(3, 6)
    with torch.no_grad():
        linear.weight.copy_(matrix(5, 6, seed=1))
    layer = QuantisedLinear.from_linear(linear, 8, group=3)
    expected = x @ quantise(linear.weight, 8, 3).dequantised().T + (linear.bias if bias else 0)
    torch.testing.assert_close(layer(x), expected, atol=1e-5, rtol=1e-5)
    assert (layer.in_features, layer.out_features, layer.bias is linear.bias) == (6, 5, True)
    assert [name for name, _ in layer.named_parameters()] == ["bias"] * bias  # the codes and scales are nothing to be learned


# --- models ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("name", MODELS)
def test_a_model_computes_with_what_the_codes_stand_for(name, bits):
    model = MODELS[name]().eval()
    before = {key: t.clone() for key, t in model.state_dict().items()}
    quantised, plain = quantise_model(model, bits, group=None), copy.deepcopy(model)
    with torch.no_grad():  # the same model with every matrix written out as its codes have it
        for module in {id(m.weight): m for m in plain.modules() if isinstance(m, nn.Linear | nn.Embedding)}.values():
            module.weight.copy_(quantise(module.weight, bits).dequantised())
    left = [m for m in quantised.modules() if isinstance(m, nn.Linear | nn.Embedding)]
    assert not left and any(isinstance(m, QuantisedEmbedding) for m in quantised.modules())
    found, expected, full = logits_of(quantised), logits_of(plain), logits_of(model)
    torch.testing.assert_close(*(x[0] if isinstance(x, tuple) else x for x in (found, expected)), atol=1e-5, rtol=1e-5)
    assert not torch.equal(found, full)
    assert all(torch.equal(t, before[key]) for key, t in model.state_dict().items())  # it was a copy


@pytest.mark.parametrize("name", LANGUAGE_MODELS)
def test_a_quantised_model_reads_with_and_without_a_cache(name):
    model = quantise_model(MODELS[name]().eval(), 4, group=None)
    ids = np.random.default_rng(1).integers(V, size=2 * BLOCK + 3)
    chained = [model.next_log_probs(ids[:t])[token] for t, token in enumerate(ids)]
    np.testing.assert_allclose(model.log_probs(ids), chained, atol=1e-5)
    reader = model.reader()
    cached = [reader.read(ids[t - 1 : t] if t else [])[token] for t, token in enumerate(ids)]
    np.testing.assert_allclose(cached, chained, atol=1e-5)
    assert len(generate(model, ids[:3], 2 * BLOCK)) == 3 + 2 * BLOCK


def test_a_tied_matrix_is_quantised_once_and_stays_tied():
    model = GPT(GPTConfig(**SIZES))
    quantised = quantise_model(model, 8, group=8)
    assert quantised.head.quantised is quantised.embedding.quantised
    moved = copy.deepcopy(quantised).to(torch.device("cpu"))
    assert moved.head.quantised is moved.embedding.quantised is not quantised.head.quantised
    untied = quantise_model(GPT(GPTConfig(**SIZES, tied=False)), 8, group=8)
    assert model_bytes(untied) - model_bytes(quantised) == quantised.head.quantised.nbytes == V * C + 2 * V * C // 8


@pytest.mark.parametrize(("bits", "a_weight"), [(8, 1 + 2 / 8), (4, 1 / 2 + 2 / 8)])
@pytest.mark.parametrize("name", ["GPT", "GPT, modern"])
def test_a_models_bytes_by_formula(name, bits, a_weight):
    model = MODELS[name]()
    matrices = {id(m.weight): m.weight.numel() for m in model.modules() if isinstance(m, nn.Linear | nn.Embedding)}
    waves = sum(buffer.numel() for buffer in model.buffers())
    others = model.n_parameters - sum(matrices.values())
    assert model_bytes(model) == 4 * (model.n_parameters + waves)
    assert model_bytes(quantise_model(model, bits, group=8)) == 4 * (others + waves) + a_weight * sum(matrices.values())


@pytest.mark.parametrize(
    ("skip", "left"),
    [
        ("head", {"head"}),
        (["positions", "query"], {"positions.table", "blocks.0.attention.query", "blocks.1.attention.query"}),
        (["blocks.1.feed_forward"], {"blocks.1.feed_forward.up", "blocks.1.feed_forward.down"}),
    ],
)
def test_what_is_skipped_stays(skip, left):
    model = GPT(GPTConfig(**SIZES, tied=False))
    quantised = quantise_model(model, 8, skip=skip, group=None)
    found = {name: m for name, m in quantised.named_modules() if isinstance(m, nn.Linear | nn.Embedding)}
    assert set(found) == left
    assert all(torch.equal(layer.weight, model.get_submodule(name).weight) for name, layer in found.items())


@pytest.mark.parametrize("skip", ["head", "embedding"])
def test_skipping_one_of_two_tied_layers_leaves_both(skip):
    quantised = quantise_model(GPT(GPTConfig(**SIZES)), 8, skip=skip, group=None)
    assert isinstance(quantised.head, nn.Linear) and quantised.head.weight is quantised.embedding.weight


def test_a_trained_model_hardly_changes_at_8_bits_and_more_at_4():
    model, _ = load_model(paths.CHECKPOINTS / "world_gpt.safetensors")
    ids = encoded("world", ["val"])[2]["val"][: model.block_size]
    read = torch.from_numpy(ids)[None]
    scores, off, agree = model.log_probs(ids), {}, {}
    with torch.no_grad():
        for bits in (8, 4):
            quantised = quantise_model(model, bits)
            off[bits] = np.abs(quantised.log_probs(ids) - scores).mean()
            agree[bits] = (quantised(read).argmax(dim=-1) == model(read).argmax(dim=-1)).float().mean().item()
            assert len(generate(quantised, ids[:5], 20, temperature=0)) == 25
    assert agree[8] > 0.97 and agree[8] > agree[4] > 0.7  # the likeliest next token, of 256
    assert off[8] < 0.02 and 5 * off[8] < off[4] < 0.5  # nats; a scale at 4 bits is 127 / 7 = 18 times as large


# --- bad input -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: quantise(matrix(2, 4), 3), "bits must be 8 or 4, got 3"),
        (lambda: quantise(matrix(2, 4), 8, 3), "group is 3 but a row has 4 inputs"),
        (lambda: quantise(matrix(2, 4), 8, 0), "group must be a whole number of at least 1, or None .*, got 0"),
        (lambda: quantise(matrix(2, 4), 8, 2.0), "group must be a whole number"),
        (lambda: quantise(matrix(2, 4)[0], 8), r"expected a matrix \(out, in\), got shape \(4,\)"),
        (lambda: quantise(matrix(2, 4)[None], 8), r"got shape \(1, 2, 4\)"),
        (lambda: quantise(torch.empty(0, 4), 8), r"got shape \(0, 4\)"),
        (lambda: quantise(torch.tensor([[1.0, math.nan]]), 8), "weights must be finite"),
        (lambda: quantise(torch.tensor([[1e6, 1.0]]), 4), r"at most 7 · 65504 in size.* is 1000000\.0"),
        (lambda: quantise_model(GPT(GPTConfig(**SIZES)), 5), "bits must be 8 or 4, got 5"),
        (lambda: quantise_model(GPT(GPTConfig(**SIZES)), 8), "embedding cannot be quantised: group is 32 but .* 16 inputs"),
        (lambda: quantise_model(GPT(GPTConfig(**SIZES)), 8, skip=["tail"]), "has 'tail' in its name; there are embedding, "),
        (lambda: quantise_model(Bigram(VOCAB), 8), "Bigram has no linear layer or embedding"),
        (lambda: quantise_model(nn.Sequential(nn.Linear(2, 2)), 8, skip="0"), "or all are in skip"),
    ],
)
def test_quantisation_refuses(act, message):
    with pytest.raises(ValueError, match=message):
        act()
