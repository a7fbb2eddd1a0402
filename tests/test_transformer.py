"""The Transformer: torch's own layers, its own trace, causal where it should be, its costs by formula, and able to learn."""

import copy
import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from helpers.adapting import add_lora
from helpers.attention import causal_mask, heads
from helpers.probability import LanguageModel
from helpers.quantisation import quantise_model
from helpers.sampling import generate
from helpers.transformer import (
    BERT,
    GPT,
    SINCE_GPT2,
    BERTConfig,
    Block,
    Conditional,
    EncoderDecoder,
    EncoderDecoderConfig,
    FeedForward,
    GPTConfig,
    TransformerConfig,
    count_parameters,
    forward_flops,
    mask_tokens,
    one_token,
)
from helpers.transformer.block import ACTIVATIONS, ReLUSquared

SINGLE = {"atol": 1e-5, "rtol": 1e-5}  # float32, two layers, numbers near one
V, T = 17, 8
SIZES = {"vocab_size": V, "block_size": T, "n_layer": 2, "n_head": 4, "n_embd": 16}
FAMILIES = {GPTConfig: GPT, BERTConfig: BERT, EncoderDecoderConfig: EncoderDecoder}
VARIANTS = {f"GPT, {name}": GPTConfig(**SIZES, **fields) for name, fields in SINCE_GPT2.items()}
CONFIGS = VARIANTS | {
    "GPT, untied": GPTConfig(**SIZES, tied=False),
    "GPT, post-norm": GPTConfig(**SIZES, norm_first=False),
    "GPT, sinusoidal": GPTConfig(**SIZES, position="sinusoidal"),
    "GPT, told the tokens before": GPTConfig(**SIZES, n_previous=3, zero_init=True),
    "GPT, no positions, one key head": GPTConfig(**SIZES, position="none", n_kv_head=1, n_hidden=10),
    "BERT": BERTConfig(**SIZES),
    "BERT, segments": BERTConfig(**SIZES, n_segment=2),
    "BERT, modern": BERTConfig(**SIZES, norm_first=True, n_segment=3, **SINCE_GPT2["all of them"]),
    "encoder–decoder": EncoderDecoderConfig(**SIZES),
    "encoder–decoder, pre-norm": EncoderDecoderConfig(**SIZES, norm_first=True, n_decoder_layer=3, position="learned"),
    "encoder–decoder, grouped": EncoderDecoderConfig(
        **SIZES, n_decoder_layer=1, n_kv_head=2, activation="swiglu", norm="rms", bias=False, qk_norm=True
    ),
}


def build(config, scale=0.3):
    """A model with weights, biases and norms that all matter; at its own start much would look equal."""
    model = FAMILIES[type(config)](config).eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(scale * torch.randn(p.shape, generator=generator))
    return model


def randn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def random_ids(n=T, seed=0, batch=2):
    return torch.randint(V, (batch, n), generator=torch.Generator().manual_seed(seed))


def run(model, n=T, seed=0):
    """Logits (2, n, V) for random ids; a source of five tokens where one is read."""
    ids = random_ids(n, seed)
    if isinstance(model, EncoderDecoder):
        return model(random_ids(5, seed + 1), ids)
    if isinstance(model, BERT):
        return model(ids, segments=random_ids(n, seed + 2) % model.config.n_segment)
    return model(ids)


def close(a, b, **tolerance):
    torch.testing.assert_close(a, b, **(tolerance or SINGLE))


@pytest.fixture(params=CONFIGS)
def config(request):
    return CONFIGS[request.param]


# ---- the parts, beside torch's


def torchs_attention(theirs, ours):
    theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key.weight, ours.value.weight]))
    theirs.in_proj_bias.copy_(torch.cat([ours.query.bias, ours.key.bias, ours.value.bias]))
    theirs.out_proj.load_state_dict(ours.output.state_dict())


@torch.no_grad()
@pytest.mark.parametrize("activation", ["gelu", "relu"])
@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("cross", [False, True])
def test_a_block_is_torchs_layer(cross, norm_first, activation):
    config = TransformerConfig(**SIZES, norm_first=norm_first, activation=activation, n_hidden=20)
    ours = Block(config, cross=cross)
    for i, p in enumerate(ours.parameters()):
        p.add_(0.3 * randn(*p.shape, seed=i))
    layer = nn.TransformerDecoderLayer if cross else nn.TransformerEncoderLayer
    theirs = layer(16, 4, 20, dropout=0.0, activation=activation, batch_first=True, norm_first=norm_first)
    torchs_attention(theirs.self_attn, ours.attention)
    theirs.linear1.load_state_dict(ours.feed_forward.up.state_dict())
    theirs.linear2.load_state_dict(ours.feed_forward.down.state_dict())
    norms = [ours.norm_1, ours.norm_2]
    if cross:
        torchs_attention(theirs.multihead_attn, ours.cross)
        norms.insert(1, ours.norm_cross)
    for i, norm in enumerate(norms):
        getattr(theirs, f"norm{i + 1}").load_state_dict(norm.state_dict())
    x, memory, ahead = randn(2, T, 16), randn(2, 5, 16, seed=1), ~causal_mask(T)
    seen = torch.arange(5) < torch.tensor([[5], [3]])
    if cross:
        expected = theirs(x, memory, tgt_mask=ahead, memory_key_padding_mask=~seen)
        close(ours(x, causal=True, memory=memory, memory_mask=seen[:, None, None]), expected)
    else:
        close(ours(x, causal=True), theirs(x, src_mask=ahead))
        close(ours(x), theirs(x))


def test_feed_forward_by_hand():
    """x = (1, −2) of width 2; up to one number: 1·2 + (−2)·0.5 = 1; gate: −1 and so on."""
    config = TransformerConfig(vocab_size=2, n_head=1, n_embd=2, n_hidden=1, bias=False, activation="relu2")
    layer, x = FeedForward(config), torch.tensor([1.0, -2.0])
    with torch.no_grad():
        layer.up.weight.copy_(torch.tensor([[2.0, -0.5]]))  # 2 + 1 = 3
        layer.down.weight.copy_(torch.tensor([[1.0], [-1.0]]))
        assert layer(x).tolist() == [9, -9]  # 3²
        assert layer(-x).tolist() == [0, 0]
    gated = FeedForward(dataclasses.replace(config, activation="swiglu"))
    with torch.no_grad():
        gated.load_state_dict(layer.state_dict() | {"gate.weight": torch.tensor([[1.0, 1.0]])})
        swish = -1 / (1 + math.e)  # silu(−1)
        close(gated(x), torch.tensor([3 * swish, -3 * swish]))


def test_the_gradient_of_relu_squared_is_that_of_autograd():
    config = TransformerConfig(vocab_size=2, n_head=1, n_embd=8, n_hidden=12, activation="relu2")
    layer = copy.deepcopy(FeedForward(config)).double()
    x = randn(5, 8).double().requires_grad_()
    layer(x).pow(3).sum().backward()
    given, x.grad = x.grad, None
    layer.activation = lambda hidden: hidden.clamp(min=0) ** 2
    layer(x).pow(3).sum().backward()
    close(given, x.grad)
    zero = torch.zeros(1, requires_grad=True)
    ReLUSquared.apply(zero).backward()
    assert zero.grad.item() == 0


def test_rms_norm_takes_no_mean_away_and_has_no_bias():
    norm = Block(TransformerConfig(**SIZES, norm="rms")).norm_1
    x = 3 + randn(2, 16)
    close(norm(x), x / x.square().mean(-1, keepdim=True).sqrt(), atol=1e-4, rtol=1e-4)
    assert [name for name, _ in norm.named_parameters()] == ["weight"]


# ---- what all families have in common


def test_shapes_and_finite_numbers(config):
    for n in (1, 3, T):
        logits = run(build(config), n)
        assert logits.shape == (2, n, V) and logits.isfinite().all()


@torch.no_grad()
def test_a_trace_is_what_the_model_computes(config):
    model, ids = build(config), random_ids()
    if isinstance(model, EncoderDecoder):
        source = random_ids(5, 1)
        memory, (_, trace) = model.encode(source), model.trace(source, ids)
        encoder = model.trace(source, ids)[0]
        close(encoder.logits, memory)
        close(model.encoder_norm(encoder.residual[-1]), memory)
        layers, options = model.decoder, {"causal": True, "memory": memory}
        logits, last = model(source, ids), model.head(model.norm(trace.residual[-1]))
        assert trace.cross_attention.shape == (len(layers), 2, 4, T, 5)
    else:
        trace, logits = model.trace(ids), model(ids)
        layers, options = model.blocks, {"causal": isinstance(model, GPT), "rotary": model.rotary}
        hidden = model.norm(trace.residual[-1])
        last = model.head(hidden if isinstance(model, GPT) else model.transform_norm(F.gelu(model.transform(hidden))))
        assert trace.cross_attention is None
    close(trace.logits, logits)
    close(last, logits)
    for i, block in enumerate(layers):
        close(block(trace.residual[i], **options), trace.residual[i + 1])
    close(trace.attention.sum(-1), torch.ones(trace.attention.shape[:-1]))
    v = trace.v.repeat_interleave(4 // config.kv_heads, dim=2)
    close((trace.attention @ v).transpose(2, 3).flatten(3), trace.heads)
    assert trace.k.shape == (len(layers), 2, config.kv_heads, T, 4) and trace.q.shape == (len(layers), 2, 4, T, 4)


def test_weights_are_formed_only_for_a_trace(config, monkeypatch):
    def fail(*_):
        raise AssertionError("the weights were formed")

    monkeypatch.setattr(heads, "attention_weights", fail)
    model = build(config)
    run(model)
    sources = [random_ids()] * (2 if isinstance(model, EncoderDecoder) else 1)
    with pytest.raises(AssertionError, match="were formed"):
        model.trace(*sources)


def test_the_seed_and_nothing_else_decides(config):
    state = torch.random.get_rng_state()
    family = FAMILIES[type(config)]
    first, again, other = (family(c) for c in (config, config, dataclasses.replace(config, seed=1)))
    assert torch.equal(torch.random.get_rng_state(), state), "the global generator was used"
    for (name, a), b, c in zip(first.named_parameters(), again.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b), name
        assert a.ndim == 1 or not a.any() or not torch.equal(a, c), name


@torch.no_grad()
@pytest.mark.parametrize(("init_std", "low", "high"), [(0.02, -0.05, 0.1), (None, 0.0, 1.2)])
def test_the_first_loss_is_near_that_of_guessing(config, init_std, low, high):
    """log V where the scores are nearly equal, as with GPT-2's 0.02; scores N(0, 1), as by the default, add about ½."""
    model, ids = FAMILIES[type(config)](dataclasses.replace(config, init_std=init_std)).eval(), random_ids(batch=200)
    logits = model(random_ids(5, 1, 200), ids) if isinstance(model, EncoderDecoder) else model(ids)
    loss = F.cross_entropy(logits.flatten(0, 1), random_ids(seed=5, batch=200).flatten())
    assert low < loss.item() - math.log(V) < high


@pytest.mark.parametrize("init_std", [None, 0.05])
def test_what_adds_to_the_stream_starts_smaller_by_the_root_of_how_often(init_std):
    model = GPT(GPTConfig(vocab_size=50, n_layer=8, n_embd=64, init_std=init_std))
    for name, p in model.named_parameters():
        if p.ndim == 2:
            std = p.shape[1] ** -0.5 if init_std is None else init_std
            added = name.endswith(("attention.output.weight", "feed_forward.down.weight"))
            assert p.std().item() == pytest.approx(std / (16**0.5 if added else 1), rel=0.1), name


def test_a_gradient_reaches_every_parameter(config):
    model = build(config, scale=0.1)
    F.cross_entropy(run(model).flatten(0, 1), random_ids(seed=5).flatten()).backward()
    for name, p in model.named_parameters():
        assert p.grad is not None and p.grad.isfinite().all(), name
        if not name.endswith("key.bias"):  # it adds the same to all scores of a query, so softmax takes it out again
            assert p.grad.abs().max() > 1e-7, name


@pytest.mark.parametrize("name", [*VARIANTS, "BERT", "encoder–decoder, pre-norm"])
def test_it_can_learn_a_batch_by_heart(name):
    """Two rows with different first tokens: everything can be told apart, so the loss can go to zero."""
    config = CONFIGS[name]
    model = FAMILIES[type(config)](config)
    ids, targets = random_ids(seed=3), random_ids(seed=4)
    ids[:, 0] = torch.tensor([1, 2])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        logits = model(ids, ids) if isinstance(model, EncoderDecoder) else model(ids)
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05


def test_half_precision_by_autocast(config):
    model = build(config, scale=0.1)
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        logits = run(model)
    assert logits.dtype == torch.bfloat16
    close(logits.float(), run(model).detach(), atol=0.15, rtol=0.05)  # bfloat16 has three digits


@pytest.mark.parametrize("name", ["GPT, as GPT-2", "GPT, all of them"])
def test_torch_can_trace_gpt_in_one_graph(name):
    model, ids = build(CONFIGS[name]), random_ids()
    compiled = torch.compile(model, backend="eager", fullgraph=True)  # fullgraph: an error where there is a break
    close(compiled(ids), model(ids))


# ---- who sees what


@torch.no_grad()
@pytest.mark.parametrize("name", [name for name in CONFIGS if not name.startswith("BERT")])
@pytest.mark.parametrize("t", [0, 3, 6])
def test_a_later_token_never_moves_an_earlier_output(name, t):
    model, ids = build(CONFIGS[name]), random_ids()
    changed = torch.cat([ids[:, : t + 1], (ids[:, t + 1 :] + 1) % V], dim=1)
    given = [random_ids(5, 1)] if isinstance(model, EncoderDecoder) else []
    before, after = model(*given, ids), model(*given, changed)
    close(before[:, : t + 1], after[:, : t + 1], atol=1e-6, rtol=0)
    assert (before[:, t + 1 :] - after[:, t + 1 :]).abs().amax(-1).min() > 1e-4


@torch.no_grad()
def test_bert_and_the_encoder_look_both_ways():
    ids, source = random_ids(), random_ids(5, 1)
    changed = torch.cat([ids[:, :-1], (ids[:, -1:] + 1) % V], dim=1)
    other = torch.cat([source[:, :-1], (source[:, -1:] + 1) % V], dim=1)
    bert, model = build(CONFIGS["BERT"]), build(CONFIGS["encoder–decoder"])
    assert (bert(ids) - bert(changed)).abs().amax(-1).min() > 1e-4
    assert (model.encode(source) - model.encode(other)).abs().amax(-1).min() > 1e-4
    assert (model(source, ids) - model(other, ids)).abs().amax(-1).min() > 1e-4


@torch.no_grad()
def test_padding_is_not_looked_at():
    mask = (torch.arange(T) < 5).expand(2, T)
    ids = random_ids()
    changed = torch.where(mask, ids, (ids + 1) % V)
    bert, model = build(CONFIGS["BERT"]), build(CONFIGS["encoder–decoder"])
    close(bert(ids, mask)[:, :5], bert(changed, mask)[:, :5])
    close(bert(ids, mask)[:, :5], bert(ids[:, :5]))
    close(model(ids, ids, mask), model(changed, ids, mask))
    close(model(ids, ids, mask), model(ids[:, :5], ids))


@torch.no_grad()
def test_segments_are_told_apart_and_default_to_the_first():
    bert, ids = build(CONFIGS["BERT, segments"]), random_ids()
    close(bert(ids), bert(ids, segments=torch.zeros_like(ids)))
    assert (bert(ids) - bert(ids, segments=torch.ones_like(ids))).abs().max() > 1e-2


def test_tied_matrices_are_one():
    tied, untied = GPT(CONFIGS["GPT, as GPT-2"]), GPT(CONFIGS["GPT, untied"])
    assert tied.head.weight is tied.embedding.weight and untied.head.weight is not untied.embedding.weight
    assert BERT(CONFIGS["BERT"]).head.weight.data_ptr() != tied.head.weight.data_ptr()
    assert untied.n_parameters - tied.n_parameters == V * 16


# ---- the encoder–decoder


@torch.no_grad()
@pytest.mark.parametrize("name", [name for name in CONFIGS if name.startswith("encoder")])
@pytest.mark.parametrize("pieces", [[1] * T, [3, 1, 4], [T]])
def test_with_a_cache_the_decoder_gives_the_same(name, pieces):
    model, target, memory_ids = build(CONFIGS[name]), random_ids(), random_ids(5, 1)
    mask = torch.arange(5) < torch.tensor([[5], [3]])
    memory, cache = model.encode(memory_ids, mask), model.new_cache()
    parts = [model.decode(part, memory, mask, cache) for part in target.split(pieces, dim=1)]
    close(torch.cat(parts, dim=1), model(memory_ids, target, mask))


@pytest.mark.parametrize("start", [None, 3])
def test_a_conditional_is_a_language_model(start):
    config = dataclasses.replace(CONFIGS["encoder–decoder"], start=start, end=2)
    model = build(config)
    given, ids = model.given([1, 2, 3]), np.array([5, 0, 16, 5])
    assert isinstance(given, Conditional) and given.vocab_size == V
    assert given.log_probs(ids) == pytest.approx(LanguageModel.log_probs(given, ids), abs=1e-5)
    assert np.exp(given.next_log_probs(ids)).sum() == pytest.approx(1, abs=1e-9)
    stream = torch.tensor([[2 if start is None else start, *ids[:-1]]])
    expected = F.log_softmax(model(torch.tensor([[1, 2, 3]]), stream).detach().double(), dim=-1)
    assert given.log_probs(ids) == pytest.approx(expected[0, np.arange(4), ids].numpy(), abs=1e-6)
    assert given.log_probs([]).shape == (0,)
    assert not np.allclose(given.next_log_probs(ids), model.given([3, 2, 1]).next_log_probs(ids))
    assert len(generate(given, [], 6)) == 6
    with pytest.raises(ValueError, match="vocabulary"):
        model.given([V])
    with pytest.raises(ValueError, match="block_size is 8 but the text has 10"):
        given.log_probs(np.zeros(9, dtype=int))


def test_a_conditional_does_not_depend_on_dropout():
    model = build(dataclasses.replace(CONFIGS["encoder–decoder"], dropout=0.5)).train()
    found = [model.given([1, 2]).log_probs([3, 4]) for _ in range(2)]
    assert np.array_equal(*found) and model.training and model.encoder[0].training


# ---- BERT's task


def test_tokens_are_masked_at_the_rates_of_the_paper():
    """Binomial, so each count lies within five standard deviations of its mean, but for one time in a million."""
    ids = torch.randint(4, 50, (200, 200), generator=torch.Generator().manual_seed(0))
    inputs, targets = mask_tokens(ids, 3, 50, torch.Generator().manual_seed(1), keep=(0, 1, 2))
    chosen = targets != -100

    def about(count, n, p):
        return abs(count.item() - n * p) < 5 * (n * p * (1 - p)) ** 0.5

    n = chosen.sum().item()
    assert about(chosen.sum(), ids.numel(), 0.15)
    assert about((inputs[chosen] == 3).sum(), n, 0.8)
    assert about((inputs[chosen] == ids[chosen]).sum(), n, 0.1 + 0.1 / 46)  # left alone, or drawn by chance
    assert torch.equal(targets[chosen], ids[chosen])
    assert torch.equal(inputs[~chosen], ids[~chosen])
    drawn = inputs[chosen & (inputs != 3) & (inputs != ids)]
    assert set(drawn.tolist()) == set(range(4, 50))


def test_kept_tokens_are_never_chosen_and_never_drawn():
    ids = torch.arange(20).expand(300, 20)
    inputs, targets = mask_tokens(ids, 19, 20, torch.Generator().manual_seed(0), rate=1.0, keep=(0, 5))
    kept = (ids == 0) | (ids == 5)
    assert torch.equal(targets == -100, kept)
    assert torch.equal(inputs[kept], ids[kept]) and not torch.isin(inputs[~kept], torch.tensor([0, 5])).any()


def test_the_same_generator_masks_the_same():
    ids = random_ids(200)
    first, again, other = (mask_tokens(ids, 3, V, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert torch.equal(first.inputs, again.inputs) and torch.equal(first.targets, again.targets)
    assert not torch.equal(first.targets, other.targets)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": 0.0}, "rate"),
        ({"rate": 1.1}, "rate"),
        ({"mask_id": V}, "mask_id must be"),
        ({"mask_id": 0, "keep": range(1, V)}, "none to put in place"),
    ],
)
def test_masks_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        mask_tokens(random_ids(), **{"mask_id": 3, "vocab_size": V, "generator": torch.Generator()} | options)


# ---- what it costs


def test_parameters_by_formula_are_the_models(config):
    counted = count_parameters(config)
    model = FAMILIES[type(config)](config)
    assert sum(counted.values()) == sum(p.numel() for p in model.parameters())
    of = {"embedding": ("embedding.", "segments", "previous."), "attention": ("attention.", ".cross.")}
    of["feed-forward"] = ("feed_forward",)
    for part, names in of.items():
        found = [p.numel() for name, p in model.named_parameters() if any(each in name for each in names)]
        assert counted[part] == sum(found), part


def test_gpt_2_small_has_124_439_808_parameters():
    config = GPTConfig(vocab_size=50_257, block_size=1024, n_layer=12, n_head=12, n_embd=768)
    assert sum(count_parameters(config).values()) == 124_439_808


def test_operations_by_formula_are_what_torch_counts(config):
    model, n, source = FAMILIES[type(config)](config), 6, 5
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):  # of the fused kernel it sees nothing
        logits = run(model, n)
        forward = counter.get_total_flops()
        logits.sum().backward()
    parts = forward_flops(config, n, source, batch_size=2)
    assert sum(parts.values()) == forward
    assert counter.get_total_flops() == 3 * forward
    assert parts == {name: 2 * flops for name, flops in forward_flops(config, n, source).items()}


def test_operations_by_hand():
    """C = 4, T = 3, V = 5: projections 4·2·T·C², scores and values 2·2·T²·C, feed-forward 2·2·T·C·4C, head 2·T·C·V."""
    config = GPTConfig(vocab_size=5, n_layer=1, n_head=2, n_embd=4)
    assert forward_flops(config, 3) == {
        "projections": 384, "scores and values": 144, "feed-forward": 768, "head": 120
    }  # fmt: skip


@pytest.mark.parametrize("count", [count_parameters, lambda config: forward_flops(config, 3)])
def test_costs_of_no_family_are_refused(count):
    with pytest.raises(ValueError, match="got TransformerConfig"):
        count(TransformerConfig(**SIZES))


# ---- what is refused


@pytest.mark.parametrize(
    ("family", "options", "message"),
    [
        (GPTConfig, {"vocab_size": 0}, "vocab_size must be a whole number"),
        (GPTConfig, {"block_size": 2.5}, "block_size must be a whole number"),
        (GPTConfig, {"n_layer": 0}, "n_layer must be"),
        (GPTConfig, {"n_head": 3}, "n_embd .16. must be a multiple of n_head .3."),
        (GPTConfig, {"n_kv_head": 3}, "one of n_kv_head .3."),
        (GPTConfig, {"n_kv_head": 0}, "kv_heads must be"),
        (GPTConfig, {"n_hidden": 0}, "hidden_width must be"),
        (GPTConfig, {"norm": "batch"}, "norm must be one of layer, rms, got 'batch'"),
        (GPTConfig, {"position": "relative"}, "position must be one of learned, sinusoidal, rotary, none"),
        (GPTConfig, {"activation": "tanh"}, "activation must be one of gelu"),
        (GPTConfig, {"position": "rotary", "n_embd": 12}, "must be even, got 3"),
        (GPTConfig, {"dropout": 1.0}, "dropout must lie"),
        (GPTConfig, {"end": V}, f"end must be the id of a token, below {V}, got {V}"),
        (BERTConfig, {"n_segment": 0}, "n_segment must be"),
        (EncoderDecoderConfig, {"position": "rotary"}, "no rotary positions"),
        (EncoderDecoderConfig, {"n_decoder_layer": 0}, "n_decoder_layer must be"),
        (EncoderDecoderConfig, {"start": -1}, "start must be"),
        (EncoderDecoderConfig, {"layout": "thirds"}, "layout must be one of interleaved, halves"),
    ],
)
def test_configs_that_do_not_fit_are_refused(family, options, message):
    with pytest.raises(ValueError, match=message):
        family(**SIZES | options)


@pytest.mark.parametrize("name", ["GPT, as GPT-2", "encoder–decoder"])
def test_a_vocabulary_of_another_size_is_refused(name):
    config = CONFIGS[name]
    with pytest.raises(ValueError, match="vocab has 2 tokens, but vocab_size is 17"):
        FAMILIES[type(config)](config, ["a", "b"])


@pytest.mark.parametrize("name", ["GPT, as GPT-2", "GPT, rotary positions", "BERT", "encoder–decoder"])
def test_more_tokens_than_the_context_holds_are_refused(name):
    model = build(CONFIGS[name])
    with pytest.raises(ValueError, match="block_size is 8 but the text has 9 tokens"):
        run(model, n=9)


@pytest.mark.parametrize("position", ["learned", "sinusoidal", "rotary", "none"])
def test_a_cache_cannot_take_more_than_the_context(position):
    model = build(GPTConfig(**SIZES, position=position))
    cache = model.new_cache()
    model.read(random_ids(6), cache)
    with pytest.raises(ValueError, match=r"position 8 is beyond the 8|holds 6 of 8 tokens"):
        model.read(random_ids(3), cache)


# ---- told the tokens before, and blocks that begin at zero


def test_the_tokens_before_are_added_at_the_input_through_tables_of_their_own():
    model = build(GPTConfig(**SIZES, n_previous=2, end=3))
    ids = torch.tensor([[5, 6, 7]])
    first, second = (table.weight for table in model.previous.tables)
    here = model.embedding.weight[ids[0]] + model.positions.table.weight[:3]
    expected = here + torch.stack([first[3] + second[3], first[5] + second[3], first[6] + second[5]])
    close(model.trace(ids).residual[0][0], expected)


def test_with_zero_init_a_new_model_is_its_input_alone():
    model = GPT(GPTConfig(**SIZES, zero_init=True))
    trace = model.trace(random_ids())
    assert torch.equal(trace.residual[0], trace.residual[-1])
    trace.logits.logsumexp(-1).sum().backward()
    assert all(block.feed_forward.down.weight.grad.abs().sum() > 0 for block in model.blocks), "and can still learn"


@pytest.mark.parametrize("wrong", [-1, 1.5, None])
def test_a_wrong_number_of_tokens_before_is_refused(wrong):
    with pytest.raises(ValueError, match="n_previous must be a whole number"):
        GPTConfig(**SIZES, n_previous=wrong)


@pytest.mark.parametrize("name", [name for name in CONFIGS if name.startswith("GPT")])
def test_generation_with_the_cache_is_generation_without_it_also_past_the_context(name):
    model, prompt = build(CONFIGS[name]), np.array([1, 2, 3])
    with_cache = generate(model, prompt, 4 * T, temperature=0)
    slow = list(prompt)
    for _ in range(4 * T):
        slow.append(int(model.next_log_probs(slow).argmax()))
    assert with_cache.tolist() == slow


# ---- one token at a time

NOT_LAID_OUT = {
    "RMSNorm",
    "query–key norm",
    "SwiGLU",
    "grouped queries",
    "all of them",
    "post-norm",
    "no positions, one key head",
}


def one_by_one(model, ids):
    """Logits of each token, read alone, and the cache that it ended with."""
    cache = model.new_cache()
    with torch.no_grad():
        return torch.cat([model.read(ids[:, [t]], cache) for t in range(ids.shape[1])], dim=1), cache


@pytest.mark.parametrize("name", [name for name in CONFIGS if name.startswith("GPT")])
def test_tokens_one_by_one_give_what_a_pass_over_all_gives(name, monkeypatch):
    monkeypatch.setattr(one_token, "AFTER", 3)
    model, ids = build(CONFIGS[name]), random_ids()
    logits, cache = one_by_one(model, ids)
    close(logits, model(ids))
    laid_out = name.removeprefix("GPT, ") not in NOT_LAID_OUT
    assert (one_token.OneToken.pays_after(model) == 3) == laid_out == (cache.one_token is not None)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "swiglu"])
def test_every_activation_is_the_same_where_weights_are_laid_out_and_they_stay_as_they_were(monkeypatch, activation, bias):
    monkeypatch.setattr(one_token, "AFTER", 1)
    sizes = SIZES | {"n_embd": 4, "n_hidden": 1}  # a matrix of one column lies in memory as its transpose does
    model, ids = build(GPTConfig(**sizes, activation=activation, bias=bias)), random_ids()
    before = copy.deepcopy(model.state_dict())
    logits, cache = one_by_one(model, ids)
    assert cache.one_token is not None
    close(logits, model(ids))
    for name, weights in model.state_dict().items():
        assert torch.equal(weights, before[name]), name


def test_weights_are_laid_out_for_those_who_read_on_and_not_where_somebody_trains(monkeypatch):
    monkeypatch.setattr(one_token, "AFTER", 5)
    model, ids = build(GPTConfig(**SIZES)), random_ids()
    assert one_by_one(model, ids[:, :4])[1].one_token is None
    cache = model.new_cache()
    for t in range(T):
        assert model.read(ids[:, [t]], cache).requires_grad and cache.one_token is None
    assert one_by_one(model.train(), ids)[1].one_token is None
    model.eval()
    before, _ = one_by_one(model, ids)
    with torch.no_grad():
        model.blocks[1].feed_forward.up.weight *= 2
    after, _ = one_by_one(model, ids)
    assert not torch.allclose(before, after)
    close(after, model(ids))


@pytest.mark.parametrize("place", ["attention.output", "norm_1", "feed_forward"])
@pytest.mark.parametrize("before", [False, True])
def test_a_hook_is_heard_though_the_weights_were_laid_out_before_it_came(monkeypatch, place, before):
    monkeypatch.setattr(one_token, "AFTER", 1)
    model, ids = build(GPTConfig(**SIZES, position="rotary")), random_ids()
    _, cache = one_by_one(model, ids[:, :-1])
    _, untouched = one_by_one(model, ids[:, :-1])
    untouched.one_token = None
    module = model.blocks[0].get_submodule(place)
    if before:
        handle = module.register_forward_pre_hook(lambda _, inputs: tuple(2 * x for x in inputs))
    else:
        handle = module.register_forward_hook(lambda _, inputs, output: 2 * output)
    with torch.no_grad():
        changed, expected = (model.read(ids[:, [-1]], each) for each in (cache, untouched))
    handle.remove()
    assert cache.one_token is not None
    close(changed, expected)
    assert not torch.allclose(changed, model(ids)[:, [-1]])


def test_models_with_replaced_layers_and_large_ones_are_not_laid_out(monkeypatch):
    model, wait = build(GPTConfig(**SIZES)), one_token.OneToken.pays_after
    assert wait(model) == one_token.AFTER and wait(quantise_model(model, 8, group=None)) == math.inf
    monkeypatch.setattr(one_token, "FOR_ONE_MORE", model.n_parameters // 3)
    assert wait(model) == one_token.AFTER + 3, "a larger model takes longer to lay out, and has to read more before"
    monkeypatch.setattr(one_token, "LARGEST", model.n_parameters)
    assert wait(model) < math.inf
    monkeypatch.setattr(one_token, "LARGEST", model.n_parameters - 1)
    assert wait(model) == math.inf
    monkeypatch.setattr(one_token, "LARGEST", 2 * model.n_parameters)
    add_lora(model, 2, 4.0)
    assert wait(model) == math.inf


@pytest.mark.parametrize("name", ["GPT, as GPT-2", "BERT, segments", "encoder–decoder"])
def test_ids_and_masks_go_where_the_model_is(name):
    """The device "meta" computes nothing, but knows where everything is."""
    model, ids, mask = build(CONFIGS[name]).to("meta"), random_ids(), torch.ones(2, T, dtype=torch.bool)
    if isinstance(model, EncoderDecoder):
        out = model(ids, ids, mask)
    else:
        out = model(ids, mask, ids % 2) if isinstance(model, BERT) else model(ids)
    assert out.device.type == "meta" and out.shape == (2, T, V)
