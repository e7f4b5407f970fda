"""Whose hand a synthetic number is written in: digits kept by writer's habits, and handed out as upright patches."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from edge.values import Image
from train.strokes import Style, draw_digit

# Drawn digits are kept this high, in patches of this shape; wider ones are drawn anew.
_DRAWN_PX = 40.0
_PATCH = (48, 80)
# So many versions of each digit are kept of a writer.
_VERSIONS = 3
# Digits wider than this many times their height are scaled by their width, or a flat 2 would tower over its number.
_FLATTEST = 1.45
# How many neighbours in thickness of pen one writer's digits are drawn from, as a part of all of that digit.
_WINDOW = 0.12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bank:
    """Many written digits of one source, ordered for drawing from it as one writer.

    images: (n, side, side) uint8, 0 paper to 255 ink. boxes: (n, 4) left, top, width, height of the ink. slants: (n,)
    columns a row that each leans. pens: (n,) width of the stroke in pixels. rows: for each digit the rows of images,
    by thickness of pen relative to height. window: so many neighbours in rows are one writer's; where step is 1 any,
    where it is window the first, second, ... so many.
    """

    images: Image
    boxes: npt.NDArray[np.int32]
    slants: npt.NDArray[np.float32]
    pens: npt.NDArray[np.float32]
    rows: tuple[npt.NDArray[np.int64], ...]
    window: int
    step: int


def draw_bank(rng: np.random.Generator, *, writers: int) -> Bank:
    """The Bank of so many drawn writers, by thickness of their pens."""
    pens = np.sort(rng.uniform(0.05, 0.17, writers)) * _DRAWN_PX
    images = np.zeros((writers * 10 * _VERSIONS, *_PATCH), np.uint8)
    labels = np.tile(np.repeat(np.arange(10), _VERSIONS), writers)
    for row, digit in enumerate(labels):
        if row % (10 * _VERSIONS) == 0:
            style = Style.draw(rng, hurried=True)
        while True:
            patch = draw_digit(
                rng, int(digit), height_px=_DRAWN_PX, pen_px=float(pens[row // (10 * _VERSIONS)]), style=style
            )
            height, width = patch.shape
            if height <= _PATCH[0] and width <= _PATCH[1]:
                break
            style = Style.draw(rng, hurried=True)
        images[row, :height, :width] = patch
    rows = tuple(np.flatnonzero(labels == digit) for digit in range(10))
    return _measured(images, rows, window=_VERSIONS, step=_VERSIONS)


def bank_of(images: Image, labels: npt.NDArray[np.int64]) -> Bank:
    """The Bank of digits (n, side, side) uint8, light on dark, and their labels (n,); all ten have to be there."""
    bank = _measured(images, (), window=1, step=1)
    thick = bank.pens / np.maximum(bank.boxes[:, 3], 1)
    rows = []
    for digit in range(10):
        of_digit = np.flatnonzero((labels == digit) & (bank.boxes[:, 3] > 0))
        rows.append(of_digit[np.argsort(thick[of_digit], kind="stable")])
    window = max(1, int(_WINDOW * min(len(of_digit) for of_digit in rows)))
    return replace(bank, rows=tuple(rows), window=window)


def _measured(images: Image, rows: tuple[npt.NDArray[np.int64], ...], *, window: int, step: int) -> Bank:
    boxes = np.zeros((len(images), 4), np.int32)
    slants = np.zeros(len(images), np.float32)
    pens = np.ones(len(images), np.float32)
    for row, image in enumerate(images):
        boxes[row] = cv2.boundingRect(image)
        moments = cv2.moments(image)
        if moments["mu02"] > 0:
            slants[row] = np.clip(-moments["mu11"] / moments["mu02"], -0.8, 0.8)
        mask = (image > 110).astype(np.uint8)
        # A stroke of length l and width w has the area l·w and the outline 2·l.
        edge = mask & ~cv2.erode(mask, np.ones((3, 3), np.uint8), borderValue=0)
        pens[row] = 2.0 * mask.sum() / max(float(edge.sum()), 1.0)
    return Bank(images=images, boxes=boxes, slants=slants, pens=pens, rows=rows, window=window, step=step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """How one writer writes: where in the range of pens (0 to 1), how wide letters run, how much each digit wavers."""

    pen: float
    aspect: float
    waver: float


def draw_hand(rng: np.random.Generator) -> Hand:
    """A writer drawn at random."""
    return Hand(
        pen=float(rng.random()), aspect=float(np.exp(rng.normal(0.0, 0.12))), waver=float(rng.uniform(0.02, 0.12))
    )


def write_digit(rng: np.random.Generator, bank: Bank, hand: Hand, digit: int, height_px: float) -> tuple[Image, float]:
    """One digit upright as a soft patch (h, w) uint8 about height_px high, and its pen's width in pixels."""
    rows = bank.rows[digit]
    first = int(hand.pen * ((len(rows) - bank.window) // bank.step + 1)) * bank.step
    row = int(rows[min(first, len(rows) - bank.window) + int(rng.integers(bank.window))])
    left, top, wide, high = bank.boxes[row].tolist()
    down = height_px / max(high, wide / _FLATTEST)
    across = down * hand.aspect * float(np.exp(rng.normal(0.0, hand.waver)))
    # Its own slant goes, but for a rest: the writer's is put on the whole number.
    lean = float(bank.slants[row]) + float(rng.normal(0.0, hand.waver))
    turn = float(rng.normal(0.0, 0.5 * hand.waver))
    matrix = np.array([[across, across * lean - turn * down, 0.0], [turn * across, down, 0.0]])
    width = int(across * (wide + abs(lean) * high)) + 5
    height = int(down * high + abs(turn) * width) + 5
    matrix[:, 2] = ((width - 1) / 2, (height - 1) / 2) - matrix[:, :2] @ (left + (wide - 1) / 2, top + (high - 1) / 2)
    patch = cv2.warpAffine(bank.images[row], matrix, (width, height), flags=cv2.INTER_LINEAR)
    x, y, wide, high = cv2.boundingRect(cv2.inRange(patch, 40, 255))
    if not wide:
        return patch, 1.0
    return patch[y : y + high, x : x + wide], float(bank.pens[row]) * (across + down) / 2
