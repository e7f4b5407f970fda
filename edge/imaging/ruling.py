"""Printed rules, squares and other long straight lines on a page: taken out of its ink, at whatever slant they run."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edge.imaging.glyphs import Blobs
from edge.values import Image

# A blob that reaches over this part of the page holds more than digits.
_LONG_PART = 0.16
# Straight runs of this part of the page are no strokes of a pen.
_RUN_PART = 0.13
_LEAST_RUN_PX = 30
# Lines are looked for on a picture half as large, by their angle in these steps.
_SHRINK = 2
_STEP_RAD = np.pi / 120
_GAP_PX = 4
# What is thicker across a line than this many times the line is a stroke that crosses it.
_CROSSING = 1.7
_THICKEST_PX = 9
_TRACK_PX = 5


def has_rules(blobs: Blobs) -> bool:
    """True if any blob is so long and thin, or so wide a net, that it may be printed lines."""
    if not len(blobs):
        return False
    width, height = (blobs.boxes[:, 2:] - blobs.boxes[:, :2]).T
    side = np.maximum(width, height)
    return bool(
        ((side > _LONG_PART * max(blobs.labels.shape)) & (blobs.areas < 0.35 * width * height + 12 * side)).any()
    )


def drop_rules(weak: Image, blobs: Blobs) -> Image:
    """The (H, W) uint8 mask, 0 or 1, whose Blobs these are, without the straight lines in the long ones.

    Lines are found by the probabilistic Hough transform (Matas et al., 2000). A pixel of a line goes only where the ink
    across the line is as thin as the line, so that strokes crossing it stay whole.
    """
    page = max(weak.shape)
    width, height = (blobs.boxes[:, 2:] - blobs.boxes[:, :2]).T
    long = np.zeros(len(blobs) + 1, np.uint8)
    long[1:] = np.maximum(width, height) > _LONG_PART * page
    thin = cv2.subtract(weak, cv2.morphologyEx(weak, cv2.MORPH_OPEN, np.ones((_THICKEST_PX, _THICKEST_PX), np.uint8)))
    thin = cv2.bitwise_and(thin, long[blobs.labels])
    rows, columns = weak.shape[0] // _SHRINK, weak.shape[1] // _SHRINK
    if not rows or not columns:
        return weak
    small = cv2.resize(thin[: rows * _SHRINK, : columns * _SHRINK], (columns, rows), interpolation=cv2.INTER_AREA)
    run = max(_LEAST_RUN_PX, _RUN_PART * page) / _SHRINK
    lines = cv2.HoughLinesP(small, 1, _STEP_RAD, round(0.6 * run), minLineLength=run, maxLineGap=_GAP_PX)
    if lines is None:
        return weak
    ends = _SHRINK * lines.reshape(-1, 4)
    flat = np.abs(ends[:, 2] - ends[:, 0]) >= np.abs(ends[:, 3] - ends[:, 1])
    clean = _without(weak, thin, ends[flat], flat=True)
    return _without(clean, thin, ends[~flat], flat=False)


def _without(mask: Image, thin: Image, ends: npt.NDArray[np.int32], *, flat: bool) -> Image:
    """The mask without lines between ends (n, 4), all rather flat, or all rather upright."""
    if not len(ends):
        return mask
    track = np.zeros(mask.shape, np.uint8)
    for left, top, right, bottom in ends.tolist():
        cv2.line(track, (left, top), (right, bottom), 1, _TRACK_PX)
    track = cv2.bitwise_and(track, thin)
    limit = max(3, round(_CROSSING * _thickness(track, flat=flat)))
    strokes = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((limit, 1) if flat else (1, limit), np.uint8))
    return np.asarray(cv2.subtract(mask, cv2.subtract(track, strokes)), np.uint8)


def _thickness(track: Image, *, flat: bool) -> float:
    """The usual thickness in pixels of the lines in a mask, across them."""
    whole = cv2.countNonZero(track)
    lost = whole - cv2.countNonZero(cv2.erode(track, np.ones((3, 1) if flat else (1, 3), np.uint8), borderValue=0))
    return min(2 * whole / max(1, lost), float(_THICKEST_PX))
