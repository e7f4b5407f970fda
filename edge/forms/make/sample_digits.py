"""The ten digits as a clear hand writes them: what the printed hint shows, as strokes."""

from __future__ import annotations

import math
from typing import TypeAlias

# Points (x, y) from the top left, in heights of the digit.
Stroke: TypeAlias = tuple[tuple[float, float], ...]


def _arc(x: float, y: float, across: float, down: float, start: int, end: int) -> Stroke:
    """Part of an ellipse around (x, y), clockwise in degrees from three o'clock."""
    steps = max(4, abs(end - start) // 12)
    angles = [math.radians(start + (end - start) * step / steps) for step in range(steps + 1)]
    return tuple((x + across * math.cos(angle), y + down * math.sin(angle)) for angle in angles)


def _curve(*points: tuple[float, float]) -> Stroke:
    """A cubic Bézier curve of four points."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = points
    steps = [step / 12 for step in range(13)]
    weights = [((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3) for t in steps]
    return tuple((p * ax + q * bx + r * cx + s * dx, p * ay + q * by + r * cy + s * dy) for p, q, r, s in weights)


# The forms that are mistaken least: a 1 without a long upstroke, an open 4, a 7 with its bar.
SAMPLE_DIGITS: tuple[tuple[Stroke, ...], ...] = (
    (_arc(0.0, 0.5, 0.32, 0.5, -80, 280),),
    (((-0.12, 0.16), (0.04, 0.0), (0.04, 1.0)),),
    ((*_arc(0.0, 0.27, 0.28, 0.27, 200, 385), (-0.3, 1.0), (0.33, 1.0)),),
    (_arc(0.0, 0.25, 0.27, 0.25, 215, 435) + _arc(0.0, 0.73, 0.3, 0.27, -80, 150),),
    (((-0.08, 0.0), (-0.32, 0.66), (0.34, 0.66)), ((0.14, 0.38), (0.14, 1.0))),
    (((0.28, 0.0), (-0.2, 0.0), (-0.24, 0.44), *_arc(-0.02, 0.68, 0.31, 0.32, 225, 500)),),
    (_curve((0.22, 0.0), (-0.1, 0.08), (-0.32, 0.4), (-0.31, 0.7)) + _arc(0.0, 0.7, 0.3, 0.3, 180, -185),),
    (((-0.3, 0.0), (0.3, 0.0), (-0.1, 1.0)), ((-0.2, 0.5), (0.24, 0.5))),
    (_arc(0.0, 0.25, 0.24, 0.25, 90, 450) + _arc(0.0, 0.75, 0.3, 0.25, -90, 270),),
    (_arc(0.0, 0.29, 0.28, 0.29, 0, 362) + _curve((0.28, 0.3), (0.28, 0.6), (0.2, 0.85), (0.06, 1.0)),),
)
