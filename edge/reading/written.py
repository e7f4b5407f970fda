"""A level strip of a page to the numbers written on it: cut up, named by the digit network, divided at what is none.

Where the digit network is not sure, because digits touch or are no digits, the number network reads the same ink whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from edge.imaging.ink import quantile
from edge.imaging.lines import Strip
from edge.imaging.segments import DIVIDING_GAP, Cut, cut_glyphs
from edge.inference.classifier import Classifier
from edge.reading.evidence import SeenDigit, SeenStrip, seen_digits
from edge.reading.looks import look_at
from edge.reading.number import to_digit
from edge.values import NOT_A_DIGIT, Box, Digit, Glyph, Image, Prediction

if TYPE_CHECKING:
    from edge.inference.strip import StripReader

OpenStrips: TypeAlias = "Callable[[], StripReader]"

# A neighbour that is no digit and nearer than this, in digit heights, makes a digit a letter of its word.
_WORD_GAP = 0.3
# From this probability on, what the network calls no digit divides; below, it is one that it does not know well.
_SURELY_NONE = 0.6
# A number that the digit network is less sure of than this is read again, whole.
_SURE = 0.9
_VIEWS = 3
# Where the two networks differ the number network is right more often: the digit network has to be so much surer.
_MUCH_SURER = 3.0
# A unit's letter that the digit network half takes for a digit stands apart from the number: by so much of a digit's
# height, so many times as far as digits do from each other.
_APART, _TIMES_AS_FAR = 0.4, 1.5
_HALF_TAKEN = 0.9
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
        return "".join(str(digit.digit) for digit in self.digits)


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
    none = [p.label == NOT_A_DIGIT and p.confidence >= _SURELY_NONE for p in predictions]
    numbers: list[Written] = []
    for start, end, complete in _without_units(_runs(cut, none), cut, predictions):
        if all(p.label == NOT_A_DIGIT for p in predictions[start:end]):
            continue
        close_left = start > 0 and none[start - 1] and cut.gap(start) < _WORD_GAP
        close_right = end < len(none) and none[end] and cut.gap(end) < _WORD_GAP
        glyphs = cut.glyphs[start:end]
        stroke, strength = _pen(strip.ink, glyphs)
        digits = tuple(to_digit(p, g.box) for p, g in zip(predictions[start:end], glyphs, strict=True))
        confidence = math.prod(digit.confidence for digit in digits)
        whole = None
        if open_strips is not None and confidence < _SURE and len(glyphs) > 1:
            digits, confidence, whole = _read_again(strip, glyphs, digits, confidence, open_strips())
        numbers.append(
            Written(
                strip=strip,
                digits=digits,
                confidence=confidence * complete,
                in_word=close_left + close_right,
                height_px=quantile(np.array([glyph.box.height for glyph in glyphs]), 0.5),
                stroke_px=stroke,
                strength=strength,
                boxes=tuple(glyph.box for glyph in glyphs),
                seen=seen_digits(tensors[start:end], predictions[start:end]),
                whole=whole,
            )
        )
    return tuple(numbers)


def _read_again(
    strip: Strip, glyphs: Sequence[Glyph], digits: tuple[Digit, ...], confidence: float, strips: StripReader
) -> tuple[tuple[Digit, ...], float, SeenStrip | None]:
    """Digits, confidence and what the number network saw, of the ink of these glyphs read whole.

    Of two readers that agree, both must be wrong for the text to be wrong; where they differ, the one that is taken is
    right so far as the other is not.
    """
    from edge.imaging.strips import strip_of_ink  # only pages with something doubtful pay for it
    from edge.reading.line import read_strip, seen_strip

    box = Box.around([glyph.box for glyph in glyphs])
    whole = strip_of_ink(strip.ink[:, box.left : box.right])
    line = read_strip(whole, strips, views=1, divide=False)
    text = "".join(str(digit.digit) for digit in digits)
    if not any(found.prediction.text == text and found.prediction.confidence >= _SURE for found in line.numbers):
        line = read_strip(whole, strips, views=_VIEWS, divide=False)
    if not line.numbers:
        return digits, confidence, None
    (other,) = line.numbers
    sure = other.prediction.confidence
    if [digit.digit for digit in other.digits] == [digit.digit for digit in digits]:
        return digits, 1 - (1 - confidence) * (1 - sure), seen_strip(line)
    if confidence >= _MUCH_SURER * sure:
        return digits, confidence * (1 - sure), seen_strip(line)
    moved = tuple(
        Digit(digit=d.digit, confidence=d.confidence, box=d.box.moved(box.left, 0), alternatives=d.alternatives)
        for d in other.digits
    )
    return moved, sure * (1 - confidence), seen_strip(line)


def _runs(cut: Cut, none: Sequence[bool]) -> list[tuple[int, int]]:
    """Start and end (exclusive) of each run of glyphs that may be digits and are less than a digit's height apart."""
    runs: list[tuple[int, int]] = []
    for place, divides in enumerate(none):
        if divides:
            continue
        if runs and runs[-1][1] == place and cut.gap(place) < DIVIDING_GAP:
            runs[-1] = (runs[-1][0], place + 1)
        else:
            runs.append((place, place + 1))
    return runs


def _without_units(
    runs: Sequence[tuple[int, int]], cut: Cut, predictions: Sequence[Prediction]
) -> list[tuple[int, int, float]]:
    """The runs without what stands apart at their ends, which becomes a run of its own.

    With each the probability, at least a half, that it is all of its number.
    """
    parts: list[tuple[int, int, float]] = []
    for start, end in runs:
        first, last, complete = start, end, 1.0
        for place in (end - 1, start):
            gaps = [cut.gap(i) for i in range(first + 1, last)]
            if len(gaps) < 2:
                break
            own, others = (gaps[-1], gaps[:-1]) if place > first else (gaps[0], gaps[1:])
            said = predictions[place]
            share = 0.0 if said.label == NOT_A_DIGIT else said.confidence
            if own >= max(_APART, _TIMES_AS_FAR * max(others)) and share < _HALF_TAKEN:
                first, last = (first, place) if place > first else (place + 1, last)
                complete *= max(0.5, 1 - share)
        parts += [(start, first, 1.0)] if first > start else []
        parts.append((first, last, complete))
        parts += [(last, end, 1.0)] if last < end else []
    return parts


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
