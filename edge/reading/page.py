"""Everything on a page or camera frame: find the numbers, however the paper lies, and read them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edge.imaging.ink import to_grey
from edge.imaging.lines import Strip, find_candidates, find_lines, level_strip
from edge.imaging.page_ink import find_pen_blobs, lift_page_ink
from edge.imaging.segments import cut_numbers
from edge.imaging.tensors import digit_tensors
from edge.inference.classifier import Classifier
from edge.reading.evidence import Evidence, Trace, seen_digits
from edge.reading.number import surety, to_digit, to_reading
from edge.values import NOT_A_DIGIT, Box, Glyph, Image, Reading

# Larger pages are shrunk to this: writing on a whole page is still some 20 px high.
_WORKING_PX = 1600
# A number whose digits are on (geometric) average less sure than this is most likely no number at all.
_NOT_WRITING = 0.55


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Written:
    """One number found on a page: its Strip and its digit Glyphs, boxes in strip pixels."""

    strip: Strip
    glyphs: tuple[Glyph, ...]


def find_numbers(ink: Image, classifier: Classifier) -> tuple[Written, ...]:
    """The written numbers in a page's (H, W) soft ink, in reading order."""
    blobs, pen = find_pen_blobs(ink)
    found = find_candidates(blobs, pen)

    def sure(parts: tuple[Glyph, ...]) -> float:
        return surety(parts, classifier)

    written: list[Written] = []
    for line in find_lines(found):
        strip = level_strip(ink, blobs, pen, found, line)
        written.extend(Written(strip=strip, glyphs=glyphs) for glyphs in cut_numbers(strip.ink, sure))
    return tuple(written)


def read_page(
    pixels: Image, classifier: Classifier, threshold: float, trace: Trace | None = None
) -> tuple[Reading, ...]:
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
        _read(number, classifier, threshold, (width, height), scale, trace) for number in find_numbers(ink, classifier)
    )
    return _in_order([reading for reading in readings if reading is not None])


def _read(
    number: Written,
    classifier: Classifier,
    threshold: float,
    size: tuple[int, int],
    scale: float,
    trace: Trace | None,
) -> Reading | None:
    """The Reading of one number, None if the network says that it is no writing."""
    tensors = digit_tensors([glyph.ink for glyph in number.glyphs])
    predictions = classifier.predict(tensors)
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
    if trace is not None:
        boxes, seen = tuple(glyph.box for glyph in number.glyphs), seen_digits(tensors, predictions)
        trace.add(Evidence(reading=reading, ink=number.strip.ink, boxes=boxes, digits=seen))
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
