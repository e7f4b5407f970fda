"""Pen strokes as data: written forms in a short notation, and the smooth paths through their points."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from importlib import resources
from typing import TypeAlias, cast

import numpy as np
import numpy.typing as npt

Points: TypeAlias = npt.NDArray[np.float64]  # (n, 2) as x, y; y grows downwards
Matrix: TypeAlias = npt.NDArray[np.float64]

_PER_SEGMENT = 6  # samples between two points: at 40 px a digit the chords are about a pixel long


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Form:
    """One way to write a sign: strokes through points, at their extremes; what lies between is this form too.

    name: what people call it. weight: how often it is chosen among the forms of its sign. loose: how far its points may
    stray, 1 is the usual. poses: (p, n, 2) points of p drawings, height 0 to 1, strokes one after the other. strokes:
    points of each stroke; samples: of each stroke's path. corners: which of the points are corners.
    """

    name: str
    weight: float
    loose: float
    poses: npt.NDArray[np.float64]
    strokes: tuple[int, ...]
    samples: tuple[int, ...]
    corners: frozenset[int]


@functools.cache
def curves(form: Form) -> tuple[Matrix, Matrix]:
    """Points to path, (samples, n) each: with the form's corners kept, and with its corners round."""
    middle = form.poses.mean(axis=0)
    return _curves(middle, form.strokes, form.corners), _curves(middle, form.strokes, frozenset())


def read_forms(name: str) -> dict[str, tuple[Form, ...]]:
    """The forms of every sign of a table that lies beside this module, in its order; its head tells the notation.

    Raises ValueError, naming the form, if its poses have different points or corners.
    """
    return parse_forms((resources.files("train") / name).read_text("utf-8"))


def parse_forms(table: str) -> dict[str, tuple[Form, ...]]:
    """The forms of every sign of a table's text. Raises ValueError as read_forms does."""
    forms: dict[str, list[Form]] = {}
    for section in table.split("\n= ")[1:]:
        sign, *lines = [line.strip() for line in section.splitlines() if line.strip()]
        heads = [at for at, line in enumerate(lines) if ":" in line]
        bounds = [*heads, len(lines)]
        forms[sign] = [_form(lines[at], lines[at + 1 : end]) for at, end in itertools.pairwise(bounds)]
    return {sign: tuple(found) for sign, found in forms.items()}


def _form(head: str, poses: list[str]) -> Form:
    name, numbers = head.split(":")
    weight, loose = (*(float(number) for number in numbers.split()), 1.0)[:2]
    parsed = [_parse(pose) for pose in poses]
    strokes, corners = parsed[0][1:]
    if any(other[1:] != (strokes, corners) for other in parsed):
        raise ValueError(f"form {name}: its poses have different points or corners")
    return Form(
        name=name,
        weight=weight,
        loose=loose,
        poses=np.stack([pose[0] for pose in parsed]),
        strokes=strokes,
        samples=tuple((count - 1) * _PER_SEGMENT + 1 for count in strokes),
        corners=corners,
    )


def _parse(pose: str) -> tuple[Points, tuple[int, ...], frozenset[int]]:
    """The points (n, 2) of a pose, how many each stroke has, and which are corners."""
    strokes = [stroke.split() for stroke in pose.split("/")]
    words = [word for stroke in strokes for word in stroke]
    points = np.array([[float(number) / 100 for number in word.rstrip("*").split(",")] for word in words])
    corners = frozenset(at for at, word in enumerate(words) if word.endswith("*"))
    return points, tuple(len(stroke) for stroke in strokes), corners


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
