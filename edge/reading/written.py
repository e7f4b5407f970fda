"""A level strip of a page to the numbers written on it: cut up, named by the digit network, divided at what is none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from edge.imaging.ink import quantile
from edge.imaging.lines import Strip
from edge.imaging.segments import DIVIDING_GAP, Cut, cut_glyphs
from edge.imaging.tensors import digit_tensors
from edge.inference.classifier import Classifier
from edge.values import NOT_A_DIGIT, Glyph, Image, Prediction

# A neighbour that is no digit and nearer than this, in digit heights, makes a digit a letter of its word.
_WORD_GAP = 0.3
# Ink from this on, of 255, is a stroke and not its pale edge; a glyph's darkest tenth is 255.
_STROKE = 110


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Written:
    """One number found in a strip: its digit Glyphs, boxes in strip pixels, with their tensors and Predictions.

    in_word: how many of its ends stand close to something that is no digit. stroke_px: how wide the pen's stroke is, in
    strip pixels; strength: how dark, 0 to 255.
    """

    strip: Strip
    glyphs: tuple[Glyph, ...]
    tensors: Image
    predictions: tuple[Prediction, ...]
    in_word: int
    stroke_px: float
    strength: float


class _Namer:
    """Names glyphs by the digit network, each once."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._named: dict[int, tuple[Glyph, Image, Prediction]] = {}

    def name(self, glyphs: Sequence[Glyph]) -> tuple[Image, tuple[Prediction, ...]]:
        """Tensors (n, 28, 28, 1) of n glyphs, at least one, and their Predictions."""
        for glyph in glyphs:
            if id(glyph) not in self._named:
                tensor = digit_tensors([glyph.ink])
                self._named[id(glyph)] = (glyph, tensor, self._classifier.predict(tensor)[0])
        known = [self._named[id(glyph)] for glyph in glyphs]
        return np.concatenate([tensor for _, tensor, _ in known]), tuple(prediction for _, _, prediction in known)

    def surety(self, glyphs: Sequence[Glyph]) -> float:
        """How sure the network is, 0 to 1, that each glyph is a digit: the geometric mean over them, 0.0 for none."""
        if not glyphs:
            return 0.0
        shares = [0.0 if p.label == NOT_A_DIGIT else p.confidence for p in self.name(glyphs)[1]]
        return float(math.prod(shares) ** (1 / len(shares)))


def find_written(strip: Strip, classifier: Classifier) -> tuple[Written, ...]:
    """The numbers in a level strip, from left to right; gaps of a digit's height and what is no digit divide."""
    namer = _Namer(classifier)
    cut = cut_glyphs(strip.ink, namer.surety)
    if not cut.glyphs:
        return ()
    tensors, predictions = namer.name(cut.glyphs)
    digits = [prediction.label != NOT_A_DIGIT for prediction in predictions]
    numbers: list[Written] = []
    for start, end in _runs(cut, digits):
        close_left = start > 0 and not digits[start - 1] and cut.gap(start) < _WORD_GAP
        close_right = end < len(digits) and not digits[end] and cut.gap(end) < _WORD_GAP
        glyphs = cut.glyphs[start:end]
        stroke, strength = _pen(strip.ink, glyphs)
        numbers.append(
            Written(
                strip=strip,
                glyphs=glyphs,
                tensors=tensors[start:end],
                predictions=predictions[start:end],
                in_word=close_left + close_right,
                stroke_px=stroke,
                strength=strength,
            )
        )
    return tuple(numbers)


def _runs(cut: Cut, digits: Sequence[bool]) -> list[tuple[int, int]]:
    """Start and end (exclusive) of each run of glyphs that are digits and less than a digit's height apart."""
    runs: list[tuple[int, int]] = []
    for place, digit in enumerate(digits):
        if not digit:
            continue
        if runs and runs[-1][1] == place and cut.gap(place) < DIVIDING_GAP:
            runs[-1] = (runs[-1][0], place + 1)
        else:
            runs.append((place, place + 1))
    return runs


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
