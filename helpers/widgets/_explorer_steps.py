"""A model at the saved steps of its training, for the attention explorer: one copy, which takes on the weights asked for."""

import copy
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from helpers.training.checkpoints import load_checkpoint, load_weights, model_tensors, weights_in

Weights = Mapping[str, Any] | str | Path


class SavedSteps:
    """The steps of `steps` (step → state dict, or a checkpoint's path) and of `checkpoints` (paths, which say their step)."""

    def __init__(self, model: Any, steps: Mapping[int, Weights] | None = None, checkpoints: Iterable[str | Path] = ()):
        found = dict(steps or {})
        for path in checkpoints:
            if (step := step_of(path)) in found:
                raise ValueError(f"two checkpoints are of step {step}, one of them {path}")
            found[step] = path
        if not all(isinstance(step, int) and not isinstance(step, bool) for step in found):
            raise ValueError(f"steps must be whole numbers, got {list(found)}")
        self._model, self._found, self._copy, self._step = model, dict(sorted(found.items())), None, None

    @property
    def numbers(self) -> list[int]:
        """The steps, in order."""
        return list(self._found)

    def check(self, step: int | None) -> int | None:
        """The step, or None for the model as it is. Raises ValueError for one that was not saved."""
        if step is not None and step not in self._found:
            raise ValueError(f"step {step} was not saved, only {', '.join(map(str, self._found)) or 'none'}")
        return step

    def model(self, step: int | None) -> Any:
        """The model as it is, or its copy with the weights of a step. Raises CheckpointError where these do not fit."""
        if self.check(step) is None:
            return self._model
        self._copy = copy.deepcopy(self._model) if self._copy is None else self._copy
        if step != self._step:
            self._step = None  # until all of it is loaded
            weights, name = self._found[step], f"step {step}"
            if isinstance(weights, (str, Path)):
                weights, name = weights_in(load_checkpoint(weights)[0]), Path(weights)
            load_weights(self._copy, {n: weights[n] for n in model_tensors(self._copy) if n in weights}, name)
            self._step = step
        return self._copy


def step_of(path: str | Path) -> int:
    """The step at which a checkpoint was written; its header alone is read. Raises ValueError where it does not say."""
    try:
        with safe_open(path, framework="pt") as file:
            step = json.loads((file.metadata() or {}).get("facts", "{}")).get("step")
    except (SafetensorError, OSError) as error:
        raise ValueError(f"there is no checkpoint {path} that can be read: {error}") from error
    if not isinstance(step, int):
        raise ValueError(f"{path} does not say its step; pass steps={{step: path}}")
    return step
