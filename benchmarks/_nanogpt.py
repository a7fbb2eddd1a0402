"""nanoGPT's model, from a clone of it: https://github.com/karpathy/nanoGPT."""

import contextlib
import importlib.util
import io
from pathlib import Path
from typing import Any

from torch import nn


def nanogpt_model(folder: Path, **config: Any) -> nn.Module:
    """A new GPT of the clone's `model.py`, in eval mode."""
    spec = importlib.util.spec_from_file_location("nanogpt_model", folder / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with contextlib.redirect_stdout(io.StringIO()):  # it tells its number of parameters
        return module.GPT(module.GPTConfig(**config)).eval()
