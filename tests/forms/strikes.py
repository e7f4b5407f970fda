"""MNIST test digits with a pen's strokes through them, as people cross digits out, and whether they count as read."""

from __future__ import annotations

import cv2
import numpy as np

from edge.forms.fields.struck import is_struck
from edge.imaging.tensors import digit_tensors
from edge.inference.classifier import Classifier
from edge.reading.looks import look_again
from edge.values import NOT_A_DIGIT, Image, Prediction
from tests.forms.sheets import mnist_digits

# One stroke aslant; one level; two level ones; two aslant; to and fro from top to bottom.
KINDS = ("slash", "level", "double", "cross", "scribble")
_SIDE, _PAD = 56, 14
_PENS = (2, 4, 6)


def digit_in_a_cell(index: int) -> tuple[Image, tuple[int, int, int, int]]:
    """A test digit as it is in a cell, with room around it, and its sides: left, top, right, bottom."""
    large = cv2.resize(mnist_digits()[0][index], (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC)
    ink = cv2.copyMakeBorder(large, *(_PAD,) * 4, cv2.BORDER_CONSTANT, value=0)
    left, top, width, height = cv2.boundingRect((ink > 110).astype(np.uint8))
    return np.asarray(ink, np.uint8), (left, top, left + width, top + height)


def drawn_over(ink: Image, lines: list[list[tuple[float, float]]], pen: int) -> Image:
    """The glyph with lines drawn over it, tight."""
    for line in lines:
        cv2.polylines(ink, [np.rint(np.array(line) * 8).astype(np.int32)], False, 255, pen, cv2.LINE_AA, 3)
    soft = np.asarray(cv2.GaussianBlur(ink, (3, 3), 0), np.uint8)
    left, top, width, height = cv2.boundingRect((soft > 60).astype(np.uint8))
    return soft[top : top + height, left : left + width]


def struck_digit(index: int, kind: str, rng: np.random.Generator) -> Image:
    """A test digit's soft ink (h, w) with strokes of a kind, or "none", through it, by pens of three widths in turn."""
    ink, box = digit_in_a_cell(index)
    return drawn_over(ink, _strokes(kind, box, rng) if kind != "none" else [], _PENS[index % len(_PENS)])


def read_glyph(ink: Image, classifier: Classifier) -> tuple[Prediction, bool, bool]:
    """What the network says of a glyph in a form's cell, whether it is sure, and whether that counts as read."""
    said = look_again(ink, classifier.predict(digit_tensors([ink]))[0], classifier)
    sure = said.label != NOT_A_DIGIT and said.confidence >= classifier.manifest.threshold
    return said, sure, sure and not is_struck(ink, said, classifier.predict)


def _strokes(kind: str, box: tuple[int, int, int, int], rng: np.random.Generator) -> list[list[tuple[float, float]]]:
    """The strokes that cross a digit out, a little longer than it."""
    left, top, right, bottom = box
    high = bottom - top
    middle, half = (left + right) / 2, max(right - left, 0.5 * high) / 2
    west, east = middle - half - rng.uniform(3, 8), middle + half + rng.uniform(3, 8)
    north, south = top - rng.uniform(2, 5), bottom + rng.uniform(2, 5)
    level = (top + bottom) / 2 + rng.uniform(-4, 4)
    if kind == "slash":
        return [[(west, south), (east, north)]]
    if kind == "level":
        return [[(west, level), (east, level + rng.uniform(-3, 3))]]
    if kind == "double":
        return [[(west, level + off), (east, level + off)] for off in (-4, 5)]
    if kind == "cross":
        return [[(west, south), (east, north)], [(west, north), (east, south)]]
    turns = np.linspace(top, bottom, int(rng.integers(5, 9))).tolist()
    return [[((west, east)[i % 2], y) for i, y in enumerate(turns)]]
