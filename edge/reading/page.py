"""Everything on a page or camera frame: find the numbers, however the paper lies, and read them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edge.imaging.glyphs import Blobs, find_blobs
from edge.imaging.ink import ink_mask, lift_ink, noise_floor, to_grey
from edge.imaging.lines import Line, Strip, find_lines, level_strip
from edge.imaging.segments import cut_numbers
from edge.imaging.tensors import digit_tensors
from edge.inference.classifier import Classifier
from edge.reading.number import to_digit, to_reading
from edge.values import NOT_A_DIGIT, Box, Glyph, Image, Reading

# Larger pages are shrunk to this: writing on a whole page is still some 20 px high.
_WORKING_PX = 1600
# Strokes to be lifted are at most this part of the page wide.
_REACH = 18
# Which half of a page is the writing: light strokes must outweigh dark ones clearly, for paper has light specks too.
_LIGHT_WINS = 2.0
# A number whose digits are on (geometric) average less sure than this is most likely no number at all.
_NOT_WRITING = 0.55


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Written:
    """One number found on a page: its Strip and its digit Glyphs, boxes in strip pixels."""

    strip: Strip
    glyphs: tuple[Glyph, ...]


def lift_page_ink(grey: Image) -> Image:
    """Soft ink (H, W) uint8 of a (H, W) grey page, dark on light or light on dark, slightly smoothed against noise."""
    reach = max(9, max(grey.shape) // _REACH)
    dark = lift_ink(grey, reach_px=reach)
    light = lift_ink(cv2.bitwise_not(grey), reach_px=reach)
    small = (max(1, grey.shape[1] // 4), max(1, grey.shape[0] // 4))
    weights = [
        float(np.square(cv2.resize(ink, small, interpolation=cv2.INTER_AREA), dtype=np.float32).sum())
        for ink in (dark, light)
    ]
    ink: Image = cv2.GaussianBlur(light if weights[1] > _LIGHT_WINS * weights[0] else dark, (3, 3), 0)
    return ink


def find_numbers(ink: Image) -> tuple[Written, ...]:
    """The written numbers in a page's (H, W) soft ink, in reading order."""
    floor = noise_floor(ink)
    blobs = find_blobs(ink_mask(ink, low=floor, high=1.6 * floor))
    lines = find_lines(blobs)
    common = _common_slope(blobs, lines)
    found: list[Written] = []
    for line in lines:
        slope = line.slope_rad if line.slope_rad is not None else common
        strip = level_strip(ink, blobs, line, slope_rad=slope)
        found.extend(Written(strip=strip, glyphs=glyphs) for glyphs in cut_numbers(strip.ink))
    return tuple(found)


def _common_slope(blobs: Blobs, lines: tuple[Line, ...]) -> float:
    """How the page lies, in radians: the median slope of its lines, each digit a voice; 0.0 if no line says."""
    voices = [line.slope_rad for line in lines if line.slope_rad is not None for _ in line.rows]
    return float(np.median(voices)) if voices else 0.0


def read_page(pixels: Image, classifier: Classifier, threshold: float) -> tuple[Reading, ...]:
    """All numbers on a page (H, W) grey or (H, W, 3) BGR, top to bottom, left to right; none to many.

    Boxes are in pixels of the page as given. Raises ShapeError if pixels are not an image.
    """
    grey = to_grey(pixels)
    height, width = grey.shape
    scale = min(1.0, _WORKING_PX / max(height, width))
    if scale < 1.0:
        grey = cv2.resize(
            grey, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA
        )
    ink = lift_page_ink(grey)
    readings = (_read(number, classifier, threshold, (width, height), scale) for number in find_numbers(ink))
    return _in_order([reading for reading in readings if reading is not None])


def _read(
    number: Written, classifier: Classifier, threshold: float, size: tuple[int, int], scale: float
) -> Reading | None:
    """The Reading of one number, None if the network says that it is no writing."""
    predictions = classifier.predict(digit_tensors([glyph.ink for glyph in number.glyphs]))
    plain = [prediction.label != NOT_A_DIGIT for prediction in predictions]
    to_page = number.strip.to_page / scale
    strip = Strip(ink=number.strip.ink, to_page=to_page)
    digits = tuple(
        to_digit(prediction, strip.box_on_page(glyph.box, *size))
        for prediction, glyph in zip(predictions, number.glyphs, strict=True)
    )
    reading = to_reading(digits, Box.around([digit.box for digit in digits]), threshold, plain=all(plain))
    if not any(plain) or reading.confidence < _NOT_WRITING ** len(digits):
        return None
    return reading


def _in_order(readings: list[Reading]) -> tuple[Reading, ...]:
    """Readings top to bottom, left to right: those whose middles lie within half a height of each other share a row."""
    rows: list[list[Reading]] = []
    for reading in sorted(readings, key=lambda r: r.box.center[1]):
        if rows:
            last = rows[-1][0].box
            if abs(reading.box.center[1] - last.center[1]) < 0.5 * min(reading.box.height, last.height):
                rows[-1].append(reading)
                continue
        rows.append([reading])
    return tuple(reading for row in rows for reading in sorted(row, key=lambda r: r.box.left))
