"""In which numbers a run computes: float32, or bfloat16 where that is faster here."""

import time

import torch
from torch import nn


@torch.no_grad()
def choose_precision(precision: str, device: torch.device, model: nn.Module) -> bool:
    """Whether to compute in bfloat16: as told, or ("auto") what a short trial on this device shows to be faster."""
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    width = max(p.shape[-1] for p in model.parameters() if p.ndim == 2)
    seconds = dict.fromkeys((torch.float32, torch.bfloat16), float("inf"))
    began, n = time.perf_counter(), 0
    while n < 3 or (n < 50 and time.perf_counter() - began < 0.05):  # the fastest of many: other programs may disturb
        for kind in seconds:  # small, for without units for it a product in bfloat16 can take a hundred times as long
            x, matrix = torch.ones(256, width, dtype=kind), torch.ones(width, width, dtype=kind)
            start = time.perf_counter()
            x @ matrix
            seconds[kind] = min(seconds[kind], time.perf_counter() - start)
        n += 1
    return seconds[torch.bfloat16] < 0.7 * seconds[torch.float32]
