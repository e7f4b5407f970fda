"""Printed lines away, the pen's strokes stay."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edge.imaging.ink import quantile
from edge.values import Mask

# A printed box line runs through almost the whole crop; the foot of a 2 or the bar of a 7 in a box does not.
_BOX_SPAN = 0.85
# Box lines lie in this outer part of a crop.
_BOX_BAND = 0.2
# A ruled line is at least this many times as long as the writing is high.
_RULE_LENGTH = 2.0


def drop_box_lines(mask: Mask) -> Mask:
    """(H, W) bool ink without the printed lines along the borders of one cell's crop.

    On each side, where ink is met in at least 85 % of the columns (rows) coming from outside, along a straight line, it
    is taken away to the line's median thickness; what is thicker there is a stroke that crosses it, and stays.
    """
    clean = mask.copy()
    for turns in range(4):
        side = np.rot90(clean, turns)  # a view: each side in turn is the top
        for _ in range(2):  # a doubled line, or a line behind the edge of a neighbour
            if not _drop_top_line(side[: max(2, round(_BOX_BAND * side.shape[0]))]):
                break
    return clean


def _drop_top_line(band: Mask) -> bool:
    """Take the first line out of the (h, W) band, in place; False if there is none."""
    rows, width = band.shape
    has = band.any(axis=0)
    if has.mean() < _BOX_SPAN:
        return False
    columns = np.flatnonzero(has)
    first = band.argmax(axis=0)
    slope, offset = _fit_line(columns, first[columns])
    expected = slope * np.arange(width) + offset
    near = has & (np.abs(first - expected) <= max(1.5, 0.03 * width))
    if near.mean() < _BOX_SPAN:
        return False
    below = np.arange(rows)[:, None]
    open_below = ~band & (below > first)
    end = np.where(open_below.any(axis=0), open_below.argmax(axis=0), rows)
    thickness = quantile((end - first)[near], 0.5)
    if thickness >= rows - 1:  # no line but a dark border or a blot
        return False
    cut = np.where(end - first > 1.6 * thickness + 1, np.ceil(first + thickness), end)
    band &= ~(near & (below < cut))
    return True


def _fit_line(x: npt.NDArray[np.int_], y: npt.NDArray[np.int_]) -> tuple[float, float]:
    """Slope and offset of a line through most points: the median of slopes between far points (Theil, 1950)."""
    half = len(x) // 2
    dx = x[half : 2 * half] - x[:half]
    dy = y[half : 2 * half] - y[:half]
    slope = quantile(dy / np.maximum(dx, 1), 0.5) if half else 0.0
    return slope, quantile(y - slope * x, 0.5)


def drop_ruled_lines(mask: Mask, *, writing_px: float) -> Mask:
    """(H, W) bool ink without ruled lines: thin, level runs at least twice as long as the writing is high.

    A pixel of a line goes only where the ink above and below ends too, so that strokes crossing the line stay whole.
    """
    length = round(_RULE_LENGTH * writing_px)
    if mask.shape[1] < length or length < 8:
        return mask
    # A line may waver by a pixel: look for it in ink thickened by one.
    thick = cv2.dilate(mask.astype(np.uint8), np.ones((3, 1), np.uint8))
    runs = cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((1, length), np.uint8)).astype(np.bool_) & mask
    if not runs.any():
        return mask
    # Height of the ink at each pixel of a run: a line is thin, a crossing stroke is not.
    limit = max(3, round(0.16 * writing_px))
    tall = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((limit, 1), np.uint8)).astype(np.bool_)
    clean: Mask = mask & ~(runs & ~tall)
    return clean
