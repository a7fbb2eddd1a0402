"""LoRA: fine-tune a few numbers beside each frozen matrix, and afterwards add them into it.

A matrix W (outputs, inputs) stays as it is; what is learned is a correction B A of low rank, A (rank, inputs) and B (outputs,
rank). Derived in `08_adapting_and_applications.ipynb`. Hu et al., *LoRA: Low-Rank Adaptation of Large Language Models* (2021).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

TARGETS = ("query", "value")  # where Hu et al. put it, section 4.2


class LoRALinear(nn.Module):
    """x W⊤ + b + (alpha / rank) x A⊤ B⊤, with only A and B to be trained: x (…, inputs) → (…, outputs).

    B begins at zero, so that at first nothing changes; A is drawn from N(0, 1 / inputs), else no gradient would reach either.
    """

    def __init__(self, linear: nn.Linear, rank: int, alpha: float, generator: torch.Generator):
        super().__init__()
        self.linear, self.scale = linear, alpha / rank
        A = torch.randn(rank, linear.in_features, generator=generator) * linear.in_features**-0.5
        self.A = nn.Parameter(A.to(linear.weight))  # drawn on the CPU, so that it is the same everywhere
        self.B = nn.Parameter(linear.weight.new_zeros(linear.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x) + self.scale * F.linear(F.linear(x, self.A), self.B)  # (…, rank) in between: B A is never formed

    @property
    def weight(self) -> Tensor:
        """The one matrix that does the same, W + (alpha / rank) B A: (outputs, inputs)."""
        return self.linear.weight + self.scale * self.B @ self.A

    @property
    def bias(self) -> Tensor | None:
        """The frozen layer's b (outputs,)."""
        return self.linear.bias


def add_lora(model: nn.Module, rank: int, alpha: float, targets: Sequence[str] = TARGETS, seed: int = 0) -> list[str]:
    """Put a `LoRALinear` in place of every linear layer that has one of these names, and freeze all else → their full names.

    The names are those of a GPT's, BERT's or EncoderDecoder's layers: query, key, value, output, up, gate, down. alpha: how
    much the correction counts, divided by rank so that a learning rate that suits one rank suits others. The model is changed
    in place; before `save_model`, `merge_lora` it, or keep `lora_tensors` only.

    Raises ValueError, and changes nothing, for a rank below 1, an alpha not above 0, a name that no layer has, a matrix that is
    also used elsewhere (a tied head), or a model that has LoRA already.
    """
    if not (isinstance(rank, int) and rank >= 1):
        raise ValueError(f"rank must be a whole number of at least 1, got {rank!r}")
    if not alpha > 0:
        raise ValueError(f"alpha must be more than 0, got {alpha!r}; twice the rank is a usual choice")
    check_no_lora(model)
    layers = _linear_layers(model, (targets,) if isinstance(targets, str) else targets)
    model.requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    for name, layer in layers.items():
        _replace(model, name, LoRALinear(layer, rank, alpha, generator))
    return list(layers)


@torch.no_grad()
def merge_lora(model: nn.Module) -> None:
    """Write each W + (alpha / rank) B A into W, and put the plain layers back, in place: same outputs, no more to compute.

    The weights have the names that they had before LoRA, and all can be trained again. Raises ValueError without any LoRA.
    """
    layers = _lora_layers(model)
    for name, layer in layers.items():
        layer.linear.weight.copy_(layer.weight)
        _replace(model, name, layer.linear)
    model.requires_grad_(True)


def lora_tensors(model: nn.Module) -> dict[str, Tensor]:
    """A copy of the adapter alone, every A and B by name; ValueError without any LoRA.

    `model.load_state_dict(tensors, strict=False)` puts it back into the same model after `add_lora` with the same rank, alpha
    and targets. So one model serves many tasks, each with a small file of its own.
    """
    return {f"{n}.{ab}": getattr(layer, ab).detach().clone() for n, layer in _lora_layers(model).items() for ab in "AB"}


def n_trainable(model: nn.Module) -> int:
    """How many numbers training would move; a matrix that is used twice counts once."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def check_no_lora(model: nn.Module) -> None:
    """ValueError where the model has LoRA."""
    if any(isinstance(module, LoRALinear) for module in model.modules()):
        raise ValueError("this model has LoRA already; merge_lora(model) writes it into the weights, then you can go on")


def _lora_layers(model: nn.Module) -> dict[str, LoRALinear]:
    layers = {name: module for name, module in model.named_modules() if isinstance(module, LoRALinear)}
    if not layers:
        raise ValueError("this model has no LoRA (or it was merged already); begin with add_lora(model, rank, alpha)")
    return layers


def _linear_layers(model: nn.Module, targets: Sequence[str]) -> dict[str, nn.Linear]:
    """The linear layers whose last name is one of the targets; ValueError where one is missing or shares its matrix."""
    named = {name: module for name, module in model.named_modules() if isinstance(module, nn.Linear)}
    kinds = {name: name.rpartition(".")[2] for name in named}
    missing = [target for target in targets if target not in kinds.values()]
    if missing or not targets:
        known = ", ".join(sorted(set(kinds.values())))
        raise ValueError(f"no linear layer is called {missing or 'nothing'}; targets can be {known}")
    weights = [p for _, p in model.named_parameters(remove_duplicate=False)]
    chosen = {name: layer for name, layer in named.items() if kinds[name] in targets}
    for name, layer in chosen.items():
        if sum(p is layer.weight for p in weights) > 1:
            raise ValueError(f"the matrix of {name} is tied: merging would change the embedding as well; leave it out")
    return chosen


def _replace(model: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(model.get_submodule(parent), last, module)
