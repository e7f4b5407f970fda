"""Lines of writing: which blobs on a page stand side by side like the digits of one number, and how the line lies."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.imaging.glyphs import Blobs
from edge.imaging.ink import quantile
from edge.values import Box, Image

# What a digit's blob may look like, as parts of the page's height and of its own height.
_SMALLEST_PX = 8
_SMALLEST_PART = 0.012
_LARGEST_PART = 0.5
_WIDEST = 4.0
# Blobs fuller than this are stamps, shadows or stains; upright strokes are full too, so narrow ones may be.
_FULLEST = 0.75
# Neighbours on one line: alike in height, nearly level, less than a digit's height apart.
_ALIKE = 2.1
_LEVEL = 0.62
_GAP = 1.0
_STEEPEST_RAD = math.radians(45)
# A page with more blobs than this is texture; the largest are looked at.
_MOST_BLOBS = 1500


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """Blobs that make one line of writing: their rows, and its slope in radians (positive falls to the right)."""

    rows: tuple[int, ...]
    slope_rad: float | None  # None: one digit alone does not say how it lies


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Strip:
    """A line's soft ink turned level, (h, w) uint8; to_page is the 2×3 matrix from strip to page pixels (x, y)."""

    ink: Image
    to_page: npt.NDArray[np.float64]

    def box_on_page(self, box: Box, width: int, height: int) -> Box:
        """The upright box on a page (height, width) around a box in the strip."""
        corners = np.array([[x, y, 1.0] for x in (box.left, box.right) for y in (box.top, box.bottom)])
        x, y = self.to_page @ corners.T
        left, top = max(0, math.floor(x.min() + 0.5)), max(0, math.floor(y.min() + 0.5))
        right, bottom = min(width, math.ceil(x.max() - 0.5)), min(height, math.ceil(y.max() - 0.5))
        left, top = min(left, width - 1), min(top, height - 1)
        return Box(left=left, top=top, right=max(right, left + 1), bottom=max(bottom, top + 1))


def find_lines(blobs: Blobs) -> tuple[Line, ...]:
    """The lines of writing among blobs, top to bottom, then left to right; blobs that cannot be digits are left out."""
    page_height, page_width = blobs.labels.shape
    left, top, right, bottom = blobs.boxes.T.astype(np.float64)
    width, height = right - left, bottom - top
    full = blobs.areas / (width * height)
    smallest = max(_SMALLEST_PX, _SMALLEST_PART * page_height)
    inside = (left > 0) & (top > 0) & (right < page_width) & (bottom < page_height)
    digit = inside & (height >= smallest) & (height <= _LARGEST_PART * page_height)
    digit &= (width <= _WIDEST * height) & ((full <= _FULLEST) | (width < 0.5 * height))
    rows = np.flatnonzero(digit)
    if len(rows) > _MOST_BLOBS:
        rows = rows[np.argsort(-blobs.areas[rows], kind="stable")[:_MOST_BLOBS]]
    rows = rows[np.argsort(left[rows], kind="stable")]
    groups: dict[int, list[int]] = {}
    for row, leader in zip(rows, _chain(blobs.boxes[rows].astype(np.float64)), strict=True):
        groups.setdefault(leader, []).append(int(row))
    lines = [Line(rows=tuple(group), slope_rad=_slope(blobs, group)) for group in groups.values()]
    return tuple(sorted(lines, key=lambda line: (blobs.box(*line.rows).top, blobs.box(*line.rows).left)))


def _chain(boxes: npt.NDArray[np.float64]) -> list[int]:
    """For boxes (n, 4) by their left edge: the index of the first box of each one's chain of right-hand neighbours."""
    left, top, right, bottom = boxes.T
    height, middle = bottom - top, (top + bottom) / 2
    leader = list(range(len(boxes)))
    for i in range(len(boxes) - 1):
        later = slice(i + 1, None)
        taller = np.maximum(height[i], height[later])
        gap = left[later] - right[i]
        # Joined digits are wide, so what overlaps by more than half a height lies above or below, not beside.
        beside = (gap < _GAP * taller) & (gap > -0.6 * taller)
        beside &= np.abs(middle[later] - middle[i]) < _LEVEL * np.minimum(height[i], height[later])
        beside &= taller < _ALIKE * np.minimum(height[i], height[later])
        near = np.flatnonzero(beside)
        if len(near):
            leader[i + 1 + int(near[gap[near].argmin()])] = leader[i]
    return leader


def _slope(blobs: Blobs, rows: list[int]) -> float | None:
    """Slope in radians of the line through the blobs' middles; None where they say nothing about it."""
    if len(rows) < 2:
        return None
    boxes = blobs.boxes[rows].astype(np.float64)
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    if np.ptp(x) < 0.3 * quantile(boxes[:, 3] - boxes[:, 1], 0.5):
        return None
    x -= x.mean()
    slope = math.atan(float(x @ y) / float(x @ x))  # least squares
    return slope if abs(slope) <= _STEEPEST_RAD else None


def level_strip(ink: Image, blobs: Blobs, line: Line, *, slope_rad: float) -> Strip:
    """The Strip of a line: its blobs' soft ink, and what small marks stand between, turned by -slope_rad about its box.

    ink is the page's (H, W) soft ink that the blobs were found in.
    """
    box = blobs.box(*line.rows)
    margin = round(0.35 * box.height)
    page_height, page_width = ink.shape
    left, top = max(0, box.left - margin), max(0, box.top - margin)
    right, bottom = min(page_width, box.right + margin), min(page_height, box.bottom + margin)
    place = np.s_[top:bottom, left:right]
    labels = blobs.labels[place]
    own = np.isin(labels, np.array(line.rows) + 1)
    # The bar of a 5 may be a blob of its own, too small to be a digit; it lies inside the line's box.
    x, y = blobs.centers.T
    size = blobs.boxes[:, 3] - blobs.boxes[:, 1]
    small = (x > box.left) & (x < box.right) & (y > box.top) & (y < box.bottom) & (size < box.height)
    small[list(line.rows)] = False
    if small.any():
        own |= np.isin(labels, np.flatnonzero(small) + 1)
    soft = np.where(cv2.dilate(own.view(np.uint8), np.ones((3, 3), np.uint8)), ink[place], 0).astype(np.uint8)
    to_page = np.array([[1.0, 0.0, left], [0.0, 1.0, top]])
    if abs(slope_rad) < math.radians(1.5):
        return Strip(ink=soft, to_page=to_page)
    height, width = soft.shape
    cos, sin = math.cos(slope_rad), math.sin(slope_rad)
    new_width = math.ceil(abs(cos) * width + abs(sin) * height)
    new_height = math.ceil(abs(cos) * height + abs(sin) * width)
    # Strip (u, v) about its middle, turned by slope, is page (x, y) about the crop's middle.
    back = np.array([[cos, -sin, 0.0], [sin, cos, 0.0]])
    back[:, 2] = np.array([width / 2, height / 2]) - back[:, :2] @ np.array([new_width / 2, new_height / 2])
    turned = cv2.warpAffine(soft, back, (new_width, new_height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    back[:, 2] += (left, top)
    return Strip(ink=turned, to_page=back)
