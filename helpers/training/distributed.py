"""Several processes, each with a part of every batch: torch's DistributedDataParallel, where `torchrun` started it.

Without `torchrun` every function here does nothing. Shown in `07_mini_gpt.ipynb`.
"""

import os
import sys
from typing import NoReturn

import torch
import torch.distributed as dist
from torch import Tensor, nn


def join() -> torch.device | None:
    """Join the processes that `torchrun` started → the device of this one; None where there is only this one."""
    if "RANK" not in os.environ:
        return None
    local = int(os.environ.get("LOCAL_RANK", 0))
    cuda = torch.cuda.is_available()
    dist.init_process_group("nccl" if cuda else "gloo")
    if cuda:
        torch.cuda.set_device(local)
    return torch.device("cuda", local) if cuda else torch.device("cpu")


def leave() -> None:
    """Leave the group of processes."""
    if _active():
        dist.destroy_process_group()


def end_process(status: int) -> NoReturn:
    """End this process with `status`; one of several ends at once, without taking Python down first.

    DistributedDataParallel keeps its group alive after `leave`. Where a thread of that group lets go of its last tensor while
    the interpreter is being taken down, it asks for a lock that is gone: the process aborts, now and then, on a busy machine.
    """
    if "RANK" not in os.environ:
        sys.exit(status)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def is_first() -> bool:
    """Whether this process is the one that writes and prints."""
    return not _active() or dist.get_rank() == 0


def wrap(model: nn.Module) -> nn.Module:
    """The model, its gradients averaged over all processes."""
    return nn.parallel.DistributedDataParallel(model) if _active() else model


def share(batch: Tensor) -> Tensor:
    """This process's part of a batch (B, …): (B / processes, …). Raises ValueError where B is no multiple."""
    if not _active():
        return batch
    n = dist.get_world_size()
    if len(batch) % n:
        raise ValueError(f"batch_size ({len(batch)}) must be a multiple of the number of processes ({n})")
    return batch.chunk(n)[dist.get_rank()]


def mean(value: Tensor) -> Tensor:
    """The mean over all processes, number by number."""
    if _active():
        value = value.clone()
        dist.all_reduce(value)
        value /= dist.get_world_size()
    return value


def _active() -> bool:
    return dist.is_available() and dist.is_initialized()
