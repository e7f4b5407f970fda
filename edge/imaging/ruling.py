"""Printed rules, squares and other long straight lines on a page: taken out of its ink, at whatever slant they run."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edge.imaging.glyphs import find_blobs
from edge.imaging.ink import quantile
from edge.values import Image

# Lines are looked for on a picture half as large, in blobs that reach over this part of it: more than digits do.
_SHRINK = 2
_LONG_PART = 0.16
# Straight runs of this part of the page are no strokes of a pen.
_RUN_PART = 0.13
_LEAST_RUN_PX = 15
_STEP_RAD = np.pi / 120
_GAP_PX = 4
# A rule goes on behind the digits that interrupt it, over this part of the page at most, with ink on half the way.
_BEYOND_PART = 0.4
_INK_ON_THE_WAY = 0.5
# Lines are thinner than this, on the page; what lies so near to a found line is of it.
_THICKEST_PX = 9
_TRACK_PX = 5
# What is thicker across a line than this many times the line is a stroke that crosses it.
_CROSSING = 1.7
# What is darker than the lines by this factor is a stroke that lies on one.
_DARKER = 1.6


def drop_rules(mask: Image, ink: Image) -> Image:
    """The (H, W) uint8 ink mask, 0 or 255, without the long straight lines in it; the mask itself if there are none.

    ink: the soft ink, (H, W) uint8, that the mask is of. Lines are found by the probabilistic Hough transform (Matas et
    al., 2000). A pixel of a line goes only where the ink across the line is as thin as the line and hardly darker, so
    that strokes stay whole that cross it or run along it.
    """
    rows, columns = mask.shape[0] // _SHRINK, mask.shape[1] // _SHRINK
    if min(rows, columns) < _LEAST_RUN_PX:
        return mask
    whole = mask[: rows * _SHRINK, : columns * _SHRINK]
    small = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
    thin = _thin_and_long(cv2.compare(small, 64, cv2.CMP_GT))
    if thin is None:
        return mask
    run = max(_LEAST_RUN_PX, _RUN_PART * max(rows, columns))
    lines = cv2.HoughLinesP(thin, 1, _STEP_RAD, round(0.6 * run), minLineLength=run, maxLineGap=_GAP_PX)
    if lines is None:
        return mask
    ends = _SHRINK * _lengthened(lines.reshape(-1, 4), small)
    flat = np.abs(ends[:, 2] - ends[:, 0]) >= np.abs(ends[:, 3] - ends[:, 1])
    return _without(_without(mask, ink, ends[flat], flat=True), ink, ends[~flat], flat=False)


def _lengthened(ends: npt.NDArray[np.int32], ink: Image) -> npt.NDArray[np.int32]:
    """Lines between ends (n, 4) drawn out at both as far as there is ink, not 0, on enough of the way.

    Digits interrupt a rule, and there is ink on the way through them too; from a line that has come to its end there is
    only paper.
    """
    near = cv2.dilate(ink, np.ones((3, 3), np.uint8))
    reach = np.arange(1, max(2, round(_BEYOND_PART * max(ink.shape))), 2)
    drawn = ends.astype(np.float64)
    for this, other in ((slice(0, 2), slice(2, 4)), (slice(2, 4), slice(0, 2))):
        way = (ends[:, this] - ends[:, other]).astype(np.float64)
        way /= np.maximum(np.hypot(*way.T), 1.0)[:, None]
        x, y = np.rint(ends[:, this, None] + way[:, :, None] * reach).astype(np.int64).transpose(1, 0, 2)
        inside = (x >= 0) & (y >= 0) & (x < ink.shape[1]) & (y < ink.shape[0])
        hit = inside & (near[np.clip(y, 0, ink.shape[0] - 1), np.clip(x, 0, ink.shape[1] - 1)] > 0)
        covered = np.cumsum(hit, axis=1) >= _INK_ON_THE_WAY * np.arange(1, len(reach) + 1)
        last = np.where(hit & covered, reach, 0).max(axis=1)
        drawn[:, this] += way * last[:, None]
    return np.rint(drawn).astype(np.int32)


def _thin_and_long(small: Image) -> Image | None:
    """What is thin in the long blobs of a (h, w) mask, 0 or 255; None if no blob is long."""
    blobs = find_blobs(small.view(np.bool_))
    width, height = (blobs.boxes[:, 2:] - blobs.boxes[:, :2]).T
    long = np.zeros(len(blobs) + 1, np.uint8)
    long[1:] = 255 * (np.maximum(width, height) > _LONG_PART * max(small.shape))
    if not long.any():
        return None
    side = _THICKEST_PX // _SHRINK + 1
    thick = cv2.morphologyEx(small, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    return np.asarray(cv2.bitwise_and(cv2.subtract(small, thick), long[blobs.labels]), np.uint8)


def _without(mask: Image, ink: Image, ends: npt.NDArray[np.int32], *, flat: bool) -> Image:
    """The mask of soft ink without lines between ends (n, 4), all rather flat, or all rather upright."""
    if not len(ends):
        return mask
    track = np.zeros(mask.shape, np.uint8)
    for left, top, right, bottom in ends.tolist():
        cv2.line(track, (left, top), (right, bottom), 255, _TRACK_PX)
    track = cv2.bitwise_and(track, mask)
    limit = max(3, round(_CROSSING * _thickness(track, flat=flat)))
    strokes = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((limit, 1) if flat else (1, limit), np.uint8))
    usual = quantile(ink[track > 0], 0.5) if cv2.countNonZero(track) else 255.0
    # A darker pixel alone is noise. (An opening, in which OpenCV's own would move a square of even side.)
    square = np.ones((2, 2), np.uint8)
    dark = cv2.dilate(cv2.erode(cv2.compare(ink, _DARKER * usual, cv2.CMP_GT), square), square, anchor=(0, 0))
    strokes = cv2.bitwise_or(strokes, dark)
    return np.asarray(cv2.subtract(mask, cv2.subtract(track, strokes)), np.uint8)


def _thickness(track: Image, *, flat: bool) -> float:
    """The usual thickness in pixels of the lines in a mask, across them."""
    whole = cv2.countNonZero(track)
    lost = whole - cv2.countNonZero(cv2.erode(track, np.ones((3, 1) if flat else (1, 3), np.uint8), borderValue=0))
    return min(2 * whole / max(1, lost), float(_THICKEST_PX))
