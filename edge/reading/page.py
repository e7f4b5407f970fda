"""Everything on a page or camera frame: find the numbers, however the paper lies, and read them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge.imaging.ink import quantile, to_grey
from edge.imaging.lines import Line, find_candidates, find_lines, level_strip
from edge.imaging.page_ink import PageInk, lift_page
from edge.inference.classifier import Classifier
from edge.reading.doubt import Doubt, Paper, doubts_of, paper_of
from edge.reading.evidence import Evidence, Trace
from edge.reading.written import OpenStrips, Written, find_written, is_seconded
from edge.values import Box, Image, Reading

# A number whose digits are on (geometric) average less sure than this is most likely no number at all.
_NOT_WRITING = 0.7
# Numbers this sure tell whether the writing is the dark or the light.
_SURE = 0.5
# Where all are this sure, a second look at the page finds no more.
_SURE_AND_CALM = 0.9
# It is made for small writing: strokes of digits higher than this part of the page are too wide for it.
_LARGE_PART, _LIKELY = 0.078, 0.8
# It counts where it finds so much more.
_MUCH_BETTER = 1.2
_NOT_SECONDED = "a single digit, and the number network is not as sure of it"
# No digit can be told on a narrower page.
_LEAST_PX = 8
# With more blobs than this a page is texture, or a table; numbers on it have at least so many digits.
_CROWDED = 350
_MOST_LINES = 60
_LEAST_IN_A_CROWD = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Found:
    """What may be numbers on a page, and the middles (x, y), on its small picture, of what was looked at in vain.

    paper: where the lines of several blobs say that it is.
    """

    numbers: list[Written]
    strange: list[tuple[float, float]]
    paper: Paper | None = None

    @property
    def calm(self) -> bool:
        """True if there is nothing but sure numbers."""
        return bool(self.numbers) and not self.strange and all(n.confidence >= _SURE_AND_CALM for n in self.numbers)


def read_page(
    pixels: Image,
    classifier: Classifier,
    threshold: float,
    trace: Trace | None = None,
    *,
    size: tuple[int, int] | None = None,
    open_strips: OpenStrips | None = None,
) -> tuple[Reading, ...]:
    """All numbers on a page (H, W) grey or (H, W, 3) BGR, top to bottom, left to right; none to many.

    Boxes are in pixels of the page as given, or of the page with this size (width, height) that pixels are a smaller
    picture of. open_strips gives the number network, for what the digit network is not sure of. Raises ShapeError
    if pixels are not an image.
    """
    grey = to_grey(pixels)
    if min(grey.shape) < _LEAST_PX:
        return ()
    size = size or (grey.shape[1], grey.shape[0])
    shrunk = size[0] / grey.shape[1]
    page = lift_page(grey, shrunk=shrunk)
    found = _find_numbers(page, classifier, open_strips)
    if page.either:
        other = lift_page(grey, shrunk=shrunk, light=not page.light)
        others = _find_numbers(other, classifier, open_strips)
        if _weight(others.numbers) > _weight(found.numbers):
            page, found = other, others
    if not found.calm and not _is_large(found.numbers, grey.shape, shrunk):
        other = lift_page(grey, shrunk=shrunk, light=page.light, fine=True)
        others = _find_numbers(other, classifier, open_strips)
        if _weight(others.numbers) > _MUCH_BETTER * _weight(found.numbers):
            page, found = other, others
    doubts = doubts_of(found.numbers, page, found.strange, found.paper)
    if open_strips is not None:
        doubts = _seconded(found.numbers, doubts, threshold, open_strips)
    readings: list[Reading] = []
    for number, doubt in zip(found.numbers, doubts, strict=True):
        reading = _read(number, doubt, threshold, size)
        if reading is None:
            continue
        readings.append(reading)
        if trace is not None:
            trace.add(
                Evidence(
                    reading=reading,
                    ink=number.strip.ink,
                    boxes=number.boxes,
                    digits=number.seen,
                    strip=number.whole,
                    doubts=doubt.reasons,
                )
            )
    return _in_order(readings, _common_slope(found.numbers))


def _find_numbers(page: PageInk, classifier: Classifier, open_strips: OpenStrips | None) -> _Found:
    """Everything on a page that may be a number.

    Lines of several blobs are read first; they tell where the paper is, and what stands alone beside it is passed over.
    On a page full of blobs, which is texture, it is passed over wherever it stands.
    """
    found = find_candidates(page)
    lines = find_lines(found)
    crowded = len(found.rows) > _CROWDED
    least = _LEAST_IN_A_CROWD if crowded else 2
    numbers: list[Written] = []
    strange: list[tuple[float, float]] = []

    def read(line: Line) -> None:
        written = find_written(level_strip(page, found, line), classifier, open_strips)
        numbers.extend(written)
        if not written:
            strange.append(page.blobs.box(*line.rows).center)

    # Of a crowd only the longest: that takes no more time, however much there is.
    longest = sorted((line for line in lines if len(line.rows) >= least), key=lambda line: -len(line.rows))
    for line in longest[:_MOST_LINES] if crowded else longest:
        read(line)
    if crowded:
        return _Found(numbers=[number for number in numbers if len(number.digits) >= least], strange=strange)
    paper = paper_of(numbers, page)
    for line in lines:
        if len(line.rows) < least and (paper is None or paper.holds(page.blobs.box(*line.rows).center)):
            read(line)
    return _Found(numbers=numbers, strange=strange, paper=paper)


def _is_large(numbers: Sequence[Written], shape: tuple[int, ...], shrunk: float) -> bool:
    """True if a number's digits are so large, on a page of this shape, that a fine look would lose their strokes."""
    least = _LARGE_PART * max(shape) * shrunk
    # Shadows and edges look like large ones and zeros.
    plain = [number for number in numbers if number.confidence > _LIKELY and set(number.text) - {"0", "1"}]
    return any(number.height_px * math.hypot(*number.strip.to_page[:, 0]) > least for number in plain)


def _weight(numbers: Sequence[Written]) -> float:
    """How much these look like writing: the sure digits in numbers of several, be they all of theirs or not."""
    sure = [(len(n.digits), math.prod(digit.confidence for digit in n.digits)) for n in numbers if len(n.digits) > 1]
    return sum(length * confidence for length, confidence in sure if confidence > _SURE)


def _common_slope(numbers: Sequence[Written]) -> float:
    """How the page lies, in radians, by what its numbers say, each digit a voice."""
    voices = [
        math.atan2(number.strip.to_page[1, 0], number.strip.to_page[0, 0])
        for number in numbers
        if len(number.digits) > 1
        for _ in number.digits
    ]
    return quantile(np.array(voices), 0.5) if voices else 0.0


def _seconded(
    numbers: Sequence[Written], doubts: Sequence[Doubt], threshold: float, open_strips: OpenStrips
) -> tuple[Doubt, ...]:
    """The Doubts, with one more about each sure single digit that the number network does not see as surely.

    A wrinkle in a drawn face may look like a digit to one network. Beside a number of several digits none is asked.
    """
    if any(len(number.digits) > 1 and not doubt.reasons for number, doubt in zip(numbers, doubts, strict=True)):
        return tuple(doubts)
    return tuple(
        replace(doubt, reasons=(_NOT_SECONDED,))
        if number.confidence >= threshold and not doubt.reasons and not is_seconded(number, open_strips())
        else doubt
        for number, doubt in zip(numbers, doubts, strict=True)
    )


def _read(number: Written, doubt: Doubt, threshold: float, size: tuple[int, int]) -> Reading | None:
    """The Reading of one number, None if it is most likely no writing."""
    if doubt.no_writing:
        return None
    # A single digit has been measured by what stands around it.
    if len(number.digits) > 1 and number.confidence < _NOT_WRITING ** len(number.digits):
        return None
    digits = tuple(replace(digit, box=number.strip.box_on_page(digit.box, *size)) for digit in number.digits)
    sure = number.confidence >= threshold and not doubt.reasons
    return Reading(
        text=number.text,
        confidence=number.confidence,
        status="read" if sure else "review",
        box=Box.around([digit.box for digit in digits]),
        digits=digits,
    )


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
