"""Training: the loop is the one a learner would write, its batches depend on seed and step alone, and nothing is ever lost."""

import errno
import json
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch.nn import functional as F

from helpers import paths, training, world
from helpers.probability import cross_entropy
from helpers.training import (
    PRESETS,
    CheckpointError,
    Diverged,
    MaskedData,
    PairData,
    Stopped,
    TextData,
    TrainConfig,
    checkpoints,
    evaluate,
    learning_rate_factor,
    load_model,
    loop,
    make_optimizers,
    save_model,
    train,
)
from helpers.training.muon import Muon, orthogonalised, through_gram
from helpers.transformer import BERT, GPT, BERTConfig, EncoderDecoder, EncoderDecoderConfig, GPTConfig

V = 11
SIZES = {"vocab_size": V, "block_size": 8, "n_layer": 2, "n_head": 2, "n_embd": 16}
CONFIG = TrainConfig(steps=12, batch_size=4, lr=1e-2, eval_every=5, eval_tokens=64, save_every=4, precision="float32")
TEXT = np.arange(400) ** 2 % V  # repeats after V tokens


def new_gpt(**fields):
    return GPT(GPTConfig(**SIZES, **fields))


def weights(model):
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def assert_equal(a, b):
    assert a.keys() == b.keys()
    for name in a:
        assert torch.equal(a[name], b[name]), name


# ---- the schedule and the optimisers


def test_the_schedule_by_hand():
    config = TrainConfig(steps=10, warmup=0.2, cooldown=0.5)
    found = [learning_rate_factor(step, config) for step in range(10)]
    assert found == pytest.approx([0.5, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2])
    flat = TrainConfig(steps=4, warmup=0, cooldown=0)
    assert [learning_rate_factor(step, flat) for step in range(4)] == [1, 1, 1, 1]


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 300), st.floats(0, 0.5), st.floats(0, 0.5))
def test_the_rate_is_positive_at_most_the_highest_and_rises_before_it_falls(steps, warmup, cooldown):
    config = TrainConfig(steps=steps, warmup=warmup, cooldown=cooldown)
    found = [learning_rate_factor(step, config) for step in range(steps)]
    assert all(0 < f <= 1 for f in found)
    top = found.index(max(found))
    assert found[: top + 1] == sorted(found[: top + 1]) and found[top:] == sorted(found[top:], reverse=True)


def test_where_all_that_is_trained_is_muons_there_is_no_adamw():
    model = GPT(GPTConfig(vocab_size=5, n_layer=1, n_head=1, n_embd=4, block_size=4))
    for name, p in model.named_parameters():
        p.requires_grad = name.endswith("query.weight")
    (muon,) = make_optimizers(model, TrainConfig(matrix_lr=0.02))
    assert isinstance(muon, Muon) and [p.shape for p in muon.param_groups[0]["params"]] == [(4, 4)]


def test_muon_is_told_its_rate_decay_and_memory():
    config = TrainConfig(matrix_lr=0.02, weight_decay=0.3, momentum=0.8, matrix_beta2=0.7)
    _, muon = make_optimizers(new_gpt(), config, half=True)
    told = {name: muon.param_groups[0][name] for name in ("lr", "weight_decay", "momentum", "half", "beta2")}
    assert told == {"lr": 0.02, "weight_decay": 0.3, "momentum": 0.8, "half": True, "beta2": 0.7}


@pytest.mark.parametrize("model", [new_gpt(), BERT(BERTConfig(**SIZES)), EncoderDecoder(EncoderDecoderConfig(**SIZES))])
def test_muon_gets_the_matrices_inside_blocks_and_every_parameter_has_one_optimiser(model):
    adamw, muon = make_optimizers(model, TrainConfig(matrix_lr=0.02))
    names = {id(p): name for name, p in model.named_parameters()}
    of = [[names[id(p)] for group in o.param_groups for p in group["params"]] for o in (adamw, muon)]
    assert sorted(of[0] + of[1]) == sorted(names.values())
    assert all(name.split(".")[0] in ("blocks", "encoder", "decoder") and name.endswith("weight") for name in of[1])
    assert len(of[1]) == sum(n.endswith(("query.weight", "up.weight", "down.weight", "key.weight", "value.weight")) or
                             (n.endswith("output.weight")) for n in names.values())  # fmt: skip
    decays = {names[id(p)]: group["weight_decay"] for group in adamw.param_groups for p in group["params"]}
    assert all((decay > 0) == (dict(model.named_parameters())[name].ndim == 2) for name, decay in decays.items())


# ---- Muon


def matrices(*shape, seed=0):
    """Random ones, with singular values from large to small."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator) * torch.linspace(0.01, 1, shape[-1])


@pytest.mark.parametrize("shape", [(3, 12, 20), (2, 20, 12), (1, 16, 24)])
def test_orthogonalising_brings_all_singular_values_near_one_and_keeps_the_vectors(shape):
    M = matrices(*shape)
    found = orthogonalised(M)
    values = torch.linalg.svdvals(found)
    assert values.min() > 0.3 and values.max() < 1.3
    U, _, Vh = torch.linalg.svd(M, full_matrices=False)
    core = U.mT @ found @ Vh.mT  # diagonal: the same singular vectors
    torch.testing.assert_close(core, torch.diag_embed(core.diagonal(dim1=-2, dim2=-1)), atol=1e-3, rtol=0)
    torch.testing.assert_close(found[:1], orthogonalised(M[:1]), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(orthogonalised(100 * M), found, atol=1e-3, rtol=1e-3)


def test_a_number_goes_through_the_polynomial_by_hand():
    s = 1.0  # the only singular value, divided by the norm
    for _ in range(2):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    assert orthogonalised(torch.tensor([[[-7.0]]]), rounds=2).item() == pytest.approx(-s, rel=1e-5)
    assert orthogonalised(torch.zeros(1, 2, 3)).abs().max() == 0


@pytest.mark.parametrize("shape", [(2, 8, 16), (3, 8, 40), (1, 64, 256)])
@pytest.mark.parametrize("rounds", [1, 2, 5])
def test_the_rounds_through_the_gram_matrix_are_the_rounds_through_the_matrix(shape, rounds):
    M = matrices(*shape) * torch.logspace(-3, 0, shape[1])[:, None]  # singular values over some four powers of ten
    X = M / M.norm(dim=(-2, -1), keepdim=True)
    product = through_gram(X @ X.mT, rounds) @ X
    for _ in range(rounds):
        gram = X @ X.mT
        X = 3.4445 * X + (-4.7750 * gram + 2.0315 * gram @ gram) @ X
    torch.testing.assert_close(product, X, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(orthogonalised(M, rounds), X, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(orthogonalised(M.mT, rounds), X.mT, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("half", [True, False])
def test_muon_takes_the_steps_of_torchs(half):
    shapes = [(8, 8), (24, 8), (8, 24), (8, 8)]
    ours, theirs = ([torch.nn.Parameter(matrices(*shape, seed=i)) for i, shape in enumerate(shapes)] for _ in range(2))
    optimizers = Muon(ours, lr=0.05, weight_decay=0.3, half=half), torch.optim.Muon(theirs, lr=0.05, weight_decay=0.3)
    for step in range(4):
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            a.grad = b.grad = None if (step, i) == (1, 2) else matrices(*a.shape, seed=10 * step + i)
        for optimizer in optimizers:
            optimizer.step()
    for a, b in zip(ours, theirs, strict=True):  # theirs is always in bfloat16, which has 8 bits: 0.05 · 2⁻⁸ a step
        torch.testing.assert_close(a, b, atol=1e-4 if half else 2e-3, rtol=1e-4 if half else 2e-3)


@pytest.mark.parametrize("shape", [(24, 8), (8, 24), (8, 8)])
def test_normuon_moves_every_neuron_alike_and_all_of_them_as_far_as_muon(shape):
    plain, even = (torch.nn.Parameter(torch.zeros(shape)) for _ in range(2))
    plain.grad = even.grad = matrices(*shape) * torch.logspace(-2, 0, shape[0])[:, None]
    Muon([plain], lr=1.0).step()
    Muon([even], lr=1.0, beta2=0.0).step()
    lengths = [p.detach().norm(dim=1 if shape[0] >= shape[1] else 0) for p in (plain, even)]
    assert lengths[0].max() > (1.1 if shape == (8, 8) else 2) * lengths[0].min()
    torch.testing.assert_close(lengths[1], lengths[1].mean().expand_as(lengths[1]), atol=1e-5, rtol=1e-4)
    assert even.detach().norm().item() == pytest.approx(plain.detach().norm().item(), rel=1e-4)


def test_normuon_by_hand_matrix_by_matrix():
    shapes, lr, decay, mu, beta2 = [(6, 4), (4, 6), (6, 4)], 0.05, 0.3, 0.8, 0.9
    ours = [torch.nn.Parameter(matrices(*shape, seed=i)) for i, shape in enumerate(shapes)]
    theirs = [p.detach().clone() for p in ours]
    optimizer = Muon(ours, lr=lr, momentum=mu, weight_decay=decay, beta2=beta2)
    M, v = [torch.zeros(shape) for shape in shapes], [0.0] * 3
    for step in range(3):
        for i, (rows, columns) in enumerate(shapes):
            ours[i].grad = G = None if (step, i) == (1, 2) else matrices(rows, columns, seed=10 * step + i)
            if G is None:
                continue
            M[i] = mu * M[i] + (1 - mu) * G
            O = orthogonalised(((1 - mu) * G + mu * M[i])[None])[0]  # noqa: E741, as in the paper
            v[i] = beta2 * v[i] + (1 - beta2) * (O**2).mean(dim=1 if rows >= columns else 0, keepdim=True)
            even = O / v[i].sqrt()
            even = even * O.norm() / even.norm()
            theirs[i] = (1 - lr * decay) * theirs[i] - lr * max(1, rows / columns) ** 0.5 * even
        optimizer.step()
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a.detach(), b, atol=1e-5, rtol=1e-4)


def test_normuon_leaves_a_matrix_without_a_gradient_where_it_is():
    still = torch.nn.Parameter(matrices(3, 5))
    before, still.grad = still.detach().clone(), torch.zeros(3, 5)
    Muon([still], lr=1.0, weight_decay=0.0, beta2=0.9).step()
    assert torch.equal(still.detach(), before)


def test_muon_refuses_what_is_no_matrix():
    with pytest.raises(ValueError, match="give it to AdamW"):
        Muon([torch.nn.Parameter(torch.zeros(3))], lr=0.1)


def test_muon_computes_in_what_the_run_does_and_a_resumed_run_in_what_it_did(tmp_path, monkeypatch):
    config = replace(CONFIG, matrix_lr=0.02, precision="auto")
    for half in (True, False):
        monkeypatch.setattr(loop, "choose_precision", lambda *_, half=half: half)
        run = loop.Run(new_gpt(), TEXT, config, None, tmp_path, None)
        assert run.half == run.optimizers[1].param_groups[0]["half"] == half
    run.save()
    monkeypatch.setattr(loop, "choose_precision", lambda *_: True)
    run = loop.Run(new_gpt(), TEXT, config, None, tmp_path, None)
    run.restore()
    assert (run.half, run.optimizers[1].param_groups[0]["half"]) == (False, False)


# ---- the loop, beside one written out


def by_hand(model, config):
    """What `train` does, with nothing but torch."""
    ids = torch.from_numpy(TEXT)
    groups = [[p for p in model.parameters() if (p.ndim < 2) == small] for small in (False, True)]
    decays = [{"params": groups[0], "weight_decay": config.weight_decay}, {"params": groups[1], "weight_decay": 0}]
    optimizer = torch.optim.AdamW([group for group in decays if group["params"]], betas=config.betas)
    losses = []
    for step in range(config.steps):
        for group in optimizer.param_groups:
            group["lr"] = config.lr * learning_rate_factor(step, config)
        generator = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
        begins = torch.randint(len(ids) - 8, (config.batch_size, 1), generator=generator)
        crops = ids[begins + torch.arange(9)]
        loss = F.cross_entropy(model(crops[:, :-1]).flatten(0, 1), crops[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip)
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_the_loop_is_the_one_written_out():
    ours, theirs = new_gpt(bias=False), new_gpt(bias=False)  # a key's bias has no gradient but rounding, which Adam blows up
    history = train(ours, TEXT, CONFIG)
    assert history.loss == pytest.approx(by_hand(theirs, CONFIG), abs=1e-5)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)
    assert history.steps == list(range(CONFIG.steps)) and history.tokens == CONFIG.steps * 4 * 8


def test_a_model_learns_a_text_that_repeats_and_the_validation_loss_is_looked_at_when_due():
    model = new_gpt(position="rotary", qk_norm=True)
    config = replace(CONFIG, steps=150, eval_every=50, matrix_lr=0.02)
    before = evaluate(model, TEXT)
    history = train(model, TEXT, config, val=TEXT)
    assert evaluate(model, TEXT) < 0.2 < before
    assert history.val_steps == [0, 50, 100, 150] and history.val_loss[-1] < 0.3 < history.val_loss[0]
    assert not model.training, "a trained model is handed over without dropout"


def test_a_batch_in_parts_gives_the_same_gradient():
    whole, parts = new_gpt(), new_gpt()
    a, b = train(whole, TEXT, CONFIG), train(parts, TEXT, replace(CONFIG, accumulate=2))
    assert a.loss == pytest.approx(b.loss, abs=1e-5)


def test_evaluation_is_the_models_own_score_without_dropout():
    model = new_gpt(dropout=0.5).train()
    assert evaluate(model, TEXT) == pytest.approx(cross_entropy(model.eval().log_probs(TEXT)))
    model.train()
    evaluate(model, TEXT)
    assert model.training


def test_bfloat16_is_close_to_float32_and_auto_is_one_of_them():
    losses = {p: train(new_gpt(), TEXT, replace(CONFIG, precision=p)).loss for p in ("float32", "bfloat16", "auto")}
    assert losses["bfloat16"] != losses["float32"]
    assert losses["bfloat16"] == pytest.approx(losses["float32"], abs=0.05)
    assert losses["auto"] in (losses["bfloat16"], losses["float32"])


def test_a_callback_sees_every_report_and_may_stop_the_run(tmp_path):
    seen = []

    def callback(step, history):
        seen.append((step, len(history.loss)))
        if step >= 10:
            raise Stopped

    history = train(new_gpt(), TEXT, CONFIG, val=TEXT, out=tmp_path, callback=callback)
    assert seen == [(0, 0), (5, 5), (10, 10)]
    assert len(history.loss) == 10
    assert checkpoints.load_checkpoint(tmp_path / loop.LAST)[1]["step"] == 10


@pytest.mark.parametrize("where", ["step", "callback"])
def test_an_interrupt_waits_for_the_end_of_the_step_and_saves(tmp_path, where):
    whole, model, resumed = new_gpt(dropout=0.1), new_gpt(dropout=0.1), new_gpt(dropout=0.1)
    expected = train(whole, TEXT, CONFIG, val=TEXT)

    class Interrupted(TextData):
        def loss(self, *arguments):
            if self.armed and len(seen) == 2:  # between step 5, which was reported, and step 6
                signal.raise_signal(signal.SIGINT)
            return super().loss(*arguments)

    def callback(step, history):
        seen.append(step)
        if where == "callback" and step == 5:
            signal.raise_signal(signal.SIGINT)
            pytest.fail("in a callback it does not wait")

    seen, data = [], Interrupted(TEXT, V)
    data.armed = where == "step"
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt, match="at step"):
        train(model, data, CONFIG, val=TEXT, out=tmp_path, callback=callback)
    reached = {"step": 6, "callback": 5}[where]
    assert checkpoints.load_checkpoint(tmp_path / loop.LAST)[1]["step"] == reached
    assert signal.getsignal(signal.SIGINT) is before and not model.training
    found = train(resumed, TEXT, CONFIG, val=TEXT, out=tmp_path, resume=True)
    assert (found.loss, found.val_loss) == (expected.loss, expected.val_loss)
    assert_equal(weights(whole), weights(resumed))


def test_a_second_interrupt_does_not_wait_and_saves_nothing(tmp_path):
    class Interrupted(TextData):
        def loss(self, *arguments):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(new_gpt(), Interrupted(TEXT, V), CONFIG, out=tmp_path)
    assert not (tmp_path / loop.LAST).exists()


def test_the_time_of_a_callback_is_no_training_time(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(loop.Run, "_now", lambda run: clock[0] + run.step)  # a second a step

    def callback(step, history):
        clock[0] += 1000

    assert train(new_gpt(), TEXT, CONFIG, callback=callback).seconds == CONFIG.steps


# ---- data


def test_a_batch_depends_on_seed_and_step_alone():
    run = [loop.Run(new_gpt(), TEXT, replace(CONFIG, seed=seed), None, None, None) for seed in (0, 0, 1)]
    assert torch.equal(run[0].batch(7)[0], run[1].batch(7)[0])
    assert not torch.equal(run[0].batch(7)[0], run[0].batch(8)[0])
    assert not torch.equal(run[0].batch(7)[0], run[2].batch(7)[0])


def test_masked_data_asks_for_what_was_masked_and_bert_learns_it():
    data = MaskedData(TEXT, V + 1, mask_id=V)
    inputs, targets = data.batch(200, 8, torch.Generator().manual_seed(0))
    asked = targets != -100
    assert 0.1 < asked.float().mean() < 0.2
    assert ((inputs == V) <= asked).all()
    model = BERT(BERTConfig(**SIZES | {"vocab_size": V + 1}))
    history = train(model, data, replace(CONFIG, steps=200, batch_size=16, matrix_lr=0.02))
    assert np.mean(history.loss[-10:]) < 0.6 * np.mean(history.loss[:10])


def test_pairs_are_padded_shifted_and_ended():
    data = PairData([[1, 2, 3], [4]], [[5], [6, 7]], V, start=0, end=9)
    batch = data.batch(50, 8, torch.Generator().manual_seed(0))
    rows = {tuple(map(tuple, (s.tolist(), r.tolist(), g.tolist(), a.tolist()))) for s, r, g, a in zip(*batch, strict=True)}
    assert rows == {
        ((1, 2, 3), (True, True, True), (0, 5, 9), (5, 9, -100)),
        ((4, 9, 9), (True, False, False), (0, 6, 7), (6, 7, 9)),
    }


def test_an_encoder_decoder_learns_to_copy():
    rows = [list(np.random.default_rng(i).integers(1, V, 3)) for i in range(200)]
    model = EncoderDecoder(EncoderDecoderConfig(**SIZES))
    train(model, PairData(rows, rows, V, start=0, end=0), replace(CONFIG, steps=400, batch_size=32, matrix_lr=0.02))
    scores = [model.given(row).log_probs([*row, 0]).mean() for row in rows[:20]]
    assert np.mean(scores) > math.log(0.8)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PairData([], [], V, 0, 0), "at least one"),
        (lambda: PairData([[1]], [[1], [2]], V, 0, 0), "as many targets as sources"),
        (lambda: TextData([V], V), "not in the vocabulary"),
        (lambda: train(new_gpt(), [1, 2], CONFIG), "a crop needs"),
        (lambda: train(new_gpt(), TEXT, replace(CONFIG, crop=9)), "block_size is 8"),
        (lambda: TrainConfig(steps=0), "steps"),
        (lambda: TrainConfig(batch_size=6, accumulate=4), "multiple of accumulate"),
        (lambda: TrainConfig(warmup=0.6, cooldown=0.6), "warmup"),
        (lambda: TrainConfig(lr=0), "lr"),
        (lambda: TrainConfig(matrix_lr=-1), "matrix_lr"),
        (lambda: TrainConfig(momentum=1.0), "momentum"),
        (lambda: TrainConfig(matrix_beta2=-0.1), "matrix_beta2"),
        (lambda: TrainConfig(precision="float16"), "precision"),
    ],
)
def test_bad_settings_and_data_are_refused_in_words(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_loss_that_is_no_number_stops_the_run_with_a_diagnosis(tmp_path):
    model = new_gpt()
    train(model, TEXT, CONFIG, out=tmp_path)
    good = (tmp_path / loop.LAST).read_bytes()
    with pytest.raises(Diverged, match=r"learning rate of .*[Ll]ower lr"):
        with torch.no_grad():
            model.head.weight[0, 0] = math.nan
        train(model, TEXT, CONFIG, out=tmp_path)
    assert (tmp_path / loop.LAST).read_bytes() == good, "the last good checkpoint stands"


# ---- checkpoints


@pytest.mark.parametrize("fields", [{}, {"dropout": 0.2, "position": "rotary", "n_previous": 2, "tied": False}])
@pytest.mark.parametrize("muon", [{}, {"matrix_lr": 0.02}, {"matrix_lr": 0.02, "matrix_beta2": 0.9}])
def test_a_run_that_stopped_and_was_resumed_ends_bit_for_bit_as_one_that_was_not(tmp_path, fields, muon):
    config = replace(CONFIG, **muon)
    whole, first, second = new_gpt(**fields), new_gpt(**fields), new_gpt(seed=5, **fields)
    second.config = first.config  # its weights are others until it is resumed
    expected = train(whole, TEXT, config, val=TEXT)

    def stop(step, history):
        if step == 10:
            raise Stopped

    train(first, TEXT, config, val=TEXT, out=tmp_path, callback=stop)
    found = train(second, TEXT, config, val=TEXT, out=tmp_path, resume=True)
    assert_equal(weights(whole), weights(second))
    assert (found.loss, found.val_loss, found.tokens) == (expected.loss, expected.val_loss, expected.tokens)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork; kills are tried on Linux and macOS")
def test_a_run_killed_twenty_times_ends_as_one_that_was_never_killed(tmp_path):
    torch.set_num_threads(1)
    config = replace(CONFIG, steps=300, save_every=10, matrix_lr=0.02)
    whole = new_gpt(dropout=0.1)
    train(whole, TEXT, config)
    rng, kills, done = np.random.default_rng(0), 0, False
    while not done:
        child = os.fork()
        if child == 0:  # here nothing may escape: the child ends here, one way or the other
            try:
                train(new_gpt(dropout=0.1), TEXT, config, out=tmp_path, resume=(tmp_path / loop.LAST).exists())
                os._exit(0)
            except BaseException:
                os._exit(1)
        if kills < 20:
            time.sleep(rng.uniform(0.01, 0.15))
            os.kill(child, signal.SIGKILL)
            kills += 1
        _, status = os.waitpid(child, 0)
        done = os.WIFEXITED(status)
        assert not done or os.WEXITSTATUS(status) == 0, "a resumed run failed"
    model, facts = load_model(tmp_path / loop.LAST)
    assert facts["step"] == 300
    assert_equal(weights(whole), weights(model))


@pytest.fixture
def saved(tmp_path):
    train(new_gpt(), TEXT, CONFIG, out=tmp_path)
    return tmp_path


@pytest.mark.parametrize("change", ["truncated", "empty", "text", "foreign", "absent"])
def test_a_damaged_or_foreign_checkpoint_is_refused_in_words(saved, change):
    path = saved / loop.LAST
    data = path.read_bytes()
    if change == "foreign":
        save_file({"x": torch.zeros(1)}, path)
    elif change == "absent":
        path.unlink()
    else:
        path.write_bytes({"truncated": data[: len(data) // 2], "empty": b"", "text": b"hello, I am no checkpoint"}[change])
    said = {"foreign": "somebody else's", "absent": "no checkpoint"}.get(change, "damaged")
    with pytest.raises(CheckpointError, match=said):
        train(new_gpt(), TEXT, CONFIG, out=saved, resume=True)


@pytest.mark.parametrize(
    ("model", "config", "said"),
    [
        (new_gpt(n_hidden=20), CONFIG, "n_hidden: None → 20"),
        (new_gpt(), replace(CONFIG, lr=0.5), "lr: 0.01 → 0.5"),
        (new_gpt(), replace(CONFIG, steps=13, seed=1), "steps: 12 → 13; seed: 0 → 1"),
    ],
)
def test_a_checkpoint_of_other_settings_is_refused_and_says_which(saved, model, config, said):
    with pytest.raises(CheckpointError, match=said):
        train(model, TEXT, config, out=saved, resume=True)


def test_a_run_saves_when_it_is_told_to(tmp_path):
    seen = []

    def note(step, _):
        path = tmp_path / loop.LAST
        seen.append((step, checkpoints.load_checkpoint(path)[1]["step"] if path.exists() else 0))

    train(new_gpt(), TEXT, replace(CONFIG, save_every=3), out=tmp_path, callback=note)
    assert seen == [(0, 0), (5, 3), (10, 9), (12, 9)]  # reports are where they were; a checkpoint comes after that of its step


def test_compiling_changes_no_step(monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda model: model)  # what is tested is the call that makes the compiler work
    plain, compiled = (new_gpt(dropout=0.3) for _ in range(2))
    losses = [train(m, TEXT, replace(CONFIG, compile=c)).loss for m, c in ((plain, False), (compiled, True))]
    assert losses[0] == losses[1]
    assert_equal(weights(plain), weights(compiled))


def test_where_compiling_fails_training_goes_on_with_a_warning(monkeypatch):
    def broken(_):
        def fail(*_):
            raise RuntimeError("no compiler")

        return fail

    monkeypatch.setattr(torch, "compile", broken)
    with pytest.warns(UserWarning, match="goes on without it: no compiler"):
        history = train(new_gpt(), TEXT, replace(CONFIG, compile=True))
    assert history.loss == train(new_gpt(), TEXT, CONFIG).loss


def test_how_often_one_looks_and_saves_may_change_when_resuming(saved):
    train(new_gpt(), TEXT, replace(CONFIG, eval_every=3, save_every=7), out=saved, resume=True)


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_full_disk_is_said_and_leaves_the_last_checkpoint_and_no_rubbish(saved, monkeypatch, failing):
    before = (saved / loop.LAST).read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(paths.os, failing, full)
    with pytest.raises(CheckpointError, match=r"No space left on device.*as it was"):
        train(new_gpt(), TEXT, CONFIG, out=saved)
    monkeypatch.undo()
    assert (saved / loop.LAST).read_bytes() == before
    assert [path.name for path in saved.iterdir()] == [loop.LAST]


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CheckpointError, match="choose another folder"):
        train(new_gpt(), TEXT, CONFIG, out=tmp_path / "file" / "run")


def test_resume_needs_a_folder():
    with pytest.raises(CheckpointError, match="out="):
        train(new_gpt(), TEXT, CONFIG, resume=True)


@pytest.mark.parametrize(
    "model", [new_gpt(tied=False), new_gpt(), BERT(BERTConfig(**SIZES)), EncoderDecoder(EncoderDecoderConfig(**SIZES))]
)
def test_a_saved_model_comes_back_as_it_was_but_for_half_precision(tmp_path, model):
    save_model(model, str(tmp_path / "m.safetensors"), val_loss=1.25, command="python …")
    loaded, facts = load_model(tmp_path / "m.safetensors")
    assert facts == {"val_loss": 1.25, "command": "python …"} and not loaded.training
    for a, b in zip(model.parameters(), loaded.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-3, rtol=1e-3)
    if isinstance(model, GPT):
        assert loaded.vocab == model.vocab and (loaded.head.weight is loaded.embedding.weight) == model.config.tied


def test_a_description_of_no_model_is_refused(tmp_path):
    checkpoints.save_checkpoint(tmp_path / "x", {}, {"model": {"family": "LSTM", "config": {}, "vocab": None}})
    with pytest.raises(CheckpointError, match="cannot be built"):
        load_model(tmp_path / "x")
    with pytest.raises(ValueError, match="not for Linear"):
        checkpoints.describe_model(torch.nn.Linear(1, 1))


# ---- the command line, and several processes


def command(*arguments, launcher=("-m", "helpers.training"), **environment):
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(paths.ROOT), **environment}
    done = subprocess.run(
        [sys.executable, *launcher, *map(str, arguments)], capture_output=True, text=True, env=env, cwd=paths.ROOT, timeout=240
    )
    return done.returncode, done.stdout, done.stderr


TINY = ("--preset", "tiny", "--data", "world", "--device", "cpu", "--steps", "8", "--adamw")  # Muon rounds to bfloat16


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    status, printed, errors = command(*TINY, "--out", out)
    assert status == 0, errors
    return out, json.loads(printed.splitlines()[-1])


def test_the_last_line_is_json_and_the_saved_model_has_that_loss(trained):
    out, told = trained
    assert {"val_loss", "train_seconds", "tokens_per_second", "params"} <= told.keys()
    model, facts = load_model(out / "model.safetensors")
    assert told.items() <= facts.items() and {"command", "date", "hardware", "torch"} == facts.keys() - told.keys()
    assert facts["command"] == f"python -m helpers.training {' '.join(TINY)} --out runs/{out.name}"
    _, _, ids = training.encoded("world")
    assert evaluate(model, ids["val"]) == pytest.approx(told["val_loss"], abs=2e-3)


def test_two_processes_take_the_steps_of_one(trained, tmp_path):
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "helpers.training")
    status, printed, errors = command(*TINY, "--out", tmp_path, launcher=launcher)
    assert status == 0, errors
    assert json.loads(printed.splitlines()[-1])["val_loss"] == pytest.approx(trained[1]["val_loss"], abs=1e-4)
    one, two = (checkpoints.load_checkpoint(Path(p) / loop.LAST)[1]["history"]["loss"] for p in (trained[0], tmp_path))
    assert one == pytest.approx(two, abs=1e-5)


@pytest.mark.parametrize("environment, printed", [({}, "said, then taken down"), ({"RANK": "1"}, "said")])
def test_one_of_several_processes_ends_at_once_with_all_it_printed(environment, printed):
    code = (
        "import atexit; from helpers.training import distributed; print('said', end='');"
        "atexit.register(print, ', then taken down', end=''); distributed.end_process(3)"
    )
    line = [sys.executable, "-c", code]
    done = subprocess.run(line, cwd=paths.ROOT, env=os.environ | environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (3, printed), done.stderr


def test_what_goes_wrong_is_said_in_a_line(tmp_path):
    status, printed, errors = command(*TINY, "--out", tmp_path, "--resume")
    assert (status, printed) == (1, "")
    assert "CheckpointError: there is no checkpoint" in errors and "Traceback" not in errors


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_builds_a_model_that_fits_its_data(name):
    model, data, val = training.build(name, "world", n_layer=1)  # the small corpus is enough here
    crop = PRESETS[name].train.crop or model.block_size
    assert crop <= model.block_size and len(model.vocab) == model.vocab_size
    assert type(model).__name__ == PRESETS[name].family
    for part in (data, val):
        assert torch.isfinite(part.loss(model, part.batch(1, crop, torch.Generator().manual_seed(0))))


def test_an_unknown_preset_is_refused():
    with pytest.raises(ValueError, match="choose one of tiny"):
        training.build("huge")


def test_the_polite_stories_are_those_without_a_word_of_the_list():
    """In capitals a word is not on the list: what the filter misses, notebook 09 counts."""
    vocab, end, ids = training.encoded("world-polite", ["val"])
    plain = training.encoded("world", ["val"])[2]["val"]
    rude = {vocab.index(word) for word in world.RUDE_WORDS if word in vocab}
    stories = [story for story in np.split(plain, np.flatnonzero(plain == vocab.index(end)) + 1) if rude.isdisjoint(story)]
    assert rude and np.array_equal(ids["val"], np.concatenate(stories)) and len(ids["val"]) < len(plain)


def test_the_large_world_is_told_as_the_small_one_and_has_its_validation_text(monkeypatch):
    monkeypatch.setattr(training.data, "LARGE", 20)
    vocab, end, ids = training.encoded("world-large")
    assert (vocab, end) == training.encoded("world")[:2]
    assert np.array_equal(ids["val"], training.encoded("world")[2]["val"])
    small = training.encoded("world")[2]["train"]
    stories, known = (" ".join(vocab[i] for i in part).split(f" {end}")[:-1] for part in (ids["train"], small))
    assert len(stories) == 20 and not set(stories) & set(known)


def test_a_masked_text_is_evaluated_once_in_the_same_way_every_time():
    model = BERT(BERTConfig(**SIZES | {"vocab_size": V + 1}, dropout=0.5))
    data = MaskedData(TEXT[:45], V + 1, mask_id=V, keep=[0])
    pieces = list(data.whole(8, n=2))
    assert sum(len(inputs) for inputs, _ in pieces) == 5  # 45 tokens in pieces of 8
    asked = torch.cat([targets for _, targets in pieces]) >= 0
    model.eval()
    with torch.no_grad():
        found = torch.cat([F.cross_entropy(model(i).flatten(0, 1), t.flatten(), reduction="none") for i, t in pieces])
    model.train()
    assert evaluate(model, data) == pytest.approx(found.sum().item() / asked.sum().item(), rel=1e-6)
    assert evaluate(model, data) == evaluate(model, data) and model.training
