"""Everything on a page or camera frame: find the numbers, however the paper lies, and read them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edge.imaging.glyphs import Blobs, find_blobs
from edge.imaging.ink import ink_mask, lift_ink, noise_map, quantile, to_grey
from edge.imaging.lines import Line, Strip, find_lines, level_strip
from edge.imaging.segments import cut_numbers
from edge.imaging.tensors import digit_tensors
from edge.inference.classifier import Classifier
from edge.reading.number import surety, to_digit, to_reading
from edge.values import NOT_A_DIGIT, Box, Glyph, Image, Reading

# Larger pages are shrunk to this: writing on a whole page is still some 20 px high.
_WORKING_PX = 1600
# Strokes to be lifted are at most this part of the page wide.
_REACH = 18
# Dark writing is the rule: light strokes must outweigh dark ones clearly, for paper has light specks and edges too.
_LIGHT_WINS = 1.5
_THUMBNAIL_PX = 160
# Wood grain, creases and cloth absorb less of the light, of 255, than a pen somewhere in its stroke.
_PEN = 28.0
# A stroke reaches this many times the noise floor somewhere.
_STRONG = 1.6
# Noise is judged in so many tiles along the page.
_TILES = 7
# A number whose digits are on (geometric) average less sure than this is most likely no number at all.
_NOT_WRITING = 0.55


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Written:
    """One number found on a page: its Strip and its digit Glyphs, boxes in strip pixels."""

    strip: Strip
    glyphs: tuple[Glyph, ...]


def lift_page_ink(grey: Image) -> Image:
    """Soft ink (H, W) uint8 of a (H, W) grey page, dark on light or light on dark, slightly smoothed against noise."""
    if _is_light_page(grey):
        grey = cv2.bitwise_not(grey)
    ink: Image = cv2.GaussianBlur(lift_ink(grey, reach_px=max(9, max(grey.shape) // _REACH)), (3, 3), 0)
    return ink


def _is_light_page(grey: Image) -> bool:
    """True if thin light strokes on (H, W) grey clearly outweigh thin dark ones, as on a blackboard.

    Sheets, tables and shadows are wide; what a small top-hat (black-hat) leaves of a thumbnail is writing.
    """
    scale = _THUMBNAIL_PX / max(grey.shape)
    shape = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    small = cv2.resize(grey, shape, interpolation=cv2.INTER_AREA)
    strokes = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    dark = cv2.norm(cv2.morphologyEx(small, cv2.MORPH_BLACKHAT, strokes), cv2.NORM_L2SQR)
    light = cv2.norm(cv2.morphologyEx(small, cv2.MORPH_TOPHAT, strokes), cv2.NORM_L2SQR)
    return bool(light > _LIGHT_WINS * dark)


def find_numbers(ink: Image, classifier: Classifier) -> tuple[Written, ...]:
    """The written numbers in a page's (H, W) soft ink, in reading order."""
    floor = noise_map(ink, tile_px=max(24, max(ink.shape) // _TILES))
    strong = cv2.max(cv2.convertScaleAbs(floor, alpha=_STRONG), _PEN)
    blobs = find_blobs(ink_mask(ink, low=floor, high=strong))
    lines = find_lines(blobs)
    common = _common_slope(blobs, lines)
    found: list[Written] = []

    def sure(parts: tuple[Glyph, ...]) -> float:
        return surety(parts, classifier)

    for line in lines:
        slope = line.slope_rad if line.slope_rad is not None else common
        strip = level_strip(ink, blobs, line, slope_rad=slope)
        found.extend(Written(strip=strip, glyphs=glyphs) for glyphs in cut_numbers(strip.ink, sure))
    return tuple(found)


def _common_slope(blobs: Blobs, lines: tuple[Line, ...]) -> float:
    """How the page lies, in radians: the median slope of its lines, each digit a voice; 0.0 if no line says."""
    voices = [line.slope_rad for line in lines if line.slope_rad is not None for _ in line.rows]
    return quantile(np.array(voices), 0.5) if voices else 0.0


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
    readings = (
        _read(number, classifier, threshold, (width, height), scale) for number in find_numbers(ink, classifier)
    )
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
