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
    clean = drop_rules(writing() | lines)
    assert (clean[(lines > 0) & (writing() == 0)] > 0).mean() < 0.1
    assert (clean[writing() > 0] > 0).mean() > 0.85


def test_writing_alone_is_left_as_it_is() -> None:
    assert (drop_rules(writing()) == writing()).all()


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (1, 900), (480, 5)])
def test_tiny_and_long_pictures_are_left_as_they_are(shape: tuple[int, int]) -> None:
    mask = np.full(shape, 255, np.uint8)
    assert (drop_rules(mask) == mask).all()
