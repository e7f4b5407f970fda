"""Temperature and threshold: confidence that means something."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convert.calibration import COLDEST, best_temperature, expected_of, negative_log_likelihood, sure_threshold


def overconfident(factor: float, n: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are `factor` times too large for labels drawn from their softmax."""
    rng = np.random.default_rng(7)
    honest = rng.normal(0, 2, (n, 10))
    noise = -np.log(-np.log(rng.uniform(1e-9, 1, honest.shape)))  # the label is drawn by Gumbel's trick
    return (honest * factor).astype(np.float32), (honest + noise).argmax(axis=1)


@pytest.mark.parametrize("factor", [0.7, 1.0, 1.5, 3.0])
def test_temperature_undoes_the_factor_that_made_logits_too_large(factor: float) -> None:
    assert best_temperature(*overconfident(factor)) == pytest.approx(factor, rel=0.05)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.6, 5.0))
def test_no_other_temperature_is_more_likely(other: float) -> None:
    logits, labels = overconfident(1.5)
    best = negative_log_likelihood(logits, labels, best_temperature(logits, labels))
    assert best <= negative_log_likelihood(logits, labels, other) + 1e-6


def test_without_a_single_mistake_the_temperature_stays_sane() -> None:
    labels = np.arange(100) % 10
    logits = np.eye(10, dtype=np.float32)[labels] * 8
    assert best_temperature(logits, labels) == pytest.approx(COLDEST, abs=0.01)


def two_labels(confidences: list[float], wrong: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Two-label logits whose top probability is each confidence; those at `wrong` are wrong."""
    p = np.array(confidences)
    logits = np.stack([np.log(p), np.log(1 - p)], axis=1).astype(np.float32)
    labels = np.zeros(len(p), np.int64)
    labels[wrong] = 1
    return logits, labels


def test_threshold_keeps_the_share_of_mistakes_at_one_in_a_thousand() -> None:
    rng = np.random.default_rng(3)
    confidences = np.sort(rng.uniform(0.91, 0.9999, 5000))[::-1]
    wrong = [1500, 2600, 3000, 3001, 3002, 3003, 3004]
    logits, labels = two_labels(confidences.tolist(), wrong)
    threshold = sure_threshold(logits, labels, 1.0)
    sure = confidences >= threshold
    assert (labels[sure] == 1).sum() <= 0.001 * sure.sum()
    assert sure.sum() >= 2990  # all down to the fourth mistake: 3 in 3,001 are allowed, 4 are not


def test_threshold_is_never_below_nine_tenths() -> None:
    assert sure_threshold(*two_labels([0.99, 0.8, 0.7], []), 1.0) == 0.9


def test_nothing_is_sure_when_the_surest_digit_is_wrong() -> None:
    assert sure_threshold(*two_labels([0.9999, 0.99, 0.98], [0]), 1.0) == 1.0


def test_digits_of_one_confidence_are_in_or_out_together() -> None:
    logits, labels = two_labels([0.95] * 200, [199])
    assert sure_threshold(logits, labels, 1.0) == 1.0


def test_what_to_expect_is_of_digits_alone() -> None:
    """Three labels, the last of them no digit: six digits, one of them unsure and one refused, and what is none."""
    sure, unsure, refused = [0.98, 0.01, 0.01], [0.6, 0.39, 0.01], [0.01, 0.0, 0.99]
    logits = np.log(np.array([sure, sure, sure, sure, unsure, refused, refused, sure]) + 1e-9).astype(np.float32)
    labels = np.array([0, 0, 0, 1, 0, 1, 2, 2])
    found = expected_of(logits, labels, 1.0, 0.9, none=2)
    assert found is not None
    assert (found.n, found.unsure, found.none) == (6, pytest.approx(2 / 6), pytest.approx(1 / 6))
    assert found.confidence == pytest.approx((4 * 0.98 + 0.6 + 0.99) / 6, abs=1e-4)
    assert expected_of(logits[6:], labels[6:], 1.0, 0.9, none=2) is None
    without = expected_of(logits, labels % 2, 1.0, 0.9)
    assert without is not None and (without.n, without.none) == (8, 0.0)
