"""Which numbers are moved how: learning rates by step, Muon for the matrices inside the blocks, AdamW for all else.

Derived in `07_mini_gpt.ipynb`. AdamW: Loshchilov and Hutter, *Decoupled Weight Decay Regularization* (2019). Muon: Jordan et
al., *Muon: An optimizer for hidden layers in neural networks* (2024).
"""

import torch
from torch import nn

from helpers.transformer import Block

from .config import TrainConfig
from .muon import Muon


def learning_rate_factor(step: int, config: TrainConfig) -> float:
    """The share of its highest rate that step 0 … steps − 1 is taken with: up linearly, flat, down linearly to nearly zero."""
    rising, falling = config.warmup * config.steps, config.cooldown * config.steps
    return min(1.0, (step + 1) / max(1.0, rising), (config.steps - step) / max(1.0, falling))


def make_optimizers(model: nn.Module, config: TrainConfig, half: bool = False) -> list[torch.optim.Optimizer]:
    """AdamW, and Muon where config.matrix_lr says so; their rates are set for each step by `set_learning_rates`.

    half: whether Muon computes in bfloat16. Only what has two dimensions decays: a bias or a norm's factor has no reason to be
    small.
    """
    in_blocks = {p for module in model.modules() if isinstance(module, Block) for p in module.parameters()}
    trained = [p for p in model.parameters() if p.requires_grad]
    hidden = [p for p in trained if p in in_blocks and p.ndim == 2] if config.matrix_lr else []
    matrices = set(hidden)
    rest = [p for p in trained if p not in matrices]
    groups = [
        {"params": [p for p in rest if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in rest if p.ndim < 2], "weight_decay": 0.0},
    ]
    fused = all(p.device.type in ("cuda", "cpu") for p in rest)
    groups = [group for group in groups if group["params"]]  # with LoRA every parameter that is trained can be Muon's
    optimizers = [torch.optim.AdamW(groups, lr=config.lr, betas=config.betas, fused=fused)] if groups else []
    if hidden:
        options = {"momentum": config.momentum, "beta2": config.matrix_beta2, "weight_decay": config.weight_decay}
        optimizers.append(Muon(hidden, lr=config.matrix_lr, half=half, **options))
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["highest_lr"] = group["lr"]
    return optimizers


def set_learning_rates(optimizers: list[torch.optim.Optimizer], step: int, config: TrainConfig) -> float:
    """Set every group's rate for this step → the factor."""
    factor = learning_rate_factor(step, config)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["highest_lr"] * factor
    return factor
