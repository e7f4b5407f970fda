"""One cell, one digit: find the digit among box lines, smudges and shadows."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edge.imaging.glyphs import Blobs, cut_glyph, find_blobs
from edge.imaging.ink import (
    FAINTEST,
    SMALLEST_WITH_PRINT,
    ink_mask,
    is_light_on_dark,
    lift_ink,
    noise_floor,
    otsu,
    quantile,
    to_grey,
)
from edge.imaging.rules import drop_box_lines
from edge.imaging.tensors import digit_tensors
from edge.inference.classifier import Classifier
from edge.reading.evidence import Evidence, Trace, seen_digits
from edge.reading.number import to_digit, to_reading
from edge.values import NOT_A_DIGIT, Box, Glyph, Image, Reading

# Below this part of the cell's height ink is a note or a smudge, not the digit the cell is for.
_SMALLEST_DIGIT = 0.38
# A speck: too small to be seen as writing.
_SPECK = 0.12
# In a tiny crop what is paler than this, of 255, is paper; the pale edge of a stroke is part of the digit's size.
_PALEST_EDGE = 26
# Larger cells are shrunk first: the network sees 20 pixels of a digit.
_WORKING_PX = 96


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cell:
    """What a cell holds: the digit's Glyph, None if blank; plain is False if the ink does not look like one digit."""

    glyph: Glyph | None
    plain: bool = True


def find_digit(pixels: Image) -> Cell:
    """The digit in the pixels (H, W) grey or (H, W, 3) BGR of one cell, dark on light or light on dark.

    Printed box lines, pieces of neighbours and specks are left out. The Glyph's box is in pixels of the cell as given.
    Raises ShapeError if pixels are not an image.
    """
    grey = to_grey(pixels)
    height, width = grey.shape
    if is_light_on_dark(grey):
        grey = cv2.bitwise_not(grey)
    side = min(height, width)
    if side < SMALLEST_WITH_PRINT:
        return _find_tight(grey)
    scale = min(1.0, _WORKING_PX / side)
    if scale < 1.0:
        grey = cv2.resize(grey, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    cell = _find_in_box(grey)
    if cell.glyph is None or scale == 1.0:
        return cell
    return Cell(
        glyph=Glyph(box=_scaled(cell.glyph.box, 1 / scale, width, height), ink=cell.glyph.ink), plain=cell.plain
    )


def _find_tight(grey: Image) -> Cell:
    """A tiny crop is all digit: no box, no lines, and no room to estimate the paper but its lightest part."""
    paper, dark = quantile(grey, 0.98), float(grey.min())
    if paper - dark < 2 * FAINTEST:
        return Cell(glyph=None)
    ink = cv2.convertScaleAbs(cv2.subtract(paper, grey), alpha=255 / (paper - dark))
    ink[ink < _PALEST_EDGE] = 0
    left, top, width, height = cv2.boundingRect(ink)
    return Cell(glyph=Glyph(box=Box(left=left, top=top, right=left + width, bottom=top + height), ink=ink))


def _find_in_box(grey: Image) -> Cell:
    """A crop with some paper around the digit, and perhaps a printed box."""
    height, width = grey.shape
    ink = cv2.GaussianBlur(lift_ink(grey, reach_px=min(height, width) // 3), (3, 3), 0)
    inner = ink[height // 8 : height - height // 8, width // 8 : width - width // 8]
    level = max(otsu(inner), noise_floor(ink))
    mask = drop_box_lines(ink_mask(ink, low=0.6 * level, high=1.1 * level))
    blobs = find_blobs(mask)
    rows = _belonging(blobs, height, width)
    if not rows:
        return Cell(glyph=None)
    glyph = cut_glyph(ink, blobs, rows)
    return Cell(glyph=glyph, plain=glyph.box.height >= _SMALLEST_DIGIT * height)


def _belonging(blobs: Blobs, height: int, width: int) -> tuple[int, ...]:
    """The components of the digit: the largest near the middle, and what stands close to it; none if all are specks."""
    if not len(blobs):
        return ()
    left, top, right, bottom = blobs.boxes.T
    tall = bottom - top
    across, down = (left + right) / (2 * width), (top + bottom) / (2 * height)
    touches = (left == 0) | (top == 0) | (right == width) | (bottom == height)
    central = (np.abs(across - 0.5) < 0.3) & (np.abs(down - 0.5) < 0.3)
    # A digit that runs into the border stays if it is tall and central; a neighbour's piece is neither.
    kept = (tall >= _SPECK * height) & (~touches | (central & (tall >= 0.4 * height)))
    if not kept.any():
        return ()
    weight = np.where(kept, blobs.areas * (1.2 - np.hypot(across - 0.5, down - 0.5)), 0)
    main = int(weight.argmax())
    gap_x = np.maximum(0, np.maximum(left - right[main], left[main] - right))
    gap_y = np.maximum(0, np.maximum(top - bottom[main], top[main] - bottom))
    near = (np.hypot(gap_x, gap_y) <= 0.12 * height) & (blobs.areas >= 0.06 * blobs.areas[main]) & ~touches
    near[main] = True
    return tuple(int(row) for row in np.flatnonzero(near))


def _scaled(box: Box, factor: float, width: int, height: int) -> Box:
    """The box times factor, at least a pixel in size and inside (height, width)."""
    left, top = min(int(box.left * factor), width - 1), min(int(box.top * factor), height - 1)
    right, bottom = min(width, round(box.right * factor)), min(height, round(box.bottom * factor))
    return Box(left=left, top=top, right=max(left + 1, right), bottom=max(top + 1, bottom))


def read_digit(pixels: Image, classifier: Classifier, threshold: float, trace: Trace | None = None) -> Reading:
    """The one Reading of a cell (H, W) grey or (H, W, 3) BGR that holds one digit or none.

    A blank cell's confidence is 1: that nothing is there is as sure as the extraction. Raises ShapeError.
    """
    height, width = pixels.shape[:2]
    cell = find_digit(pixels)
    if cell.glyph is None:
        return Reading(text="", confidence=1.0, status="empty", box=Box(left=0, top=0, right=width, bottom=height))
    tensors = digit_tensors([cell.glyph.ink])
    prediction = classifier.predict(tensors)[0]
    digit = to_digit(prediction, cell.glyph.box)
    plain = cell.plain and prediction.label != NOT_A_DIGIT
    reading = to_reading((digit,), digit.box, threshold, plain=plain)
    if trace is not None:
        ink, doubts = cell.glyph.ink, () if cell.plain else ("too small for the digit of its cell",)
        trace.add(Evidence(reading=reading, ink=ink, digits=seen_digits(tensors, (prediction,)), doubts=doubts))
    return reading
