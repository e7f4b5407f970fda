"""A level strip of a page to the numbers written on it: cut up, named by the digit network, divided at what is none.

Where the digit network is not sure, because digits touch or are no digits, the number network reads the same ink whole.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from edge.imaging.ink import quantile
from edge.imaging.lines import Strip
from edge.imaging.segments import Cut, cut_glyphs
from edge.inference.classifier import Classifier
from edge.reading.evidence import SeenDigit, SeenStrip, seen_digits
from edge.reading.looks import look_at
from edge.reading.number import to_digit
from edge.reading.runs import Run, cut_weak, divide, divide_joined, is_none
from edge.reading.together import put_together, text_of
from edge.values import NOT_A_DIGIT, Box, Digit, Glyph, Image, Prediction

if TYPE_CHECKING:
    from edge.imaging.strips import StripInk
    from edge.inference.strip import StripReader

OpenStrips: TypeAlias = "Callable[[], StripReader]"

# A neighbour that is no digit and nearer than this, in digit heights, makes a digit a letter of its word.
_WORD_GAP = 0.3
# A number that the digit network is less sure of than this is read again, whole.
_SURE_OF_ALL = 0.95
# A digit that stands free beside some that touch is what it was named from this confidence on.
_SURE = 0.9
_VIEWS = 3
# What the number network reads of digits that touch is taken from this probability on.
_JOINED = 0.4
# Of a digit that stands alone the number network has to be so sure as well: of honest ones it nearly always is.
_SECONDED = 0.98
# A number less sure than this may have a unit's letters among its digits.
_WEAK = 0.4
# So many touch.
_TOUCHING = ".{2,4}"
# Ink from this on, of 255, is a stroke and not its pale edge; a glyph's darkest tenth is 255.
_STROKE = 110


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Written:
    """One number found in a strip: its Digits, boxes in strip pixels, and the probability that all of it is right.

    in_word: how many of its ends stand close to something that is no digit. height_px: of a digit; stroke_px: how wide
    the pen's stroke is, both in strip pixels; strength: how dark, 0 to 255. boxes, seen, whole: what it was cut into,
    and what the networks got and said.
    """

    strip: Strip
    digits: tuple[Digit, ...]
    confidence: float
    in_word: int
    height_px: float
    stroke_px: float
    strength: float
    boxes: tuple[Box, ...]
    seen: tuple[SeenDigit, ...]
    whole: SeenStrip | None = None

    @property
    def text(self) -> str:
        """The digits."""
        return text_of(self.digits)


class _Namer:
    """Names glyphs by the digit network, each once."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._named: dict[int, tuple[Glyph, Image, Prediction]] = {}

    def name(self, glyphs: Sequence[Glyph]) -> tuple[Image, tuple[Prediction, ...]]:
        """Tensors (n, 28, 28, 1) of n glyphs, at least one, and their Predictions."""
        for glyph in glyphs:
            if id(glyph) not in self._named:
                seen = look_at(glyph.ink, self._classifier)
                self._named[id(glyph)] = (glyph, seen.tensor[None, :, :, None], seen.prediction)
        known = [self._named[id(glyph)] for glyph in glyphs]
        return np.concatenate([tensor for _, tensor, _ in known]), tuple(prediction for _, _, prediction in known)

    def surety(self, glyphs: Sequence[Glyph]) -> float:
        """How sure the network is, 0 to 1, that each glyph is a digit: the geometric mean over them, 0.0 for none."""
        if not glyphs:
            return 0.0
        shares = [0.0 if p.label == NOT_A_DIGIT else p.confidence for p in self.name(glyphs)[1]]
        return float(math.prod(shares) ** (1 / len(shares)))


def find_written(strip: Strip, classifier: Classifier, open_strips: OpenStrips | None) -> tuple[Written, ...]:
    """The numbers in a level strip, from left to right; gaps of a digit's height and what is no digit divide.

    So does less of a gap before or after all else, beside what hardly looks like a digit; that the number ends there is
    then no surer than that this is none. open_strips gives the number network; None if there is none.
    """
    namer = _Namer(classifier)
    cut = cut_glyphs(strip.ink, namer.surety)
    if not cut.glyphs:
        return ()
    tensors, predictions = namer.name(cut.glyphs)
    line = _Line(strip=strip, cut=cut, tensors=tensors, predictions=predictions)
    numbers: dict[Run, Written | None] = {}
    if open_strips is not None:
        numbers = {run: line.joined(run, open_strips()) for run in divide_joined(cut, predictions)}
    taken = {place for run, number in numbers.items() if number is not None for place in run.places}
    for run in divide(cut, predictions, taken):
        number = line.plain(run, open_strips)
        parts = None
        if number is not None and number.confidence < _WEAK and len(number.digits) >= len(run.places):
            parts = cut_weak(run, cut, predictions)
        numbers |= {run: number} if parts is None else {part: line.plain(part, open_strips) for part in parts}
    found = (numbers[run] for run in sorted(numbers, key=lambda run: run.start))
    return tuple(number for number in found if number is not None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Line:
    """A strip cut up, and what the digit network got of its pieces and said."""

    strip: Strip
    cut: Cut
    tensors: Image
    predictions: tuple[Prediction, ...]

    def plain(self, run: Run, open_strips: OpenStrips | None) -> Written | None:
        """The number that a run of single digits makes, None if all of it is no digit."""
        said, glyphs = self.predictions[run.start : run.end], self.cut.glyphs[run.start : run.end]
        if all(p.label == NOT_A_DIGIT for p in said):
            return None
        digits = tuple(to_digit(p, g.box) for p, g in zip(said, glyphs, strict=True))
        confidence = math.prod(digit.confidence for digit in digits)
        whole = None
        if open_strips is not None and confidence < _SURE_OF_ALL and len(glyphs) > 1:
            digits, confidence, whole = _read_again(self.strip, glyphs, digits, confidence, open_strips())
        return self._written(run, digits, confidence, whole)

    def joined(self, run: Run, strips: StripReader) -> Written | None:
        """The number that the number network reads of a run with digits that touch.

        None unless it agrees with the digit network on the digits that stand free.
        """
        from edge.reading.line import read_strip, seen_strip

        said = [self.predictions[place] for place in run.places]
        free = [p.confidence >= _SURE and p.label != NOT_A_DIGIT for p in said]
        if not any(free):
            return None
        box, whole = _whole(self.strip, [glyph.box for glyph in self.cut.glyphs[run.start : run.end]])
        line = read_strip(whole, strips, views=_VIEWS, divide=False)
        if not line.numbers:
            return None
        (number,) = line.numbers
        sure = number.prediction.confidence
        expected = "".join(
            _TOUCHING if place in run.joined else p.label if known else "."
            for place, p, known in zip(run.places, said, free, strict=True)
        )
        if sure < _JOINED or not re.fullmatch(expected, number.prediction.text):
            return None
        return self._written(run, _moved(number.digits, box), sure, seen_strip(line))

    def _written(self, run: Run, digits: tuple[Digit, ...], confidence: float, whole: SeenStrip | None) -> Written:
        start, end = run.start, run.end
        glyphs = self.cut.glyphs[start:end]
        close_left = start > 0 and is_none(self.predictions[start - 1]) and self.cut.gap(start) < _WORD_GAP
        close_right = end < len(self.predictions) and is_none(self.predictions[end]) and self.cut.gap(end) < _WORD_GAP
        stroke, strength = _pen(self.strip.ink, glyphs)
        return Written(
            strip=self.strip,
            digits=digits,
            confidence=confidence * run.complete,
            in_word=close_left + close_right + run.apart,
            height_px=quantile(np.array([glyph.box.height for glyph in glyphs]), 0.5),
            stroke_px=stroke,
            strength=strength,
            boxes=tuple(glyph.box for glyph in glyphs),
            seen=seen_digits(self.tensors[start:end], self.predictions[start:end]),
            whole=whole,
        )


def is_seconded(number: Written, strips: StripReader) -> bool:
    """True if the number network, too, surely reads the text of this number."""
    from edge.reading.line import read_strip

    line = read_strip(_whole(number.strip, number.boxes)[1], strips, views=1, divide=False)
    said = [found.prediction for found in line.numbers]
    return any(one.text == number.text and one.confidence >= _SECONDED for one in said)


def _whole(strip: Strip, boxes: list[Box] | tuple[Box, ...]) -> tuple[Box, StripInk]:
    """The box around boxes of a strip, and the ink in it as the number network reads it."""
    from edge.imaging.strips import strip_of_ink  # only pages with something doubtful pay for it

    box = Box.around(boxes)
    return box, strip_of_ink(strip.ink[:, box.left : box.right])


def _moved(digits: Sequence[Digit], box: Box) -> tuple[Digit, ...]:
    """Digits with boxes in a strip, from those in the columns of a box."""
    return tuple(
        Digit(digit=d.digit, confidence=d.confidence, box=d.box.moved(box.left, 0), alternatives=d.alternatives)
        for d in digits
    )


def _read_again(
    strip: Strip, glyphs: Sequence[Glyph], digits: tuple[Digit, ...], confidence: float, strips: StripReader
) -> tuple[tuple[Digit, ...], float, SeenStrip | None]:
    """Digits, confidence and what the number network saw, of the ink of these glyphs read whole."""
    from edge.reading.line import read_strip, seen_strip

    text = text_of(digits)
    box, whole = _whole(strip, [glyph.box for glyph in glyphs])
    line = read_strip(whole, strips, views=1, divide=False)
    if not any(found.prediction.text == text and found.prediction.confidence >= _SURE for found in line.numbers):
        line = read_strip(whole, strips, views=_VIEWS, divide=False, before=line)
    if not line.numbers:
        return digits, confidence, None
    (other,) = line.numbers
    both = put_together(digits, confidence, _moved(other.digits, box), other.prediction.confidence)
    return *both, seen_strip(line)


def _pen(ink: Image, glyphs: tuple[Glyph, ...]) -> tuple[float, float]:
    """The stroke's width in pixels, and its ink, 0 to 255, over all glyphs.

    A stroke of width w loses two pixels of it when eroded by one on each side, so w is twice its area by what it loses.
    """
    area = lost = 0
    for glyph in glyphs:
        stroke = (glyph.ink > _STROKE).astype(np.uint8)
        whole = cv2.countNonZero(stroke)
        area += whole
        lost += whole - cv2.countNonZero(cv2.erode(stroke, np.ones((3, 3), np.uint8), borderValue=0))
    darkest = max(glyphs, key=lambda glyph: glyph.box.height).box
    inside = ink[darkest.top : darkest.bottom, darkest.left : darkest.right]
    return 2 * area / max(1, lost), quantile(inside[inside > 0], 0.8) if inside.any() else 0.0
