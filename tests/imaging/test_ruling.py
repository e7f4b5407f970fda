"""Long straight lines go, at any slant; strokes that cross them stay whole."""

import cv2
import numpy as np
import pytest

from edge.imaging.ruling import drop_rules


def writing() -> np.ndarray:
    mask = np.zeros((480, 640), np.uint8)
    for place, digit in enumerate("4830"):
        cv2.putText(mask, digit, (160 + 80 * place, 260), cv2.FONT_HERSHEY_SIMPLEX, 2.0, 255, 4)
    return mask


def rules(slope: float, upright: bool = False) -> np.ndarray:
    mask = np.zeros((480, 640), np.uint8)
    for place in range(40, 480, 44):
        cv2.line(mask, (0, place), (639, round(place + 639 * slope)), 255, 2)
        if upright:
            cv2.line(mask, (place, 0), (round(place - 479 * slope), 479), 255, 2)
    return mask


@pytest.mark.parametrize("upright", [False, True])
@pytest.mark.parametrize("slope", [-0.3, -0.05, 0.0, 0.12])
def test_rules_go_and_digits_stay(slope: float, upright: bool) -> None:
    lines = rules(slope, upright)
    mask = writing() | lines
    clean = drop_rules(mask, mask)
    assert (clean[(lines > 0) & (writing() == 0)] > 0).mean() < 0.1
    assert (clean[writing() > 0] > 0).mean() > 0.85


def test_a_stroke_along_a_rule_stays_where_it_is_darker() -> None:
    lines = rules(0.0)
    bar = np.zeros_like(lines)
    cv2.line(bar, (200, 84), (240, 84), 255, 2)  # as thin as the rule it lies on: the bar of a 7
    pale = drop_rules(lines | bar, cv2.max(lines // 4, bar))
    assert (pale[bar > 0] > 0).mean() > 0.9
    assert (pale[(lines > 0) & (bar == 0)] > 0).mean() < 0.02
    alike = drop_rules(lines | bar, lines | bar)
    assert (alike[bar > 0] > 0).mean() < 0.2


def test_writing_alone_is_left_as_it_is() -> None:
    assert (drop_rules(writing(), writing()) == writing()).all()


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (1, 900), (480, 5)])
def test_tiny_and_long_pictures_are_left_as_they_are(shape: tuple[int, int]) -> None:
    mask = np.full(shape, 255, np.uint8)
    assert (drop_rules(mask, mask) == mask).all()
