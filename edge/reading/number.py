"""Digits that were read singly to the Reading of their number."""

from __future__ import annotations

import math

from edge.values import NOT_A_DIGIT, Box, Digit, Prediction, Reading


def to_digit(prediction: Prediction, box: Box) -> Digit:
    """The Digit of a Prediction: the best of the ten digits, its confidence the network's own for that digit."""
    ranked = [(prediction.label, prediction.confidence), *prediction.alternatives]
    digits = [(int(label), share) for label, share in ranked if label != NOT_A_DIGIT]
    (digit, confidence), rest = digits[0], digits[1:]
    return Digit(digit=digit, confidence=confidence, box=box, alternatives=tuple(rest[:3]))


def to_reading(digits: tuple[Digit, ...], box: Box, threshold: float, *, plain: bool = True) -> Reading:
    """The Reading of a number's digits from left to right, at least one.

    Digits are taken as independent, so the text's confidence is the product of theirs. It is `read` from threshold on,
    if the ink is plain.
    """
    confidence = math.prod(digit.confidence for digit in digits)
    return Reading(
        text="".join(str(digit.digit) for digit in digits),
        confidence=confidence,
        status="read" if plain and confidence >= threshold else "review",
        box=box,
        digits=digits,
    )
