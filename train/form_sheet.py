"""A sheet of all written forms, for people to look at: what a network is told that a digit can look like."""

from __future__ import annotations

import cv2
import numpy as np

from edge.values import Image
from train.strokes import FORMS, MARKS, draw_digit, draw_mark

_CELL_PX = (118, 84)  # width, height
_DIGIT_PX, _SIDE_BY_SIDE = 44, 2
_TOP_PX, _NAME_PX = 8, 75  # from a cell's top: to the drawings, to the foot of its name
_FONT, _FONT_SIZE, _NAME_GREY = cv2.FONT_HERSHEY_SIMPLEX, 0.36, 110


def draw_forms_sheet(*, seed: int = 1) -> bytes:
    """PNG: a row for each digit with two drawings of each of its forms, then two of each mark, names below."""
    rng = np.random.default_rng(seed)
    columns = max(len(forms) for forms in FORMS)
    mark_rows = -(-len(MARKS) // columns)
    width, height = _CELL_PX
    sheet = np.full((height * (len(FORMS) + mark_rows), width * columns), 255, np.uint8)
    for digit, forms in enumerate(FORMS):
        for column, name in enumerate(forms):
            pens = rng.uniform(2.5, 5, _SIDE_BY_SIDE)
            inks = [draw_digit(rng, digit, height_px=_DIGIT_PX, pen_px=float(pen), form=name) for pen in pens]
            _show(sheet, digit, column, inks, name)
    for place, mark in enumerate(MARKS):
        pens = rng.uniform(2.5, 4, _SIDE_BY_SIDE)
        inks = [draw_mark(rng, mark, height_px=0.8 * _DIGIT_PX, pen_px=float(pen)) for pen in pens]
        _show(sheet, len(FORMS) + place // columns, place % columns, inks, mark.replace("_", " "))
    return bytes(cv2.imencode(".png", sheet)[1])


def _show(sheet: Image, row: int, column: int, inks: list[Image], name: str) -> None:
    width, height = _CELL_PX
    left, top = column * width, row * height
    half = width // len(inks)
    for place, drawn in enumerate(inks):
        scale = min(1.0, (half - 4) / drawn.shape[1], (_DIGIT_PX + 10) / drawn.shape[0])
        ink = cv2.resize(drawn, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        x = left + place * half + (half - ink.shape[1]) // 2
        y = top + _TOP_PX + (_DIGIT_PX - ink.shape[0]) // 2 + 5
        sheet[y : y + ink.shape[0], x : x + ink.shape[1]] = 255 - ink
    (wide, _), _ = cv2.getTextSize(name, _FONT, _FONT_SIZE, 1)
    at = (left + (width - wide) // 2, top + _NAME_PX)
    cv2.putText(sheet, name, at, _FONT, _FONT_SIZE, _NAME_GREY, 1, cv2.LINE_AA)
