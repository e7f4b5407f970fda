"""Ruled lines away, the pen's strokes stay; for the box of a cell see frames."""

from __future__ import annotations

import cv2
import numpy as np

from edge.values import Mask

# A ruled line is at least this many times as long as the writing is high.
_RULE_LENGTH = 2.0


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
