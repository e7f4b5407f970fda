"""Printed boxes go, whatever their style; strokes stay, also those that touch or cross a line."""

import cv2
import numpy as np
import pytest

from edge.imaging.frames import drop_frame

LEVEL = 8.0


def digit_ink() -> np.ndarray:
    """Soft ink (64, 64) of a 2 that stands free in its cell."""
    canvas = np.zeros((64, 64), np.uint8)
    cv2.putText(canvas, "2", (18, 48), cv2.FONT_HERSHEY_SIMPLEX, 1.4, 180, 4, cv2.LINE_AA)
    return canvas


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("thickness", [1, 3, 6])
def test_a_line_at_any_side_goes_and_the_digit_stays(turns: int, thickness: int) -> None:
    digit = digit_ink()
    lined = digit.copy()
    np.rot90(lined, turns)[2 : 2 + thickness] = 120
    clean, inside = drop_frame(lined, level=LEVEL)
    assert (clean == digit).all()
    assert sum(inside.lined) == 1


@pytest.mark.parametrize("style", ["box", "table", "double", "dotted", "round", "leaning", "pale"])
def test_boxes_of_any_style_go(style: str) -> None:
    digit = digit_ink()
    box = np.zeros_like(digit)
    if style == "leaning":
        cv2.line(box, (0, 3), (63, 7), 150, 2, cv2.LINE_AA)
        cv2.line(box, (3, 0), (5, 63), 150, 2, cv2.LINE_AA)
    elif style == "round":
        cv2.rectangle(box, (8, 3), (55, 4), 150, -1)
        cv2.rectangle(box, (8, 59), (55, 60), 150, -1)
        cv2.rectangle(box, (3, 8), (4, 55), 150, -1)
        cv2.rectangle(box, (59, 8), (60, 55), 150, -1)
    else:
        cv2.rectangle(box, (3, 3), (60, 60), 30 if style == "pale" else 150, 2)
        box[:3], box[61:], box[:, :3], box[:, 61:] = 0, 0, 0, 0
        if style == "double":
            cv2.rectangle(box, (7, 7), (56, 56), 150, 1)
        if style == "dotted":
            box[:, ::4], box[::4, :] = 0, 0
        if style == "table":
            box[[3, 4, 59, 60]] = 150
    clean, inside = drop_frame(np.maximum(box, digit), level=LEVEL)
    middle = np.s_[10:54, 10:54]
    assert sum(inside.lined) >= (2 if style == "leaning" else 4)
    assert np.abs(clean[middle].astype(int) - digit[middle]).mean() < 1
    assert clean[inside.top : inside.bottom, inside.left : inside.right].sum() <= 1.02 * digit.sum()


def test_a_stroke_that_crosses_the_line_stays_whole() -> None:
    ink = np.zeros((64, 64), np.uint8)
    ink[7:9] = 120
    ink[0:50, 30:34] = 150
    clean, _ = drop_frame(ink, level=LEVEL)
    assert (clean[:50, 30:34] > 0).all()
    assert not clean[7:9, :28].any()


def test_a_dark_pen_on_a_pale_line_stays() -> None:
    ink = np.zeros((64, 64), np.uint8)
    ink[56:58] = 40
    ink[55:59, 15:45] = 200
    clean, _ = drop_frame(ink, level=LEVEL)
    assert (clean[56:58, 16:44] == 200).all()
    assert not clean[56:58, :13].any() and not clean[56:58, 47:].any()


@pytest.mark.parametrize("text", ["2", "7", "5", "1"])
def test_strokes_along_a_side_are_no_lines(text: str) -> None:
    canvas = np.zeros((64, 64), np.uint8)
    cv2.putText(canvas, text, (10, 54), cv2.FONT_HERSHEY_SIMPLEX, 1.9, 200, 4, cv2.LINE_AA)
    clean, inside = drop_frame(canvas, level=LEVEL)
    assert (clean == canvas).all() and not any(inside.lined)
