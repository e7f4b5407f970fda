"""ArUco marks of a form found on a page, and the page laid by them: ids say which corner is which."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from edge.forms.sheet.printed import Pieces, measure
from edge.forms.sheet.sheet_map import Floats, SheetMap
from edge.forms.template import Marks
from edge.values import Image

# Marks are looked for with the page's longer side between so many pixels and twice as many.
_SEARCH_PX = 800
# The window of the adaptive threshold in the first, quick look; the second look takes OpenCV's own three.
_QUICK_WINDOW_PX = 23
# Corners of the page so large are looked at: first those that hold the marks of a sheet that lies straight.
_CORNER_PARTS = (0.12, 0.2)
# Marks whose outline is shorter than this part of the longer side of what is looked at are none; so OpenCV has it.
_LEAST_OUTLINE = 0.03
# How far a mark's printed edges are looked for around where its corners were found.
_EDGE_REACH_MM = 0.8
_FINE_REACH_MM = 0.4
# Edges this near to where they were looked for are measured as well as they can be.
_EXACT_MM = 0.25
# A scanner keeps straight what is straight: where marks fit a flat map this well there is no perspective.
_FLAT_MM = 0.1
# A mark that was not found is looked for again this many times its size around its place, so many pixels large.
_AROUND, _AGAIN_PX = 1.0, 48.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoundMarks:
    """Marks of one dictionary on a page: their ids, and corners (n, 4, 2) in pixels, clockwise from its top left."""

    ids: tuple[int, ...]
    corners: Floats


def find_marks(pixels: Image, dictionary: str, wanted: frozenset[int]) -> FoundMarks:
    """Marks of an ArUco dictionary on grey pixels (H, W); looks closer if not all of the wanted ids are there.

    Of marks with the same id the largest counts. Source: Garrido-Jurado et al. 2014, by OpenCV.
    """
    halvings = max(0, int(math.log2(max(pixels.shape) / _SEARCH_PX)))
    shrink = 2**halvings
    for part in _CORNER_PARTS:
        found = _in_corners(pixels, dictionary, halvings, part)
        if wanted.issubset(found):
            break
    else:
        small = _halved(pixels, halvings)
        found |= _detect(small, dictionary, shrink, quick=True)
        if len(wanted.intersection(found)) < 3:
            found = _detect(small, dictionary, shrink, quick=False) | found
    if len(wanted.intersection(found)) < 3 and halvings:
        found = _detect(_halved(pixels, halvings - 1), dictionary, shrink // 2, quick=False) | found
    ids = tuple(sorted(found))
    return FoundMarks(ids=ids, corners=np.array([found[i] for i in ids], np.float64).reshape(-1, 4, 2))


def _in_corners(pixels: Image, dictionary: str, halvings: int, part: float) -> dict[int, Floats]:
    """What is found in the corners alone, each a part of the page wide and high: a small part of the time."""
    found: dict[int, Floats] = {}
    shrink = 2**halvings
    height, width = (side // shrink for side in pixels.shape)
    down, across = round(part * height), round(part * width)
    least = _LEAST_OUTLINE * _CORNER_PARTS[-1] / part  # marks of the same size, however large the corner
    for top in (0, shrink * (height - down)):
        for left in (0, shrink * (width - across)):
            corner = pixels[top : top + shrink * down, left : left + shrink * across]
            if not corner.size:
                continue
            for mark, corners in _detect(
                _halved(corner, halvings), dictionary, shrink, quick=True, least=least
            ).items():
                found[mark] = corners + np.array([left, top])
    return found


def _halved(pixels: Image, times: int) -> Image:
    """Pixels shrunk to a half so many times; what is over at the right and below is not looked at."""
    for _ in range(times):
        size = (max(1, pixels.shape[1] // 2), max(1, pixels.shape[0] // 2))
        pixels = np.asarray(
            cv2.resize(pixels[: 2 * size[1], : 2 * size[0]], size, interpolation=cv2.INTER_AREA), np.uint8
        )
    return pixels


def _detect(
    pixels: Image, dictionary: str, shrink: int, *, quick: bool, least: float = _LEAST_OUTLINE
) -> dict[int, Floats]:
    """Corners (4, 2) of each mark's id, in pixels of the page that was shrunk."""
    corners, ids, _ = _detector(dictionary, quick, least).detectMarkers(pixels)
    found: dict[int, Floats] = {}
    if ids is None:
        return found
    for i, quad in sorted(zip(ids.ravel().tolist(), corners, strict=True), key=lambda m: cv2.contourArea(m[1][0])):
        found[i] = (quad[0].astype(np.float64) + 0.5) * shrink - 0.5  # the largest comes last and stays
    return found


@lru_cache(maxsize=16)
def _detector(dictionary: str, quick: bool, least: float) -> Any:
    settings = cv2.aruco.DetectorParameters()
    settings.minMarkerPerimeterRate = least
    if quick:
        settings.adaptiveThreshWinSizeMin = settings.adaptiveThreshWinSizeMax = _QUICK_WINDOW_PX
    return cv2.aruco.ArucoDetector(_dictionary(dictionary), settings)


@lru_cache(maxsize=16)
def _dictionary(name: str) -> Any:
    return cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, name))


def mark_places(marks: Marks, size_mm: tuple[float, float]) -> Floats:
    """Corners (4 marks, 4, 2) in mm of the marks on a sheet, all clockwise from the top left."""
    far_x, far_y = (side - marks.inset_mm - marks.size_mm for side in size_mm)
    near = marks.inset_mm
    origins = np.array([[near, near], [far_x, near], [far_x, far_y], [near, far_y]])
    square = marks.size_mm * np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    return np.asarray(origins[:, None] + square, np.float64)


@lru_cache(maxsize=64)
def mark_edges(marks: Marks, size_mm: tuple[float, float], rows: tuple[int, ...]) -> Pieces:
    """Printed edges of some of a sheet's marks: the four outer sides of each, and those between their bits."""
    places = mark_places(marks, size_mm)[list(rows)]
    outer = [np.concatenate((p, np.roll(p, -1, axis=0)), axis=1) for p in places]
    inner = [_bit_edges(marks, marks.ids[row]) + np.tile(places[i, 0], 2) for i, row in enumerate(rows)]
    ends = np.concatenate([*outer, *inner]).reshape(-1, 4)
    return Pieces(starts=ends[:, :2], ends=ends[:, 2:], edges=True)


def _bit_edges(marks: Marks, mark: int) -> Floats:
    """Edges (n, 4) in mm from a mark's top left between its light and dark bits, the dark ones at the right hand."""
    dictionary = _dictionary(marks.dictionary)
    bits = dictionary.markerSize + 2  # with the dark border
    light = cv2.aruco.generateImageMarker(dictionary, mark, bits, borderBits=1) > 127
    side = marks.size_mm / bits
    edges = []
    for row in range(1, bits):
        for column in range(bits):
            above, below = light[row - 1, column], light[row, column]
            if above != below:
                ends = (column, row, column + 1, row) if above else (column + 1, row, column, row)
                edges.append(ends)
            before, after = light[column, row - 1], light[column, row]
            if before != after:
                # walking up, the right hand points to larger x
                ends = (row, column + 1, row, column) if before else (row, column, row, column + 1)
                edges.append(ends)
    return np.asarray(np.array(edges, np.float64).reshape(-1, 4) * side, np.float64)


def lay_by_marks(
    pixels: Image, marks: Marks, size_mm: tuple[float, float], found: FoundMarks
) -> tuple[SheetMap, tuple[int, ...]] | None:
    """The map that found marks give, made exact along their printed edges, and which of the four corners they are.

    Where a mark or two are not found, they are looked for again at their place. None if fewer than two are there, or
    if they do not lie like a sheet.
    """
    places = mark_places(marks, size_mm)
    known = {row: found.corners[found.ids.index(mark)] for row, mark in enumerate(marks.ids) if mark in found.ids}
    if len(known) < 2:
        return None
    sheet = _fitted(places[list(known)], np.array(list(known.values())))
    if sheet is not None and len(known) < 4:
        for row in set(range(4)).difference(known):
            corners = _again(pixels, sheet, marks, row, places[row])
            if corners is not None:
                known[row] = corners
        known = dict(sorted(known.items()))
        sheet = _fitted(places[list(known)], np.array(list(known.values())))
    rows = tuple(known)
    own, outer = places[list(rows)], _outer(marks, size_mm, rows)
    for reach in (_EDGE_REACH_MM, _FINE_REACH_MM):
        if sheet is None:
            return None
        corners, off_mm = _exact(pixels, sheet, own, outer, reach)
        sheet = _fitted(own, corners)
        if off_mm <= _EXACT_MM:
            break
    return None if sheet is None else (sheet, rows)


def _again(pixels: Image, sheet: SheetMap, marks: Marks, row: int, place: Floats) -> Floats | None:
    """Corners (4, 2) in pixels of a mark around its place (4, 2) in mm; None if it is not there."""
    (left, top), side = place[0] - _AROUND * marks.size_mm, (1 + 2 * _AROUND) * marks.size_mm
    scale = _AGAIN_PX / marks.size_mm
    patch = sheet.cut(pixels, (float(left), float(top), side, side), scale)
    seen = _detect(patch, marks.dictionary, 1, quick=False).get(marks.ids[row])
    return None if seen is None else sheet.points((seen + 0.5) / scale + (left, top))


def _exact(pixels: Image, sheet: SheetMap, places: Floats, outer: Pieces, reach_mm: float) -> tuple[Floats, float]:
    """Corners (n, 4, 2) in pixels of marks at places (n, 4, 2) in mm: where straight lines along outer sides cross.

    Also how many mm the farthest is off its place.
    """
    seen = measure(pixels, sheet, outer, reach_mm=reach_mm)
    off = np.where(seen.shown[:, None], seen.ends, 0.0).reshape(-1, 4, 2)
    normals = seen.normals.reshape(-1, 4, 2)
    # a corner is where the side before it ends and its own side begins
    moved = places + off[:, :, :1] * normals + np.roll(off[:, :, 1:] * normals, 1, axis=1)
    return sheet.points(moved).reshape(-1, 4, 2), float(np.abs(off).max(initial=0.0))


@lru_cache(maxsize=64)
def _outer(marks: Marks, size_mm: tuple[float, float], rows: tuple[int, ...]) -> Pieces:
    """The outer sides of some of a sheet's marks, four for each."""
    places = mark_places(marks, size_mm)[list(rows)]
    return Pieces(starts=places.reshape(-1, 2), ends=np.roll(places, -1, axis=1).reshape(-1, 2), edges=True)


def _fitted(places: Floats, corners: Floats) -> SheetMap | None:
    """The map from places (n, 4, 2) in mm to corners in pixels: flat if that is good enough, else in perspective."""
    mm, px = places.reshape(-1, 2), corners.reshape(-1, 2)
    # Least squares by its normal equations, a third of the time of numpy's own: corners of a mark never lie in a line.
    middle_mm, middle_px = mm.sum(axis=0) / len(mm), px.sum(axis=0) / len(px)
    off_mm, off_px = mm - middle_mm, px - middle_px
    linear = np.linalg.solve(off_mm.T @ off_mm, off_mm.T @ off_px)
    (a, b), (c, d) = linear.tolist()
    area = a * d - b * c
    if not area > 0:  # a mirrored page
        return None
    rest = off_mm @ linear - off_px
    if float((rest * rest).sum()) <= len(mm) * area * _FLAT_MM**2:
        x, y = (middle_px - middle_mm @ linear).tolist()
        return SheetMap(homography=np.array([[a, c, x], [b, d, y], [0.0, 0.0, 1.0]]))
    matrix, _ = cv2.findHomography(mm, px, 0)
    if matrix is None or not np.isfinite(matrix).all():
        return None
    return SheetMap(homography=np.asarray(matrix, np.float64))
