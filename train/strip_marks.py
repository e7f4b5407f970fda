"""Marks that stand on a line with a number and are no digits: points, commas, dashes, signs, words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from edge.values import Image
from train.marks import Mark
from train.strokes import Style, draw_mark

Points: TypeAlias = npt.NDArray[np.float64]

# Letters and signs that a word before or after a number is made of, and how many of a hundred.
_SIGNS: tuple[tuple[Mark, int], ...] = (
    ("letter", 60),
    ("currency", 12),
    ("percent", 4),
    ("plus", 4),
    ("cross", 3),
    ("scribble", 3),
    ("question", 2),
    ("strike", 1),
)
_SIGN_SHARES = np.array([share for _, share in _SIGNS]) / sum(share for _, share in _SIGNS)


@dataclass(slots=True)
class Piece:
    """A soft patch (h, w) uint8, the row of its top below the baseline, the gap before it in pixels, if it is a 0."""

    patch: Image
    top: int
    gap: float
    zero: bool = False


def write_mark(rng: np.random.Generator, kind: str, height_px: float, pens: Sequence[float]) -> Piece:
    """One of MARKS beside digits height_px high, in a pen like theirs, whose widths are pens; " " is a wider gap."""
    if kind == " ":
        return Piece(np.zeros((1, 1), np.uint8), -1, rng.uniform(0.2, 0.5) * height_px)
    lines = MARKS[kind](rng)
    gap = rng.normal(0.06, 0.12) if kind in ".,'" else abs(rng.normal(0.12, 0.1))
    wide = rng.uniform(0.8, 1.3) * float(np.mean(pens)) if len(pens) else rng.uniform(0.06, 0.14) * height_px
    pen = max(1, round(wide))
    every = [(line + rng.normal(0.0, 0.02, line.shape)) * height_px for line in lines]
    low = np.floor(np.min([line.min(axis=0) for line in every], axis=0)) - pen
    high = np.ceil(np.max([line.max(axis=0) for line in every], axis=0)) + pen
    patch = np.zeros((int(high[1] - low[1]) + 1, int(high[0] - low[0]) + 1), np.uint8)
    for line in every:
        fixed = np.rint((line - low) * 8).astype(np.int32)
        cv2.polylines(patch, [fixed[:, None]], len(line) > 12, 255, pen, cv2.LINE_AA, 3)
        if len(line) > 12:  # a ring is a blot
            cv2.fillPoly(patch, [fixed[:, None]], 255, cv2.LINE_AA, 3)
    left, above, wide, deep = cv2.boundingRect(patch)
    patch = patch[above : above + deep, left : left + wide]
    return Piece(patch, int(low[1]) + above, gap * height_px)


def write_word(rng: np.random.Generator, height_px: float, *, longest: int) -> list[Piece]:
    """Up to so many letters or signs of one hand."""
    pen_px = max(1.0, rng.uniform(0.06, 0.15) * height_px)
    style = Style.draw(rng)
    pieces = []
    for _ in range(int(rng.integers(1, longest + 1))):
        kind, _ = _SIGNS[int(rng.choice(len(_SIGNS), p=_SIGN_SHARES))]
        patch = draw_mark(rng, kind, height_px=height_px * rng.uniform(0.6, 1.1), pen_px=pen_px, style=style)
        low = round(rng.normal(0.0, 0.05) * height_px)
        pieces.append(Piece(patch, low - patch.shape[0], rng.uniform(0.1, 0.5) * height_px))
    return pieces


def _point(rng: np.random.Generator) -> list[Points]:
    turn = np.linspace(0, 2 * np.pi, 16)
    radius = rng.uniform(0.005, 0.06)
    low = -rng.uniform(0.0, 0.2) if rng.random() < 0.85 else -rng.uniform(0.2, 0.6)
    return [np.stack((rng.uniform(0.8, 2.0) * radius * np.cos(turn), low + radius * np.sin(turn)), axis=1)]


def _comma(rng: np.random.Generator) -> list[Points]:
    long, top = rng.uniform(0.12, 0.42), -rng.uniform(0.0, 0.22)
    bend, lean = rng.uniform(0.0, 0.3), rng.uniform(0.1, 0.6)
    return [np.array([(0.0, top), (-bend * long, top + 0.6 * long), (-lean * long, top + long)])]


def _apostrophe(rng: np.random.Generator) -> list[Points]:
    return [line - (0.0, rng.uniform(0.75, 1.0)) for line in _comma(rng)]


def _dash(rng: np.random.Generator) -> list[Points]:
    long, at = rng.uniform(0.25, 0.95), -rng.uniform(0.25, 0.65)
    return [np.array([(0.0, at), (long / 2, at + rng.normal(0, 0.06)), (long, at + rng.normal(0, 0.08))])]


def _low_dash(rng: np.random.Generator) -> list[Points]:
    return [line * (1.0, 0.15) for line in _dash(rng)]


def _wave(rng: np.random.Generator) -> list[Points]:
    turn = np.linspace(0, 2 * np.pi * rng.uniform(0.6, 1.6), 12)
    rise = rng.uniform(0.05, 0.16) * np.sin(turn + rng.uniform(0, 6)) - rng.uniform(0.25, 0.65)
    return [np.stack((np.linspace(0, rng.uniform(0.4, 0.95), 12), rise), axis=1)]


def _equals(rng: np.random.Generator) -> list[Points]:
    long, apart, at = rng.uniform(0.3, 0.8), rng.uniform(0.15, 0.3), -rng.uniform(0.35, 0.7)
    second = at + apart
    return [
        np.array([(0.0, at), (long, at + rng.normal(0, 0.06))]),
        np.array([(0.0, second), (long * rng.uniform(0.8, 1.2), second + rng.normal(0, 0.06))]),
    ]


def _dollar(rng: np.random.Generator) -> list[Points]:
    turn = np.linspace(0, 1, 12)
    wide, high = rng.uniform(0.22, 0.32), rng.uniform(0.8, 0.95)
    curve = np.stack((wide * np.cos(3.0 * np.pi * turn + 0.2) * (1 - 0.2 * turn), (turn - 0.5) * high - 0.48), axis=1)
    bars = (0.0,) if rng.random() < 0.6 else (-0.06, 0.08)
    return [curve, *(np.array([(bar + 0.05, -1.1), (bar - 0.05, 0.12)]) for bar in bars)]


def _hash(rng: np.random.Generator) -> list[Points]:
    lean = rng.uniform(0.0, 0.12)
    upright = [np.array([(at + lean, -1.0), (at - lean, 0.0)]) for at in (-0.15, 0.15)]
    return [*upright, *(np.array([(-0.35, at), (0.35, at)]) for at in (-0.65, -0.35))]


def _star(rng: np.random.Generator) -> list[Points]:
    high = -rng.uniform(0.4, 0.9)
    arms = 0.22 * np.stack((np.cos([0.2, 1.25, 2.3]), np.sin([0.2, 1.25, 2.3])), axis=1)
    return [np.array([-arm + (0.0, high), arm + (0.0, high)]) for arm in arms]  # noqa: RUF005


# What each mark is drawn by: lines in heights of a digit, (x, y) with y 0 on the baseline and -1 at a digit's top.
MARKS: Mapping[str, Callable[[np.random.Generator], list[Points]]] = MappingProxyType(
    {
        ".": _point,
        ",": _comma,
        "'": _apostrophe,
        "-": _dash,
        "_": _low_dash,
        "~": _wave,
        "=": _equals,
        "$": _dollar,
        "#": _hash,
        "*": _star,
    }
)
