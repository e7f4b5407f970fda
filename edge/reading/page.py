"""Everything on a page or camera frame: find the numbers, however the paper lies, and read them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge.imaging.ink import to_grey
from edge.imaging.lines import Strip, find_candidates, find_lines, level_strip
from edge.imaging.page_ink import PageInk, lift_page
from edge.imaging.segments import cut_numbers
from edge.imaging.tensors import digit_tensors
from edge.inference.classifier import Classifier
from edge.reading.evidence import Evidence, Trace, seen_digits
from edge.reading.number import surety, to_digit, to_reading
from edge.values import NOT_A_DIGIT, Box, Glyph, Image, Reading

# A number whose digits are on (geometric) average less sure than this is most likely no number at all.
_NOT_WRITING = 0.55


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Written:
    """One number found on a page: its Strip and its digit Glyphs, boxes in strip pixels."""

    strip: Strip
    glyphs: tuple[Glyph, ...]


def find_numbers(page: PageInk, classifier: Classifier) -> tuple[tuple[Written, ...], float]:
    """The written numbers on a page, and how it lies in radians (positive falls to the right)."""
    found = find_candidates(page)

    def sure(parts: tuple[Glyph, ...]) -> float:
        return surety(parts, classifier)

    written: list[Written] = []
    for line in find_lines(found):
        strip = level_strip(page, found, line)
        written.extend(Written(strip=strip, glyphs=glyphs) for glyphs in cut_numbers(strip.ink, sure))
    return tuple(written), found.tilt_rad


def read_page(
    pixels: Image,
    classifier: Classifier,
    threshold: float,
    trace: Trace | None = None,
    *,
    size: tuple[int, int] | None = None,
) -> tuple[Reading, ...]:
    """All numbers on a page (H, W) grey or (H, W, 3) BGR, top to bottom, left to right; none to many.

    Boxes are in pixels of the page as given, or of the page with this size (width, height) that pixels are a smaller
    picture of. Raises ShapeError if pixels are not an image.
    """
    grey = to_grey(pixels)
    size = size or (grey.shape[1], grey.shape[0])
    numbers, tilt = find_numbers(lift_page(grey, shrunk=size[0] / grey.shape[1]), classifier)
    readings = [_read(number, classifier, threshold, size, trace) for number in numbers]
    return _in_order([reading for reading in readings if reading is not None], tilt)


def _read(
    number: Written,
    classifier: Classifier,
    threshold: float,
    size: tuple[int, int],
    trace: Trace | None,
) -> Reading | None:
    """The Reading of one number, None if the network says that it is no writing."""
    tensors = digit_tensors([glyph.ink for glyph in number.glyphs])
    predictions = classifier.predict(tensors)
    plain = [prediction.label != NOT_A_DIGIT for prediction in predictions]
    digits = tuple(
        to_digit(prediction, number.strip.box_on_page(glyph.box, *size))
        for prediction, glyph in zip(predictions, number.glyphs, strict=True)
    )
    reading = to_reading(digits, Box.around([digit.box for digit in digits]), threshold, plain=all(plain))
    if not any(plain) or reading.confidence < _NOT_WRITING ** len(digits):
        return None
    if trace is not None:
        boxes, seen = tuple(glyph.box for glyph in number.glyphs), seen_digits(tensors, predictions)
        trace.add(Evidence(reading=reading, ink=number.strip.ink, boxes=boxes, digits=seen))
    return reading


def _in_order(readings: list[Reading], tilt_rad: float) -> tuple[Reading, ...]:
    """Readings by rows as the page lies, then left to right: middles within half a height of each other share a row."""
    cos, sin = math.cos(tilt_rad), math.sin(tilt_rad)
    places = [(x * cos + y * sin, y * cos - x * sin) for x, y in (reading.box.center for reading in readings)]
    rows: list[list[int]] = []
    for place in sorted(range(len(readings)), key=lambda i: places[i][1]):
        if rows:
            last = rows[-1][-1]
            height = min(_height(readings[place]), _height(readings[last]))
            if places[place][1] - places[last][1] < 0.5 * height:
                rows[-1].append(place)
                continue
        rows.append([place])
    return tuple(readings[i] for row in rows for i in sorted(row, key=lambda i: places[i][0]))


def _height(reading: Reading) -> int:
    """The height of a reading's lowest digit: the box of a leaning line is higher than its writing."""
    return min(digit.box.height for digit in reading.digits)
