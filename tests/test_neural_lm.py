"""Neural language models: causal, consistent, equal to their formulas by hand, with the right gradients; their training."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from helpers import corpora, world
from helpers.neural_lm import (
    GRU,
    NNLM,
    PRESETS,
    Bigram,
    FitConfig,
    GRUConfig,
    NeuralLM,
    NNLMConfig,
    device,
    fit,
    learning_rate,
    lr_range_test,
    models,
    random_crops,
)
from helpers.probability import LanguageModel
from helpers.sampling import generate

VOCAB = list("\nabcdef")
V = len(VOCAB)
KINDS = ("bigram", "nnlm", "gru", "two-layer gru")


def build(kind, vocab=VOCAB, seed=0):
    """A small model with scores that differ; at its own start it would be nearly uniform, and much would look equal."""
    model = {
        "bigram": lambda: Bigram(vocab),
        "nnlm": lambda: NNLM(vocab, NNLMConfig(block_size=3, n_embd=4, n_hidden=5, seed=seed)),
        "gru": lambda: GRU(vocab, GRUConfig(n_embd=4, n_hidden=5, seed=seed)),
        "two-layer gru": lambda: GRU(vocab, GRUConfig(n_embd=4, n_hidden=5, n_layer=2, seed=seed)),
    }[kind]()
    generator = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn(p.shape, generator=generator))
    return model


@pytest.fixture(params=KINDS)
def model(request):
    return build(request.param)


MODELS = {kind: build(kind) for kind in KINDS}
texts = st.lists(st.integers(0, V - 1), min_size=1, max_size=12)


def tokens(*ids):
    return torch.tensor(ids)[None]


def parameters(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


# ---- properties


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(KINDS), texts, st.data())
def test_a_position_depends_on_no_later_token(kind, ids, data):
    t = data.draw(st.integers(0, len(ids) - 1))
    changed = ids[: t + 1] + data.draw(st.lists(st.integers(0, V - 1), max_size=5))
    logits = [MODELS[kind](torch.tensor([text]))[0, : t + 1] for text in (ids, changed)]
    assert torch.allclose(*logits, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(KINDS), texts)
def test_one_pass_and_one_token_at_a_time_give_the_same(kind, ids):
    """The base class' chain rule, which asks next_log_probs for each token, is the oracle. Single precision, hence 1e-5."""
    model = MODELS[kind]
    assert np.exp(model.next_log_probs(ids)).sum() == pytest.approx(1, abs=1e-9)
    assert model.log_probs(ids) == pytest.approx(LanguageModel.log_probs(model, ids), abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(KINDS), texts, texts)
def test_a_text_may_be_read_in_parts(kind, first, second):
    model = MODELS[kind]
    logits, state = model.scan(torch.tensor([first]), None)
    rest, _ = model.scan(torch.tensor([second]), state)
    assert torch.allclose(torch.cat([logits, rest], dim=1), model(torch.tensor([first + second])), atol=1e-6)


def test_a_long_text_is_scored_in_parts_with_the_same_result(model, monkeypatch):
    ids = np.random.default_rng(0).integers(0, V, 50)
    whole = model.log_probs(ids)
    monkeypatch.setattr(models, "SCORED_AT_ONCE", 7)
    assert model.log_probs(ids) == pytest.approx(whole, abs=1e-6)
    assert whole.dtype == np.float64 and whole.shape == (50,)


@pytest.mark.parametrize(("kind", "reach"), [("bigram", 1), ("nnlm", 3)])
def test_only_the_last_block_size_tokens_count(kind, reach):
    model = MODELS[kind]
    assert model.block_size == reach
    ends = [model(tokens(*head, 1, 2, 3)[:, -6:])[0, -1] for head in ((0, 0, 0), (4, 5, 6))]
    assert torch.equal(*ends)
    assert torch.equal(model(tokens(4, 5, 2, 3))[0, -1], ends[0]) == (reach == 1)  # the third token back does count in NNLM


def test_the_gru_remembers_the_first_token():
    assert MODELS["gru"].block_size is None
    assert not torch.equal(*[MODELS["gru"](tokens(first, 1, 2, 3, 1, 2, 3))[0, -1] for first in (4, 5)])


def test_a_text_begins_after_an_end_token(model):
    assert model.end == 0
    [of_the_empty] = model(tokens(0)).log_softmax(-1)[0].detach().numpy()
    assert model.next_log_probs([]) == pytest.approx(of_the_empty, abs=1e-6)
    assert model.log_probs([3])[0] == pytest.approx(of_the_empty[3], abs=1e-6)
    assert model.log_probs([]).shape == (0,)


def test_the_end_token_is_found_or_named():
    assert Bigram(["a", "\n", "</s>"]).end == 2
    assert Bigram(["a", "\n"]).end == 1
    assert NNLM(list("abc"), end="b").end == GRU(list("abc"), end="b").end == Bigram(list("abc"), end="b").end == 1


def test_a_batch_is_its_rows(model):
    ids = torch.randint(V, (3, 6), generator=torch.Generator().manual_seed(0))
    assert model(ids).shape == (3, 6, V)
    assert torch.allclose(model(ids), torch.cat([model(row[None]) for row in ids]), atol=1e-6)


def test_scoring_keeps_no_gradient_and_generation_works(model):
    logits = model(tokens(1, 2))
    assert logits.requires_grad
    assert (generate(model, [1], 8, seed=3) == generate(model, [1], 8, seed=3)).all()
    model.log_probs([1, 2, 3])
    assert all(p.grad is None for p in model.parameters())


def test_a_reader_reads_each_token_once_and_says_what_the_model_says(model, monkeypatch):
    reader, read = model.reader(), []
    scan = model.scan
    monkeypatch.setattr(model, "scan", lambda ids, state: (read.append(ids.shape[1]), scan(ids, state))[1])
    found = [reader.read(piece) for piece in ([], [1, 2, 3], [], [4])]
    assert read == [1, 3, 1]  # the end token that stands before a text, then the pieces
    monkeypatch.undo()
    for scores, context in zip(found, ([], [1, 2, 3], [1, 2, 3], [1, 2, 3, 4]), strict=True):
        assert np.allclose(scores, model.next_log_probs(context), atol=1e-5)
    with pytest.raises(ValueError, match="not in the vocabulary"):
        reader.read([V])


# ---- the formulas, by hand


def test_the_bigram_is_its_table():
    """Row: the token that came; column: the one that comes."""
    model = MODELS["bigram"]
    assert torch.equal(model(tokens(2, 5))[0], model.table[[2, 5]])


def test_the_nnlm_on_paper():
    """Two tokens of context, embeddings of one number, two hidden units: the scores are tanh(1) and so on, to be read off."""
    model = NNLM(["\n", "a", "b"], NNLMConfig(block_size=2, n_embd=1, n_hidden=2))
    with torch.no_grad():
        model.embedding.weight.copy_(torch.tensor([[0.0], [1.0], [2.0]]))
        model.hidden.weight.copy_(torch.tensor([[1.0, 0.0], [-1.0, 1.0]]))  # W: the older token; the newer less the older
        model.hidden.bias.copy_(torch.tensor([0.0, -0.5]))
        model.output.weight.copy_(torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]]))
        model.output.bias.copy_(torch.tensor([0.25, 0.0, 0.0]))
    after_a, after_ab = model(tokens(1, 2))[0].tolist()
    # before "a" stands the end token, so h = (0, 1): tanh(0), tanh(1 − 0 − 0.5); then h = (1, 2): tanh(1), tanh(2 − 1 − 0.5)
    assert after_a == pytest.approx([0.25, 0.0, 2 * math.tanh(0.5)], abs=1e-6)
    assert after_ab == pytest.approx([0.25, math.tanh(1), 2 * math.tanh(0.5)], abs=1e-6)


def test_the_nnlm_is_its_formula():
    model, ids = MODELS["nnlm"], [3, 1, 4, 1, 5]
    E, W, b = model.embedding.weight, model.hidden.weight, model.hidden.bias
    padded = [0, 0, *ids]
    for t in range(len(ids)):
        h = torch.cat([E[i] for i in padded[t : t + 3]])
        scores = [e_w @ torch.tanh(W @ h + b) + c_w for e_w, c_w in zip(model.output.weight, model.output.bias, strict=True)]
        assert torch.allclose(model(torch.tensor([ids]))[0, t], torch.stack(scores), atol=1e-5)


def test_the_gru_is_its_equations():
    """r, z and n as in torch's documentation: h' = (1 − z) n + z h, with the reset gate on U h + b of the candidate."""
    model, ids = MODELS["gru"], [3, 1, 4, 1, 5]
    W, U, bw, bu = (p.chunk(3) for p in model.gru.parameters())
    h = torch.zeros(5)
    for t, x in enumerate(model.embedding(torch.tensor(ids))):
        r, z = (torch.sigmoid(W[i] @ x + bw[i] + U[i] @ h + bu[i]) for i in (0, 1))
        n = torch.tanh(W[2] @ x + bw[2] + r * (U[2] @ h + bu[2]))
        h = (1 - z) * n + z * h
        assert torch.allclose(model(torch.tensor([ids]))[0, t], model.output(h), atol=1e-5)


def test_gates_that_begin_open_keep_what_the_others_forget():
    """With all else at zero the new part is tanh(0) = 0, so a step leaves σ(gate_bias) of the state."""
    for bias, kept in ((0.0, 0.5), (2.0, 0.8808), (-1.0, 0.2689)):
        model = GRU(VOCAB, GRUConfig(n_embd=4, n_hidden=5, n_layer=2, gate_bias=bias))
        with torch.no_grad():
            for p in model.gru.parameters():
                p.mul_(p.ndim == 1)  # the matrices go, the biases stay
        _, state = model.scan(tokens(1), torch.ones(2, 1, 5))
        assert torch.allclose(state, torch.full((2, 1, 5), kept), atol=1e-4)
    plain, opened = (GRU(VOCAB, GRUConfig(gate_bias=bias)).state_dict() for bias in (0.0, 2.0))
    assert [name for name in plain if not torch.equal(plain[name], opened[name])] == ["gru.bias_ih_l0"]


def test_the_number_of_parameters():
    assert MODELS["bigram"].n_parameters == 7 * 7
    assert MODELS["nnlm"].n_parameters == 7 * 4 + (12 * 5 + 5) + (5 * 7 + 7)
    assert MODELS["gru"].n_parameters == 7 * 4 + 3 * (4 * 5 + 5 * 5 + 5 + 5) + (5 * 7 + 7)


# ---- gradients


def loss_of(model, ids):
    return F.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())


@pytest.mark.parametrize("kind", KINDS)
def test_autograd_agrees_with_finite_differences(kind):
    """In double precision, central differences of step 1e-5 err by about 1e-10 times the third derivative."""
    model, ids = build(kind).double(), tokens(1, 4, 2, 2, 6, 3)
    loss_of(model, ids).backward()
    rng = np.random.default_rng(0)
    for p in model.parameters():
        for i in rng.choice(p.numel(), min(5, p.numel()), replace=False):
            losses = []
            for step in (1e-5, -1e-5):
                with torch.no_grad():
                    p.view(-1)[i] += step
                    losses.append(loss_of(model, ids).item())
                    p.view(-1)[i] -= step
            assert p.grad.view(-1)[i].item() == pytest.approx((losses[0] - losses[1]) / 2e-5, abs=1e-8)


def test_the_gradient_of_the_score_derived_by_hand():
    """With a = tanh(W h + b) and d = softmax(s) − one-hot: e_w gets d_w a, c gets d, and W gets ((1 − a²) ⊙ Eᵀd) hᵀ."""
    model, context, target = build("nnlm").double(), [4, 2, 6], 3
    F.cross_entropy(model(tokens(*context))[0, -1:], torch.tensor([target])).backward()
    with torch.no_grad():
        h = torch.cat([model.embedding.weight[i] for i in context])
        a = torch.tanh(model.hidden(h))
        d = torch.softmax(model.output(a), 0) - F.one_hot(torch.tensor(target), V)
        inner = (1 - a**2) * (model.output.weight.T @ d)
    by_hand = {
        "output.weight": torch.outer(d, a), "output.bias": d, "hidden.weight": torch.outer(inner, h), "hidden.bias": inner,
    }  # fmt: skip
    for name, gradient in by_hand.items():
        assert torch.allclose(model.get_parameter(name).grad, gradient, atol=1e-12), name
    at_context = (model.hidden.weight.T @ inner).view(3, 4)  # ids in the context are distinct, so each row gets one part
    assert torch.allclose(model.embedding.weight.grad[context], at_context, atol=1e-12)


# ---- training


def test_the_first_loss_is_that_of_a_uniform_guess():
    ids = torch.randint(741, (8, 32), generator=torch.Generator().manual_seed(0))
    for model in (Bigram, NNLM, GRU):
        assert loss_of(model(list(world.vocabulary())), ids).item() == pytest.approx(math.log(741), abs=0.05), model


@pytest.mark.parametrize("kind", ["nnlm", "gru"])
def test_one_crop_is_learned_by_heart(kind):
    """Thirteen tokens, in which the three before determine the next."""
    model = build(kind)
    history = fit(model, [1, 2, 3, 1, 4, 5, 2, 6, 3, 3, 5, 1, 0], FitConfig(300, 1, 12, lr=0.03))
    assert history.loss[-1] < 0.05 < 1 < history.loss[0]


def test_a_bigram_by_gradient_reaches_the_counted_one():
    ids = np.array([VOCAB.index(c) for c in "abcabdabcaefabd\nabecab\nfad\n" * 3])
    counts = np.zeros((V, V))
    np.add.at(counts, (ids[:-1], ids[1:]), 1)
    seen = counts > 0
    rows = counts / np.maximum(1, counts.sum(1, keepdims=True))
    best = -(counts[seen] * np.log(rows[seen])).sum() / counts.sum()
    model = Bigram(VOCAB)
    fit(model, ids, FitConfig(300, 1, len(ids) - 1, lr=1.0, weight_decay=0))  # the one crop that fits is the whole text
    loss = -model.log_probs(ids)[1:].mean()
    assert best < loss < best + 1e-3
    assert np.exp(model.next_log_probs([1]))[seen[1]] == pytest.approx(rows[1][seen[1]], abs=1e-3)


@pytest.fixture(scope="module")
def stories():
    index = {token: i for i, token in enumerate(world.vocabulary())}
    text = {split: corpora.load("world", split).splitlines()[:400] for split in ("train", "val")}
    return {s: [index[t] for line in lines for t in (*world.tokenize(line), world.END)] for s, lines in text.items()}


@pytest.mark.parametrize("make", [NNLM, GRU])
def test_fit_learns_from_stories(stories, make):
    """In 60 steps the loss on other stories falls well below that of the words' frequencies."""
    counts = np.bincount(stories["train"], minlength=741) + 1
    unigram = -np.log(counts / counts.sum())[stories["val"]].mean()
    history = fit(make(world.vocabulary()), stories["train"], FitConfig(60, 8, 32, lr=0.01, eval_every=30), stories["val"])
    assert history.val_steps == [0, 30, 60] and len(history.loss) == 60 and history.seconds > 0
    assert history.val_loss[0] == pytest.approx(math.log(741), abs=0.05)
    assert history.val_loss[2] < history.val_loss[1] < history.val_loss[0] and history.val_loss[2] < unigram - 0.5


TEXT = np.random.default_rng(1).integers(0, V, 200)


def test_the_same_seed_gives_the_same_run_whatever_the_global_one():
    runs = []
    for everywhere, seed in ((1, 0), (2, 0), (1, 5)):
        torch.manual_seed(everywhere)
        model = NNLM(VOCAB)
        runs.append((fit(model, TEXT, FitConfig(5, 4, 16, seed=seed), TEXT), parameters(model)))
    (first, p), (same, q), (other, r) = runs
    assert first.loss == same.loss and first.val_loss == same.val_loss and torch.equal(p, q)
    assert first.loss != other.loss and not torch.equal(p, r)
    for config in (NNLMConfig, GRUConfig):
        make = NNLM if config is NNLMConfig else GRU
        assert torch.equal(parameters(make(VOCAB)), parameters(make(VOCAB, config(seed=0))))
        assert not torch.equal(parameters(make(VOCAB)), parameters(make(VOCAB, config(seed=1))))


def test_training_goes_on_where_it_stopped():
    model, calls = build("nnlm"), []
    fit(model, TEXT, FitConfig(5, 4, 16, eval_every=2), TEXT, lambda step, history: calls.append((step, len(history.val_loss))))
    assert calls == [(0, 1), (2, 2), (4, 3), (5, 4)]
    history = fit(model, torch.tensor(TEXT), FitConfig(1, 4, 16))
    assert history.val_loss == [] and len(history.loss) == 1


def test_the_learning_rate_rises_then_falls():
    config = FitConfig(steps=10, lr=0.8, warmup=0.2)
    rates = [learning_rate(step, config) for step in range(11)]
    assert rates == pytest.approx([0.4, 0.8, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0])
    assert learning_rate(0, FitConfig(steps=10, lr=0.8, warmup=0)) == learning_rate(0, FitConfig(steps=1, lr=0.8)) == 0.8


def test_crops_come_from_everywhere_with_targets_one_further():
    text = torch.arange(10)
    inputs, targets = random_crops(text, 300, 4, torch.Generator().manual_seed(0))
    assert inputs.shape == targets.shape == (300, 4)
    assert torch.equal(targets, inputs + 1) and torch.equal(inputs[:, 1:], inputs[:, :-1] + 1)
    assert sorted(set(inputs[:, 0].tolist())) == [0, 1, 2, 3, 4, 5]


def test_a_long_gradient_is_shortened():
    model = build("nnlm")
    fit(model, TEXT, FitConfig(1, 4, 16, clip=0.01))
    assert torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item() <= 0.01 * 1.001


def test_the_range_test_leaves_the_model_as_it_was(model):
    before = parameters(model)
    lrs, losses = lr_range_test(model, TEXT, 1e-4, 0.1, 20, FitConfig(batch_size=4, crop=16))
    assert torch.equal(parameters(model), before) and all(p.grad is None for p in model.parameters())
    assert len(lrs) == len(losses) <= 20
    assert lrs[0] == pytest.approx(1e-4) and np.allclose(lrs[1:] / lrs[:-1], 1000 ** (1 / 19))


def test_the_range_test_ends_where_training_breaks():
    lrs, losses = lr_range_test(NNLM(VOCAB), TEXT, 1e-3, 1e6, 100, FitConfig(batch_size=4, crop=16))
    assert 10 < len(losses) < 100 and len(lrs) == len(losses)
    assert losses[-1] > 4 * losses.min() and losses[:-1].max() <= 4 * losses.min()


def test_a_loss_that_is_no_number_stops_before_the_step():
    model = build("nnlm")
    with torch.no_grad():
        model.output.bias[2] = math.nan
    before = parameters(model)
    with pytest.raises(FloatingPointError, match=r"loss is nan .*learning rate of 0.003; lower lr or make the warm-up longer"):
        fit(model, TEXT, FitConfig(5, 4, 16, warmup=0))
    assert torch.equal(parameters(model).nan_to_num(7), before.nan_to_num(7))


def test_there_is_a_device_and_a_model_trains_on_it():
    model = NNLM(VOCAB).to(device())
    fit(model, TEXT, FitConfig(1, 4, 16), TEXT)
    assert model.device.type == device().type and model.log_probs(TEXT).shape == (200,)


def test_the_presets_are_networks_for_their_tokens():
    assert set(PRESETS) == {"nnlm-words", "gru-words", "nnlm-characters", "gru-characters"}
    for name, (config, how) in PRESETS.items():
        model = (NNLM if name.startswith("nnlm") else GRU)(VOCAB, config)
        assert np.isfinite(fit(model, TEXT, FitConfig(2, how.batch_size, how.crop, how.lr)).loss).all()


# ---- bad input


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (torch.tensor([1, 2]), r"\(B, T\) of int64 ids, got shape \(2,\) of torch.int64; for one text pass torch.tensor"),
        (torch.zeros(1, 2, 3, dtype=torch.int64), r"got shape \(1, 2, 3\)"),
        (torch.zeros(1, 2), r"got shape \(1, 2\) of torch.float32"),
        (torch.zeros(1, 0, dtype=torch.int64), r"got shape \(1, 0\)"),
        ([[1, 2]], "got list"),
        (torch.tensor([[1, 7]]), "token id 7 is not in the vocabulary of 7"),
        (torch.tensor([[-1, 2]]), "token id -1 is not"),
    ],
)  # fmt: skip
def test_a_wrong_batch_is_refused(model, ids, message):
    with pytest.raises(ValueError, match=message):
        model(ids)


@pytest.mark.parametrize("ids", [[1, 7], [[1, 2]], [0.5], "ab"])
def test_wrong_ids_are_refused_everywhere(model, ids):
    for use in (model.log_probs, model.next_log_probs, lambda ids: fit(model, ids), lambda ids: lr_range_test(model, ids)):
        with pytest.raises(ValueError, match=r"token id|one-dimensional list of integer token ids"):
            use(ids)


@pytest.mark.parametrize("length", [0, 1, 16])
def test_a_text_that_is_too_short_is_refused_before_training(model, length):
    before, short, calls = parameters(model), TEXT[:length], []
    config = FitConfig(2, 4, 16)
    for use in (
        lambda: fit(model, short, config, callback=lambda *_: calls.append(1)),
        lambda: fit(model, TEXT, config, short),
        lambda: lr_range_test(model, short, config=config),
    ):
        with pytest.raises(
            ValueError, match=f"the text has {length} tokens, but a crop needs 17; take a longer text or a smaller"
        ):
            use()
    assert torch.equal(parameters(model), before) and not calls
    assert len(fit(model, TEXT[:17], config).loss) == 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Bigram(list("abc")), "neither </s> nor a newline is among the 3 tokens; name the token that ends a text"),
        (lambda: Bigram(VOCAB, end="z"), "'z' is not among the 7 tokens"),
        (lambda: NNLM(VOCAB, NNLMConfig(block_size=0)), "block_size must be a whole number of at least 1, got 0"),
        (lambda: NNLM(VOCAB, NNLMConfig(n_embd=2.5)), "n_embd must be a whole number of at least 1, got 2.5"),
        (lambda: GRU(VOCAB, GRUConfig(n_layer=0)), "n_layer must be"),
        (lambda: GRU(VOCAB, GRUConfig(gate_bias=math.inf)), "gate_bias must be a finite number, such as 0 or 2, got inf"),
        (lambda: FitConfig(steps=0), "steps must be more than 0, got 0"),
        (lambda: FitConfig(lr=math.nan), "lr must be more than 0, got nan"),
        (lambda: FitConfig(clip=-1), "clip must be more than 0"),
        (lambda: FitConfig(warmup=2), "need 0 ≤ warmup ≤ 1 and weight_decay ≥ 0, got 2 and 0.01"),
        (lambda: lr_range_test(Bigram(VOCAB), TEXT, lowest=0), "need 0 < lowest < highest and at least 2 steps, got 0, 1.0"),
        (lambda: lr_range_test(Bigram(VOCAB), TEXT, steps=1), "at least 2 steps"),
    ],
)  # fmt: skip
def test_a_setting_out_of_range_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_the_base_class_says_what_is_missing():
    with pytest.raises(NotImplementedError, match="NeuralLM must define scan"):
        NeuralLM(VOCAB).scan(tokens(1), None)
