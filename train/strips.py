"""Synthetic whole numbers: what the number network learns from.

Digits of one hand are set side by side until they nearly touch, touch or overlap, with the marks people put around
numbers; then laid on paper, photographed, and passed through the very extraction that reads.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.imaging.strips import strip_ink, strip_tensor
from edge.values import Image, Mask
from train.strip_ground import Ground
from train.strip_hand import Bank, draw_hand, write_digit
from train.strip_marks import Piece, write_mark, write_word

# How many numbers of each length, from 1 digit on, in a thousand.
_LENGTHS = np.array([60, 90, 160, 235, 215, 110, 60, 30, 16, 10, 8, 6]) / 1000.0
# How often amounts begin with 1, 2, ... 9 (Benford, 1938).
_FIRST = np.log10(1.0 + 1.0 / np.arange(1, 10))
# A share of strips holds no number at all: lines, marks, remnants, paper.
_EMPTY = 0.025
# A digit is not smaller than this part of its number's largest, or nobody could read it.
_SMALLEST = 0.4
# Rows of a contour are looked at in so many bins a digit.
_BINS = 12.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """One synthetic number: the picture (h, w) grey uint8, and the digits on it, "" for none."""

    picture: Image
    text: str


def draw_text(rng: np.random.Generator) -> str:
    """The digits of a number as people write them: many end in zeros."""
    length = int(rng.choice(len(_LENGTHS), p=_LENGTHS)) + 1
    digits = rng.integers(0, 10, length)
    if length > 2 and rng.random() < 0.3:
        zeros = int(rng.integers(1, min(length, 4)))
        digits[-zeros:] = 0
    if rng.random() < 0.12:
        digits[:] = rng.choice(rng.integers(0, 10, 2), length)
    if length > 1 and digits[0] == 0 and rng.random() < 0.8:
        digits[0] = rng.integers(1, 10)
    if length > 1 and rng.random() < 0.4:
        digits[0] = 1 + int(rng.choice(9, p=_FIRST))
    return "".join(map(str, digits))


class Synthesiser:
    """Draws numbers from banks of written digits; the same rng gives the same number."""

    def __init__(self, banks: tuple[Bank, ...], shares: tuple[float, ...], *, seed: int) -> None:
        self._banks = banks
        self._shares = np.array(shares) / sum(shares)
        self._ground = Ground(seed)

    def draw(self, rng: np.random.Generator) -> Sample:
        """One number on its paper."""
        height_px = float(np.exp(rng.uniform(np.log(21.0), np.log(52.0))))
        text = "" if rng.random() < _EMPTY else draw_text(rng)
        pieces, pens = self._pieces(rng, text, height_px)
        ink = _set(rng, pieces, height_px)
        ink = _thickened(rng, ink, pens, height_px)
        ink = _framed(rng, _sheared(rng, ink, text), height_px, empty=not text)
        return Sample(picture=self._ground.lay(rng, ink), text=text)

    def _pieces(self, rng: np.random.Generator, text: str, height_px: float) -> tuple[list[Piece], list[float]]:
        """What stands on the line from left to right, and the width of each digit's pen in pixels."""
        bank = self._banks[int(rng.choice(len(self._banks), p=self._shares))]
        mixed = rng.random() < 0.3
        hand = draw_hand(rng)
        pens: list[float] = []
        spread = rng.uniform(0.03, 0.15)
        # Most hands set digits close, many apart; few let them overlap.
        touch = rng.normal(0.15, 0.08) if rng.random() < 0.6 else rng.uniform(0.15, 0.6)
        loose = rng.uniform(0.03, 0.11) + 0.2 * max(touch, 0.0)
        wander = rng.uniform(0.0, 0.08)
        sizes = _sizes(rng, text)
        marks = _separators(rng, text)
        pieces: list[Piece] = []
        for place, (digit, size) in enumerate(zip(text, sizes, strict=True)):
            if place in marks:
                pieces.append(write_mark(rng, marks[place], height_px, pens))
            source = self._banks[int(rng.choice(len(self._banks), p=self._shares))] if mixed else bank
            high = height_px * size * float(np.exp(rng.normal(0.0, spread)))
            patch, pen = write_digit(rng, source, hand, int(digit), max(high, 7.0))
            pens.append(pen)
            drop = rng.normal(0.0, wander) * height_px
            raised = 0.0 if size >= 0.9 or rng.random() < 0.6 else rng.uniform(0.0, 1.0) * (1.0 - size) * height_px
            gap = float(np.clip(rng.normal(touch, loose), -0.07, 1.0)) * height_px
            pieces.append(Piece(patch, round(drop - raised) - patch.shape[0], gap, zero=digit == "0"))
        _surround(rng, pieces, height_px, pens)
        return pieces, pens


def _sizes(rng: np.random.Generator, text: str) -> npt.NDArray[np.float64]:
    """Each digit's height as a part of the writer's usual one."""
    sizes = np.ones(len(text))
    if len(text) < 2:
        return sizes
    if rng.random() < 0.18:  # the first is tall, or the others small
        sizes[0] *= rng.uniform(1.1, 1.6)
    if rng.random() < 0.4:  # a 1 is a stroke, and many let it run
        sizes[[c == "1" for c in text]] *= rng.uniform(1.1, 1.7)
    if rng.random() < 0.25:  # zeros are written small
        sizes[[c == "0" for c in text]] *= rng.uniform(0.5, 0.9)
    if len(text) > 2 and rng.random() < 0.06:  # cents
        sizes[-2:] *= rng.uniform(0.55, 0.85)
    if rng.random() < 0.15:  # it shrinks or grows along the line
        sizes *= np.linspace(1.0, rng.uniform(0.7, 1.3), len(text))
    return np.maximum(sizes, _SMALLEST * float(sizes.max()))


def _separators(rng: np.random.Generator, text: str) -> dict[int, str]:
    """Which mark stands before which digit."""
    marks: dict[int, str] = {}
    if len(text) < 2 or rng.random() > 0.55:
        return marks
    kind = str(rng.choice([".", ",", "'", " ", "-"], p=[0.6, 0.22, 0.06, 0.08, 0.04]))
    marks = dict.fromkeys(range(len(text) - 3, 0, -3), kind)
    if rng.random() < 0.2:
        marks = {len(text) - 2: str(rng.choice([",", ".", "-"]))} if len(text) > 2 else {}
    if rng.random() < 0.15:
        marks[int(rng.integers(1, len(text)))] = kind
    return marks


def _surround(rng: np.random.Generator, pieces: list[Piece], height_px: float, pens: list[float]) -> None:
    """Put the marks people write before and after a number."""
    if rng.random() < 0.34:
        ends = [".", "-", ".-", "=", ",", "--", "_", ",-", "~"]
        shares = np.array([5, 5, 4, 3, 2, 1, 0.6, 2, 1.5])
        for mark in str(rng.choice(ends, p=shares / shares.sum())):
            pieces.append(write_mark(rng, mark, height_px, pens))
    if rng.random() < 0.15:
        starts = ["$", "=", "-", "#", ".", "*"]
        mark = str(rng.choice(starts, p=[0.4, 0.22, 0.16, 0.1, 0.06, 0.06]))
        pieces.insert(0, write_mark(rng, mark, height_px, pens))
    if not pieces or rng.random() < 0.03:
        word = write_word(rng, height_px, longest=3 if pieces else 6)
        at = 0 if rng.random() < 0.5 else len(pieces)
        pieces[at:at] = word


def _set(rng: np.random.Generator, pieces: list[Piece], height_px: float) -> Image:
    """The pieces on one line, each as far from the one before, by their contours, as its gap says."""
    if not pieces:
        return np.zeros((int(height_px), int(3 * height_px)), np.uint8)
    above = max(-piece.top for piece in pieces)
    below = max(piece.top + piece.patch.shape[0] for piece in pieces)
    step = max(1, int(height_px / _BINS))
    rows = above + max(below, 0) + 1
    width = int(sum(p.patch.shape[1] + max(p.gap, 0.0) for p in pieces) + 2 * height_px)
    canvas = np.zeros((rows, width), np.uint8)
    edge = np.full(rows // step + 3, -np.inf)
    end = 0
    joins, chained = rng.random() < 0.12, rng.random() < 0.3
    before: tuple[int, int] | None = None
    for number, piece in enumerate(pieces):
        high, wide = piece.patch.shape
        top = piece.top + above
        left, right = _contours(piece.patch, top % step, step)
        first = top // step
        span = slice(first, first + len(left))
        # A neighbour a bin above or below is as near as one beside.
        near = np.maximum(edge, np.maximum(np.roll(edge, 1), np.roll(edge, -1)))[span]
        fit = float((near - left).max())
        if not np.isfinite(fit):
            fit = end - 0.3 * height_px
        x = int(max(fit + piece.gap, end - 0.75 * wide - 0.2 * height_px, 0.0)) if number else 0
        x = min(x, width - wide)
        place = canvas[top : top + high, x : x + wide]
        np.maximum(place, piece.patch, out=place)
        edge[span] = np.maximum(edge[span], right + x)
        if joins and before is not None and high > 0.4 * height_px and rng.random() < 0.6:
            _join(rng, canvas, before, (x + int(left[left < np.inf].min()), top + int(rng.uniform(0.1, 0.9) * high)))
        if chained and piece.zero and number and pieces[number - 1].zero:  # 000 without lifting the pen
            _join(rng, canvas, before or (x, top), (x + wide // 2, top + int(rng.uniform(0.0, 0.25) * high)))
        low = 0.2 if piece.zero else 0.95
        before = (x + wide - 2, top + int(rng.uniform(0.0, low) * high))
        end = max(end, x + wide)
    return canvas[:, : end + 1]


def _contours(patch: Image, offset: int, step: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """First and last column with ink in each bin of step rows, the first of which begins offset rows above."""
    high, wide = patch.shape
    bins = -(-(high + offset) // step)
    padded = np.zeros((bins * step, wide), np.bool_)
    padded[offset : offset + high] = patch > 70
    inked: Mask = np.asarray(padded.reshape(bins, step, wide).max(axis=1), np.bool_)
    some = inked.max(axis=1)
    left = np.where(some, inked.argmax(axis=1), np.inf)
    right = np.where(some, wide - 1.0 - inked[:, ::-1].argmax(axis=1), -np.inf)
    return left, right


def _join(rng: np.random.Generator, canvas: Image, start: tuple[int, int], end: tuple[int, int]) -> None:
    """A thin stroke from one digit to the next, as of a pen not lifted."""
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + rng.normal(0.0, 0.08) * canvas.shape[0])
    points = np.rint(np.array([start, middle, end]) * 8).astype(np.int32)
    pen = max(1, round(rng.uniform(0.03, 0.09) * canvas.shape[0]))
    cv2.polylines(canvas, [points[:, None]], False, 255, pen, cv2.LINE_AA, 3)


def _thickened(rng: np.random.Generator, ink: Image, pens: list[float], height_px: float) -> Image:
    """The number written with another pen, 3.5 to 12 % of the height wide; edges as sharp as a scan's.

    pens: how wide each digit's was; the thinnest stroke must not vanish.
    """
    wanted = float(np.exp(rng.uniform(np.log(0.035), np.log(0.12)))) * height_px
    change = min(round(wanted - float(np.mean(pens))), 4) if pens else 0
    change = max(change, -round(max(min(pens, default=0.0) - 1.6, 0.0)))
    ink = cv2.copyMakeBorder(ink, 4, 4, 4, 4, cv2.BORDER_CONSTANT, value=0)
    if change:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(change) + 1, abs(change) + 1))
        ink = cv2.erode(ink, kernel) if change < 0 else cv2.dilate(ink, kernel)
    return np.asarray(cv2.convertScaleAbs(cv2.max(ink, 60) - 60, alpha=1.9), np.uint8)


def _sheared(rng: np.random.Generator, ink: Image, text: str) -> Image:
    """The number leaning, and rising or falling along its line."""
    height, width = ink.shape
    slant = float(np.clip(rng.normal(0.12, 0.22), -0.4, 0.8))
    steep = 0.02 if rng.random() < 0.5 else 0.07
    slope = float(rng.normal(0.0, steep))
    new_width = int(width + abs(slant) * height + 2)
    new_height = int(height + abs(slope) * width + 2)
    # About the middle: x' = x - slant·y, y' = y + slope·x.
    matrix = np.array([[1.0, -slant, 0.0], [slope, 1.0, 0.0]])
    matrix[:, 2] = (new_width / 2, new_height / 2) - matrix[:, :2] @ (width / 2, height / 2)
    return np.asarray(cv2.warpAffine(ink, matrix, (new_width, new_height), flags=cv2.INTER_LINEAR), np.uint8)


def _framed(rng: np.random.Generator, ink: Image, height_px: float, *, empty: bool) -> Image:
    """The number with paper around it, cropped tight or wide, and the printed lines and remnants that lie about."""
    h = height_px
    above, below = (max(-0.06, rng.normal(0.18, 0.16)) * h for _ in range(2))
    before, after = (max(-0.02, rng.exponential(0.25)) * h for _ in range(2))
    pads = [round(side) for side in (above, below, before, after)]
    cut_above, cut_below = max(0, -pads[0]), max(0, -pads[1])
    ink = ink[cut_above : ink.shape[0] - cut_below]
    top, bottom, left, right = (max(0, pad) for pad in pads)
    ink = cv2.copyMakeBorder(ink, top, bottom, left, right, cv2.BORDER_CONSTANT, value=0)
    height, width = ink.shape
    shade = int(rng.uniform(90, 255))
    thick = max(1, round(rng.uniform(0.02, 0.07) * h))
    tilt = rng.normal(0.0, 0.012) * width
    for side in ("top", "bottom", "left", "right", "middle"):
        share = {"top": 0.18, "bottom": 0.24, "left": 0.002, "right": 0.002, "middle": 0.005}[side]
        if rng.random() > (0.3 if empty and side not in ("left", "right") else share):
            continue
        if side in ("left", "right"):
            x = rng.uniform(0, left + 2) if side == "left" else width - rng.uniform(0, right + 2)
            ends = (x, -2.0), (x + rng.normal(0.0, 0.03) * height, height + 2.0)
        else:
            y = {"top": rng.uniform(0, top + 2), "bottom": height - rng.uniform(0, bottom + 0.12 * h)}.get(
                side, height / 2
            )
            ends = (-2.0, y - tilt / 2), (width + 2.0, y + tilt / 2)
        points = np.rint(np.array(ends) * 8).astype(np.int32)
        line = np.zeros_like(ink)
        cv2.polylines(line, [points[:, None]], False, shade, thick, cv2.LINE_AA, 3)
        ink = cv2.max(ink, line)
    if rng.random() < 0.12:
        _remnants(rng, ink, h)
    return ink


def _remnants(rng: np.random.Generator, ink: Image, height_px: float) -> None:
    """Ends of writing of the line above or below, in place."""
    height, width = ink.shape
    pen = max(1, round(rng.uniform(0.06, 0.13) * height_px))
    for _ in range(int(rng.integers(1, 4))):
        x = rng.uniform(0, width)
        deep = rng.uniform(0.05, 0.25) * height_px
        y = -2.0 if rng.random() < 0.5 else height + 2.0
        inner = y + deep if y < 0 else y - deep
        points = [(x, y), (x + rng.normal(0.1, 0.1) * height_px, inner), (x + rng.normal(0.2, 0.15) * height_px, y)]
        cv2.polylines(ink, [np.rint(np.array(points) * 8).astype(np.int32)[:, None]], False, 255, pen, cv2.LINE_AA, 3)


def strip_of(sample: Sample) -> Image:
    """(32, W, 1) uint8: the sample as the network will read it."""
    return strip_tensor(strip_ink(sample.picture)).values
