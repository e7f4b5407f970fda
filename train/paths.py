"""Pen strokes as data: written forms in a short notation, and the smooth paths through their points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias, cast

import numpy as np
import numpy.typing as npt

Points: TypeAlias = npt.NDArray[np.float64]  # (n, 2) as x, y; y grows downwards
Matrix: TypeAlias = npt.NDArray[np.float64]

_PER_SEGMENT = 6  # samples between two points: at 40 px a digit the chords are about a pixel long


@dataclass(frozen=True)
class Form:
    """One way to write a sign, as strokes through points that smooth curves join.

    name: what people call it. weight: how often it is chosen among the forms of its sign, any positive number.
    poses: drawings of the same strokes at their extremes; what lies between any of them is this form too. One is text:
    points `x,y` in percent of the height (y downwards from the top), `*` after a point makes it a corner, ` / ` lifts
    the pen. All poses have the same points and corners. loose: how far points may stray, 1 is the usual.
    Raises ValueError if the poses do not match.
    """

    name: str
    weight: float
    poses: tuple[str, ...]
    loose: float = 1.0

    def __post_init__(self) -> None:
        first = _parse(self.poses[0])
        for pose in self.poses[1:]:
            other = _parse(pose)
            if [len(s) for s in first[0]] != [len(s) for s in other[0]] or first[1] != other[1]:
                raise ValueError(f"form {self.name}: the poses have different points or corners")

    @cached_property
    def keys(self) -> npt.NDArray[np.float64]:
        """The points of every pose, (poses, n, 2), height 0 to 1, strokes one after the other."""
        return np.stack([np.concatenate(_parse(pose)[0]) for pose in self.poses])

    @cached_property
    def strokes(self) -> tuple[int, ...]:
        """Points of each stroke."""
        return tuple(len(stroke) for stroke in _parse(self.poses[0])[0])

    @cached_property
    def samples(self) -> tuple[int, ...]:
        """Samples of each stroke's path."""
        return tuple((count - 1) * _PER_SEGMENT + 1 for count in self.strokes)

    @cached_property
    def curves(self) -> tuple[Matrix, Matrix]:
        """Points to path, (samples, n) each: with the corners sharp, and with the corners round."""
        corners = _parse(self.poses[0])[1]
        middle = self.keys.mean(axis=0)
        return _curves(middle, self.strokes, corners), _curves(middle, self.strokes, frozenset())


def _parse(pose: str) -> tuple[list[Points], frozenset[int]]:
    """The strokes of a pose, each (n, 2), and which of all its points are corners."""
    strokes, corners, at = [], set(), 0
    for stroke in pose.split("/"):
        words = stroke.split()
        for word in words:
            if word.endswith("*"):
                corners.add(at)
            at += 1
        points = [[float(number) / 100 for number in word.rstrip("*").split(",")] for word in words]
        strokes.append(np.array(points))
    return strokes, frozenset(corners)


def _curves(points: Points, strokes: tuple[int, ...], corners: frozenset[int]) -> Matrix:
    total = sum((count - 1) * _PER_SEGMENT + 1 for count in strokes)
    matrix = np.zeros((total, len(points)))
    row = first = 0
    for count in strokes:
        block = _catmull_rom(points[first : first + count], {at - first for at in corners})
        matrix[row : row + len(block), first : first + count] = block
        row, first = row + len(block), first + count
    return matrix


def _catmull_rom(points: Points, corners: set[int]) -> Matrix:
    """Weights (samples, n) of a stroke's points for the samples of a cubic path through them.

    Cubic Hermite pieces with centripetal knots (Yuksel et al. 2011), which neither loop nor overshoot between near
    points. The knots come from the given points, so that the path is linear in points moved a little.
    """
    count = len(points)
    knots = np.r_[0, np.cumsum(np.sqrt(np.linalg.norm(np.diff(points, axis=0), axis=1)) + 1e-3)]
    position = np.eye(count)
    slope_in, slope_out = np.zeros((count, count)), np.zeros((count, count))
    for at in range(count):
        before = None if at == 0 else (position[at] - position[at - 1]) / (knots[at] - knots[at - 1])
        after = None if at == count - 1 else (position[at + 1] - position[at]) / (knots[at + 1] - knots[at])
        if before is None or after is None or at in corners:
            slope_in[at] = after if before is None else before
            slope_out[at] = before if after is None else after
            continue
        across = (position[at + 1] - position[at - 1]) / (knots[at + 1] - knots[at - 1])
        slope_in[at] = slope_out[at] = before - across + after
    t = np.arange(_PER_SEGMENT)[:, None] / _PER_SEGMENT
    rows = []
    for at in range(count - 1):
        span = knots[at + 1] - knots[at]
        rows.append(
            (1 + 2 * t) * (1 - t) ** 2 * position[at]
            + t * (1 - t) ** 2 * span * slope_out[at]
            + t * t * (3 - 2 * t) * position[at + 1]
            + t * t * (t - 1) * span * slope_in[at + 1]
        )
    return cast(Matrix, np.concatenate((*rows, position[-1:])))
