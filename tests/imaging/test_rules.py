"""Printed lines go; strokes stay, also where they touch or cross the line."""

import cv2
import numpy as np
import pytest

from edge.imaging.rules import drop_box_lines, drop_ruled_lines


def digit_mask() -> np.ndarray:
    canvas = np.zeros((64, 64), np.uint8)
    cv2.putText(canvas, "2", (18, 50), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 255, 4)
    return canvas > 0


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("thickness", [1, 3, 6])
def test_a_line_at_any_side_goes_and_the_digit_stays(turns: int, thickness: int) -> None:
    digit = digit_mask()
    lined = digit.copy()
    np.rot90(lined, turns)[2 : 2 + thickness] = True
    clean = drop_box_lines(lined)
    assert (clean == digit).all()


def test_a_leaning_line_goes() -> None:
    canvas = np.zeros((64, 64), np.uint8)
    cv2.line(canvas, (0, 2), (63, 7), 255, 2)
    assert not drop_box_lines(canvas > 0).any()


def test_a_stroke_that_crosses_the_line_stays_whole_above_and_below() -> None:
    mask = np.zeros((64, 64), bool)
    mask[6:9] = True
    mask[0:50, 30:34] = True
    clean = drop_box_lines(mask)
    assert clean[12:50, 30:34].all()
    assert not clean[6:9, :28].any()


def test_the_foot_of_a_2_is_no_line() -> None:
    digit = digit_mask()
    assert (drop_box_lines(digit) == digit).all()


def test_ruled_lines_go_and_crossing_strokes_stay() -> None:
    mask = np.zeros((64, 300), bool)
    mask[40:42] = True
    mask[10:55, 100:104] = True
    clean = drop_ruled_lines(mask, writing_px=40)
    assert clean[10:55, 100:104].mean() > 0.9
    assert not clean[40:42, :95].any() and not clean[40:42, 110:].any()
