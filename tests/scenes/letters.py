"""Letters and marks as a pen draws them: polylines on a unit grid, rounded into curves."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Curve: TypeAlias = npt.NDArray[np.float64]  # (n, 2) as x right, y up: baseline 0, capitals and digits reach 1

# One character: strokes divided by "/", points by blanks, "x,y" in hundredths. Small letters reach 55, tails -38.
_SHAPES = {
    "a": "46,46 30,56 8,44 6,14 22,0 42,14 46,52 44,14 54,0",
    "b": "8,98 10,40 8,4 10,40 28,54 46,40 42,8 24,0 8,6",
    "c": "44,44 28,56 8,42 6,14 22,0 44,8",
    "d": "44,44 26,56 8,42 6,14 20,0 40,12 46,98 44,14 54,0",
    "e": "6,28 44,32 36,54 16,54 6,28 12,4 30,0 46,10",
    "f": "44,90 32,98 22,82 20,40 18,-30 / 4,54 40,54",
    "g": "44,48 26,56 8,42 8,16 24,4 42,16 46,52 44,-20 26,-38 6,-26",
    "h": "8,98 8,40 8,0 10,34 28,54 42,42 42,10 50,0",
    "i": "8,54 8,12 18,0 / 9,74 10,76",
    "k": "8,98 8,0 / 42,54 10,26 44,0",
    "l": "10,98 8,16 18,0",
    "m": "6,54 6,0 8,36 22,54 32,42 32,0 34,36 50,54 58,42 58,8 66,0",
    "n": "6,54 6,0 8,36 26,54 40,42 40,8 50,0",
    "o": "28,56 8,44 6,14 24,0 44,12 46,42 28,56",
    "p": "6,54 6,-38 6,36 24,56 44,42 40,10 22,0 6,10",
    "r": "6,54 6,0 8,34 22,52 36,50",
    "s": "40,46 26,56 12,44 34,26 38,8 20,0 4,8",
    "t": "16,86 14,12 26,0 38,8 / 2,56 34,56",
    "u": "6,54 6,12 20,0 38,14 42,54 42,12 52,0",
    "v": "4,54 20,0 38,54",
    "w": "4,54 14,2 28,44 40,2 54,54",
    "x": "4,54 40,0 / 40,54 4,0",
    "y": "6,54 10,22 24,16 40,54 36,-14 18,-36",
    "z": "6,54 40,54 6,0 44,0",
    "A": "2,0 28,98 54,0 / 12,36 46,36",
    "B": "8,98 8,0 / 8,98 40,92 38,60 10,54 46,46 44,8 8,0",
    "E": "50,96 8,96 8,0 52,0 / 8,52 42,52",
    "F": "52,96 8,96 8,0 / 8,50 40,50",
    "H": "8,98 8,0 / 52,98 52,0 / 8,50 52,50",
    "K": "8,98 8,0 / 50,98 10,46 54,0",
    "L": "8,98 8,2 50,2",
    "M": "4,0 10,98 32,40 56,98 62,0",
    "N": "6,0 8,98 48,2 52,98",
    "P": "8,0 8,98 44,92 44,56 8,48",
    "R": "8,0 8,98 44,92 42,58 8,50 50,0",
    "T": "2,96 58,96 / 30,96 30,0",
    "W": "2,98 16,2 32,70 46,2 62,98",
    "€": "60,86 40,98 16,78 12,22 36,0 60,14 / 0,58 46,58 / 0,40 42,40",
    "$": "48,80 28,90 10,72 44,34 42,12 24,4 4,18 / 28,108 26,-12",
    "£": "54,84 38,98 22,82 24,10 6,2 56,4 / 6,50 42,50",
    "+": "6,46 50,46 / 28,70 28,22",
    "-": "6,44 40,44",
    "=": "6,56 48,56 / 6,34 48,34",
    "×": "8,60 42,24 / 42,60 8,24",
    ".": "6,3 8,1",
    ",": "10,6 4,-16",
    ":": "8,50 9,48 / 8,10 9,8",
    "'": "8,98 4,80",
    "/": "40,104 2,-8",
    "%": "14,96 2,82 14,70 24,82 14,96 / 60,98 8,0 / 56,28 44,14 54,0 66,14 56,28",
    "#": "14,90 6,6 / 38,90 30,6 / 0,62 48,62 / 0,32 44,32",
    "(": "30,108 4,84 4,20 30,-12",
    ")": "2,108 28,84 28,20 2,-12",
    "*": "6,70 34,36 / 34,70 6,36 / 20,76 20,30",
    "✓": "4,30 20,4 56,84",
}
LETTERS = "".join(_SHAPES)
SMALL = tuple("abcdefghiklmnoprstuvwxyz")


def curves(character: str, rng: np.random.Generator, wobble: float) -> list[Curve]:
    """The strokes of a character, each point moved by a normal of sigma `wobble` before the stroke is rounded."""
    drawn = []
    for stroke in _SHAPES[character].split("/"):
        points = np.array([[float(part) for part in point.split(",")] for point in stroke.split()]) / 100
        drawn.append(rounded(points + rng.normal(0, wobble, points.shape)))
    return drawn


def rounded(points: Curve, steps: int = 3) -> Curve:
    """A polyline with its corners cut `steps` times (Chaikin 1974); the ends stay."""
    for _ in range(steps if len(points) > 2 else 0):
        first, second = points[:-1], points[1:]
        inner = np.stack((0.75 * first + 0.25 * second, 0.25 * first + 0.75 * second), axis=1).reshape(-1, 2)
        points = np.concatenate((points[:1], inner[1:-1], points[-1:]))
    return points
