"""The training loop for every model of the course. Derived line by line in `07_mini_gpt.ipynb`.

A run can be killed at any moment and resumed; on a CPU it ends with the very numbers of a run that was never stopped. Nothing
in the loop waits for a GPU except the looks at the validation text and the reports.
"""

import contextlib
import json
import math
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from helpers.probability import cross_entropy

from . import distributed
from .checkpoints import (
    CheckpointError,
    describe_model,
    load_checkpoint,
    load_weights,
    model_tensors,
    save_checkpoint,
    weights_in,
)
from .config import TrainConfig
from .data import Data, MaskedData, TextData
from .history import Diverged, History, Stopped, diagnosis
from .interrupts import Interrupts
from .optimisers import make_optimizers, set_learning_rates
from .precision import choose_precision

LAST = "last.safetensors"
REPORT_EVERY = {"cpu": 10}  # steps; on a GPU, which a report makes wait, 50


def train(
    model: nn.Module,
    data: Data | ArrayLike,
    config: TrainConfig | None = None,
    *,
    val: Data | ArrayLike | None = None,
    out: Path | str | None = None,
    resume: bool = False,
    callback: Callable[[int, History], None] | None = None,
) -> History:
    """Train a model where it is: data and val are texts as ids (T,), or any other `Data` → how it went.

    out: a folder for checkpoints, every save_every steps and at the end; resume: go on from the one that is there.
    callback(step, history) is called before the first step and at every report; it may raise Stopped. An interrupt (■ in
    JupyterLab, Ctrl-C) waits for the end of the step, so that nothing is half done, saves as Stopped does, and is then raised
    as KeyboardInterrupt, so that no later cell runs; a second one does not wait, and saves nothing.
    Raises ValueError for data that do not fit, CheckpointError for a checkpoint that cannot be written or used, and Diverged
    where the loss is no number.
    """
    return Run(model, data, config or TrainConfig(), val, Path(out) if out else None, callback).go(resume)


class Run:
    """One run of training: what `train` sets up, and its steps."""

    def __init__(
        self,
        model: nn.Module,
        data: Data | ArrayLike,
        config: TrainConfig,
        val: Data | ArrayLike | None,
        out: Path | None,
        callback: Callable[[int, History], None] | None,
    ):
        self.model, self.config, self.out, self.callback = model, config, out, callback
        self.device = next(model.parameters()).device
        self.data, self.val = self._as_data(data), None if val is None else self._as_data(val)
        self.crop = config.crop or model.block_size
        self.half = choose_precision(config.precision, self.device, model)
        self.optimizers = make_optimizers(model, config, self.half)
        self.history, self.step = History(), 0
        self.interrupts = Interrupts()
        self.waiting: list[tuple[int, float, Tensor]] = []  # losses that were not fetched from the device yet

    def go(self, resume: bool) -> History:
        """All steps that are left."""
        if resume:
            self.restore()
        else:
            torch.manual_seed(self.config.seed)  # of dropout
        wrapped = distributed.wrap(self.model)
        self.model.train()
        forward = self._compiled(wrapped)
        alone = wrapped is self.model  # else the others would wait for this process's part of a report
        with self.interrupts.held() if alone else contextlib.nullcontext(), contextlib.suppress(Stopped):
            self._steps(forward)
        if self.out is not None:
            self.save()
        self.model.eval()
        if self.interrupts.noted:
            raise KeyboardInterrupt(f"the training was interrupted at step {self.step}")
        return self.history

    def _steps(self, forward: nn.Module) -> None:
        config = self.config
        if self.step == 0:
            self._report(look=True)
        began = self._now()
        while self.step < config.steps:
            factor = set_learning_rates(self.optimizers, self.step, config)
            self.waiting.append((self.step, factor * config.lr, self._update(forward)))
            self.step += 1
            self.history.tokens += config.batch_size * self.crop
            look = config.eval_every and self.step % config.eval_every == 0
            save = self.out is not None and self.step % config.save_every == 0 and self.step < config.steps  # then `go` saves
            last = self.step == config.steps or self.interrupts.noted
            report = self.step % REPORT_EVERY.get(self.device.type, 50) == 0 or look or last
            if report or save:
                self.history.seconds += self._now() - began
                self._fetch()
                if report:
                    self._report(look)
                if save:
                    self.save()
                began = self._now()

    def _update(self, forward: nn.Module) -> Tensor:
        """One step: gradients, shortened where too long, and every optimiser moved."""
        loss = self._gradients(forward)
        nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return loss

    def _gradients(self, forward: nn.Module) -> Tensor:
        """The loss of this step's batch, and its gradients, added up part by part."""
        config, loss = self.config, torch.zeros((), device=self.device)
        batch = self.batch(self.step)
        for part in zip(*(tensor.chunk(config.accumulate) for tensor in batch), strict=True):
            with self._autocast():
                part_loss = self.data.loss(forward, part) / config.accumulate
            part_loss.backward()
            loss += part_loss.detach()
        return loss

    def _compiled(self, forward: nn.Module) -> nn.Module:
        """The model as one compiled program, which is made on its first call: here, before the steps are timed."""
        if not self.config.compile:
            return forward
        began, compiled = self._now(), torch.compile(forward)
        try:
            with torch.random.fork_rng([self.device] if self.device.type == "cuda" else []):  # as if no call had been made
                self._gradients(compiled)
            forward = compiled
        except Exception as error:  # many kinds: no C++ compiler, no Triton, a Python too new
            warnings.warn(f"torch.compile does not work here, so training goes on without it: {error}", stacklevel=4)
        self.model.zero_grad(set_to_none=True)
        self.history.compile_seconds += self._now() - began
        return forward

    def batch(self, step: int) -> tuple[Tensor, ...]:
        """This process's part of a step's batch: drawn from the seed and the step alone."""
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + step)
        whole = self.data.batch(self.config.batch_size, self.crop, generator)
        return tuple(distributed.share(tensor).to(self.device, non_blocking=True) for tensor in whole)

    def _autocast(self) -> contextlib.AbstractContextManager:
        return torch.autocast(self.device.type, torch.bfloat16) if self.half else contextlib.nullcontext()

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    def _fetch(self) -> None:
        """The losses that wait on the device, into the history."""
        losses = torch.stack([loss for *_, loss in self.waiting]) if self.waiting else torch.empty(0)
        for (step, lr, _), value in zip(self.waiting, distributed.mean(losses).tolist(), strict=True):
            if not math.isfinite(value):
                self.waiting.clear()
                raise Diverged(diagnosis(step, value, lr, self.history))
            self.history.steps.append(step)
            self.history.loss.append(value)
            self.history.lr.append(lr)
        self.waiting.clear()

    def _report(self, look: bool) -> None:
        """Look at the validation text where it is due, and call the callback; an interrupt, in it or before, ends the run."""
        if look:
            self._look()
        if self.callback is not None:
            with self.interrupts.let_through():
                self.callback(self.step, self.history)
        if self.interrupts.noted:
            raise Stopped

    def _look(self) -> None:
        if self.val is None or not self.config.eval_every:
            return
        n = max(1, self.config.eval_tokens // self.crop)
        batch = self.val.batch(n, self.crop, torch.Generator().manual_seed(self.config.seed))
        self.model.eval()
        with torch.no_grad(), self._autocast():
            parts = zip(*(tensor.to(self.device).split(32) for tensor in batch), strict=True)
            losses = [self.val.loss(self.model, part).float() * len(part[0]) for part in parts]
        self.model.train()
        self.history.val_steps.append(self.step)
        self.history.val_loss.append(torch.stack(losses).sum().item() / n)

    def _as_data(self, data: Data | ArrayLike) -> Data:
        if not hasattr(data, "batch"):
            data = TextData(data, self.model.vocab_size)
        return data.to(self.device)

    # --- checkpoints ---------------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Write all that the next step needs to `out`."""
        if not distributed.is_first():
            return
        tensors = {f"model.{name}": t for name, t in model_tensors(self.model).items()}
        tensors["random.cpu"] = torch.get_rng_state()
        if self.device.type == "cuda":
            tensors["random.cuda"] = torch.cuda.get_rng_state(self.device)
        groups = []
        for i, optimizer in enumerate(self.optimizers):
            state = optimizer.state_dict()
            groups.append(state["param_groups"])
            for number, kept in state["state"].items():
                tensors |= {f"optimizer.{i}.{number}.{name}": torch.as_tensor(value) for name, value in kept.items()}
        facts = {"model": describe_model(self.model), "train": asdict(self.config), "step": self.step, "half": self.half}
        save_checkpoint(self.out / LAST, tensors, facts | {"history": asdict(self.history), "groups": groups})

    def restore(self) -> None:
        """Go back to where the checkpoint in `out` was written. Raises CheckpointError where model or settings differ."""
        if self.out is None:
            raise CheckpointError("resume needs the folder of the run: pass out=…")
        path = self.out / LAST
        tensors, facts = load_checkpoint(path)
        self._check_settings(facts, path)
        load_weights(self.model, weights_in(tensors), path)
        for i, optimizer in enumerate(self.optimizers):
            kept: dict[int, dict[str, Any]] = {}
            for name, tensor in tensors.items():
                if name.startswith(f"optimizer.{i}."):
                    number, field_name = name.split(".", 3)[2:]
                    kept.setdefault(int(number), {})[field_name] = tensor
            optimizer.load_state_dict({"state": kept, "param_groups": facts["groups"][i]})
        torch.set_rng_state(tensors["random.cpu"])
        if "random.cuda" in tensors and self.device.type == "cuda":
            torch.cuda.set_rng_state(tensors["random.cuda"], self.device)
        self.step, self.history = facts["step"], History(**facts["history"])
        self.half = facts["half"]  # a new trial might find otherwise

    def _check_settings(self, facts: dict[str, Any], path: Path) -> None:
        now = {"model": as_json(describe_model(self.model)["config"]), "train": as_json(asdict(self.config))}
        then = {"model": facts["model"]["config"], "train": facts["train"]}
        for part, free in (("model", set()), ("train", {"eval_every", "eval_tokens", "save_every", "compile"})):
            differ = {k: v for k, v in now[part].items() if k not in free and then[part].get(k) != v}
            changed = [f"{name}: {then[part].get(name)} → {value}" for name, value in differ.items()]
            if changed:
                raise CheckpointError(
                    f"{path} was written with other settings ({'; '.join(changed)}); resume with the same ones, or begin a new "
                    "run in another folder"
                )


def as_json(value: Any) -> Any:
    """A value as JSON gives it back: tuples as lists."""
    return json.loads(json.dumps(value))


@torch.no_grad()
def evaluate(model: nn.Module, data: ArrayLike | Data) -> float:
    """Loss on a whole text, in nats per token that is asked for.

    Of ids (T,), each token is predicted from at least half a context before it (`WindowedLM`); of a `MaskedData`, the masked
    tokens in pieces as long as the context.
    """
    was_training = model.training
    model.eval()
    if isinstance(data, MaskedData):
        device, sums = next(model.parameters()).device, torch.zeros(2, dtype=torch.float64)
        for batch in data.whole(model.block_size):
            asked = (batch[1] >= 0).sum()
            sums += torch.stack([data.loss(model, tuple(t.to(device) for t in batch)).cpu() * asked, asked])
        loss = (sums[0] / sums[1]).item()
    else:
        loss = cross_entropy(model.log_probs(np.asarray(data.ids.cpu() if isinstance(data, TextData) else data)))
    model.train(was_training)
    return loss
