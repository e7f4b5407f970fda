"""The squares of a QR code whose place is known, and its text: sampled, not searched for.

OpenCV's search takes 30 to 120 ms a page and misses a code in ten under the noise and shadow that sheets are tested
with; sampling where the squares must be reads them all in a small part of that. Patterns: ISO/IEC 18004.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from edge.values import Image, Mask

Whole: TypeAlias = npt.NDArray[np.intp]

# How far the code may lie off its place.
SLACK_MM = 1.2
# Codes of names from 1 to 40 letters have so many squares a side (versions 1 to 4), and hold so many letters (level M).
_SIDES = {21: 14, 25: 26, 29: 42, 33: 62}
# Nearly all squares of the fixed patterns are right in a code; in other print half of them, in line drawings more.
_LEAST_AGREEMENT = 0.88
# So well does a code agree with the patterns of its own size only.
_SURE_AGREEMENT = 0.97
# The squares around one: wider than a finder pattern.
_AROUND = np.ones((9, 9), np.uint8)


def read_squares(grey: Image, *, side_mm: float, quiet_mm: float, letters: int) -> str | None:
    """The text of the QR code in a cut (side, side) of a code of side_mm with quiet_mm around it; None without one.

    letters: how many it likely has; others are tried after that.
    """
    per_mm = min(grey.shape) / (side_mm + 2 * quiet_mm)
    best: _Squares | None = None
    for side in sorted(_SIDES, key=lambda one: (_SIDES[one] < letters, abs(_SIDES[one] - letters))):
        code = _sample(grey, side, side_mm * per_mm / side, quiet_mm * per_mm, SLACK_MM * per_mm)
        if best is None or code.agreement > best.agreement:
            best = code
        if code.agreement >= _SURE_AGREEMENT:
            break
    if best is None or best.agreement < _LEAST_AGREEMENT:
        return None
    return _decode(len(best.dark), best.dark.tobytes())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Squares:
    """A code's squares (side, side), True is dark, and the share of those that are the same in all codes and agree."""

    dark: Mask
    agreement: float


def _sample(grey: Image, side: int, square: float, start: float, slack: float) -> _Squares:
    """The squares of a code of side × side, each `square` pixels, from pixel `start` on, at the shift that suits best.

    Best is the largest contrast between what is dark and what is light in the finder and timing patterns.
    """
    rows, columns, fixed, weights = _fixed_pattern(side)
    smooth = np.asarray(cv2.blur(grey, (max(1, round(square * 0.6)),) * 2), np.uint8)
    places, at = _places(side, square, start, slack, grey.shape[0], grey.shape[1])
    contrast = smooth.ravel().take(at).astype(np.float32) @ weights
    down, across = np.unravel_index(np.argmax(contrast), contrast.shape)
    squares = smooth[np.ix_(places[down], places[across])]
    found: Mask = squares < _middle(squares)
    return _Squares(dark=found, agreement=float((found[rows, columns] == fixed).mean()))


@lru_cache(maxsize=16)
def _places(side: int, square: float, start: float, slack: float, height: int, width: int) -> tuple[Whole, Whole]:
    """The pixels of a code's squares along each side at every shift (shifts, side).

    And those of its fixed patterns in a flat (height, width) picture: (shifts, shifts, as many as there are).
    """
    rows, columns, _, _ = _fixed_pattern(side)
    shifts = np.arange(-slack, slack + 0.01, square / 4)
    centres = start + (np.arange(side) + 0.5) * square - 0.5
    places = np.rint(centres + shifts[:, None]).clip(0, min(height, width) - 1).astype(np.intp)
    return places, (places[:, rows] * width)[:, None] + places[:, columns]


def _middle(squares: Image) -> npt.NDArray[np.float32]:
    """Between black and white at each square: half of the sum of the darkest and lightest around it, for shadows."""
    return np.asarray(
        cv2.addWeighted(cv2.erode(squares, _AROUND), 0.5, cv2.dilate(squares, _AROUND), 0.5, 0, dtype=cv2.CV_32F),
        np.float32,
    )


@cache
def _fixed_pattern(side: int) -> tuple[Whole, Whole, Mask, npt.NDArray[np.float32]]:
    """Rows, columns and darkness of the squares that are the same in every code of that size.

    And weights: a picture's values there times these, summed, are how much lighter than the dark ones the light are.
    """
    known = np.full((side, side), -1, np.int8)
    ring = np.maximum(abs(np.arange(-4, 5))[:, None], abs(np.arange(-4, 5))[None])
    finder = np.isin(ring, (0, 1, 3)).astype(np.int8)  # with the light border around it
    known[6, :] = known[:, 6] = np.arange(side) % 2 == 0
    known[:8, :8] = finder[1:, 1:]
    known[:8, -8:] = finder[1:, :-1]
    known[-8:, :8] = finder[:-1, 1:]
    rows, columns = np.nonzero(known >= 0)
    fixed = known[rows, columns] == 1
    dark = np.count_nonzero(fixed)
    return rows, columns, fixed, np.where(fixed, -1 / dark, 1 / (len(fixed) - dark)).astype(np.float32)


@lru_cache(maxsize=256)
def _decode(side: int, squares: bytes) -> str | None:
    """The text of a code's squares, side × side of a byte each, 1 is dark: a pile has the same ones again and again."""
    dark = np.frombuffer(squares, np.bool_).reshape(side, side)
    clean = np.pad(np.where(dark, 0, 255).astype(np.uint8), 4, constant_values=255)
    scale = 4
    clean = cv2.resize(clean, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
    near, far = 4 * scale, (4 + len(dark)) * scale
    corners = np.array([[[near, near], [far, near], [far, far], [near, far]]], np.float32)
    try:
        text, _ = cv2.QRCodeDetector().decode(clean, corners)
    except (cv2.error, UnicodeDecodeError):  # codes of others hold any bytes
        return None
    return str(text)
