"""Learning from preferences: the loss by numpy, the gradient at the start by its formula, and answers scored one at a time."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from helpers.adapting import PreferenceData, answer_log_probs, dpo_loss
from helpers.training import TrainConfig, train
from helpers.transformer import GPT, SINCE_GPT2, GPTConfig

V, BLOCK, END = 13, 8, 0
SIZES = {"vocab_size": V, "block_size": BLOCK, "n_layer": 2, "n_head": 4, "n_embd": 16}
EXAMPLES = [([3, 4], [5], [6, 7]), ([6], [7, 8, 9], [2]), ([], [1, 2], [2, 1])]  # (prompt, chosen, rejected)
QUICK = {"batch_size": 16, "warmup": 0.1, "cooldown": 0.5, "weight_decay": 0.0, "precision": "float32", "eval_every": 0}


def build(name="as GPT-2", **options):
    """A model whose weights, biases and norms all matter."""
    model = GPT(GPTConfig(**SIZES, **SINCE_GPT2[name], **options)).eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in model.parameters():
            p.add_((0.3 if p.ndim > 1 else 0.1) * torch.randn(p.shape, generator=generator))
    return model


def batch_of(data, n=8, seed=0):
    return data.batch(n, BLOCK, torch.Generator().manual_seed(seed))


def one_by_one(model, prompt, answer, ends=False):
    """The log probability of an answer, from the model's own `log_probs`."""
    return model.log_probs([*prompt, *answer, *[END] * ends])[len(prompt) :].sum()


def margins(model, reference):
    """How much more than the reference the model prefers each chosen answer, (N,) nats."""
    chosen, rejected = [(p, c) for p, c, _ in EXAMPLES], [(p, r) for p, _, r in EXAMPLES]
    more = [answer_log_probs(m, chosen) - answer_log_probs(m, rejected) for m in (model, reference)]
    return more[0] - more[1]


# --- the loss --------------------------------------------------------------------------------------------------------------

nats = st.lists(st.floats(-200, 0), min_size=4, max_size=4)


@settings(max_examples=50, deadline=None)
@given(st.lists(nats, min_size=1, max_size=5), st.floats(0.01, 2))
def test_the_loss_against_numpy(rows, beta):
    c, r, ref_c, ref_r = given_ = np.array(rows).T
    margin = beta * ((c - ref_c) - (r - ref_r))
    expected = np.logaddexp(0, -margin).mean()  # −log σ(m) = log(1 + exp(−m))
    found = dpo_loss(*torch.tensor(given_), beta)
    assert found.item() == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert found.shape == () and found.item() == pytest.approx(-F.logsigmoid(torch.tensor(margin)).mean().item())


def test_the_loss_by_hand():
    # The chosen answer gained 2 nats on the reference, the rejected one lost 1: a margin of 3, times β = 0.5.
    found = dpo_loss(*torch.tensor([[-4.0], [-7.0], [-6.0], [-6.0]]), beta=0.5)
    assert found.item() == pytest.approx(math.log(1 + math.exp(-1.5)))


def test_only_differences_from_the_reference_count():
    scores = torch.tensor([[-4.0, -1.0], [-7.0, -3.0], [-6.0, -2.0], [-6.0, -2.0]])
    moved = scores + torch.tensor([[1.0], [5.0], [1.0], [5.0]])
    assert dpo_loss(*moved, beta=0.3).item() == pytest.approx(dpo_loss(*scores, beta=0.3).item())
    assert dpo_loss(*scores[[1, 0, 3, 2]], beta=0.3).item() > math.log(2) > dpo_loss(*scores, beta=0.3).item()


# --- answers ---------------------------------------------------------------------------------------------------------------

ids = st.lists(st.integers(0, V - 1), max_size=4)
answers = st.lists(st.integers(0, V - 1), min_size=1, max_size=3)


@pytest.mark.parametrize("name", ["as GPT-2", "all of them"])
@settings(max_examples=15, deadline=None)
@given(pairs=st.lists(st.tuples(ids, answers), min_size=1, max_size=5), ends=st.booleans())
def test_answers_side_by_side_score_as_each_alone(name, pairs, ends):
    model = build(name)
    found = answer_log_probs(model, pairs, ends=ends)
    assert found.shape == (len(pairs),) and not found.requires_grad
    np.testing.assert_allclose(found, [one_by_one(model, *pair, ends) for pair in pairs], atol=1e-4)  # float32, sums of ≤ 4


def test_more_answers_than_are_read_at_once():
    model = build()
    pairs = [([i % V], [(i * i) % V, 3][: 1 + i % 2]) for i in range(150)]
    np.testing.assert_allclose(answer_log_probs(model, pairs), [one_by_one(model, *pair) for pair in pairs], atol=1e-4)
    assert answer_log_probs(model, []).shape == (0,)


def test_dropout_is_off_while_answers_are_read_and_on_again_after():
    model, still = build(dropout=0.5).train(), build()
    pairs = [(prompt, chosen) for prompt, chosen, _ in EXAMPLES]
    torch.testing.assert_close(answer_log_probs(model, pairs), answer_log_probs(still, pairs), atol=1e-5, rtol=1e-5)
    data = PreferenceData(EXAMPLES, model)
    torch.testing.assert_close(data.reference, PreferenceData(EXAMPLES, still).reference, atol=1e-5, rtol=1e-5)
    assert model.training


# --- data ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ends", [False, True])
def test_a_batch_by_hand(ends):
    model = build()
    data = PreferenceData([([3, 4], [5], [6, 7])], model, ends=ends)
    inputs, targets, reference = batch_of(data, 2)
    if ends:
        assert inputs.tolist() == [[[0, 3, 4, 5, 0], [0, 3, 4, 6, 7]]] * 2
        assert targets.tolist() == [[[-100, -100, 5, 0, -100], [-100, -100, 6, 7, 0]]] * 2
    else:
        assert inputs.tolist() == [[[0, 3, 4, 0], [0, 3, 4, 6]]] * 2
        assert targets.tolist() == [[[-100, -100, 5, -100], [-100, -100, 6, 7]]] * 2
    expected = [one_by_one(model, [3, 4], answer, ends) for answer in ([5], [6, 7])]
    np.testing.assert_allclose(reference, [expected] * 2, atol=1e-5)


@pytest.mark.parametrize("ends", [False, True])
def test_the_loss_of_a_batch_against_answers_one_by_one(ends):
    model, reference, beta = build("all of them"), build("all of them", seed=5), 0.7
    data = PreferenceData(EXAMPLES, reference, beta, ends=ends)
    drawn = torch.randint(3, (8,), generator=torch.Generator().manual_seed(0)).tolist()
    gained = [
        [one_by_one(model, p, answer, ends) - one_by_one(reference, p, answer, ends) for answer in (c, r)]
        for p, c, r in (EXAMPLES[i] for i in drawn)
    ]
    margin = beta * np.subtract(*np.transpose(gained))
    assert data.loss(model, batch_of(data)).item() == pytest.approx(np.logaddexp(0, -margin).mean(), abs=1e-4)


def test_at_the_start_the_loss_is_log_2_and_the_gradient_half_beta_times_the_difference():
    model, beta = build(), 0.3
    data = PreferenceData(EXAMPLES, model, beta)
    batch = batch_of(data)
    loss = data.loss(model, batch)
    assert loss.item() == pytest.approx(math.log(2), abs=1e-6)
    loss.backward()
    found = {name: p.grad.clone() for name, p in model.named_parameters()}
    model.zero_grad()
    drawn = torch.randint(3, (8,), generator=torch.Generator().manual_seed(0)).tolist()
    for i in drawn:  # β / 2 (∇ log p(rejected) − ∇ log p(chosen)), averaged
        prompt, chosen, rejected = EXAMPLES[i]
        for answer, sign in ((rejected, 1), (chosen, -1)):
            text = torch.tensor([END, *prompt, *answer])
            scores = F.log_softmax(model(text[None, :-1])[0], dim=-1)[range(len(text) - 1), text[1:]]
            (sign * beta / 2 / len(drawn) * scores[len(prompt) :].sum()).backward()
    for name, p in model.named_parameters():
        torch.testing.assert_close(found[name], p.grad, atol=1e-5, rtol=1e-4)


def test_training_raises_the_margins_and_leaves_the_reference_as_it_was():
    reference = build()
    model, before = copy.deepcopy(reference), {name: t.clone() for name, t in reference.state_dict().items()}
    history = train(model, PreferenceData(EXAMPLES, reference), TrainConfig(steps=30, lr=0.003, **QUICK))
    assert history.loss[0] == pytest.approx(math.log(2), abs=1e-5) and history.loss[-1] < 0.8 * history.loss[0]
    assert (margins(model, reference) > 1).all()
    assert all(torch.equal(t, before[name]) for name, t in reference.state_dict().items())
    # The same model may be trained itself: what it gave the answers at first was kept.
    train(reference, PreferenceData(EXAMPLES, reference), TrainConfig(steps=30, lr=0.003, **QUICK))
    assert all(torch.equal(t, reference.state_dict()[name]) for name, t in model.state_dict().items())


def test_a_batch_in_parts_and_a_look_at_the_validation_set():
    found = []
    for accumulate in (1, 4):
        model, data = build(), PreferenceData(EXAMPLES, build())
        config = TrainConfig(**QUICK | {"eval_every": 2}, steps=2, accumulate=accumulate, crop=5)
        history = train(model, data, config, val=data)
        found.append([*history.loss, *history.val_loss])
    assert found[0] == pytest.approx(found[1], abs=1e-5) and len(found[0]) == 4


# --- bad input -------------------------------------------------------------------------------------------------------------


def test_an_example_fills_the_context_and_no_more():
    prompt, model = [1] * (BLOCK - 2), build()
    assert batch_of(PreferenceData([(prompt, [2], [3, 3])], model))[0].shape == (8, 2, BLOCK)
    message = rf"example 0 needs {BLOCK + 1} tokens \({BLOCK - 2} of the prompt, 2 of the rejected answer, and the end token\)"
    with pytest.raises(ValueError, match=message):
        PreferenceData([(prompt, [2], [3, 3])], model, ends=True)
    with pytest.raises(ValueError, match=rf"example 1 needs {BLOCK + 1} tokens \({BLOCK - 2} of the prompt, 3 of the answer\)"):
        answer_log_probs(model, [([1], [2]), (prompt, [2, 2, 2])])
    with pytest.raises(ValueError, match=f"is {BLOCK} tokens long, but a batch may have 5"):
        PreferenceData([(prompt, [2], [3, 3])], model).batch(2, 5, torch.Generator())


ROW = torch.zeros(3)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda m: dpo_loss(ROW, ROW, ROW, ROW, 0), "beta must be a number above 0, got 0"),
        (lambda m: dpo_loss(ROW, ROW, ROW, ROW, math.nan), "beta must be a number above 0, got nan"),
        (lambda m: dpo_loss(ROW, ROW, ROW, ROW[:, None], 0.1), r"four tensors \(B,\).* got \(3,\), \(3,\), \(3,\), \(3, 1\)"),
        (lambda m: dpo_loss(*[ROW[0]] * 4, 0.1), r"four tensors \(B,\)"),
        (lambda m: PreferenceData(EXAMPLES, m, -1), "beta must be a number above 0, got -1"),
        (lambda m: PreferenceData([], m), "at least one example"),
        (lambda m: PreferenceData([([1], [2], [3]), ([1], [], [3])], m), "the chosen answer of example 1 is empty"),
        (lambda m: PreferenceData([([1], [2], [])], m), "the rejected answer of example 0 is empty"),
        (lambda m: PreferenceData([([1], [2], [V])], m), f"token id {V} is not in the vocabulary"),
        (lambda m: PreferenceData([([0.5], [2], [3])], m), "integer token ids"),
        (lambda m: answer_log_probs(m, [([1], [])]), "the answer of example 0 is empty"),
        (lambda m: answer_log_probs(m, [([-1], [2])]), "token id -1"),
    ],
)
def test_preferences_refuse(act, message):
    with pytest.raises(ValueError, match=message):
        act(build())
