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

# Networks trained for a few epochs lie between 1 and 2. The bounds keep a network without a single held-back mistake,
# whose best temperature is 0, from calling everything certain.
COLDEST, HOTTEST = 0.5, 10.0
# Held-back MNIST digits are cleaner than digits on paper: a threshold from them alone would let doubtful paper through.
LOWEST_THRESHOLD = 0.9
WRONG_ALLOWED = 0.001
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


def sure_threshold(logits: npt.NDArray[np.float32], labels: npt.NDArray[np.int64], temperature: float) -> float:
    """The smallest confidence at which at most 0.1 % of the digits with at least that confidence are wrong.

    Never below 0.9; 1.0 if no confidence is high enough for that.
    """
    chances = softmax(logits / np.float32(temperature))
    wrong = chances.argmax(axis=1) != labels
    return threshold_for(chances.max(axis=1), wrong, allowed=WRONG_ALLOWED, lowest=LOWEST_THRESHOLD)


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
