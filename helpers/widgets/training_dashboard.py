"""Training dashboard: the losses of a run while it goes, samples that improve, and buttons to pause and to stop it.

Used in `07_mini_gpt.ipynb`. A notebook's kernel is busy while `train` runs; JupyterLab from 4.4 with ipykernel from 7 hands
what the buttons send to a second thread. Elsewhere it waits for the end of the cell; interrupt the kernel there, to stop.
"""

import math
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import traitlets
from matplotlib.figure import Figure

from helpers.probability import LanguageModel
from helpers.sampling import generate, shape_log_probs
from helpers.tokenizers import CharTokenizer, Tokenizer, WordTokenizer
from helpers.widgets._base import PicturedWidget, script
from helpers.widgets._training_picture import training_picture

if TYPE_CHECKING:
    from torch import nn

    from helpers.training import History, TrainConfig

EVERY, EVERY_UNHEARD = 0.1, 1.0  # seconds between two messages; as long as no page was heard, each holds all points
WISHES = ("go", "pause", "stop")


class Sample(NamedTuple):
    """What the model wrote after so many steps: the prompt, and its own text."""

    step: int
    prompt: str
    text: str


class TrainingDashboard(PicturedWidget):
    """Show it, then pass it on: `train(model, ids, config, val=val, callback=dashboard)`. It never changes what is learned.

    model, config: those of the run. prompt: the model goes on from it by sample_tokens tokens before the first step, every
    `config.eval_every` steps and at the end, with the same random numbers each time; None for no samples, as for a BERT.
    tokenizer: None where the tokens are characters or the world's words. baselines: name → nats per token.

    `history` is the run's, as far as it has come; `samples` and `sample` are what was written, `state` is one of waiting,
    running, pausing, paused, stopping, stopped, done. Raises ValueError for what cannot be sampled from or drawn.
    """

    _esm = script("canvas.js", "training_chart.js", "training_dashboard.js")
    setup = traitlets.Dict().tag(sync=True)  # all that never changes

    def __init__(
        self,
        model: "nn.Module",
        config: "TrainConfig",
        prompt: str | None = "",
        *,
        sample_tokens: int = 120,
        temperature: float = 0.8,
        tokenizer: Tokenizer | None = None,
        baselines: Mapping[str, float] | None = None,
        seed: int = 0,
    ):
        self.model, self.config, self.baselines = model, config, dict(baselines or {})
        self._options = {"max_new_tokens": sample_tokens, "temperature": temperature, "seed": seed}
        if wrong := [f"{name}: {value}" for name, value in self.baselines.items() if not math.isfinite(value)]:
            raise ValueError(f"baselines must be finite numbers, in nats per token, got {wrong[0]}")
        if not hasattr(config, "steps") or not hasattr(config, "eval_every"):
            raise ValueError(f"config must be the TrainConfig of the run, got {type(config).__name__}")
        self.prompt = prompt
        if prompt is not None:
            self.tokenizer, self._ids = _readable(model, prompt, tokenizer)
            shape_log_probs(np.zeros(1), temperature)  # an impossible one is refused now, not when the run begins
            if sample_tokens < 1:
                raise ValueError(f"sample_tokens must be at least 1, got {sample_tokens}; pass prompt=None for no samples")
        self.history: History | None = None
        self.samples: list[Sample] = []
        self._run = self._step = 0
        self._running, self._waits = False, None  # since when it is paused
        self._wish = WISHES[0]
        self._clock = (0, 0.0)  # the first step that was seen, and when, later by what was spent in pauses
        self._seen = (0, 0)  # points and looks that are whole: another thread must not meet a list that grows
        self._lock = threading.Lock()  # the buttons are answered by another thread
        self._heard, self._sent, self._moment = False, (0, 0, 0), -math.inf
        super().__init__()
        self.setup = {"steps": config.steps, "baselines": self.baselines, "samples": prompt is not None}
        self.on_msg(lambda widget, content, buffers: self._receive(content))
        # From ipykernel 7.4 on, what a page sends goes to the thread that sent something last. That one is busy with the run.
        if hasattr(self.comm, "_reply_subshell_for"):
            self.comm._reply_subshell_for = lambda data, asked: asked  # the thread that the page asks for, as before 7.4

    def __call__(self, step: int, history: "History") -> None:
        """Take in a report of `train`; waits here while paused, and raises `helpers.training.Stopped` after `stop()`."""
        if history is not self.history:
            self._begin(step, history)
        self._step, self._seen = step, (len(history.steps), len(history.val_steps))
        every, last = self.config.eval_every, step >= self.config.steps
        due = self.prompt is not None and (step == 0 or last or (every and step % every == 0))
        if due:
            self._write(step)
        if last:
            self._end()
        else:
            self._publish(now=due)
            self._obey()

    def pause(self) -> None:
        """Let the run wait from its next report on, until `go_on()`."""
        self._ask("pause")

    def go_on(self) -> None:
        """End a pause."""
        self._ask("go")

    def stop(self) -> None:
        """End the run at its next report; `train` saves, and returns its history."""
        self._ask("stop")

    @property
    def sample(self) -> str:
        """The latest sample with its prompt; "" before the first."""
        return self.samples[-1].prompt + self.samples[-1].text if self.samples else ""

    @property
    def state(self) -> str:
        """What the run does now, in a word."""
        if not self._running:
            return "waiting" if self.history is None else "done" if self._step >= self.config.steps else "stopped"
        return {"go": "running", "pause": "pausing" if self._waits is None else "paused", "stop": "stopping"}[self._wish]

    def summary(self) -> str:
        """How far the run has come."""
        return f"{self.state}, {self._step:,} of {self.config.steps:,} steps"

    def picture(self) -> Figure:
        """Losses and learning rate against steps, and the first and the last sample."""
        return training_picture(self.history, self.config.steps, self.baselines, self.samples)

    def alt(self) -> str:
        """The picture in words."""
        history = self.history
        if history is None or not history.loss:
            return f"Training dashboard: {self.summary()}."
        parts = [f"loss of batches from {history.loss[0]:.2f} to {history.loss[-1]:.2f} nats per token"]
        if history.val_loss:
            parts.append(f"validation loss from {history.val_loss[0]:.2f} to {history.val_loss[-1]:.2f}")
        parts += [f"{name} at {value:.2f}" for name, value in self.baselines.items()]
        return f"Training dashboard: {self.summary()}; {', '.join(parts)}. Last sample: {self.sample}"

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict, dict]:
        data, metadata = super()._repr_mimebundle_(**kwargs)
        return data, metadata | {"image/png": {"alt": self.alt()}}

    # ---- the run

    def _begin(self, step: int, history: "History") -> None:
        """A run begins, or goes on from a checkpoint: what was written before this step stays."""
        self.history, self.samples = history, [sample for sample in self.samples if sample.step < step]
        self._run, self._sent, self._wish, self._running, self._waits = self._run + 1, (0, 0, 0), "go", True, None
        self._clock = (step, time.monotonic())
        shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
        if shell is not None:  # whatever ends the run, an error or an interrupt, ends the cell

            def cell_ended(*_: object) -> None:
                shell.events.unregister("post_run_cell", cell_ended)
                if history is self.history:
                    self._end()

            shell.events.register("post_run_cell", cell_ended)

    def _end(self) -> None:
        if self._running:
            self._running = False
            self._publish()

    def _write(self, step: int) -> None:
        from helpers.neural_lm.models import without_dropout  # here: it loads torch, which the other widgets do without

        with without_dropout(self.model):
            ids = generate(self.model, self._ids, **self._options)
        text = self.tokenizer.decode(ids)
        prompt = self.prompt if text.startswith(self.prompt) else ""
        self.samples.append(Sample(step, prompt, text[len(prompt) :]))

    def _obey(self) -> None:
        from helpers.training import Stopped

        if self._wish == "pause":
            self._waits = time.monotonic()
            self._publish()
            while self._wish == "pause":
                time.sleep(0.05)  # an interrupt of the kernel ends it on every system
            self._clock = (self._clock[0], self._clock[1] + time.monotonic() - self._waits)
            self._waits = None
            self._publish()
        if self._wish == "stop":
            self._end()
            raise Stopped

    def _seconds_left(self) -> float | None:
        first, began = self._clock
        done, now = self._step - first, time.monotonic() if self._waits is None else self._waits
        return (now - began) / done * (self.config.steps - self._step) if done and self._running else None

    # ---- the page

    def _receive(self, content: object) -> None:
        """A button, or a page that asks for all that was sent before it came; called by another thread while a cell runs."""
        kind = content.get("type") if isinstance(content, dict) else None
        if kind == "all":
            self._heard = True
            self._publish(anew=True)
        elif kind in WISHES:
            self._ask(kind)

    def _ask(self, wish: str) -> None:
        """Note a wish for the next report, and say so at once; without a run, or after "stop", there is nothing to wish."""
        if self._running and self._wish != "stop":
            self._wish = wish
        self._publish()

    def _publish(self, now: bool = True, anew: bool = False) -> None:
        """Send what is new, unless the last message was a moment ago; now: in any case; anew: all, even what was sent."""
        with self._lock:
            moment = time.monotonic()
            if now or moment - self._moment >= (EVERY if self._heard else EVERY_UNHEARD):
                sent = self._sent if self._heard and not anew else (0, 0, 0)
                self._moment, self._sent = moment, (*self._seen, len(self.samples))
                self.send(self._news(sent, self._sent))

    def _news(self, start: tuple[int, int, int], end: tuple[int, int, int]) -> dict:
        """How things stand, and the points, looks and samples from `start` to `end`."""
        history, (points, looks, samples) = self.history, map(slice, start, end)
        return {
            "type": "news",
            "run": self._run,
            "at": start,
            **{name: _finite(getattr(history, name, [])[points]) for name in ("steps", "loss", "lr")},
            **{name: _finite(getattr(history, name, [])[looks]) for name in ("val_steps", "val_loss")},
            "samples": self.samples[samples],
            "state": self.state,
            "step": self._step,
            "tokens_per_second": _finite([getattr(history, "tokens_per_second", math.nan)])[0],
            "seconds": getattr(history, "seconds", 0.0),
            "seconds_left": self._seconds_left(),
        }


def _finite(numbers: Sequence[float]) -> list[float | None]:
    return [x if math.isfinite(x) else None for x in numbers]  # JSON has no others


def _readable(model: Any, prompt: str, tokenizer: Tokenizer | None) -> tuple[Tokenizer, list[int]]:
    """What turns text into ids and back, and the ids of the prompt."""
    if not isinstance(model, LanguageModel):
        raise ValueError(f"{type(model).__name__} cannot go on from a text; pass prompt=None for no samples")
    if tokenizer is None:
        characters = all(len(token) == 1 for token in model.vocab)
        try:
            tokenizer = CharTokenizer(model.vocab) if characters else WordTokenizer(model.vocab, None, rule="world")
        except ValueError as error:
            raise ValueError(
                "the model's tokens are neither characters nor the world's words, so pass its tokenizer="
            ) from error
    return tokenizer, tokenizer.encode(prompt)
