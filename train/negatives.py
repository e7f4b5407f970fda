"""What a reader meets that is not a digit: marks, halves, joined pairs, notes, struck digits, texture, noise.

A kind that people could take for a digit (a slash for a 1, a ring for a 0, the right half of an 8) is left out: it
would teach the network to refuse digits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np

from edge.values import Image
from train.augment import CANVAS, DRAWN, bend, on_paper
from train.data import Images, Labels
from train.strokes import Mark, draw_mark

Kind: TypeAlias = Callable[[np.random.Generator, Images, Labels], Image]

# Marks that nobody reads as a digit, however they are written.
_MARKS: tuple[Mark, ...] = (
    "dash", "equals", "plus", "percent", "currency", "tick", "cross", "question", "square", "corner", "letter",
    "letter", "letter", "scribble", "scribble", "strike", "dot",
)  # fmt: skip
# Halves that are not digits themselves: the lower half of a 6 is a 0, the right one of an 8 a 3, of a 4 a 1.
_HALVES = {"left": (2, 3, 5, 9), "right": (2, 5, 6), "top": (2, 3, 5), "bottom": (2, 3, 5)}
# With a line through them these could be meant so: a crossed 0 or 7, and a 1 with a line is a plus or a 4.
_NOT_STRUCK = (0, 1, 4, 7)


def negative(rng: np.random.Generator, digits: Images, labels: Labels) -> Image:
    """(28, 28) tensor of something that is not a digit, as paper and extraction leave it; digits are MNIST's."""
    kind = _KINDS[int(rng.choice(len(_KINDS), p=_SHARES))]
    ink = kind(rng, digits, labels)
    return on_paper(rng, ink, pieces=False)


def _mark(rng: np.random.Generator, digits: Images, labels: Labels) -> Image:
    kind = _MARKS[rng.integers(len(_MARKS))]
    height = rng.uniform(30, 46)
    ink = draw_mark(rng, kind, height_px=height, pen_px=height * rng.uniform(0.05, 0.16))
    return bend(rng, ink, DRAWN, zoom=min(1.0, 50 / max(ink.shape)))


def _some(rng: np.random.Generator, digits: Images, labels: Labels, wanted: tuple[int, ...] = ()) -> Image:
    """A random digit of the wanted labels, bent, on the canvas."""
    while True:
        at = int(rng.integers(len(digits)))
        if not wanted or int(labels[at]) in wanted:
            return bend(rng, digits[at], DRAWN)


def _half(rng: np.random.Generator, digits: Images, labels: Labels) -> Image:
    side = tuple(_HALVES)[rng.integers(4)]
    ink = _some(rng, digits, labels, _HALVES[side])
    left, top, width, height = cv2.boundingRect(ink)
    x, y = left + round(width * rng.uniform(0.4, 0.55)), top + round(height * rng.uniform(0.4, 0.55))
    gone = {"left": ink[:, x:], "right": ink[:, :x], "top": ink[y:], "bottom": ink[:y]}
    gone[side].fill(0)
    return ink


def _pair(rng: np.random.Generator, digits: Images, labels: Labels) -> Image:
    """Two digits, or a digit and a part of the next, side by side and touching."""
    ink = [tight(_some(rng, digits, labels)) for _ in range(2)]
    overlap = int(rng.integers(0, 5))
    height = max(part.shape[0] for part in ink) + 6
    wide = np.zeros((height, sum(part.shape[1] for part in ink)), np.uint8)
    x = 0
    for part in ink:
        y = int(rng.integers(0, height - part.shape[0] + 1))
        place = wide[y : y + part.shape[0], x : x + part.shape[1]]
        np.maximum(place, part[:, : place.shape[1]], out=place)
        x += part.shape[1] - overlap
    return _fitted(wide)


def _notes(rng: np.random.Generator, digits: Images, labels: Labels) -> Image:
    """Two to four small pencilled candidates of a puzzle, or of a sum carried over."""
    page = np.zeros((CANVAS, CANVAS), np.uint8)
    cells = rng.permutation(9)[: rng.integers(2, 5)]
    side = CANVAS // 3
    for cell in cells:
        small = tight(_some(rng, digits, labels))
        size = rng.uniform(0.6, 0.95) * side / max(small.shape)
        small = cv2.resize(small, None, fx=size, fy=size, interpolation=cv2.INTER_AREA)
        y, x = side * (cell // 3), side * (cell % 3)
        page[y : y + small.shape[0], x : x + small.shape[1]] = small
    return page


def _struck(rng: np.random.Generator, digits: Images, labels: Labels) -> Image:
    """A digit crossed out: one to three strokes through it and beyond."""
    ink = _some(rng, digits, labels, tuple(n for n in range(10) if n not in _NOT_STRUCK))
    left, top, width, height = cv2.boundingRect(ink)
    for _ in range(int(rng.integers(1, 4))):
        ends = rng.uniform(-0.3, 0.2, 2), rng.uniform(-0.1, 1.1, 2)
        (x0, x1), (y0, y1) = (left + ends[0][0] * width, left + (1 - ends[0][1]) * width), top + ends[1] * height
        cv2.line(ink, (int(x0), int(y0)), (int(x1), int(y1)), 255, int(rng.integers(2, 6)), cv2.LINE_AA)
    return ink


def _lines(rng: np.random.Generator, digits: Images, labels: Labels) -> Image:
    """Pieces of a printed frame: level lines, corners, crossings; a lone upright line would be a 1."""
    page = np.zeros((CANVAS, CANVAS), np.uint8)
    thick = int(rng.integers(1, 6))
    level = [int(y) for y in rng.integers(8, CANVAS - 8, rng.integers(1, 3))]
    left, right = sorted(int(x) for x in rng.integers(4, CANVAS - 4, 2))
    right = max(right, left + 16)
    for y in level:
        cv2.line(page, (left, y), (right, y + int(rng.integers(-3, 4))), 255, thick, cv2.LINE_AA)
    if rng.random() < 0.6:
        x = int(rng.choice((left, right, (left + right) // 2)))
        reach = rng.integers(-24, 25, 2)
        cv2.line(page, (x, level[0] + int(reach[0])), (x, level[0] + int(reach[1])), 255, thick, cv2.LINE_AA)
    return page


def _texture(rng: np.random.Generator, digits: Images, labels: Labels) -> Image:
    """A patch of a printed picture, a face, wood or cloth: smooth noise on one or two scales, cut at a level."""
    page = np.zeros((CANVAS, CANVAS), np.float32)
    for _ in range(int(rng.integers(1, 3))):
        nodes = rng.integers(3, 15, 2)
        coarse = rng.normal(0, 1, (int(nodes[0]), int(nodes[1]))).astype(np.float32)
        page += cv2.resize(coarse, (CANVAS, CANVAS), interpolation=cv2.INTER_CUBIC)
    page -= np.float32(np.quantile(page, rng.uniform(0.5, 0.85)))
    ink: Image = np.clip(page * rng.uniform(100, 600), 0, 255).astype(np.uint8)
    size = rng.integers(24, CANVAS, 2)
    ink[int(size[0]) :], ink[:, int(size[1]) :] = 0, 0
    return ink


def _specks(rng: np.random.Generator, digits: Images, labels: Labels) -> Image:
    """An empty cell's grain, taken for ink because nothing darker is there."""
    noise = rng.normal(0, 1, (CANVAS, CANVAS)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.5, 2.5))
    level = float(np.quantile(noise, rng.uniform(0.7, 0.97)))
    ink: Image = np.clip((noise - level) * 255 / max(float(noise.max()) - level, 1e-6), 0, 255).astype(np.uint8)
    size = rng.integers(12, CANVAS, 2)
    ink[int(size[0]) :], ink[:, int(size[1]) :] = 0, 0
    return ink


def tight(ink: Image) -> Image:
    """The ink's bounding box; one pixel where there is none."""
    left, top, width, height = cv2.boundingRect(ink)
    return ink[top : top + max(height, 1), left : left + max(width, 1)]


def _fitted(ink: Image) -> Image:
    """Ink scaled into the canvas."""
    size = min(1.0, (CANVAS - 4) / max(ink.shape))
    return np.asarray(cv2.resize(ink, None, fx=size, fy=size, interpolation=cv2.INTER_AREA), np.uint8)


_WEIGHTS: dict[Kind, float] = {
    _mark: 8, _half: 2, _pair: 5, _notes: 3, _struck: 2, _lines: 4, _texture: 4, _specks: 3,
}  # fmt: skip
_KINDS = tuple(_WEIGHTS)
_SHARES = np.array(tuple(_WEIGHTS.values())) / sum(_WEIGHTS.values())
