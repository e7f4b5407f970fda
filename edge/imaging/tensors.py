"""From ink to tensors: the one place that makes the 28×28 picture the network reads, for training and reading alike.

MNIST's own preparation (LeCun et al., 1998): the digit is scaled by its aspect into 20×20 and moved so that its centre
of mass is the middle of 28×28.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from edge.errors import ShapeError
from edge.values import Image

SIDE = 28
FIT = 20
# The column and row, from 0, of MNIST's middle: its digits' centres of mass all lie within half a pixel of 14.
_CENTER = 14


def fit_digit(ink: Image) -> Image:
    """(28, 28) uint8 tensor of one glyph's soft ink (h, w) uint8, 0 paper to 255 ink; zeros if there is no ink.

    The ink's bounding box is scaled by its aspect into 20×20, its darkest pixel to 255, for MNIST's strokes are full
    ink and thin ones pale when they shrink; then its centre of mass is put in the middle. Raises ShapeError for other
    shapes or types.
    """
    tensor = np.zeros((SIDE, SIDE), np.uint8)
    _fit(ink, tensor)
    return tensor


def _fit(ink: Image, tensor: Image) -> None:
    """Draw the picture of one glyph's soft ink (h, w) into a tensor (28, 28) of zeros. Raises ShapeError."""
    if ink.ndim != 2 or ink.dtype != np.uint8 or not ink.size:
        raise ShapeError(f"ink is (h, w) uint8 and not empty, not {ink.shape} {ink.dtype}")
    left, top, width, height = cv2.boundingRect(ink)
    if not width:
        return
    scale = FIT / max(width, height)
    shape = (max(1, round(width * scale)), max(1, round(height * scale)))
    # Area averaging keeps thin strokes when shrinking; cubic keeps edges when a tiny crop grows.
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = cv2.resize(ink[top : top + height, left : left + width], shape, interpolation=how)
    small = cv2.convertScaleAbs(small, alpha=255 / max(cv2.minMaxLoc(small)[1], 1.0))
    moments = cv2.moments(small)
    x = round(_CENTER - moments["m10"] / moments["m00"]) if moments["m00"] else (SIDE - shape[0]) // 2
    y = round(_CENTER - moments["m01"] / moments["m00"]) if moments["m00"] else (SIDE - shape[1]) // 2
    x, y = min(max(x, 0), SIDE - shape[0]), min(max(y, 0), SIDE - shape[1])
    tensor[y : y + shape[1], x : x + shape[0]] = small


def digit_tensors(inks: Sequence[Image]) -> Image:
    """(n, 28, 28, 1) uint8 tensors of n glyphs' soft ink; n may be 0."""
    tensors = np.zeros((len(inks), SIDE, SIDE, 1), np.uint8)
    for tensor, ink in zip(tensors, inks, strict=True):
        _fit(ink, tensor[:, :, 0])
    return tensors
