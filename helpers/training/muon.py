"""Muon: a step for matrices that goes equally far in all directions; and NorMuon, by which every neuron also moves alike.

Derived in `07_mini_gpt.ipynb`. Jordan et al., *Muon: An optimizer for hidden layers in neural networks* (2024); Li et al.,
*NorMuon: Making Muon more efficient and scalable* (2025). torch has Muon too, `torch.optim.Muon`, with which it is compared;
but that one goes matrix by matrix, which on a GPU is mostly waiting, and always rounds to bfloat16, which on a processor
without units for it takes seconds a step.
"""

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

A, B, C = 3.4445, -4.7750, 2.0315  # of the polynomial a s + b s³ + c s⁵, by Jordan: steep at zero, and near 1 after five rounds


def orthogonalised(matrices: Tensor, rounds: int = 5, half: bool = False) -> Tensor:
    """Nearly U Vᵀ of each matrix U S Vᵀ, (n, rows, columns) → the same shape: all singular values about 1.

    half: compute in bfloat16. A matrix of zeros stays one.
    """
    wide = matrices if matrices.shape[-2] <= matrices.shape[-1] else matrices.mT  # so that the products below are small
    X = wide.to(torch.bfloat16 if half else torch.float32)
    X = X / X.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)  # no singular value is above 1
    if half or wide.shape[-1] < 2 * wide.shape[-2]:
        for _ in range(rounds):
            gram = X @ X.mT
            X = torch.baddbmm(X, torch.baddbmm(gram, gram, gram, beta=B, alpha=C), X, beta=A)
    else:
        X = through_gram(X @ X.mT, rounds) @ X
    return (X if wide is matrices else X.mT).to(matrices.dtype)


def through_gram(gram: Tensor, rounds: int) -> Tensor:
    """What all rounds together multiply X by, (n, r, r), from X Xᵀ alone: for a wide X half of the work of going through X.

    A round takes X to Z X with Z = a I + b G + c G², and so its G to Z G Z, since Z is symmetric. Not for bfloat16: what the
    rounding of G adds up to is too much there.
    """
    product = None
    for left in reversed(range(rounds)):
        Z = torch.baddbmm(gram, gram, gram, beta=B, alpha=C)
        Z.diagonal(dim1=-2, dim2=-1).add_(A)
        product = Z if product is None else Z @ product
        gram = Z @ gram @ Z if left else gram
    return product


def evened(moves: Tensor, squares: Tensor) -> Tensor:
    """Moves (n, rows, columns), each row or column divided by the root of its running mean square; as long as before, in all.

    squares: (n, rows, 1) or (n, 1, columns). How the running means are scaled does not matter, since the length is kept.
    """
    even = moves / (squares.sqrt() + 1e-7)
    return even * (moves.norm(dim=(-2, -1), keepdim=True) / even.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7))


class Muon(torch.optim.Optimizer):
    """Momentum (Nesterov's), orthogonalised; matrices of one shape are worked on together.

    params: matrices; lr: the length of a step in each direction, for a matrix with more rows than columns times
    √(rows / columns); weight_decay: share of each number that a step takes away, times lr; half: see `orthogonalised`; beta2:
    NorMuon's, the share that is kept of the mean square of each row's move, or of each column's where columns are more (the
    rows of U Vᵀ are of one length there already); None: Muon. Raises ValueError for what is no matrix.
    """

    def __init__(
        self, params: Iterable[Tensor], lr: float, momentum: float = 0.95, weight_decay: float = 0.1, half: bool = False,
        beta2: float | None = None,
    ):  # fmt: skip
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "half": half, "beta2": beta2}
        super().__init__(params, defaults)
        for p in (p for group in self.param_groups for p in group["params"]):
            if p.ndim != 2:
                raise ValueError(f"Muon is for matrices, got a parameter of shape {tuple(p.shape)}; give it to AdamW")

    @torch.no_grad()
    def step(self) -> None:
        """Move every matrix that has a gradient."""
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[Tensor]] = {}
            for p in group["params"]:
                if p.grad is not None:
                    by_shape.setdefault(p.shape, []).append(p)
            for (rows, columns), same in by_shape.items():
                grads = [p.grad for p in same]
                kept = self._kept("momentum", same, same)
                torch._foreach_lerp_(kept, grads, 1 - group["momentum"])
                ahead = torch._foreach_lerp(grads, kept, group["momentum"])
                moves = orthogonalised(torch.stack(ahead), half=group["half"])
                if group["beta2"] is not None:
                    now = moves.square().mean(-1 if rows >= columns else -2, keepdim=True).unbind()
                    squares = self._kept("squares", same, now)
                    torch._foreach_lerp_(squares, now, 1 - group["beta2"])
                    moves = evened(moves, torch.stack(squares))
                torch._foreach_mul_(same, 1 - group["lr"] * group["weight_decay"])
                torch._foreach_add_(same, moves.unbind(), alpha=-group["lr"] * math.sqrt(max(1, rows / columns)))

    def _kept(self, name: str, parameters: Sequence[Tensor], like: Sequence[Tensor]) -> list[Tensor]:
        """The running mean of each parameter under this name; where there is none yet, zeros like these."""
        for p, now in zip(parameters, like, strict=True):
            if name not in self.state[p]:
                self.state[p][name] = torch.zeros_like(now)
        return [self.state[p][name] for p in parameters]
