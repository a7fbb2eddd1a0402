"""Checkpoints: a model, and all that it takes to go on training it, in one safetensors file that is whole or not there.

Tensors of the model, the optimisers and the random generators go in as they are, numbers and settings as JSON in its header.
It is written beside its place and renamed over it, so a run killed at any moment leaves the last good checkpoint. No pickle.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from helpers import paths
from helpers.transformer import BERT, GPT, BERTConfig, EncoderDecoder, EncoderDecoderConfig, GPTConfig

FAMILIES: dict[str, tuple[type, type]] = {
    "GPT": (GPT, GPTConfig),
    "BERT": (BERT, BERTConfig),
    "EncoderDecoder": (EncoderDecoder, EncoderDecoderConfig),
}
FORMAT = "language-models-course 1"


class CheckpointError(Exception):
    """A checkpoint that cannot be written, read or used: which, why, and what to do."""


def save_checkpoint(path: Path | str, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write tensors and facts (what JSON can hold) to one file, atomically. CheckpointError where not; the old file stands."""
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    data = save(whole, metadata={"format": FORMAT, "facts": json.dumps(facts)})
    try:
        paths.write_atomically(Path(path), data)
    except OSError as error:
        raise CheckpointError(
            f"cannot write the checkpoint {path}: {error.strerror or error}. Free some space or choose another folder (out=…, "
            "--out); an earlier checkpoint there is as it was"
        ) from error


def load_checkpoint(path: Path | str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """(tensors, facts) of a file of `save_checkpoint`. Raises CheckpointError for one that is missing, damaged or foreign."""
    if not Path(path).is_file():
        raise CheckpointError(f"there is no checkpoint {path}; begin a new run without resume, or name its folder")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, it is no mapping
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"the checkpoint {path} is damaged ({error}); delete it and train again") from error
    if metadata.get("format") != FORMAT:
        raise CheckpointError(f"{path} is a safetensors file of somebody else's, not a checkpoint of this course")
    return tensors, json.loads(metadata["facts"])


def describe_model(model: nn.Module) -> dict[str, Any]:
    """What it takes to build a model again: its family, its config and its tokens. ValueError for one of no family."""
    family = type(model).__name__
    if family not in FAMILIES:
        raise ValueError(f"checkpoints are for {', '.join(FAMILIES)}, not for {family}")
    return {"family": family, "config": asdict(model.config), "vocab": getattr(model, "vocab", None)}


def build_model(described: Mapping[str, Any]) -> nn.Module:
    """A new model as `describe_model` says; CheckpointError where the description does not fit this version of the course."""
    try:
        family, config_class = FAMILIES[described["family"]]
        config = config_class(**described["config"])
        return family(config) if described["vocab"] is None else family(config, described["vocab"])
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"the checkpoint's model cannot be built by this version of the course: {error}") from error


def save_model(model: nn.Module, path: Path | str, **facts: Any) -> None:
    """Write a model alone, with its weights in float16 to halve the file, and facts such as its measured loss."""
    weights = {name: t.half() if t.is_floating_point() else t for name, t in model_tensors(model).items()}
    save_checkpoint(path, {f"model.{name}": t for name, t in weights.items()}, {"model": describe_model(model), **facts})


def load_model(path: Path | str) -> tuple[nn.Module, dict[str, Any]]:
    """(model, facts) of a file of `save_model` or of a run's checkpoint, ready to use: float32, on the CPU, without dropout."""
    tensors, facts = load_checkpoint(path)
    model = build_model(facts["model"])
    load_weights(model, weights_in(tensors), path)
    return model.eval(), {name: value for name, value in facts.items() if name != "model"}


def model_tensors(model: nn.Module) -> dict[str, Tensor]:
    """A model's weights by name, each once: of two names for one tensor the first."""
    seen: set[int] = set()
    return {name: t for name, t in model.state_dict().items() if not (t.data_ptr() in seen or seen.add(t.data_ptr()))}


def weights_in(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The model's weights among a checkpoint's tensors, under the names that they have in the model."""
    return {name.removeprefix("model."): t for name, t in tensors.items() if name.startswith("model.")}


def load_weights(model: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Put weights into a model; CheckpointError where names or shapes differ."""
    wanted = model_tensors(model)
    if wanted.keys() != weights.keys() or any(wanted[name].shape != t.shape for name, t in weights.items()):
        raise CheckpointError(f"the weights in {path} are of another model; build it as the checkpoint's config says")
    with torch.no_grad():
        for name, t in wanted.items():
            t.copy_(weights[name])
