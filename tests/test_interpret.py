"""Interpretation: each tool against a model whose weights were set by hand, a hook written out, or the library that has it."""

import contextlib
import itertools
import math
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from helpers.attention import AttentionLM, AttentionLMConfig
from helpers.interpret import (
    HeadScore,
    ablate,
    ablation_map,
    duplicate_token,
    first_token,
    head_labels,
    head_mean,
    head_scores,
    induction,
    linear_probe,
    logit_lens,
    mass_on,
    mean_heads,
    patch,
    previous_token,
    repeated_ids,
    rollout,
    self_attention,
)
from helpers.interpret.head_scores import even_weights
from helpers.interpret.probing import logistic_regression, standardised
from helpers.interpret.reach import attentions, batch_of, stream_sites
from helpers.transformer import BERT, GPT, SINCE_GPT2, BERTConfig, EncoderDecoder, EncoderDecoderConfig, GPTConfig

CLOSE = {"atol": 1e-5, "rtol": 1e-4}  # float32, two layers, logits of a few tens
V, T = 17, 12
SIZES = {"vocab_size": V, "block_size": 16, "n_layer": 2, "n_head": 4, "n_embd": 16}
IDS = np.random.default_rng(0).integers(V, size=T)
SOURCE = np.random.default_rng(1).integers(V, size=5)
MODELS = {
    "GPT": lambda: GPT(GPTConfig(**SIZES)),
    "GPT, modern": lambda: GPT(GPTConfig(**SIZES, **SINCE_GPT2["all of them"], n_previous=2, tied=False)),
    "GPT, post-norm": lambda: GPT(GPTConfig(**SIZES, norm_first=False)),
    "BERT": lambda: BERT(BERTConfig(**SIZES, norm_first=True)),
    "BERT, post-norm": lambda: BERT(BERTConfig(**SIZES)),
    "encoder–decoder": lambda: EncoderDecoder(EncoderDecoderConfig(**SIZES, n_decoder_layer=1, activation="gelu")),
    "encoder–decoder, pre-norm": lambda: EncoderDecoder(EncoderDecoderConfig(**SIZES, norm_first=True)),
    "AttentionLM": lambda: AttentionLM(
        list("\nabcdefghijklmnop"), AttentionLMConfig(block_size=16, n_embd=16, n_head=4, window=2)
    ),
}
PARTS = [(name, None) for name in MODELS] + [("encoder–decoder", "encoder"), ("encoder–decoder", "cross")]


def build(name):
    """A model whose weights, biases and norms all matter, and whose heads do; at its own start much would look equal."""
    model = MODELS[name]().eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in model.parameters():
            p.add_((0.4 if p.ndim > 1 else 0.1) * torch.randn(p.shape, generator=generator))
    return model


def ids_of(model, ids=IDS):
    return (SOURCE, ids) if isinstance(model, EncoderDecoder) else ids


@torch.no_grad()
def logits_of(model, ids=None):
    return model(*batch_of(model, ids_of(model) if ids is None else ids))[0]


def close(a, b, **tolerance):
    torch.testing.assert_close(torch.as_tensor(a), torch.as_tensor(b), check_dtype=False, **(tolerance or CLOSE))


@contextlib.contextmanager
def edited(model, layer, head, part=None, mean=None):
    """The same operation on the weights: the head's columns of the output matrix are zero; its mean goes into a bias."""
    attention = attentions(model, part)[layer]
    D = attention.head_width
    columns = slice(head * D, (head + 1) * D)
    before = attention.output.weight.detach().clone()
    bias = attention.output.bias
    with torch.no_grad():
        attention.output.weight[:, columns] = 0
        if mean is not None:
            attention.output.bias = nn.Parameter(before[:, columns] @ mean[layer, columns] + (0 if bias is None else bias))
    yield
    attention.output.bias = bias
    with torch.no_grad():
        attention.output.weight.copy_(before)


# ---- models whose weights were set by hand

LETTERS, PLACES = 8, 17  # of the hand-made model: its vocabulary, and how many positions it has
WIDTH = 42  # 8 for the token, 17 for the position, 8 for the token before, 8 for the answer, and one that is always 0
TOKEN, PLACE, BEFORE, ANSWER = slice(0, 8), slice(8, 25), slice(25, 33), slice(33, 41)
SURE = 200.0  # a score that far above the others leaves them no weight that float32 can hold


class Place(nn.Module):
    """A positions table set by hand: position t at coordinate 8 + t."""

    def forward(self, x, start=0):
        return x + torch.eye(WIDTH)[8 + start : 8 + start + x.shape[1]]


@torch.no_grad()
def induction_model():
    """Two layers without norms. What is known of them, by construction:

    layer 0, head 0 looks at the token before and copies it to BEFORE; head 1 looks at the first token, and nothing comes of it.
    layer 1, head 0 looks where BEFORE is its own token and copies the token there to ANSWER, which the head of the model reads;
    head 1 looks evenly, and fetches nothing.
    """
    config = GPTConfig(
        vocab_size=LETTERS, block_size=PLACES, n_layer=2, n_head=2, n_embd=WIDTH, bias=False, tied=False, position="none"
    )
    model = GPT(config, list("abcdefgh")).eval()
    for p in model.parameters():
        p.zero_()
    model.positions, model.norm = Place(), nn.Identity()
    model.embedding.weight[:, TOKEN] = torch.eye(LETTERS)
    model.head.weight[:, ANSWER] = 10 * torch.eye(LETTERS)
    D, sure = WIDTH // 2, SURE * math.sqrt(WIDTH // 2)
    first, second = (block.attention for block in model.blocks)
    for block in model.blocks:
        block.norm_1 = nn.Identity()
    for t in range(1, PLACES):
        first.query.weight[t - 1, 8 + t] = sure  # position t asks for position t − 1,
    first.key.weight[:PLACES, PLACE] = torch.eye(PLACES)  # and each key says its position
    first.value.weight[:LETTERS, TOKEN] = torch.eye(LETTERS)
    first.output.weight[BEFORE, :LETTERS] = torch.eye(LETTERS)
    first.query.weight[D, PLACE] = sure  # every position asks for the first one
    first.key.weight[D, 8] = 1
    first.value.weight[D : D + LETTERS, TOKEN] = torch.eye(LETTERS)  # and fetches its token; but the output has no use for it
    second.query.weight[:LETTERS, TOKEN] = sure * torch.eye(LETTERS)
    second.key.weight[:LETTERS, BEFORE] = torch.eye(LETTERS)
    second.value.weight[:LETTERS, TOKEN] = torch.eye(LETTERS)
    second.output.weight[ANSWER, :LETTERS] = torch.eye(LETTERS)
    return model


HELD = np.array([0, 1, 2, 3, 4, 1])  # b c d e b: after the second b the construction says c


def test_the_construction_does_what_it_says():
    weights = self_attention(induction_model(), HELD)  # (2, 2, 6, 6)
    close(weights[0, 0, 1:], np.eye(6)[:-1])
    close(weights[0, 1], np.eye(6)[[0] * 6])
    close(weights[1, 0, 5], np.eye(6)[2])
    close(weights[1, 1], even_weights(6, causal=True))
    close(logits_of(induction_model(), HELD)[-1], [0, 0, 10, 0, 0, 0, 0, 0])


# ---- ablation


def test_which_heads_and_streams_a_part_has():
    model = MODELS["encoder–decoder"]()
    assert attentions(model) == attentions(model, "decoder") == [block.attention for block in model.decoder]
    assert attentions(model, "encoder") == [block.attention for block in model.encoder]
    assert attentions(model, "cross") == [block.cross for block in model.decoder]
    assert [site.module for site in stream_sites(model, "encoder")] == [*model.encoder, model.encoder[-1]]


@pytest.mark.parametrize("kind", ["zero", "mean"])
@pytest.mark.parametrize(("name", "part"), PARTS)
def test_ablation_is_what_the_weights_without_the_head_give(name, part, kind):
    model = build(name)
    mean = mean_heads(model, ids_of(model), part) if kind == "mean" else None
    layer = len(attentions(model, part)) - 1
    whole = logits_of(model)
    with ablate(model, [(layer, 1), (0, 3)], kind, mean=mean, part=part):
        found = logits_of(model)
    with edited(model, layer, 1, part, mean), edited(model, 0, 3, part, mean):
        expected = logits_of(model)
    close(found, expected)
    assert (found - whole).abs().max() > 0.1
    assert torch.equal(logits_of(model), whole)


@torch.no_grad()
@pytest.mark.parametrize("name", MODELS)
def test_the_mean_is_that_of_what_the_heads_fetched(name):
    model = build(name)
    trace = model.trace(*batch_of(model, ids_of(model)))
    trace = trace[1] if isinstance(trace, tuple) and isinstance(model, EncoderDecoder) else trace
    heads = trace.heads[None] if name == "AttentionLM" else trace.heads  # (L, 1, T, H·D)
    close(mean_heads(model, ids_of(model)), heads[:, 0].mean(dim=1))


@torch.no_grad()
@pytest.mark.parametrize("name", ["GPT", "GPT, modern", "AttentionLM"])
@pytest.mark.parametrize("kind", ["zero", "mean"])
def test_ablation_holds_with_a_cache_and_in_a_trace(name, kind):
    model, ids = build(name), IDS[1:]
    with ablate(model, [(0, 2)], kind, mean=mean_heads(model, IDS) if kind == "mean" else None):
        reader, whole = model.reader(), model.log_probs(ids)
        found = [reader.read([token])[expected] for token, expected in itertools.pairwise(ids)]
        np.testing.assert_allclose(found, whole[1:], atol=1e-5)
        if name != "AttentionLM":
            close(model.trace(*batch_of(model, IDS)).logits[0], logits_of(model, IDS))
    assert np.abs(whole - model.log_probs(ids)).max() > 0.05


@torch.no_grad()
def test_at_some_positions_only_beside_a_hook_written_out():
    model = build("GPT")

    def hook(_, inputs):
        heads = inputs[0].clone()
        heads[:, [2, 11], 4:8] = 0  # head 1, D = 4
        return (heads,)

    handle = model.blocks[0].attention.output.register_forward_pre_hook(hook)
    expected = logits_of(model)
    handle.remove()
    with ablate(model, [(0, 1)], positions=[2, -1]):
        found = logits_of(model)
    assert torch.equal(found, expected)
    assert torch.equal(found[:2], logits_of(model)[:2]) and not torch.allclose(found[2], logits_of(model)[2])


def test_ablation_nests_and_ends_with_an_error():
    model = build("GPT")
    whole, mean = logits_of(model), torch.ones(2, 16)
    with ablate(model, [(0, 0), (0, 1)]):
        both = logits_of(model)
    with ablate(model, [(0, 0)]), ablate(model, [(0, 1)]):
        assert torch.equal(logits_of(model), both)
    with ablate(model, [(0, 0)], "mean", mean=mean):
        ones = logits_of(model)
    with ablate(model, [(0, 0)]), ablate(model, [(0, 0)], "mean", mean=mean):
        assert torch.equal(logits_of(model), ones)  # the inner one counts
    with pytest.raises(KeyError), ablate(model, [(0, 0)]), ablate(model, [(1, 1)]):
        raise KeyError
    with ablate(model, []):
        assert torch.equal(logits_of(model), whole)
    assert torch.equal(logits_of(model), whole)
    assert not any(m._forward_pre_hooks or m._forward_hooks for m in model.modules())


def test_gradients_pass_by_a_head_that_is_off():
    model = build("GPT")
    with ablate(model, [(1, 2)]):
        model(*batch_of(model, IDS)).sum().backward()
    gradient = model.blocks[1].attention.value.weight.grad.unflatten(0, (4, 4)).abs().sum(dim=(1, 2))  # (H,)
    assert (gradient > 0).tolist() == [True, True, False, True]


def asked_of(model):
    """Targets for a model: BERT is asked what stands at two positions, the others for the next tokens."""
    if not isinstance(model, BERT):
        return None, np.append(IDS[1:], -100)
    targets = np.where(np.isin(np.arange(T), [3, 7]), IDS, -100)
    return targets, targets


@pytest.mark.parametrize("kind", ["zero", "mean"])
@pytest.mark.parametrize(("name", "part"), PARTS)
def test_the_map_is_each_head_off_by_itself(name, part, kind):
    model = build(name)
    given, targets = asked_of(model)
    ids, n_layer = ids_of(model), len(attentions(model, part))
    mean = mean_heads(model, ids, part) if kind == "mean" else None

    def loss():
        return F.cross_entropy(logits_of(model), torch.as_tensor(targets)).item()  # which leaves −100 out

    expected = np.empty((n_layer, 4))
    for layer, head in np.ndindex(n_layer, 4):
        with ablate(model, [(layer, head)], kind, mean=mean, part=part):
            expected[layer, head] = loss()
    found = ablation_map(model, ids, kind, targets=given, part=part)
    assert found.shape == (n_layer, 4) and np.abs(found).max() > 0.01
    close(found, expected - loss())


def test_the_map_of_one_position_and_of_another_mean():
    model, mean = build("GPT"), torch.ones(2, 16)
    only = np.full(T, -100)
    only[4] = IDS[5]
    found = ablation_map(model, IDS, "mean", mean=mean, position=4)
    close(found, ablation_map(model, IDS, "mean", mean=mean, targets=only))
    with ablate(model, [(1, 0)], "mean", mean=mean):
        off = logits_of(model).log_softmax(dim=-1)[4, IDS[5]]
    close(found[1, 0], logits_of(model).log_softmax(dim=-1)[4, IDS[5]] - off)


def test_the_map_by_hand_and_a_striking_head_that_does_nothing():
    model = induction_model()
    targets = [-100] * 5 + [2]
    found = ablation_map(model, HELD, targets=targets)
    certain = math.log(1 + 7 * math.exp(-10))
    seen = np.array([1, 2, 1, 1, 1, 0, 0, 0]) * 10 / 6  # without the token before, layer 1 looks at all six evenly
    blind = np.log(np.exp(seen).sum()) - seen[2]
    close(found, [[blind - certain, 0], [math.log(8) - certain, 0]])
    assert found[0, 1] == found[1, 1] == 0
    scores = head_scores(model, HELD)
    assert scores["first token"].values[0, 1] == 1  # and yet nothing comes of it


@torch.no_grad()
def test_by_hand_the_mean_takes_away_only_what_varies():
    model = induction_model()
    model.blocks[0].attention.output.weight[ANSWER, 21:29] = torch.eye(8)  # what head 1 fetched, always token 0, is now heard
    close(logits_of(model, HELD)[-1], [10, 0, 10, 0, 0, 0, 0, 0])
    close(ablation_map(model, HELD, "mean")[0, 1], 0)
    assert ablation_map(model, HELD, targets=[-100] * 5 + [2])[0, 1] == pytest.approx(-math.log(2), abs=1e-3)


def test_what_ablation_refuses():
    model = build("GPT")
    for heads in ([(2, 0)], [(0, 4)], [(-1, 0)], (0, 1), [0]):
        with pytest.raises(ValueError, match=r"no head|list of pairs"), ablate(model, heads):
            pass
    for kind, mean in (("mean", None), ("mean", torch.zeros(2, 4)), ("zero", torch.zeros(2, 16)), ("median", None)):
        with pytest.raises(ValueError, match="mean"), ablate(model, [(0, 0)], kind, mean=mean):
            pass
    with pytest.raises(ValueError, match="no position 12"), ablate(model, [(0, 0)], positions=[12]):
        logits_of(model)
    with pytest.raises(ValueError, match="leave part"), ablate(model, [], part="encoder"):
        pass
    with pytest.raises(ValueError, match="one of decoder, encoder, cross"):
        attentions(build("encoder–decoder"), "middle")
    with pytest.raises(ValueError, match="expected a GPT"), ablate(nn.Linear(2, 2), []):
        pass
    with pytest.raises(ValueError, match="tuple \\(source, target\\)"):
        ablation_map(build("encoder–decoder"), IDS)
    with pytest.raises(ValueError, match="BERT predicts no next token"):
        ablation_map(build("BERT"), IDS)
    with pytest.raises(ValueError, match="one a token"):
        ablation_map(model, IDS, targets=[1])
    with pytest.raises(ValueError, match="no target"):
        ablation_map(model, IDS, position=-1)
    with pytest.raises(ValueError, match="not in the vocabulary"):
        ablation_map(model, [V])
    with pytest.raises(ValueError, match="block_size is 16"):
        ablation_map(model, [1] * 17)


# ---- logit lens


@pytest.mark.parametrize("name", ["GPT", "GPT, modern", "BERT", "encoder–decoder, pre-norm", "AttentionLM"])
def test_the_last_layer_of_the_lens_is_the_model(name):
    model = build(name)
    lens = logit_lens(model, ids_of(model))
    assert lens.shape == (2 if name == "AttentionLM" else 3, T, V)
    np.testing.assert_allclose(np.exp(lens).sum(axis=-1), 1, atol=1e-5)
    close(lens[-1], logits_of(model).log_softmax(dim=-1))
    assert np.abs(lens[0] - lens[-1]).max() > 0.5


@torch.no_grad()
def test_the_lens_written_out():
    for name in ("BERT", "encoder–decoder, pre-norm"):
        model = build(name)
        trace = model.trace(*batch_of(model, ids_of(model)))
        stream = model.norm((trace if name == "BERT" else trace[1]).residual[:, 0])
        if name == "BERT":
            stream = model.transform_norm(F.gelu(model.transform(stream)))
        close(logit_lens(model, ids_of(model)), model.head(stream).log_softmax(dim=-1))
    model = build("AttentionLM")
    ids, before = torch.as_tensor(IDS), torch.as_tensor([model.end, *IDS[:-1]])
    start = model.embeddings[0](ids) + model.embeddings[1](before)  # window = 2
    close(logit_lens(model, IDS)[0], model.output(start).log_softmax(dim=-1))


@torch.no_grad()
def test_the_lens_is_hugging_faces_hidden_states_through_its_last_norm_and_head():
    transformers = pytest.importorskip("transformers")
    sizes = {"vocab_size": V, "n_positions": 16, "n_embd": 24, "n_layer": 3, "n_head": 4, "eos_token_id": 7, "bos_token_id": 7}
    theirs = transformers.GPT2LMHeadModel(transformers.GPT2Config(**sizes)).eval()
    for i, p in enumerate(theirs.parameters()):
        p.add_(0.3 * torch.randn(p.shape, generator=torch.Generator().manual_seed(i)))
    *early, last = theirs(torch.as_tensor(IDS)[None], output_hidden_states=True).hidden_states  # the last one has been normed
    through = [theirs.lm_head(theirs.transformer.ln_f(h)) for h in early] + [theirs.lm_head(last)]
    close(logit_lens(GPT.from_huggingface(theirs), IDS), torch.cat(through).log_softmax(dim=-1), atol=1e-4, rtol=1e-4)


def test_the_lens_by_hand():
    lens = logit_lens(induction_model(), HELD)
    close(lens[:2], np.full((2, 6, 8), -math.log(8)))  # nothing is at ANSWER before the last layer
    close(lens[2, -1], torch.tensor([0, 0, 10.0, 0, 0, 0, 0, 0]).log_softmax(dim=-1))


@pytest.mark.parametrize("name", ["GPT, post-norm", "BERT, post-norm", "encoder–decoder"])
def test_the_lens_refuses_a_post_norm_model(name):
    model = build(name)
    with pytest.raises(ValueError, match="post-norm"):
        logit_lens(model, ids_of(model))


# ---- patching


def corrupted(since=3):
    return np.where(np.arange(T) >= since, (IDS + 1) % V, IDS)


@torch.no_grad()
@pytest.mark.parametrize(("name", "part"), [each for each in PARTS if each[1] != "cross" and each[0] != "AttentionLM"])
def test_patching_is_a_hook_that_puts_the_clean_stream_there(name, part):
    model = build(name)
    clean, corrupt = ids_of(model), ids_of(model, corrupted())
    if part == "encoder":
        corrupt = ((SOURCE + np.arange(5)) % V, IDS)
    blocks = getattr(model, part or "decoder") if isinstance(model, EncoderDecoder) else model.blocks
    trace = model.trace(*batch_of(model, clean))
    if isinstance(model, EncoderDecoder):
        trace = trace[0 if part == "encoder" else 1]

    def difference(ids):
        return (logits_of(model, ids)[-2, 5] - logits_of(model, ids)[-2, 6]).item()

    expected = np.empty((len(blocks) + 1, trace.residual.shape[2]))
    for layer, t in np.ndindex(*expected.shape):

        def put(x, layer=layer, t=t):
            x = x.clone()
            x[:, t] = trace.residual[layer, :, t]
            return x

        if layer < len(blocks):
            handle = blocks[layer].register_forward_pre_hook(lambda _, inputs, put=put: (put(inputs[0]),))
        else:
            handle = blocks[-1].register_forward_hook(lambda _, inputs, out, put=put: put(out))
        expected[layer, t] = difference(corrupt)
        handle.remove()
    low, high = difference(corrupt), difference(clean)
    found = patch(model, clean, corrupt, 5, 6, position=-2, part=part)
    close(found, (expected - low) / (high - low), atol=1e-3, rtol=1e-3)  # a difference is divided by one that may be small
    assert np.abs(found).max() > 0.05


@torch.no_grad()
def test_patching_one_layer_of_attention_written_out():
    model, corrupt = build("AttentionLM"), corrupted(since=8)

    def begin(ids):
        rows = torch.as_tensor(ids), torch.as_tensor([model.end, *ids[:-1]])
        return sum(table(row) for table, row in zip(model.embeddings, rows, strict=True))[None]

    def difference(x):
        logits = model.output(x + model.attention(x, causal=True, rotary=model.rotary))[0, -1]
        return (logits[5] - logits[6]).item()

    low, high = difference(begin(corrupt)), difference(begin(IDS))
    found = patch(model, IDS, corrupt, 5, 6)
    for t in range(T):
        x = begin(corrupt).clone()
        x[:, t] = begin(IDS)[:, t]
        assert found[0, t] == pytest.approx((difference(x) - low) / (high - low), abs=1e-3)
    close(found[1], np.eye(T)[-1], atol=1e-3, rtol=0)  # after the layer only the last position matters


def test_patching_by_hand():
    """b c d e b against b f d e b: the answer sits at c until layer 1 has fetched it, and then at the last position."""
    corrupt = np.array([0, 1, 5, 3, 4, 1])
    found = patch(induction_model(), HELD, corrupt, right=2, wrong=5)
    expected = np.zeros((3, 6))
    expected[0, 2] = expected[1, 2] = expected[2, 5] = 1
    close(found, expected)


def test_a_decoder_has_nothing_to_give_back_where_only_the_sources_differ():
    model = build("encoder–decoder")
    found = patch(model, (SOURCE, IDS), ((SOURCE + 1) % V, IDS), 5, 6)
    assert found.shape == (2, T) and not found[0].any() and found[-1, -1] == pytest.approx(1, abs=1e-4)


def test_what_patching_refuses():
    model = build("GPT")
    for wrong, message in (
        ({"corrupt": IDS[:-1]}, "equally many"),
        ({"corrupt": IDS}, "nothing to bring back"),
        ({"right": V}, "two tokens below 17"),
        ({"right": 6}, "two tokens"),
        ({"position": T}, "no position 12"),
    ):
        with pytest.raises(ValueError, match=message):
            patch(model, **{"clean": IDS, "corrupt": corrupted(), "right": 5, "wrong": 6} | wrong)
    with pytest.raises(ValueError, match="no stream of its own"):
        patch(build("encoder–decoder"), (SOURCE, IDS), (SOURCE, corrupted()), 5, 6, part="cross")


# ---- scores of heads


def test_masks_by_hand():
    ids = [5, 1, 5, 1]
    assert np.argwhere(previous_token(3)).tolist() == [[1, 0], [2, 1]]
    assert np.argwhere(first_token(3)).tolist() == [[1, 0], [2, 0]]
    assert np.argwhere(duplicate_token(ids)).tolist() == [[2, 0], [3, 1]]
    assert np.argwhere(induction(ids)).tolist() == [[2, 1], [3, 2]]
    weights = [[1, 0, 0], [0.3, 0.7, 0], [0.1, 0.6, 0.3]]
    assert mass_on(weights, previous_token(3)) == pytest.approx((0.3 + 0.6) / 2)
    assert mass_on(even_weights(3, causal=True), previous_token(3)) == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert mass_on(even_weights(3, causal=False), previous_token(3)) == pytest.approx(1 / 3)
    with warnings.catch_warnings(action="error"):
        assert np.isnan(mass_on(weights, duplicate_token([1, 2, 3])))


def test_repeated_ids_are_different_tokens_twice():
    ids = repeated_ids(9, 8, seed=0, without=(3,))
    assert sorted(ids[:8]) == [0, 1, 2, 4, 5, 6, 7, 8] and (ids[:8] == ids[8:]).all()
    assert (ids != repeated_ids(9, 8, seed=1, without=(3,))).any()
    where = induction(ids)
    assert [np.flatnonzero(row).tolist() for row in where] == [[]] * 8 + [[t - 7] for t in range(8, 16)]


def test_scores_and_labels_of_the_construction():
    text = [0, 1, 2, 3, 1, 2, 4, 5, 6, 7, 3, 2]
    scores = head_scores(induction_model(), text)
    chances = 1 / np.arange(1, 13)
    close(scores["previous token"].values[0, 0], 1)
    close(scores["previous token"].chance, chances[1:].mean())
    close(scores["first token"].values[0, 1], 1)
    close(scores["duplicate token"].chance, (1 / 5 + 1 / 6 + 1 / 11 + 2 / 12) / 4)
    close(scores["induction"].values[1, 0], 1)
    twice = [(1 / np.arange(n + 2, 2 * n + 2)).mean() for n in (7, 6, 5, 4)]  # n tokens twice, after the first
    close(scores["induction"].chance, np.mean(twice))
    for score in scores.values():
        close(score.values[1, 1], score.chance)  # the even head is at chance everywhere
        assert (score.values >= 0).all() and (score.values <= 1 + 1e-6).all()
    labels = [(label.layer, label.head, label.name) for label in head_labels(scores)]
    assert labels == [(0, 0, "previous token"), (0, 1, "first token"), (1, 0, "induction")]


@torch.no_grad()
def test_a_head_that_looks_back_equally_far_each_time_is_no_induction_head():
    model = induction_model()
    query = model.blocks[0].attention.query.weight
    query[:21] = query[:21].roll(-5, dims=0)  # position t now asks for position t − 6: where 7 tokens come twice, the one after
    values = head_scores(model, HELD)["induction"].values
    assert 0.2 < values[0, 0] < 0.4 and not [label for label in head_labels(head_scores(model, HELD)) if label[:2] == (0, 0)]


@pytest.mark.parametrize(("name", "part"), [each for each in PARTS if each[1] != "cross"])
def test_scores_of_every_family(name, part):
    model = build(name)
    scores = head_scores(model, ids_of(model), part=part)
    n = 5 if part == "encoder" else T
    both_ways = part == "encoder" or isinstance(model, BERT)
    assert scores["previous token"].chance == pytest.approx(1 / n if both_ways else (1 / np.arange(2, n + 1)).mean())
    assert {score.values.shape for score in scores.values()} == {(len(attentions(model, part)), 4)}
    weights = self_attention(model, ids_of(model), part)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-5)
    close(scores["first token"].values, weights[..., 1:, 0].mean(axis=-1))
    close(scores["previous token"].values, np.diagonal(weights, offset=-1, axis1=-2, axis2=-1).mean(axis=-1))


def test_a_label_needs_more_than_the_threshold_and_than_chance():
    values = np.array([[0.39, 0.41], [0.79, 0.81]])
    low, high = HeadScore(values, 0.0), HeadScore(values, 2 / 3)  # of a text of two or three tokens, say
    assert [label[:2] for label in head_labels({"x": low})] == [(0, 1), (1, 0), (1, 1)]
    assert [label[:2] for label in head_labels({"x": high})] == [(1, 1)]
    assert head_labels({"x": HeadScore(values * np.nan, np.nan)}) == []
    both = head_labels({"x": low, "y": HeadScore(values + 0.1, 0.0)}, threshold=0.8)
    assert [(label.name, label.score) for label in both] == [("y", 0.89), ("y", 0.91), ("x", 0.81)]


def test_what_scores_refuse():
    for n in (2, 9):
        with pytest.raises(ValueError, match="from 3 to 8"):
            repeated_ids(9, n, seed=0, without=(0,))
    with pytest.raises(ValueError, match="do not fit"):
        mass_on(np.eye(3), previous_token(4))
    with pytest.raises(ValueError, match="threshold"):
        head_labels({}, threshold=1.0)
    with pytest.raises(ValueError, match="within one text"):
        head_scores(build("encoder–decoder"), (SOURCE, IDS), part="cross")


# ---- mean and rollout


def test_rollout_by_hand():
    """One head at (1, ½ + ½): with the stream A = (1, 0; ¼, ¾), and A² = (1, 0; 7/16, 9/16)."""
    layer = [[[1, 0], [0.5, 0.5]]]
    close(rollout([layer, layer]), [[[1, 0], [0.25, 0.75]], [[1, 0], [7 / 16, 9 / 16]]])
    close(head_mean([[[[1, 0], [0, 1]], [[1, 0], [1, 0]]]]), [[[1, 0], [0.5, 0.5]]])


def test_rollout_spreads_all_and_nothing_ahead():
    weights = self_attention(build("GPT"), IDS)
    found = rollout(weights)
    close(found.sum(axis=-1), np.ones((2, T)))
    assert not np.triu(found, k=1).any() and (found >= 0).all()
    close(rollout(weights[:1])[0], (weights[0].mean(axis=0) + np.eye(T)) / 2)


def test_what_rollout_refuses():
    with pytest.raises(ValueError, match="self-attention"):
        rollout(np.full((1, 1, 2, 4), 0.25))
    with pytest.raises(ValueError, match="sum to one"):
        head_mean(np.ones((1, 1, 2, 2)))


# ---- probes


def toy(n=800, n_types=40):
    """Labels that do not depend on the type, 70 % of them 0; features by type, and features by label."""
    rng = np.random.default_rng(0)
    types, labels = rng.integers(n_types, size=n), rng.choice(3, size=n, p=[0.7, 0.2, 0.1])
    return types, labels, np.eye(n_types)[types], np.eye(3)[labels] + 0.05 * rng.normal(size=(n, 3))


def test_a_probe_of_the_label_is_selective_and_one_of_the_type_is_not():
    types, labels, by_type, by_label = toy()
    real = linear_probe(by_label, labels, types)
    assert real.accuracy == 1 and real.control_accuracy < 0.85 and real.selectivity > 0.15
    by_heart = linear_probe(by_type, types % 3, types)  # the label is the type's: so it can be learned by heart
    assert by_heart.accuracy == by_heart.control_accuracy == 1 and by_heart.selectivity == 0
    nothing = linear_probe(np.ones((len(types), 2)), labels, types)
    assert nothing.accuracy == nothing.majority == pytest.approx(0.7, abs=0.07)


def test_a_probe_is_tested_on_what_it_was_told_to_test():
    types, labels, _, by_label = toy()
    test = np.arange(len(types)) >= 400
    wrong = np.where(test, (labels + 1) % 3, labels)
    assert linear_probe(by_label, wrong, types, test=test).accuracy == 0
    assert linear_probe(by_label, wrong, types, test=~test).accuracy == 0
    assert linear_probe(torch.as_tensor(by_label), np.array(list("abc"))[labels], types, test=test).accuracy == 1
    assert linear_probe(by_label, labels, types, seed=1) == linear_probe(by_label, labels, types, seed=1)


def test_logistic_regression_is_at_the_minimum():
    """The loss is convex: where its gradient, written out, is zero, there is its only minimum."""
    rng = np.random.default_rng(0)
    x, y = torch.as_tensor(rng.normal(size=(60, 4))), torch.as_tensor(rng.integers(3, size=60))
    W, b = logistic_regression(x, y, 3, l2=2.0)
    error = (x @ W + b).softmax(dim=-1) - F.one_hot(y, 3)  # (60, 3)
    close(x.T @ error + 2 * W, torch.zeros(4, 3), atol=1e-4, rtol=0)
    close(error.sum(dim=0), torch.zeros(3), atol=1e-4, rtol=0)
    assert W.abs().max() > 0.1


def test_features_are_standardised_by_the_training_rows():
    x = torch.tensor([[1.0, 5.0], [3.0, 5.0], [8.0, 6.0]])
    close(standardised(x, torch.tensor([True, True, False])), [[-1.0, 0.0], [1.0, 0.0], [6.0, 1.0]])


def test_what_a_probe_refuses():
    types, labels, _, features = toy(n=20)
    for wrong, message in (
        ({"features": features[:-1]}, "same N examples"),
        ({"types": types[:-1]}, "same N examples"),
        ({"labels": labels * 0}, "nothing to tell apart"),
        ({"test": np.ones(20, dtype=bool)}, "not for all"),
        ({"test": np.zeros(20, dtype=bool)}, "not for all"),
        ({"test": [0, 1]}, "not for all"),
    ):
        with pytest.raises(ValueError, match=message):
            linear_probe(**{"features": features, "labels": labels, "types": types} | wrong)


# ---- all of them


@pytest.mark.parametrize("measure", [ablation_map, logit_lens, head_scores, mean_heads])
def test_dropout_is_off_while_measuring_and_the_model_is_as_it_was(measure):
    model = GPT(GPTConfig(**SIZES, dropout=0.5)).train()
    first, second = measure(model, IDS), measure(model, IDS)
    if measure is head_scores:
        first, second = ([each.values for each in found.values()] for found in (first, second))
    np.testing.assert_array_equal(np.asarray(first), np.asarray(second))
    assert model.training and all(p.grad is None for p in model.parameters())
    assert not any(m._forward_pre_hooks or m._forward_hooks for m in model.modules())
