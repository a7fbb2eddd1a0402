"""Causal attention by a loop over the queries, by matrices, and by torch's fused kernel: time and memory against the length.

    python benchmarks/attention.py

prints Markdown tables, for the CPU on one thread and, where there is one, for a CUDA GPU. It needs only torch and NumPy. The
forms take turns, so that a busy moment of the machine meets all alike; they are asserted to give the same. Time is the process'
own on the CPU, and the clock's, with the GPU waited for, on a GPU.

Memory is the most that is allocated at a time during one pass, beyond q, k and v. On a GPU torch keeps that count itself. On a
CPU nothing does: the operating system's count of resident pages includes what was freed but not given back, and Python's
tracemalloc does not see torch. So torch's profiler writes down every allocation and release, and the highest total is taken.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from _table import machine, seconds_in_turn
from torch import Tensor
from torch.nn import functional as F

from helpers.attention import attention, causal_mask

N_HEAD, HEAD_WIDTH = 4, 64  # of one text
ROUNDS = 3
FITTED = 3  # the exponent is that of the longest lengths; short ones cost mostly the calls
MIB = 2**20

Form = Callable[[Tensor, Tensor, Tensor], Tensor]


def by_loop(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Query by query: each sees the keys up to its own."""
    n = q.shape[-2]
    return torch.cat([attention(q[..., t : t + 1, :], k[..., : t + 1, :], v[..., : t + 1, :]) for t in range(n)], dim=-2)


def by_matrices(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """All scores at once, (H, T, T), then the mask, the softmax and the mean: as notebook 05 writes it."""
    return attention(q, k, v, causal_mask(q.shape[-2], device=q.device))


def fused(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """torch's kernel, which goes over the scores in tiles and never has them all."""
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


FORMS: dict[str, Form] = {"loop over queries": by_loop, "matrices": by_matrices, "`scaled_dot_product_attention`": fused}


@dataclass(frozen=True)
class Setting:
    """Where and how: the lengths T, and for each form the longest that it is asked for."""

    device: str
    dtype: torch.dtype
    backward: bool
    lengths: tuple[int, ...]
    longest: tuple[int, ...]  # in the order of FORMS

    def __str__(self) -> str:
        name = "CPU, one thread" if self.device == "cpu" else torch.cuda.get_device_name()
        number = str(self.dtype).removeprefix("torch.")
        return f"{name}, {number}, {'forward and backward' if self.backward else 'forward'}"


def settings() -> list[Setting]:
    """The CPU, and the GPU in two precisions, forward alone and with the backward pass."""
    short = tuple(2**i for i in range(7, 13))  # 128 … 4,096
    found = [Setting("cpu", torch.float32, back, short, (512 if back else 2048, 4096, 4096)) for back in (False, True)]
    if torch.cuda.is_available():
        long = tuple(2**i for i in range(7, 17))  # 128 … 65,536
        for dtype in (torch.float32, torch.bfloat16):
            found += [Setting("cuda", dtype, back, long, (2048, 32_768, 65_536)) for back in (False, True)]
    return found


def one_pass(form: Form, inputs: list[Tensor], backward: bool) -> Tensor:
    """One forward pass and, if asked, the gradients of the inputs; waits for the GPU."""
    with torch.set_grad_enabled(backward):
        out = form(*inputs)
        if backward:
            torch.autograd.grad(out, inputs, torch.ones_like(out))
    if out.is_cuda:
        torch.cuda.synchronize()
    return out.detach()


def peak_bytes(task: Callable[[], object], device: str) -> int:
    """The most bytes that torch has allocated at a time while the task runs, beyond those before it."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        task()
        return torch.cuda.max_memory_allocated() - before
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profiler:
        task()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(path))
        events = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
    changes = [(e["ts"], e["args"]["Bytes"]) for e in events if e.get("name") == "[memory]" and e["args"]["Device Type"] == 0]
    sizes = [size for _, size in sorted(changes, key=lambda change: change[0])]  # in time; the sort keeps ties in order
    return max(0, int(np.cumsum(sizes).max(initial=0)))


@dataclass(frozen=True)
class Cost:
    """Of one form at one length: median seconds of a pass, and peak bytes."""

    seconds: float
    peak: int


def measure(setting: Setting, length: int) -> dict[str, Cost | None]:
    """What each form costs at this length; None where the memory does not suffice; a form that is not asked is left out."""
    generator = torch.Generator().manual_seed(length)
    shape = (1, N_HEAD, length, HEAD_WIDTH)
    inputs = [torch.randn(shape, generator=generator).to(setting.device, setting.dtype) for _ in range(3)]
    inputs = [x.requires_grad_(setting.backward) for x in inputs]
    expected = one_pass(fused, inputs, setting.backward)
    found: dict[str, Cost | None] = {}
    tasks: dict[str, Callable[[], object]] = {}
    for (name, form), longest in zip(FORMS.items(), setting.longest, strict=True):
        if length > longest:
            continue
        task = lambda form=form: one_pass(form, inputs, setting.backward)  # noqa: E731
        try:  # the first pass warms up, and is checked
            tolerance = 1e-5 if setting.dtype == torch.float32 else 3e-2
            torch.testing.assert_close(task(), expected, atol=tolerance, rtol=tolerance)
            found[name] = Cost(0.0, peak_bytes(task, setting.device))
            tasks[name] = task
        except torch.OutOfMemoryError:
            found[name] = None
    clock = time.process_time if setting.device == "cpu" else time.perf_counter
    for name, seconds in seconds_in_turn(tasks, ROUNDS, clock).items():
        found[name] = Cost(statistics.median(seconds), found[name].peak)
    if setting.device == "cuda":
        torch.cuda.empty_cache()
    return found


def exponent(lengths: list[int], costs: list[float]) -> float:
    """p of cost ∝ T^p, by least squares of the logarithms, over the FITTED longest lengths."""
    return float(np.polyfit(np.log(lengths[-FITTED:]), np.log(costs[-FITTED:]), 1)[0])


def print_setting(setting: Setting) -> None:
    """Measure, and print one table: a line for each length, and for each form its time and its memory."""
    costs = {length: measure(setting, length) for length in setting.lengths}
    columns = [f"{name}, {what}" for name in FORMS for what in ("ms", "MiB")]
    print(f"\n{setting}:\n\n| T | {' | '.join(columns)} |\n|---:|{'---:|' * len(columns)}")
    for length, row in costs.items():
        cells = []
        for name in FORMS:
            cost = row.get(name)
            missing = "out of memory" if name in row else ""
            cells += [f"{1000 * cost.seconds:,.2f}", f"{cost.peak / MIB:,.2f}"] if cost else [missing, missing]
        print(f"| {length:,} | {' | '.join(cells)} |")
    cells = []
    for name in FORMS:
        known = [(length, row[name]) for length, row in costs.items() if row.get(name)]
        lengths = [length for length, _ in known]
        cells += [f"{exponent(lengths, [getattr(cost, what) for _, cost in known]):.2f}" for what in ("seconds", "peak")]
    print(f"| exponent | {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Print the machine and the tables."""
    torch.set_num_threads(1)
    print(f"{machine('torch', 'numpy')}; {N_HEAD} heads of width {HEAD_WIDTH}, median of {ROUNDS} passes")
    for setting in settings():
        print_setting(setting)


if __name__ == "__main__":
    main()
