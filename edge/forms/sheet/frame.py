"""The printed rectangle of a form without marks: quadrilaterals of thin dark lines, and the page laid by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.forms.sheet.bending import unbend
from edge.forms.sheet.printed import Measured, Pieces, frame_lines, measure, residual_mm
from edge.forms.sheet.sheet_map import Floats, SheetMap
from edge.imaging.ink import smaller
from edge.values import Image

# Frames are looked for with the picture's longer side about so many pixels.
_SEARCH_PX = 1000
# Lines are thinner than this there; what is wider is a table's edge or a coloured field.
_WIDEST_LINE_PX = 15
# Lines absorb at least so much of the light of the paper beside them, pale ones in the second look.
_DARK, _PALE = 0.16, 0.07
# A frame spans so much of the picture's area, at least; so many of the largest are looked at.
_SMALLEST_PART = 0.03
_MOST = 6
# Along each side of a candidate the outermost ink is looked at in so many places.
_BINS = 80
# A side lies at most this part of its length inside of where it is thought to be, leans by this slope at most, and
# keeps within this part of its length of a straight line.
_DEEP, _STEEPEST, _CURVED = 0.3, 0.35, 0.012
# How far the first look for lines reaches, in mm and as a part of the smallest cell; then the last, exact one.
_REACH_MM, _REACH_PART = 4.0, 0.3
_FINE_MM, _FINE_PART = 3.5, 0.2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Framed:
    """A page laid by a printed rectangle, and its sides and inner lines as they were measured after all corrections."""

    sheet: SheetMap
    sides: Measured
    inner: Measured

    @property
    def sides_shown(self) -> float:
        """The part of the rectangle's sides that is there."""
        return float(self.sides.shown.mean())

    @property
    def inner_shown(self) -> float:
        """The part of the cells' lines that is there, 1 if there are none."""
        return float(self.inner.shown.mean()) if len(self.inner.shown) else 1.0

    @property
    def residual_mm(self) -> float | None:
        """RMS of what sides and inner lines are off."""
        return residual_mm((self.sides, self.inner))


def find_frames(pixels: Image) -> Iterator[Floats]:
    """Corners (4, 2) in pixels of what may be a printed rectangle on grey pixels (H, W).

    The largest first of those with dark and whole lines, then those with gaps or paler lines. Clockwise from the corner
    nearest to the picture's top left.
    """
    shrink = max(1, round(max(pixels.shape) / _SEARCH_PX))
    small = smaller(pixels, shrink)
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (_WIDEST_LINE_PX, _WIDEST_LINE_PX))
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel).astype(np.float32)
    dark = (paper - small) / np.maximum(paper, 24)
    given: list[Floats] = []
    for level, thicken in ((_DARK, 1), (_DARK, 5), (_PALE, 1), (_PALE, 5)):
        mask = (dark > level).astype(np.uint8)
        if thicken > 1:
            mask = cv2.dilate(mask, np.ones((thicken, thicken), np.uint8))
        for quad in sorted(_quads(mask), key=_area, reverse=True):
            if not any(_same(quad, other) for other in given):
                given.append(quad)
                yield (quad + 0.5) * shrink - 0.5


def _area(quad: Floats) -> float:
    return float(cv2.contourArea(quad.astype(np.float32)))


def _same(quad: Floats, other: Floats) -> bool:
    return bool(np.abs(quad - other).max() <= 6)


def _quads(mask: npt.NDArray[np.uint8]) -> list[Floats]:
    """Quadrilaterals around the largest connected parts of a mask (h, w), in its pixels."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    boxes = stats[1:, cv2.CC_STAT_WIDTH].astype(float) * stats[1:, cv2.CC_STAT_HEIGHT]
    least = _SMALLEST_PART * mask.size
    quads = []
    for row in np.argsort(-boxes, kind="stable")[:_MOST]:
        if boxes[row] < least:
            break
        left, top, width, height = stats[row + 1, :4]
        part = labels[top : top + height, left : left + width] == row + 1
        quad = _quad(part)
        if quad is not None and _area(quad) >= least:
            quads.append(quad + np.array([left, top]))
    return quads


def _quad(part: npt.NDArray[np.bool_]) -> Floats | None:
    """The quadrilateral that a connected part (h, w) fills, by straight lines along its outermost pixels."""
    contours, _ = cv2.findContours(part.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(contours, key=len).reshape(-1, 2)
    hull = cv2.convexHull(outline)
    corners = _four(hull)
    if corners is None:
        return None
    points = outline.astype(np.float64)
    for _ in range(3):
        lines = [_side(points, corners[i], corners[(i + 1) % 4]) for i in range(4)]
        met = [_crossing(lines[i - 1], lines[i]) for i in range(4)]
        if any(corner is None for corner in met):
            return None
        corners = np.array(met)
    if not cv2.isContourConvex(corners.astype(np.float32)):
        return None
    first = int(np.argmin(corners.sum(axis=1)))
    return np.asarray(np.roll(corners, -first, axis=0), np.float64)


def _four(hull: npt.NDArray[np.int32]) -> Floats | None:
    """Four corners (4, 2), clockwise, that stand for a convex hull: sides are taken away where least area is added."""
    corners = cv2.approxPolyDP(hull, 0.004 * cv2.arcLength(hull, True), True).reshape(-1, 2).astype(np.float64)
    if len(corners) < 4:
        return None
    if cv2.contourArea(corners.astype(np.float32), oriented=True) < 0:
        corners = corners[::-1]
    while len(corners) > 4:
        best, least = None, np.inf
        for i in range(len(corners)):
            # side i goes: its neighbours are drawn out until they meet
            a, b, c, d = (corners[(i + k) % len(corners)] for k in (-1, 0, 1, 2))
            met = _crossing((b, b - a), (c, d - c))
            if met is None or (met - b) @ (b - a) < 0:
                continue
            added = abs(float(np.cross(np.append(met - b, 0), np.append(c - b, 0))[2])) / 2
            if added < least:
                least, best = added, (i, met)
        if best is None:
            return None
        i, met = best
        following = (i + 1) % len(corners)
        corners[i] = met
        corners = np.delete(corners, following, axis=0)
    return np.asarray(corners, np.float64)


def _side(points: Floats, start: Floats, end: Floats) -> tuple[Floats, Floats]:
    """A point and a direction of the straight line along which most of the outermost points (n, 2) of a side lie.

    Of all lines through two of them, as what a pen draws across a side may stand out far: RANSAC (Fischler & Bolles
    1981) without the chance.
    """
    along = (end - start) / max(float(np.hypot(*(end - start))), 1e-6)
    outward = np.array([along[1], -along[0]])  # clockwise corners, y down: the left hand
    t, off = (points - start) @ along, (points - start) @ outward
    length = float((end - start) @ along)
    near = (t > 0.02 * length) & (t < 0.98 * length) & (off > -_DEEP * length)
    bins = np.minimum((t[near] / max(length, 1e-6) * _BINS).astype(int), _BINS - 1)
    outer = np.full(_BINS, -np.inf)
    np.maximum.at(outer, bins, off[near])
    seen = np.isfinite(outer)
    if np.count_nonzero(seen) < 8:
        return start, along
    at, outer = (np.flatnonzero(seen) + 0.5) * length / _BINS, outer[seen]
    one, other = np.triu_indices(len(at), k=max(1, len(at) // 8))
    slopes = (outer[other] - outer[one]) / (at[other] - at[one])
    bases = outer[one] - slopes * at[one]
    off_line = np.abs(outer - bases[:, None] - slopes[:, None] * at)
    # curved sides are some way off any straight line
    on_line = np.clip(1 - off_line / max(2.0, _CURVED * length), 0, None).sum(axis=1)
    best = int(np.argmax(on_line * (np.abs(slopes) < _STEEPEST)))
    keep = off_line[best] <= max(2.0, _CURVED * length)
    slope, base = np.polyfit(at[keep], outer[keep], 1) if np.count_nonzero(keep) > 2 else (slopes[best], bases[best])
    return start + base * outward, along + slope * outward


def _crossing(one: tuple[Floats, Floats], other: tuple[Floats, Floats]) -> Floats | None:
    """Where two lines (point, direction) cross; None if they are almost parallel."""
    (p, d), (q, e) = one, other
    cross = d[0] * e[1] - d[1] * e[0]
    if abs(cross) < 0.05 * np.hypot(*d) * np.hypot(*e):
        return None
    t = ((q[0] - p[0]) * e[1] - (q[1] - p[1]) * e[0]) / cross
    return np.asarray(p + t * d, np.float64)


def turned(corners: Floats, quarters: int) -> Floats:
    """The corners (4, 2) with another one first: the picture read after so many clockwise quarter turns."""
    return np.roll(corners, quarters, axis=0)


def lay_by_frame(pixels: Image, corners: Floats, size_mm: tuple[float, float], inner: Pieces) -> Framed | None:
    """A page laid by its rectangle's corners (4, 2) in pixels, and unbent along the sides and the cells' inner lines.

    None if the corners are no rectangle seen in perspective.
    """
    width, height = size_mm
    mm = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(mm, corners.astype(np.float32))
    if not np.isfinite(matrix).all():
        return None
    sheet = SheetMap(homography=np.asarray(matrix, np.float64))
    sides = frame_lines(size_mm)
    lengths = np.hypot(*(inner.ends - inner.starts).T) if len(inner) else np.array([width])
    shortest = float(lengths.min())
    far, near = min(_REACH_MM, _REACH_PART * shortest), min(_FINE_MM, _FINE_PART * shortest)
    for degree, reached in ((2, far), (3, near), (4, near)):
        seen = [measure(pixels, sheet, sides, reach_mm=far), measure(pixels, sheet, inner, reach_mm=reached)]
        sheet = unbend(sheet, seen, size_mm, degree=degree)
    return Framed(
        sheet=sheet,
        sides=measure(pixels, sheet, sides, reach_mm=far),
        inner=measure(pixels, sheet, inner, reach_mm=near),
    )
