"""Does a model know how often it is right? Confidence against accuracy, and the one temperature that brings them together.

Derived in `09_limits_and_outlook.ipynb`. Expected calibration error: Naeini et al., *Obtaining Well Calibrated Probabilities
Using Bayesian Binning* (2015); temperature scaling: Guo et al., *On Calibration of Modern Neural Networks* (2017). Calibration
of a prompt's labels, which is something else, is `helpers.adapting.calibrated`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from helpers.sampling import normalise

LOWEST, HIGHEST = 0.01, 100.0  # temperatures that are tried


@dataclass(frozen=True)
class Reliability:
    """The bins that hold a prediction, least confident first: mean confidence, share right, and number, each (bins,)."""

    confidence: np.ndarray
    accuracy: np.ndarray
    count: np.ndarray


def reliability(confidence: ArrayLike, correct: ArrayLike, n_bins: int = 10, by: str = "width") -> Reliability:
    """Predictions put into bins by their confidence: (N,) probabilities, (N,) bool → at most n_bins bins, empty ones left out.

    by "width": bin m holds confidences in ((m − 1)/n_bins, m/n_bins]; "count": the bins end at quantiles, so that each holds
    about N/n_bins, and equal confidences share one. Raises ValueError for what is no such pair of arrays.
    """
    confidence, correct = _checked(confidence, correct)
    if isinstance(n_bins, bool) or not isinstance(n_bins, int | np.integer) or n_bins < 1:
        raise ValueError(f"n_bins must be a whole number, 1 or more, got {n_bins!r}")
    if by not in ("width", "count"):
        raise ValueError(f'by is {by!r}; choose "width" (equally wide bins) or "count" (equally full ones)')
    edges = np.linspace(0, 1, n_bins + 1)
    edges = edges if by == "width" else np.quantile(confidence, edges)
    bins = np.searchsorted(edges[1:-1], confidence)  # (N,)
    count = np.bincount(bins, minlength=n_bins)
    kept = count > 0
    mean = [np.bincount(bins, weights=values, minlength=n_bins)[kept] / count[kept] for values in (confidence, correct)]
    return Reliability(*mean, count[kept])


def expected_calibration_error(confidence: ArrayLike, correct: ArrayLike, n_bins: int = 10, by: str = "width") -> float:
    """Σ over bins of their share of the predictions × |accuracy − mean confidence|: 0 is calibrated; bins as in `reliability`.

    Never quite 0 on a sample: a bin of n predictions of probability p is off by about √(p (1 − p)/n) by chance alone.
    """
    bins = reliability(confidence, correct, n_bins, by)
    return float((bins.count * np.abs(bins.accuracy - bins.confidence)).sum() / bins.count.sum())


def fit_temperature(log_probs: ArrayLike, targets: ArrayLike) -> float:
    """The temperature T at which `normalise(log_probs / T)` has the lowest cross-entropy: (N, V) nats, (N,) ids → T.

    Above 1 the model was too sure of itself, below 1 not sure enough. The cross-entropy is convex in 1/T, and its slope is the
    expected log probability less that of the targets, on average, so one root search finds the lowest point. T is kept
    within 0.01 and 100: where every target is the most likely token, lower is always better. Logits do as well as log
    probabilities. Raises ValueError for other shapes, for NaN, and for a target of probability 0, which no T changes.
    """
    log_probs, targets = _checked_rows(log_probs, targets)
    target = log_probs[np.arange(len(targets)), targets].mean()
    low, high, inverse = 1 / HIGHEST, 1 / LOWEST, 1.0
    if abs(_slope(log_probs, inverse, target)[0]) <= 1e-12 * (1 - target):
        return 1.0  # nothing to gain, as where every row is uniform
    for end, outside in ((low, 1), (high, -1)):
        if _slope(log_probs, end, target)[0] * outside >= 0:
            return 1 / end
    for _ in range(100):  # Newton's method, inside a bracket that every step narrows
        slope, curvature = _slope(log_probs, inverse, target)
        low, high = (inverse, high) if slope < 0 else (low, inverse)
        newton = inverse - slope / curvature if curvature > 0 else 0.0
        inverse, last = newton if low < newton < high else (low * high) ** 0.5, inverse
        if abs(inverse - last) <= 1e-10 * last:
            break
    return float(1 / inverse)


def _slope(log_probs: np.ndarray, inverse: float, target: float) -> tuple[float, float]:
    """First and second derivative of the cross-entropy by 1/T: mean and variance of the log probabilities, over the rows."""
    p = np.exp(normalise(log_probs * inverse))
    finite = np.where(p > 0, log_probs, 0.0)  # 0 · log 0 = 0
    mean = (p * finite).sum(axis=-1)  # (N,)
    return float(mean.mean() - target), float(((p * finite**2).sum(axis=-1) - mean**2).mean())


def _checked(confidence: ArrayLike, correct: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    confidence, correct = np.asarray(confidence, dtype=float), np.asarray(correct)
    if confidence.ndim != 1 or confidence.shape != correct.shape or not confidence.size:
        raise ValueError(
            f"expected a confidence and whether it was right for each of N ≥ 1 predictions, got shapes {confidence.shape} and "
            f"{correct.shape}; pass two lists of one length"
        )
    if not ((confidence >= 0) & (confidence <= 1)).all():
        raise ValueError("a confidence must be a probability in [0, 1]; take np.exp of log probabilities first")
    if correct.dtype != bool:
        raise ValueError(f"correct must be True or False got {correct.dtype}; compare, as in guess == target")
    return confidence, correct


def _checked_rows(log_probs: ArrayLike, targets: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    log_probs, targets = np.asarray(log_probs, dtype=float), np.asarray(targets)
    if log_probs.ndim != 2 or targets.shape != log_probs.shape[:1] or not log_probs.size:
        raise ValueError(f"expected log_probs (N, V) and targets (N,), N ≥ 1, got shapes {log_probs.shape} and {targets.shape}")
    if not np.issubdtype(targets.dtype, np.integer) or targets.min() < 0 or targets.max() >= log_probs.shape[1]:
        raise ValueError(f"targets must be token ids from 0 to {log_probs.shape[1] - 1}, got {targets[0]} and so on")
    if np.isnan(log_probs).any() or np.isposinf(log_probs).any():
        raise ValueError("log_probs holds NaN or +∞; check the model's output before fitting a temperature")
    if np.isneginf(log_probs[np.arange(len(targets)), targets]).any():
        raise ValueError("a target has probability 0, so no temperature has a finite loss; leave it out, and say so")
    return normalise(log_probs), targets
