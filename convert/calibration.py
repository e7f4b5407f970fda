"""Confidence that means something: a model's temperature and threshold from held-back digits.

Temperature scaling: Guo, Pleiss, Sun, Weinberger, On Calibration of Modern Neural Networks, ICML 2017.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.inference.classifier import softmax
from edge.inference.manifest import Expected

# Networks trained for a few epochs lie between 1 and 2, those that learned a teacher's softened probabilities near 0.5.
# The bounds keep a network without a single held-back mistake, whose best temperature is 0, from calling everything
# certain.
COLDEST, HOTTEST = 0.25, 10.0
# Held-back MNIST digits are cleaner than digits on paper: a threshold from them alone would let doubtful paper through.
LOWEST_THRESHOLD = 0.9
WRONG_ALLOWED = 0.001
# Half of what is held back for a network that knows what is no digit was made as from paper, and harder: blurred, cut
# and smeared until people differ, too. Digits in boxes and postcodes were wrong less than a third as often from the
# same confidence on, small black-and-white scans nearly twice as often.
WRONG_ALLOWED_ON_PAPER = 0.003
_GOLDEN = (math.sqrt(5) - 1) / 2
_STEPS = 60


def negative_log_likelihood(
    logits: npt.NDArray[np.float32], labels: npt.NDArray[np.int64], temperature: float
) -> float:
    """Mean of -log p(right label) in nats for (n, labels) logits divided by temperature."""
    heated = logits.astype(np.float64) / temperature
    top = heated.max(axis=1)
    log_total = top + np.log(np.exp(heated - top[:, None]).sum(axis=1))
    return float((log_total - heated[np.arange(len(labels)), labels]).mean())


def best_temperature(logits: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> float:
    """The temperature in 0.5 to 10 with the smallest negative log-likelihood, by golden section.

    The likelihood is convex in 1/temperature, so the search cannot end in a wrong valley.
    """
    return round(
        1 / smallest(lambda cold: negative_log_likelihood(logits, labels, 1 / cold), 1 / HOTTEST, 1 / COLDEST), 4
    )


def smallest(loss: Callable[[float], float], low: float, high: float) -> float:
    """Where between low and high a loss with one valley is smallest, by golden section."""
    for _ in range(_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return (low + high) / 2


def sure_threshold(
    logits: npt.NDArray[np.float32], labels: npt.NDArray[np.int64], temperature: float, *, none: int | None = None
) -> float:
    """The smallest confidence at which at most 0.1 % of what is read with at least that confidence is wrong.

    none: the index of the label that says a thing is no digit; such things are not read, however sure that is, and of
    the rest, which is then harder than paper, 0.3 % may be wrong. Never below 0.9; 1.0 if no confidence is high enough.
    """
    chances = softmax(logits / np.float32(temperature))
    said = chances.argmax(axis=1)
    read = np.ones(len(said), np.bool_) if none is None else said != none
    allowed = WRONG_ALLOWED if none is None else WRONG_ALLOWED_ON_PAPER
    return threshold_for(chances.max(axis=1)[read], (said != labels)[read], allowed=allowed, lowest=LOWEST_THRESHOLD)


def expected_of(
    logits: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int64],
    temperature: float,
    threshold: float,
    *,
    none: int | None = None,
) -> Expected | None:
    """What to expect of digits in use: what is said of those held back, things that are no digits left out.

    None if only such things are held back. logits (n, L), labels (n,), none as for sure_threshold.
    """
    digits = np.ones(len(labels), np.bool_) if none is None else labels != none
    if not digits.any():
        return None
    chances = softmax(logits[digits] / np.float32(temperature))
    confidence, said = chances.max(axis=1), chances.argmax(axis=1)
    refused = np.zeros(len(said), np.bool_) if none is None else said == none
    return Expected(
        n=len(said),
        confidence=min(1.0, float(confidence.mean())),
        unsure=float((refused | (confidence < threshold)).mean()),
        none=float(refused.mean()),
    )


def threshold_for(
    confidence: npt.NDArray[Any], wrong: npt.NDArray[np.bool_], *, allowed: float, lowest: float
) -> float:
    """The smallest of the confidences (n,) from which on at most an allowed share is wrong (n,), not below lowest.

    1.0 if no confidence is high enough for that.
    """
    order = np.argsort(-confidence, kind="stable")
    share = np.cumsum(wrong[order]) / np.arange(1, len(order) + 1)
    ranked = confidence[order]
    # Those of equal confidence are in or out together: only the last of them tells the share.
    last_of_equals = np.append(ranked[1:] != ranked[:-1], True) if len(ranked) else np.empty(0, bool)
    good = ranked[last_of_equals & (share <= allowed)]
    if not len(good):
        return 1.0
    # Rounded up, so that a wrong one just below stays outside.
    return min(1.0, max(lowest, math.ceil(float(good.min()) * 1e6) / 1e6))
