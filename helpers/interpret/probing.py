"""Linear probe: can a property be read off the vectors by a linear map? And could the probe have learned it by heart instead?

Alain and Bengio, *Understanding Intermediate Layers Using Linear Classifier Probes* (2017). Control task and selectivity:
Hewitt and Liang, *Designing and Interpreting Probes with Control Tasks* (2019). What can be read need not be used.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn import functional as F

TEST_SHARE = 0.2  # of the examples, where the caller does not choose them
STEPS = 200  # of L-BFGS, which then has long converged: the loss is convex


@dataclass(frozen=True)
class Probe:
    """Shares of the test examples that are right, 0 to 1: of the probe, of one for the control task, of the commonest label."""

    accuracy: float
    control_accuracy: float
    majority: float

    @property
    def selectivity(self) -> float:
        """Accuracy minus control accuracy: what the probe finds beyond what it could learn by heart for each type."""
        return self.accuracy - self.control_accuracy


def linear_probe(
    features: ArrayLike | Tensor,
    labels: ArrayLike,
    types: ArrayLike,
    *,
    test: ArrayLike | None = None,
    l2: float = 1.0,
    n_controls: int = 3,
    seed: int = 0,
) -> Probe:
    """Logistic regression from features (N, C) to labels (N,), and its control task: each type (N,) gets one label at random.

    types: what an example is an example of, such as its token's id, in whatever context. The control's labels are drawn as
    often as they occur in `labels`; its accuracy is the mean over n_controls drawings. test: (N,) bool, True for examples that
    are only tested; left out, a fifth at random, which is too kind where neighbours in one text are alike. l2: weight of
    |W|² / 2 beside the summed loss, on features brought to mean 0 and variance 1.

    Raises ValueError for sizes that do not fit, a single label, or nothing to train or to test on.
    """
    x = torch.as_tensor(features).detach().cpu().double()
    names, y = np.unique(np.asarray(labels), return_inverse=True)
    kinds = np.unique(np.asarray(types), return_inverse=True)[1]
    if x.ndim != 2 or not len(x) == len(y) == len(kinds) or y.ndim != 1 or kinds.ndim != 1:
        raise ValueError(
            f"features (N, C), labels (N,) and types (N,) must be of the same N examples, got {tuple(x.shape)}, "
            f"{np.shape(labels)} and {np.shape(types)}"
        )
    if len(names) < 2:
        raise ValueError(f"there is nothing to tell apart: all {len(y)} labels are {names.tolist()}")
    rng = np.random.default_rng(seed)
    held_out = rng.permutation(len(y)) < TEST_SHARE * len(y) if test is None else np.asarray(test)
    if held_out.shape != y.shape or held_out.dtype != bool or not 0 < held_out.sum() < len(y):
        raise ValueError(f"test must be {len(y)} of bool, True for some examples and not for all")
    x = standardised(x, torch.as_tensor(~held_out))
    controls = [rng.choice(y, kinds.max() + 1)[kinds] for _ in range(n_controls)]
    accuracy, *control = (_accuracy(x, each, held_out, len(names), l2) for each in [y, *controls])
    majority = np.bincount(y[~held_out]).argmax()
    return Probe(accuracy, float(np.mean(control)), float((y[held_out] == majority).mean()))


def standardised(x: Tensor, train: Tensor) -> Tensor:
    """(N, C) with each column at mean 0 and variance 1 over the training rows; a constant column becomes 0."""
    spread = x[train].std(dim=0, correction=0)
    return (x - x[train].mean(dim=0)) / torch.where(spread > 0, spread, 1.0)


def logistic_regression(x: Tensor, y: Tensor, n_labels: int, l2: float) -> tuple[Tensor, Tensor]:
    """W (C, n_labels), b (n_labels,) that minimise the summed cross-entropy + l2 |W|² / 2; x (N, C) float64, y (N,) int64."""
    W = x.new_zeros(x.shape[1], n_labels, requires_grad=True)
    b = x.new_zeros(n_labels, requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [W, b], max_iter=STEPS, tolerance_grad=1e-8, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = F.cross_entropy(x @ W + b, y) + l2 / (2 * len(x)) * W.square().sum()
        value.backward()
        return value

    with torch.enable_grad():
        optimiser.step(loss)
    return W.detach(), b.detach()


def _accuracy(x: Tensor, y: np.ndarray, held_out: np.ndarray, n_labels: int, l2: float) -> float:
    test, y = torch.as_tensor(held_out), torch.as_tensor(y)
    W, b = logistic_regression(x[~test], y[~test], n_labels, l2)
    return ((x[test] @ W + b).argmax(dim=-1) == y[test]).double().mean().item()
