"""The training dashboard without a browser: it changes nothing that is learned, and sends each point of the history once."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from IPython.core.events import EventManager, available_events
from nbformat.v4 import new_code_cell, new_notebook

from helpers import world
from helpers.notebooks import execute
from helpers.training import Diverged, History, MaskedData, TrainConfig, train
from helpers.transformer import BERT, GPT, BERTConfig, GPTConfig
from helpers.widgets import TrainingDashboard, training_dashboard
from helpers.widgets._base import to_png

HTML = "<img src=x onerror=alert(1)>"
VOCAB = sorted(set(HTML + "\n"))
TEXT = np.array([VOCAB.index(c) for c in (HTML + "\n") * 30])
SIZES = {"vocab_size": len(VOCAB), "block_size": 8, "n_layer": 1, "n_head": 2, "n_embd": 16}
CONFIG = TrainConfig(steps=25, batch_size=4, lr=1e-2, eval_every=10, eval_tokens=64, precision="float32")


def new_gpt(vocab=VOCAB, **fields) -> GPT:
    return GPT(GPTConfig(**SIZES | {"vocab_size": len(vocab)} | fields), vocab)


def dashboard_of(model=None, config=CONFIG, prompt="<i", **options) -> TrainingDashboard:
    return TrainingDashboard(model or new_gpt(), config, prompt, **{"sample_tokens": 12} | options)


def run(dashboard: TrainingDashboard, callback=None, **options) -> History:
    options = {"val": TEXT} | options
    return train(dashboard.model, TEXT, dashboard.config, callback=callback or dashboard, **options)


class Page:
    """Puts messages together as the page does; `messages` are those that came."""

    def __init__(self, dashboard: TrainingDashboard):
        self.messages, self.run, self.lists = [], None, {}
        dashboard.send = self.receive

    def receive(self, news):
        json.dumps(news, allow_nan=False)
        self.messages.append(news)
        if news["run"] != self.run:
            self.run, self.lists = news["run"], {}
        for names, at in zip((("steps", "loss", "lr"), ("val_steps", "val_loss"), ("samples",)), news["at"], strict=True):
            for name in names:
                before = self.lists.get(name, [])
                assert len(before) >= at, "a gap"
                self.lists[name] = before[:at] + news[name]


@pytest.fixture
def clock(monkeypatch) -> SimpleNamespace:
    """A clock that goes on by `by` seconds whenever it is read, and its sleeps, each of which may do something."""
    clock = SimpleNamespace(now=0.0, by=0.0, sleeps=[], on_sleep=lambda: None)

    def monotonic():
        clock.now += clock.by
        return clock.now

    def sleep(seconds):
        clock.now += seconds
        clock.sleeps.append(seconds)
        clock.on_sleep()

    monkeypatch.setattr(training_dashboard, "time", SimpleNamespace(monotonic=monotonic, sleep=sleep))
    return clock


# ---- it changes nothing


@pytest.mark.parametrize("fields", [{}, {"dropout": 0.3}])
def test_a_run_with_a_dashboard_ends_bit_for_bit_as_one_without(fields):
    plain, watched = new_gpt(**fields), new_gpt(**fields)
    expected = train(plain, TEXT, CONFIG, val=TEXT)
    dashboard = dashboard_of(watched)
    found = run(dashboard)
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), watched.parameters(), strict=True))
    assert (found.loss, found.val_loss, found.lr) == (expected.loss, expected.val_loss, expected.lr)
    assert [sample.step for sample in dashboard.samples] == [0, 10, 20, 25]
    assert dashboard.state == "done" and dashboard.history is found


def test_samples_are_written_without_dropout_and_training_goes_on_with_it(monkeypatch):
    dashboard, modes = dashboard_of(new_gpt(dropout=0.3)), []
    generate = training_dashboard.generate

    def spy(model, *arguments, **options):
        modes.append(model.training)
        return generate(model, *arguments, **options)

    monkeypatch.setattr(training_dashboard, "generate", spy)

    def callback(step, history):
        dashboard(step, history)
        assert dashboard.model.training

    run(dashboard, callback)
    assert modes == [False] * 4


def test_a_sample_is_what_generate_writes():
    dashboard = dashboard_of(seed=3, temperature=0.5)
    run(dashboard)
    ids = training_dashboard.generate(dashboard.model, [VOCAB.index(c) for c in "<i"], 12, 0.5, seed=3)
    assert dashboard.sample == "".join(VOCAB[i] for i in ids) and dashboard.sample.startswith("<i")
    assert dashboard.samples[0].text != dashboard.samples[-1].text and dashboard.samples[-1].prompt == "<i"


def test_the_worlds_words_are_read_and_written_as_text():
    model = new_gpt(list(world.vocabulary()), block_size=16)
    story = world.sample(1, seed=0)[0]
    dashboard = dashboard_of(model, prompt=story, sample_tokens=5)
    dashboard(0, History())
    assert dashboard.sample.startswith(story) and len(dashboard.samples[0].text) > 5


def test_a_model_that_writes_no_text_has_no_samples():
    bert = BERT(BERTConfig(**SIZES))
    dashboard = dashboard_of(bert, prompt=None)
    data = MaskedData(TEXT, len(VOCAB), mask_id=0)
    train(bert, data, CONFIG, val=data, callback=dashboard)
    assert dashboard.samples == [] and dashboard.sample == "" and dashboard.state == "done"


# ---- what is sent


@pytest.mark.parametrize("by", [0.0, 0.003, 0.2, 5.0])
def test_the_points_of_a_page_equal_the_history_and_each_comes_once(clock, by):
    clock.by = by
    config = TrainConfig(steps=400, batch_size=1, eval_every=100, eval_tokens=8, precision="float32")
    dashboard = dashboard_of(config=config, sample_tokens=1)
    page = Page(dashboard)
    dashboard._receive({"type": "all"})
    history = run(dashboard)
    for name in ("steps", "loss", "lr", "val_steps", "val_loss"):
        assert page.lists[name] == getattr(history, name)
        assert sum(len(news[name]) for news in page.messages) == len(getattr(history, name))
    assert page.lists["samples"] == dashboard.samples
    assert len(page.messages) <= 7 + clock.now / training_dashboard.EVERY  # the five looks, begin and end in any case
    assert page.messages[-1]["state"] == "done" and page.messages[-1]["step"] == 400


def test_without_a_page_each_message_holds_all_and_they_come_once_a_second(clock):
    clock.by = 0.2
    dashboard = dashboard_of(config=TrainConfig(steps=400, batch_size=1, eval_every=0, precision="float32"), prompt=None)
    page = Page(dashboard)
    run(dashboard)
    assert {news["at"] for news in page.messages} == {(0, 0, 0)} and len(page.messages) <= 2 + clock.now
    assert len(page.messages[-1]["loss"]) == 400
    dashboard._receive({"type": "all"})
    assert len(page.messages[-1]["loss"]) == 400 and page.messages[-1]["state"] == "done"


def test_a_page_that_asks_again_gets_all_again(clock):
    dashboard = dashboard_of()
    page = Page(dashboard)
    dashboard._receive({"type": "all"})
    run(dashboard)
    dashboard._receive({"type": "all"})
    assert page.messages[-1]["at"] == (0, 0, 0) and page.lists["loss"] == dashboard.history.loss


def test_what_is_no_number_is_sent_as_null():
    dashboard = dashboard_of(prompt=None)
    page = Page(dashboard)
    dashboard(10, History(steps=[0], loss=[1.0], lr=[math.inf], val_steps=[10], val_loss=[math.nan]))
    assert page.lists["val_loss"] == page.lists["lr"] == [None] and page.messages[-1]["tokens_per_second"] is None


def test_time_left_of_a_hand_worked_case(clock):
    dashboard, history = dashboard_of(prompt=None), History()
    page = Page(dashboard)
    dashboard(0, history)
    assert page.messages[-1]["seconds_left"] is None
    clock.now = 20.0  # 2 seconds a step; 15 steps are left
    dashboard(10, history)
    assert page.messages[-1]["seconds_left"] == 30.0


# ---- pause, go on, stop


def test_stop_raises_stopped_and_train_returns_what_was_reached(tmp_path):
    dashboard = dashboard_of()

    def callback(step, history):
        if step == 10:
            dashboard._receive({"type": "stop"})
            dashboard._receive({"type": "go"})  # too late
            assert dashboard.state == "stopping"
        dashboard(step, history)

    history = run(dashboard, callback, out=tmp_path)
    assert len(history.loss) == 10 and dashboard.state == "stopped" and not dashboard.model.training
    assert repr(dashboard) == "TrainingDashboard(stopped, 10 of 25 steps)"
    run(dashboard, out=tmp_path, resume=True)  # the wish is of the run that it was for
    assert dashboard.state == "done" and [sample.step for sample in dashboard.samples] == [0, 10, 20, 25]


@pytest.mark.parametrize("ends", ["go", "stop"])
def test_a_pause_waits_sends_and_counts_no_time(clock, ends):
    dashboard = dashboard_of(prompt=None)
    page = Page(dashboard)
    states = []

    def on_sleep():
        states.append(dashboard.state)
        clock.now += 1000
        if len(clock.sleeps) == 3:
            dashboard._receive({"type": ends})

    clock.on_sleep = on_sleep

    def callback(step, history):
        if step == 10:
            dashboard._receive({"type": "pause"})
            assert dashboard.state == page.messages[-1]["state"] == "pausing"
            clock.now += 20
        dashboard(step, history)

    history = run(dashboard, callback)
    assert states == ["paused"] * 3 and "paused" in [news["state"] for news in page.messages]
    assert len(history.loss) == {"go": 25, "stop": 10}[ends]
    assert dashboard.state == {"go": "done", "stop": "stopped"}[ends]
    assert all((news["seconds_left"] or 0) <= 30 for news in page.messages[2:])


def test_an_interrupt_ends_a_pause(clock):
    def interrupt():
        raise KeyboardInterrupt

    dashboard, clock.on_sleep = dashboard_of(), interrupt

    def callback(step, history):
        dashboard(step, history)
        dashboard.pause()

    with pytest.raises(KeyboardInterrupt):
        run(dashboard, callback)


def test_buttons_without_a_run_and_nonsense_do_nothing():
    dashboard = dashboard_of()
    for kind in ("pause", "stop"):
        dashboard._receive({"type": kind})
    for content in (None, "stop", {}, {"type": 3}, {"type": "write"}):
        dashboard._receive(content)
    assert dashboard.state == "waiting"
    assert len(run(dashboard).loss) == 25
    dashboard.stop()
    assert dashboard.state == "done" and len(run(dashboard).loss) == 25 and len(dashboard.samples) == 4


def test_whatever_ends_the_cell_ends_the_run(monkeypatch):
    shell = SimpleNamespace()
    shell.events = EventManager(shell, available_events)
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    dashboard = dashboard_of(config=TrainConfig(steps=200, batch_size=4, lr=1e30, eval_every=10, precision="float32"))
    with pytest.raises(Diverged):
        run(dashboard)
    assert dashboard.state == "running"
    shell.events.trigger("post_run_cell", None)
    assert dashboard.state == "stopped" and shell.events.callbacks["post_run_cell"] == []


# ---- bad input, pictures


@pytest.mark.parametrize(
    "options, message",
    [
        ({"prompt": "Ω"}, "'Ω' .* at position 0"),
        ({"sample_tokens": 0}, "sample_tokens must be at least 1"),
        ({"temperature": -1}, "temperature must be 0"),
        ({"baselines": {"floor": math.nan}}, "finite numbers, in nats per token, got floor: nan"),
        ({"config": {"steps": 3}}, "TrainConfig of the run, got dict"),
        ({"model": BERT(BERTConfig(**SIZES))}, "pass prompt=None"),
        ({"model": new_gpt([*VOCAB[:-1], "two words"])}, "pass its tokenizer="),
    ],
)
def test_what_cannot_be_shown_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        dashboard_of(**options)


def finished(**options) -> TrainingDashboard:
    dashboard = dashboard_of(**options)
    run(dashboard)
    return dashboard


def broken() -> TrainingDashboard:
    dashboard = dashboard_of(prompt=None)
    dashboard(10, History(steps=[0], loss=[1.0], lr=[0.1]))
    return dashboard


@pytest.mark.parametrize("make", [dashboard_of, finished, broken, lambda: finished(baselines={"uniform": 3.0, "$x": 9.0})])
def test_it_carries_a_picture_with_its_words_and_the_live_view(make):
    dashboard = make()
    (data, metadata), (again, _) = dashboard._repr_mimebundle_(), dashboard._repr_mimebundle_()
    assert set(data) == {"text/plain", "image/png", "application/vnd.jupyter.widget-view+json"}
    assert (again["text/plain"], again["image/png"]) == (data["text/plain"], data["image/png"])
    assert data["text/plain"] == f"TrainingDashboard({dashboard.summary()})" and len(data["image/png"]) < 100_000
    assert metadata["image/png"]["alt"].startswith(f"Training dashboard: {dashboard.summary()}")


def test_a_sample_of_any_text_can_be_drawn():
    dashboard = finished()
    dashboard.samples.append(training_dashboard.Sample(30, HTML, "$x$ 词元 \n" * 40))
    assert to_png(dashboard.picture())


@pytest.mark.timeout(120)
def test_it_works_where_no_page_is_and_never_waits(tmp_path):
    source = """
from helpers.training import TrainConfig, train
from helpers.transformer import GPT, GPTConfig
from helpers.widgets import TrainingDashboard
model = GPT(GPTConfig(vocab_size=2, block_size=4, n_layer=1, n_head=1, n_embd=4), ["a", "b"])
dashboard = TrainingDashboard(model, TrainConfig(steps=20, eval_every=10), "ab", sample_tokens=3)
"""
    cells = [source, "dashboard", "history = train(model, [0, 1] * 20, dashboard.config, callback=dashboard)", "dashboard"]
    path = tmp_path / "run.ipynb"
    path.write_text(json.dumps(new_notebook(cells=[new_code_cell(cell) for cell in cells])), encoding="utf-8")
    executed, _ = execute(path)
    shown = [output.data["text/plain"] for cell in executed.cells for output in cell.outputs]
    assert shown == ["TrainingDashboard(waiting, 0 of 20 steps)", "TrainingDashboard(done, 20 of 20 steps)"]
