"""Adapting: LoRA, classifiers and answers, against cases by hand, plain torch, and what must not change."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from helpers.adapting import (
    AnswerData,
    Classifier,
    LabelledData,
    LoRALinear,
    add_lora,
    freeze,
    lora_tensors,
    merge_lora,
    n_trainable,
)
from helpers.sampling import generate
from helpers.training import TrainConfig, load_model, save_model, train
from helpers.transformer import BERT, GPT, SINCE_GPT2, BERTConfig, EncoderDecoder, EncoderDecoderConfig, GPTConfig

CLOSE = {"atol": 1e-5, "rtol": 1e-5}  # float32, two layers
V, BLOCK, C, L = 13, 8, 16, 2
SIZES = {"vocab_size": V, "block_size": BLOCK, "n_layer": L, "n_head": 4, "n_embd": C}
MODELS = {
    "GPT": lambda: GPT(GPTConfig(**SIZES)),
    "GPT, modern": lambda: GPT(GPTConfig(**SIZES, **SINCE_GPT2["all of them"], n_previous=2, tied=False)),
    "GPT, post-norm": lambda: GPT(GPTConfig(**SIZES, norm_first=False)),
    "GPT, grouped": lambda: GPT(GPTConfig(**SIZES, n_kv_head=2)),
    "BERT": lambda: BERT(BERTConfig(**SIZES)),
    "BERT, pre-norm": lambda: BERT(BERTConfig(**SIZES, norm_first=True)),
    "encoder–decoder": lambda: EncoderDecoder(EncoderDecoderConfig(**SIZES)),
}
READERS = [name for name in MODELS if name != "encoder–decoder"]  # a classifier can be put on these
QUICK = {"batch_size": 16, "warmup": 0.1, "cooldown": 0.5, "weight_decay": 0.0, "precision": "float32", "eval_every": 0}
IDS = torch.from_numpy(np.random.default_rng(0).integers(V, size=(3, 6)))


def build(name):
    """A model whose weights, biases and norms all matter."""
    model, generator = MODELS[name]().eval(), torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in model.parameters():
            p.add_((0.3 if p.ndim > 1 else 0.1) * torch.randn(p.shape, generator=generator))
    return model


@torch.no_grad()
def logits_of(model):
    return model(IDS, IDS.flip(0)) if isinstance(model, EncoderDecoder) else model(IDS)


def stir(model, seed=2):
    """Give every B, and so every adapter, something to do."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, LoRALinear):
                module.B.copy_(0.3 * torch.randn(module.B.shape, generator=generator))


def weights_of(module):
    return {name: t.clone() for name, t in module.state_dict().items()}


def moved(before, module):
    """The names of the tensors that are no longer the same."""
    return {name for name, t in module.state_dict().items() if not torch.equal(t, before[name])}


# --- LoRA ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_lora_changes_nothing_at_first(name):
    model = build(name)
    before = logits_of(model)
    add_lora(model, rank=2, alpha=4)
    assert torch.equal(logits_of(model), before)


@pytest.mark.parametrize("targets", [("query", "value"), ("key", "output", "up", "down")])
@pytest.mark.parametrize("name", MODELS)
def test_merged_equals_unmerged_and_has_the_names_of_before(name, targets):
    model, plain = build(name), build(name)
    add_lora(model, rank=2, alpha=4, targets=targets)
    stir(model)
    unmerged = logits_of(model)
    assert not torch.allclose(unmerged, logits_of(plain), atol=0.01)  # else there would be nothing to merge
    merge_lora(model)
    torch.testing.assert_close(logits_of(model), unmerged, **CLOSE)
    assert not any(isinstance(module, LoRALinear) for module in model.modules())
    assert all(p.requires_grad for p in model.parameters())
    plain.load_state_dict(model.state_dict())  # raises where a name or a shape differs
    assert torch.equal(logits_of(plain), logits_of(model))


def test_lora_by_hand():
    linear = nn.Linear(2, 2)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
        linear.bias.copy_(torch.tensor([10.0, 20.0]))
    model = nn.ModuleDict({"query": linear})
    assert add_lora(model, rank=1, alpha=3, targets="query") == ["query"]
    with torch.no_grad():
        model["query"].A.copy_(torch.tensor([[1.0, -1.0]]))
        model["query"].B.copy_(torch.tensor([[2.0], [0.0]]))
    x = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    # 3 · B A = [[6, −6], [0, 0]], so the matrix becomes [[7, −4], [3, 4]]; the first x picks its first column
    expected = torch.tensor([[17.0, 23.0], [13.0, 27.0]])
    assert torch.equal(model["query"](x), expected)
    merge_lora(model)
    assert torch.equal(model["query"].weight, torch.tensor([[7.0, -4.0], [3.0, 4.0]]))
    assert torch.equal(model["query"](x), expected)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 7), st.floats(0.1, 30), st.booleans())
def test_lora_is_a_linear_layer_with_a_matrix_of_low_rank_added(inputs, outputs, rank, alpha, bias):
    generator = torch.Generator().manual_seed(inputs + 10 * outputs)
    linear = nn.Linear(inputs, outputs, bias)
    layer = LoRALinear(linear, rank, alpha, generator)
    stir(layer)
    x = torch.randn(2, 3, inputs, generator=generator)
    added = alpha / rank * layer.B @ layer.A
    torch.testing.assert_close(layer(x), F.linear(x, linear.weight + added, linear.bias), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(layer.weight - linear.weight, added, atol=1e-5, rtol=1e-5)
    assert torch.linalg.matrix_rank(added.detach().double(), rtol=1e-5) <= rank


def test_only_the_adapter_is_trained_and_counted():
    model = build("GPT, grouped")
    names = add_lora(model, rank=3, alpha=6, targets=("query", "value"))
    assert names == [f"blocks.{i}.attention.{part}" for i in range(L) for part in ("query", "value")]
    assert n_trainable(model) == L * 3 * ((C + C) + (C + C // 2))  # half as many heads for values
    before = weights_of(model)
    train(model, np.arange(200) % V, TrainConfig(steps=3, **QUICK))
    assert moved(before, model) == {f"{name}.{matrix}" for name in names for matrix in "AB"}


def test_lora_lowers_the_loss_of_a_frozen_model():
    model = build("GPT")
    add_lora(model, rank=4, alpha=8)
    history = train(model, np.arange(200) % V, TrainConfig(steps=60, lr=0.03, **QUICK))
    assert history.loss[-1] < 0.7 * history.loss[0]


def test_an_adapter_is_kept_apart_and_put_back():
    model = build("GPT")
    add_lora(model, rank=2, alpha=4)
    stir(model)
    adapted, kept = logits_of(model), lora_tensors(model)
    assert kept.keys() == {f"blocks.{i}.attention.{part}.{m}" for i in range(L) for part in ("query", "value") for m in "AB"}
    stir(model, seed=3)
    assert not torch.allclose(logits_of(model), adapted, atol=0.01)  # and what was kept did not change along
    fresh = build("GPT")
    add_lora(fresh, rank=2, alpha=4, seed=9)
    fresh.load_state_dict(kept, strict=False)
    assert torch.equal(logits_of(fresh), adapted)


def test_a_merged_model_is_saved_and_loaded_as_any_other(tmp_path):
    model = build("GPT")
    add_lora(model, rank=2, alpha=4)
    stir(model)
    unmerged = logits_of(model)
    merge_lora(model)
    save_model(model, tmp_path / "merged.safetensors")
    loaded, _ = load_model(tmp_path / "merged.safetensors")
    torch.testing.assert_close(logits_of(loaded), unmerged, atol=0.05, rtol=0.05)  # its weights were rounded to float16


def test_a_model_with_lora_generates_from_its_cache_as_the_merged_one():
    model = build("GPT")
    add_lora(model, rank=2, alpha=20)
    stir(model)
    unmerged = generate(model, [1, 2], 12, seed=1)
    merge_lora(model)
    assert np.array_equal(generate(model, [1, 2], 12, seed=1), unmerged)
    assert not np.array_equal(generate(build("GPT"), [1, 2], 12, seed=1), unmerged)


def test_the_seed_decides_the_adapter_and_nobody_elses_chance():
    kept, state = [], torch.get_rng_state()
    for seed in (0, 0, 1):
        model = build("GPT")
        add_lora(model, rank=2, alpha=4, seed=seed)
        kept.append(lora_tensors(model))
    assert torch.equal(torch.get_rng_state(), state)
    name = "blocks.1.attention.value.A"
    assert torch.equal(kept[0][name], kept[1][name]) and not torch.equal(kept[0][name], kept[2][name])
    assert not torch.equal(kept[0][name], kept[0]["blocks.0.attention.value.A"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rank": 0}, "rank must be a whole number of at least 1, got 0"),
        ({"rank": 1.5}, "rank must be a whole number"),
        ({"alpha": 0}, "alpha must be more than 0"),
        ({"alpha": math.nan}, "alpha must be more than 0"),
        ({"targets": ("query", "querry")}, r"called \['querry'\]; targets can be down, head, key, output, query, up, value"),
        ({"targets": ()}, "targets can be"),
        ({"targets": ("head",)}, "the matrix of head is tied"),
    ],
)
def test_lora_refuses_and_changes_nothing(settings, message):
    model = build("GPT")
    names = list(model.state_dict())
    with pytest.raises(ValueError, match=message):
        add_lora(model, **{"rank": 2, "alpha": 4, **settings})
    assert list(model.state_dict()) == names and all(p.requires_grad for p in model.parameters())


def test_an_untied_head_can_have_lora():
    assert add_lora(build("GPT, modern"), 2, 4, targets=("head",)) == ["head"]


def test_lora_is_added_once_and_merged_once():
    model = build("GPT")
    for act in (merge_lora, lora_tensors):
        with pytest.raises(ValueError, match="no LoRA"):
            act(model)
    add_lora(model, 2, 4)
    with pytest.raises(ValueError, match="has LoRA already"):
        add_lora(model, 2, 4, targets=("key",))
    merge_lora(model)
    add_lora(model, 2, 4)


# --- classifiers -----------------------------------------------------------------------------------------------------------

LABELS = ["without", "with"]


def texts_and_labels(n=60, seed=0):
    """Texts of 2 to 6 tokens; the label says whether there is a 3 among them, wherever it stands."""
    rng = np.random.default_rng(seed)
    texts = [rng.integers(1, 7, size=rng.integers(2, 7)) for _ in range(n)]
    return texts, [LABELS[int(3 in text)] for text in texts]


def with_head(name, pooling=None, seed=4):
    """A classifier whose head has an opinion."""
    classifier, generator = Classifier(build(name), LABELS, pooling), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        classifier.head.weight.copy_(torch.randn(classifier.head.weight.shape, generator=generator))
    return classifier


READINGS = [(name, None) for name in READERS] + [("BERT", "first")]


@pytest.mark.parametrize("name", READERS)
def test_a_new_classifier_finds_all_labels_equally_likely(name):
    found = Classifier(build(name), ["a", "b", "c"]).predict_log_probs(texts_and_labels(5)[0])
    assert found.shape == (5, 3)
    np.testing.assert_allclose(found, -math.log(3), atol=1e-6)


@pytest.mark.parametrize(("name", "pooling"), READINGS)
def test_padding_is_never_looked_at(name, pooling):
    classifier = with_head(name, pooling)
    texts, labels = texts_and_labels(70)  # more than are read at once
    together = classifier.predict_log_probs(texts)
    alone = np.concatenate([classifier.predict_log_probs([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(np.exp(together).sum(axis=1), 1, atol=1e-6)
    batches = [LabelledData(texts, labels, pad, LABELS).batch(9, BLOCK, torch.Generator().manual_seed(0)) for pad in (0, 5)]
    assert not torch.equal(batches[0][0], batches[1][0])
    assert torch.equal(*(classifier(ids, mask) for ids, mask, _ in batches))


def test_a_gpt_is_read_at_the_last_token_after_its_end_token():
    for name in ("GPT", "GPT, modern", "GPT, post-norm"):
        model = build(name)
        stream = model.norm(model.trace(torch.tensor([[model.end, 4, 7, 2]])).residual[-1])  # (1, 4, C)
        found = Classifier(model, LABELS).features(torch.tensor([[4, 7, 2]]))
        torch.testing.assert_close(found, stream[:, 3], **CLOSE)


def test_a_bert_is_read_at_the_first_token_or_at_all():
    model = build("BERT")
    stream = model.hidden(torch.tensor([[4, 7, 2]]))
    ids, mask = torch.tensor([[4, 7, 2, 0, 0]]), torch.tensor([[True, True, True, False, False]])
    torch.testing.assert_close(Classifier(model, LABELS).features(ids, mask), stream.mean(dim=1), **CLOSE)
    torch.testing.assert_close(Classifier(model, LABELS, "first").features(ids, mask), stream[:, 0], **CLOSE)


@pytest.mark.parametrize("name", READERS)
def test_freeze_says_what_moves(name):
    texts, labels = texts_and_labels()
    classifier = Classifier(build(name), LABELS)
    head = 2 * C + 2
    assert freeze(classifier, "head") == head
    before = weights_of(classifier)
    train(classifier, LabelledData(texts, labels, 0, LABELS), TrainConfig(steps=2, **QUICK))
    assert moved(before, classifier) == {"head.weight", "head.bias"}
    n_values = classifier.model.config.kv_heads * C // 4  # some have fewer heads for values than the 4 for queries
    assert freeze(classifier, "lora", rank=2) == head + L * 2 * (2 * C + C + n_values)
    before = weights_of(classifier)
    train(classifier, LabelledData(texts, labels, 0, LABELS), TrainConfig(steps=2, **QUICK))
    names = {f"model.{name}" for name in lora_tensors(classifier.model)}
    assert moved(before, classifier) == {"head.weight", "head.bias"} | names


@pytest.mark.parametrize(("name", "pooling"), READINGS)
def test_all_that_is_to_move_has_a_gradient(name, pooling):
    classifier = with_head(name, pooling)
    n = freeze(classifier, "full")
    data = LabelledData(*texts_and_labels(), 0, LABELS)
    data.loss(classifier, data.batch(30, BLOCK, torch.Generator().manual_seed(0))).backward()
    trained = [p for p in classifier.parameters() if p.requires_grad]
    assert n == sum(p.numel() for p in trained) > 100 * C
    assert all(p.grad is not None for p in trained)
    untouched = {name for name, p in classifier.named_parameters() if not p.requires_grad}
    assert {name.split(".")[1] for name in untouched} <= {"head", "transform", "transform_norm"}


def test_the_loss_by_hand():
    classifier = with_head("GPT")
    data = LabelledData([[1, 2, 3], [3]], ["with", "without"], 0, LABELS)
    batch = data.batch(6, BLOCK, torch.Generator().manual_seed(0))
    chosen = torch.randint(2, (6,), generator=torch.Generator().manual_seed(0)).tolist()
    assert {0, 1} == set(chosen)
    found = classifier.predict_log_probs([[1, 2, 3], [3]])
    expected = -np.mean([found[i][1 - i] for i in chosen])  # text 0 has label 1, text 1 label 0
    assert data.loss(classifier, batch).item() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("trained", ["full", "lora"])
@pytest.mark.parametrize("name", ["GPT", "BERT"])
def test_a_classifier_learns(name, trained):
    texts, labels = texts_and_labels()
    classifier = Classifier(MODELS[name](), LABELS)
    freeze(classifier, trained, rank=8, alpha=16)
    assert classifier.accuracy(texts, labels) < 0.8
    train(classifier, LabelledData(texts, labels, 0, LABELS), TrainConfig(steps=60, lr=0.02, **QUICK))
    assert classifier.accuracy(texts, labels) > 0.95


def test_training_a_classifier_is_decided_by_the_seed():
    texts, labels = texts_and_labels()
    found = []
    for seed in (0, 0, 1):
        classifier = Classifier(build("BERT"), LABELS)
        train(classifier, LabelledData(texts, labels, 0, LABELS), TrainConfig(steps=3, seed=seed, **QUICK))
        found.append(classifier.predict_log_probs(texts))
    assert np.array_equal(found[0], found[1]) and not np.allclose(found[0], found[2])


def test_predicting_leaves_chance_and_mode_alone():
    classifier = Classifier(GPT(GPTConfig(**SIZES, dropout=0.5)), LABELS).train()
    nn.init.normal_(classifier.head.weight)
    texts, state = texts_and_labels(4)[0], torch.get_rng_state()
    assert np.array_equal(classifier.predict_log_probs(texts), classifier.predict_log_probs(texts))
    assert classifier.training and classifier.model.training and torch.equal(torch.get_rng_state(), state)
    assert torch.equal(classifier.model(IDS)[:, :0], torch.empty(3, 0, V))
    assert classifier.model(IDS).shape == (3, 6, V)  # the model predicts tokens as before


def test_accuracy_by_hand():
    classifier = Classifier(build("GPT"), ["a", "b", "c"])
    with torch.no_grad():
        classifier.head.bias.copy_(torch.tensor([0.0, 2.0, 1.0]))
    assert classifier.accuracy([[1], [2], [3], [4]], ["b", "c", "b", "b"]) == 0.75
    assert classifier.predict_log_probs([]).shape == (0, 3)


@pytest.mark.parametrize(("name", "longest"), [("GPT", BLOCK - 1), ("BERT", BLOCK)])
def test_the_longest_text(name, longest):
    classifier, text = with_head(name), np.arange(longest + 1)
    assert classifier.block_size == longest
    assert classifier.predict_log_probs([text[:longest]]).shape == (1, 2)
    LabelledData([text[:longest]], ["with"], 0, LABELS).batch(1, longest, torch.Generator())
    message = f"a text has {longest + 1} tokens, and at most {longest} can be classified"
    with pytest.raises(ValueError, match=message):
        classifier.predict_log_probs([text])
    with pytest.raises(ValueError, match=message):  # whether or not it is drawn
        LabelledData([text, [1]], LABELS, 0, LABELS).batch(1, longest, torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match=message):
        train(classifier, LabelledData([text, [1]], LABELS, 0, LABELS), TrainConfig(steps=1, **QUICK))


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda c: Classifier(build("encoder–decoder"), LABELS), "a GPT or a BERT, got EncoderDecoder"),
        (lambda c: Classifier(build("GPT"), LABELS, "mean"), "pooling of a GPT must be last, got 'mean'"),
        (lambda c: Classifier(build("BERT"), LABELS, "last"), "must be mean or first, got 'last'"),
        (lambda c: Classifier(build("GPT"), ["with"]), "at least two labels"),
        (lambda c: Classifier(build("GPT"), ["with", "without", "with"]), "each once"),
        (lambda c: c.predict_log_probs([[1], []]), "text 1 is empty"),
        (lambda c: c.predict_log_probs([[1, V]]), f"token id {V} is not in the vocabulary"),
        (lambda c: c.predict_log_probs(["with"]), "encode the text first"),
        (lambda c: c.accuracy([[1]], ["neither"]), r"label 'neither' is not among \['without', 'with'\]"),
        (lambda c: c.accuracy([], []), "at least one text"),
        (lambda c: LabelledData([[1], []], LABELS, 0, LABELS), "text 1 is empty"),
        (lambda c: LabelledData([[1], [2]], ["with", "old"], 0, LABELS), "label 'old' is not among"),
        (lambda c: LabelledData([[1], [2]], ["with"], 0, LABELS), "2 texts and 1 labels"),
        (lambda c: LabelledData([[0.5]], ["with"], 0, LABELS), "integer token ids"),
        (lambda c: freeze(c, "tail"), "must be one of head, full, lora, got 'tail'"),
        (lambda c: (freeze(c, "lora"), freeze(c, "lora")), "has LoRA already"),
        (lambda c: (freeze(c, "lora"), freeze(c, "full")), "has LoRA already"),
    ],
)
def test_classifiers_refuse(act, message):
    with pytest.raises(ValueError, match=message):
        act(Classifier(build("GPT"), LABELS))


# --- answers ---------------------------------------------------------------------------------------------------------------

EXAMPLES = [([3, 4], [5]), ([6], [7, 8, 9])]
END = 0


def batch_of(data, n=8):
    return data.batch(n, BLOCK, torch.Generator().manual_seed(0))


def gradients(model, data):
    model.zero_grad()
    data.loss(model, batch_of(data)).backward()
    return {name: p.grad.clone() for name, p in model.named_parameters()}


def test_answers_by_hand():
    inputs, targets = batch_of(AnswerData(EXAMPLES, 1, END))
    rows = set(zip(map(tuple, inputs.tolist()), map(tuple, targets.tolist()), strict=True))
    assert rows == {((0, 3, 4, 5, 1), (-100, -100, 5, 0, -100)), ((0, 6, 7, 8, 9), (-100, 7, 8, 9, 0))}
    inputs, targets = batch_of(AnswerData(EXAMPLES, 1, END, "all"))
    rows = set(zip(map(tuple, inputs.tolist()), map(tuple, targets.tolist()), strict=True))
    assert rows == {((0, 3, 4, 5, 1), (3, 4, 5, 0, -100)), ((0, 6, 7, 8, 9), (6, 7, 8, 9, 0))}


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, V - 1), max_size=4), st.lists(st.integers(1, V - 1), min_size=1, max_size=3))
def test_the_loss_is_minus_the_log_probability_of_the_answer_and_its_end(prompt, answer):
    model = build("GPT, modern")
    scores = model.log_probs([*prompt, *answer, END])
    for loss_on, asked in (("answer", scores[len(prompt) :]), ("all", scores)):
        data = AnswerData([(prompt, answer)], 0, END, loss_on)
        assert data.loss(model, batch_of(data, 2)).item() * len(asked) == pytest.approx(-asked.sum(), abs=1e-4)


def test_every_token_that_is_asked_for_counts_alike():
    model, data = build("GPT"), AnswerData(EXAMPLES, 0, END)
    chosen = torch.randint(2, (8,), generator=torch.Generator().manual_seed(0)).tolist()
    scores = np.concatenate([model.log_probs([*EXAMPLES[i][0], *EXAMPLES[i][1], END])[len(EXAMPLES[i][0]) :] for i in chosen])
    assert data.loss(model, batch_of(data)).item() == pytest.approx(-scores.mean(), abs=1e-5)


@pytest.mark.parametrize("loss_on", ["answer", "all"])
def test_what_the_model_predicts_within_the_prompt_does_not_count(loss_on):
    model, data = build("GPT"), AnswerData([([3, 4, 2], [5, 6])], 0, END, loss_on)
    before = gradients(model, data)
    noise = torch.zeros(6, V)
    noise[:3] = torch.randn(3, V, generator=torch.Generator().manual_seed(0))  # the predictions of 3, 4 and 2
    handle = model.head.register_forward_hook(lambda _, inputs, logits: logits + noise)
    after = gradients(model, data)
    handle.remove()
    same = all(torch.equal(before[name], after[name]) for name in before)
    assert same == (loss_on == "answer")


def test_the_prompt_is_read_all_the_same():
    model = build("GPT")
    losses = [d.loss(model, batch_of(d)).item() for d in (AnswerData([(p, [5])], 0, END) for p in ([3, 4], [4, 4]))]
    assert losses[0] != pytest.approx(losses[1], abs=1e-3)


def test_padding_of_answers_is_never_looked_at():
    model = build("GPT")
    one, other = (gradients(model, AnswerData(EXAMPLES, pad, END)) for pad in (1, 11))
    for name in one:
        torch.testing.assert_close(one[name], other[name], atol=1e-6, rtol=1e-5)


def test_a_tuned_model_answers_and_stops():
    model = MODELS["GPT"]()
    history = train(model, AnswerData(EXAMPLES, 0, END), TrainConfig(steps=60, lr=0.02, **QUICK))
    assert history.loss[-1] < 0.1
    for prompt, answer in EXAMPLES:
        assert generate(model, prompt, 6, temperature=0, stop=[END]).tolist() == [*prompt, *answer, END]


def test_answers_train_lora_too_and_the_seed_decides():
    found = []
    for seed in (0, 0, 1):
        model = copy.deepcopy(build("GPT"))
        add_lora(model, 2, 4)
        train(model, AnswerData(EXAMPLES, 0, END), TrainConfig(steps=3, seed=seed, **QUICK))
        found.append(model.log_probs([3, 4, 5]))
    assert np.array_equal(found[0], found[1]) and not np.allclose(found[0], found[2])


def test_an_example_fills_the_context_and_no_more():
    prompt = [1] * (BLOCK - 3)
    inputs, _ = batch_of(AnswerData([(prompt, [2, 2])], 0, END))
    assert inputs.shape == (8, BLOCK)
    message = rf"needs {BLOCK + 1} tokens \(the end token, {BLOCK - 3} of the prompt, 3 of the answer\).* length is {BLOCK}"
    with pytest.raises(ValueError, match=message):
        train(MODELS["GPT"](), AnswerData([(prompt, [2, 2, 2]), ([1], [2])], 0, END), TrainConfig(steps=1, **QUICK))
    with pytest.raises(ValueError, match=f"{3 * BLOCK} of the prompt"):
        batch_of(AnswerData([([1] * (3 * BLOCK), [2]), ([1], [2])], 0, END))


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: AnswerData([], 0, END), "at least one example"),
        (lambda: AnswerData([([1], [2]), ([1], [])], 0, END), "answer of example 1 is empty"),
        (lambda: AnswerData(EXAMPLES, 0, END, "prompt"), "loss_on must be answer or all, got 'prompt'"),
        (lambda: AnswerData([([0.5], [1])], 0, END), "integer token ids"),
        (lambda: AnswerData([([-1], [1])], 0, END), "token id -1"),
        (lambda: train(build("GPT"), AnswerData([([1], [V])], 0, END), TrainConfig(steps=1, **QUICK)), f"token id {V} is not"),
    ],
)
def test_answers_refuse(act, message):
    with pytest.raises(ValueError, match=message):
        act()
