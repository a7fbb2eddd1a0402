"""Calibration against scikit-learn, against a grid of temperatures, and against models whose true temperature is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from helpers.calibration import HIGHEST, LOWEST, Reliability, expected_calibration_error, fit_temperature, reliability
from helpers.probability import cross_entropy
from helpers.sampling import normalise


def drawn(n, vocab_size, temperature=1.0, seed=0):
    """Rows of a known distribution, targets drawn from it, and the rows of a model `temperature` times too sure."""
    rng = np.random.default_rng(seed)
    truth = normalise(2 * rng.normal(size=(n, vocab_size)))
    targets = (np.exp(truth).cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return truth * temperature, targets


def loss(log_probs, targets, temperature):
    return cross_entropy(normalise(np.asarray(log_probs) / temperature)[np.arange(len(targets)), targets])


def by_hand(confidence, correct, n_bins):
    """Bin by bin, from the definition of Guo et al."""
    total = 0.0
    for m in range(1, n_bins + 1):
        inside = [i for i, p in enumerate(confidence) if (m - 1) / n_bins < p <= m / n_bins or (m == 1 and p == 0)]
        if inside:
            gap = np.mean([correct[i] for i in inside]) - np.mean([confidence[i] for i in inside])
            total += len(inside) / len(confidence) * abs(gap)
    return total


predictions = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40).map(
    lambda both: (np.array([p for p, _ in both]), np.array([right for _, right in both]))
)


@st.composite
def rows(draw):
    n, vocab_size = draw(st.integers(1, 8)), draw(st.integers(1, 5))
    log_probs = draw(st.lists(st.lists(st.floats(-20, 20), min_size=vocab_size, max_size=vocab_size), min_size=n, max_size=n))
    return np.array(log_probs), np.array(draw(st.lists(st.integers(0, vocab_size - 1), min_size=n, max_size=n)))


# ---- bins


def test_two_bins_by_hand():
    """0.5 and below: 0.2, 0.4 and 0.5, one of three right. Above: 0.9, right. |1/3 − 1.1/3| · 3/4 + |1 − 0.9| · 1/4 = 0.05."""
    bins = reliability([0.9, 0.2, 0.5, 0.4], [True, False, True, False], n_bins=2)
    assert isinstance(bins, Reliability) and bins.count.tolist() == [3, 1]
    assert bins.confidence == pytest.approx([1.1 / 3, 0.9]) and bins.accuracy == pytest.approx([1 / 3, 1])
    assert expected_calibration_error([0.9, 0.2, 0.5, 0.4], [True, False, True, False], n_bins=2) == pytest.approx(0.05)


def test_equally_full_bins_by_hand_and_empty_ones_left_out():
    """Four confidences in two bins of two; by width, three of the four quarters hold nothing."""
    confidence, correct = [0.91, 0.92, 0.93, 0.99], [False, True, True, True]
    bins = reliability(confidence, correct, n_bins=2, by="count")
    assert bins.count.tolist() == [2, 2] and bins.accuracy.tolist() == [0.5, 1]
    assert reliability(confidence, correct, n_bins=4).count.tolist() == [4]
    assert reliability([0.5] * 9 + [1.0], [True] * 10, n_bins=5, by="count").count.tolist() == [9, 1]  # equals stay together


@pytest.mark.parametrize(("by", "strategy"), [("width", "uniform"), ("count", "quantile")])
@pytest.mark.parametrize("n_bins", [1, 3, 10, 50])
def test_scikit_learn_draws_the_same_curve(by, strategy, n_bins):
    rng = np.random.default_rng(n_bins)
    confidence = rng.beta(4, 2, size=300).round(3)  # rounded: some are equal
    correct = rng.random(300) < confidence**2
    accuracy, mean = calibration_curve(correct, confidence, n_bins=n_bins, strategy=strategy)
    bins = reliability(confidence, correct, n_bins, by)
    assert bins.accuracy == pytest.approx(accuracy, abs=1e-12) and bins.confidence == pytest.approx(mean, abs=1e-12)


@given(predictions, st.integers(1, 12), st.sampled_from(["width", "count"]))
def test_bins_hold_every_prediction_once(both, n_bins, by):
    bins = reliability(*both, n_bins, by)
    assert bins.count.sum() == len(both[0]) and (bins.count > 0).all() and len(bins.count) <= n_bins
    assert (bins.count * bins.confidence).sum() == pytest.approx(both[0].sum(), abs=1e-9)
    assert (bins.count * bins.accuracy).sum() == pytest.approx(both[1].sum(), abs=1e-9)


@given(predictions, st.sampled_from([1, 2, 4, 8]))  # powers of two: their edges are exact
def test_the_error_is_that_of_the_definition(both, n_bins):
    assert expected_calibration_error(*both, n_bins) == pytest.approx(by_hand(*both, n_bins), abs=1e-12)


def test_more_bins_never_hide_an_error():
    """Too low in one half of a bin, too high in the other: one bin sees nothing."""
    confidence, correct = [0.2] * 10 + [0.8] * 10, [True] * 10 + [False] * 10
    assert expected_calibration_error(confidence, correct, n_bins=1) == pytest.approx(0)
    assert expected_calibration_error(confidence, correct, n_bins=2) == pytest.approx(0.8)


@pytest.mark.parametrize("by", ["width", "count"])
def test_a_calibrated_model_is_off_by_chance_alone(by):
    """A bin of n at p is off by |N(0, p (1 − p)/n)|, whose mean is √(2/π) of its deviation; their sum, here about 0.0034 and
    0.0037, is met within 4 of the deviations of that sum."""
    rng = np.random.default_rng(5)
    confidence = rng.random(100_000)
    correct = rng.random(100_000) < confidence
    bins = reliability(confidence, correct, by=by)
    deviations = bins.count / len(confidence) * np.sqrt(bins.confidence * (1 - bins.confidence) / bins.count)
    expected, deviation = np.sqrt(2 / np.pi) * deviations.sum(), np.sqrt((1 - 2 / np.pi) * (deviations**2).sum())
    assert abs(expected_calibration_error(confidence, correct, by=by) - expected) < 4 * deviation
    assert expected_calibration_error(confidence**0.5, correct, by=by) > 10 * expected  # too sure by ∫ √p − p = 1/6


@pytest.mark.parametrize(
    ("confidence", "correct", "settings", "message"),
    [
        ([], [], {}, "N ≥ 1"),
        ([0.5], [True, False], {}, r"\(1,\) and \(2,\)"),
        ([[0.5]], [[True]], {}, "one length"),
        ([1.2], [True], {}, "np.exp"),
        ([-0.7], [True], {}, "np.exp"),
        ([float("nan")], [True], {}, "np.exp"),
        ([0.5], [1], {}, "guess == target"),
        ([0.5], [True], {"n_bins": 0}, "1 or more, got 0"),
        ([0.5], [True], {"n_bins": 2.5}, "whole number"),
        ([0.5], [True], {"by": "size"}, '"width"'),
    ],
)
def test_what_cannot_be_binned_is_refused(confidence, correct, settings, message):
    for function in (reliability, expected_calibration_error):
        with pytest.raises(ValueError, match=message):
            function(confidence, correct, **settings)


# ---- temperature


def test_a_temperature_by_hand():
    """Right 3 times in 4 and sure at odds of 9 to 1: odds are 3 to 1 at T = log 9 / log 3 = 2."""
    log_probs = np.log([[0.9, 0.1]] * 4)
    assert fit_temperature(log_probs, [0, 0, 1, 0]) == pytest.approx(2, abs=1e-8)
    assert fit_temperature(log_probs + 1e8, [0, 0, 1, 0]) == pytest.approx(2, abs=1e-6)  # logits, to 1.5e-8


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_a_model_that_is_too_sure_by_a_known_factor(temperature):
    """The estimate's deviation is that of maximum likelihood: T/√(N · variance of the true log probabilities); 4 of them."""
    log_probs, targets = drawn(20_000, 6, temperature)
    p, truth = np.exp(log_probs / temperature), log_probs / temperature
    information = ((p * truth**2).sum(axis=1) - (p * truth).sum(axis=1) ** 2).sum()
    assert fit_temperature(log_probs, targets) == pytest.approx(temperature, abs=4 * temperature / information**0.5)


def test_no_temperature_of_a_fine_grid_is_better():
    log_probs, targets = drawn(500, 8, 2.2, seed=3)
    fitted = fit_temperature(log_probs, targets)
    grid = np.arange(1.5, 3.5, 0.001)
    losses = [loss(log_probs, targets, temperature) for temperature in grid]
    assert abs(grid[np.argmin(losses)] - fitted) <= 0.001
    assert loss(log_probs, targets, fitted) <= min(losses) + 1e-12


@settings(deadline=None)
@given(rows())
def test_it_never_raises_the_loss_nor_changes_the_most_likely_token(both):
    log_probs, targets = both
    fitted = fit_temperature(log_probs, targets)
    assert LOWEST <= fitted <= HIGHEST
    for other in (1.0, LOWEST, HIGHEST, fitted * 1.05, fitted / 1.05):
        if LOWEST <= other <= HIGHEST:
            assert loss(log_probs, targets, fitted) <= loss(log_probs, targets, other) * (1 + 1e-9) + 1e-9
    scaled = normalise(log_probs / fitted)
    most_likely = scaled[np.arange(len(scaled)), log_probs.argmax(axis=1)]
    assert (most_likely >= scaled.max(axis=1) - 1e-12).all()


def test_scaling_repairs_the_calibration_error():
    log_probs, targets = drawn(20_000, 6, 3.0)
    errors = []
    for temperature in (1.0, fit_temperature(log_probs, targets)):
        scaled = normalise(log_probs / temperature)
        errors.append(expected_calibration_error(np.exp(scaled.max(axis=1)), scaled.argmax(axis=1) == targets))
    assert errors[0] > 0.15 and errors[1] < 0.02


def test_ends_and_flat_rows():
    log_probs = np.log([[0.6, 0.4], [0.3, 0.7]])
    assert fit_temperature(log_probs, [0, 1]) == LOWEST  # always right: the surer the better
    assert fit_temperature(log_probs, [1, 0]) == HIGHEST  # always wrong
    assert fit_temperature(np.full((3, 4), np.log(0.25)), [0, 1, 2]) == 1.0  # nothing to gain


def test_what_a_model_rules_out_does_not_matter():
    log_probs, targets = drawn(400, 5, 2.0, seed=8)
    never = np.column_stack([log_probs, np.full(400, -np.inf)])
    assert fit_temperature(never, targets) == pytest.approx(fit_temperature(log_probs, targets), rel=1e-9)


@pytest.mark.parametrize(
    ("log_probs", "targets", "message"),
    [
        ([0.0, -1.0], [0], r"\(N, V\)"),
        (np.zeros((2, 3)), [0], r"\(2, 3\) and \(1,\)"),
        (np.zeros((0, 3)), np.zeros(0, dtype=int), "N ≥ 1"),
        (np.zeros((1, 3)), [3], "from 0 to 2"),
        (np.zeros((1, 3)), [-1], "from 0 to 2"),
        (np.zeros((1, 3)), [0.5], "token ids"),
        ([[0.0, float("nan")]], [0], "NaN"),
        ([[0.0, float("inf")]], [0], "NaN"),
        ([[0.0, -float("inf")]], [1], "probability 0"),
    ],
)
def test_what_has_no_temperature_is_refused(log_probs, targets, message):
    with pytest.raises(ValueError, match=message):
        fit_temperature(log_probs, targets)
