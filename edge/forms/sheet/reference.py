"""A blank of a form without marks: its features, and its printed edges, which a filled-in page has too."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.errors import SourceError
from edge.forms.sheet.printed import Pieces, measure
from edge.forms.sheet.sheet_map import Floats, SheetMap
from edge.imaging.ink import smaller, to_grey
from edge.sources.files import BadPage, read_pages
from edge.values import Image

# Features are found with the longer side about so many pixels, at most so many.
_FEATURES_PX, _MOST_FEATURES = 1400, 3000
# A match is clearer than the next best by this (Lowe 2004), and within so many pixels of where the page must be.
_RATIO, _NEAR_PX = 0.8, 4.0
# So many matches agree by chance on no two pages, nor this part of all of them.
_LEAST_MATCHES, _LEAST_PART = 16, 0.12
# Printed edges are taken in short pieces, at most one in each of so many squares across and down.
_SQUARES, _PIECE_MM = 24, 2.4
# A piece's own edge is that straight and that near to where it was found.
_EXACT_MM, _REACH_MM = 0.15, 0.5
_LEAST_EDGE = 40.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Features:
    """Places (n, 2) in pixels of a picture and what it looks like around them, (n, 128)."""

    places: Floats
    looks: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blank:
    """One page of a blank form: features whose places are in mm, and pieces of its printed edges."""

    features: Features
    edges: Pieces


@lru_cache(maxsize=16)
def open_blanks(path: Path, size_mm: tuple[float, float], sha256: str) -> tuple[Blank, ...]:
    """The pages of a blank, a picture or PDF that shows all of size_mm; read once for each sha256 of a template.

    Raises SourceError if one cannot be read.
    """
    blanks = []
    for page in read_pages(path):
        if isinstance(page, BadPage):
            raise SourceError(f"{path}: the form's reference cannot be read any more: {page.message}")
        grey = to_grey(page.pixels)
        height, width = grey.shape
        scale = np.array([size_mm[0] / width, size_mm[1] / height])
        matrix = np.array([[1 / scale[0], 0, -0.5], [0, 1 / scale[1], -0.5], [0, 0, 1]])
        found = find_features(grey)
        features = Features(places=(found.places + 0.5) * scale, looks=found.looks)
        blanks.append(Blank(features=features, edges=_edges(grey, SheetMap(homography=matrix), size_mm)))
    return tuple(blanks)


def find_features(grey: Image) -> Features:
    """Features of grey pixels (H, W) that stay through turns and scales (SIFT, Lowe 2004, by OpenCV)."""
    shrink = max(1, round(max(grey.shape) / _FEATURES_PX))
    small = smaller(grey, shrink)
    points, looks = _finder().detectAndCompute(small, None)
    if looks is None:
        return Features(places=np.zeros((0, 2)), looks=np.zeros((0, 128), np.float32))
    places = np.array([point.pt for point in points], np.float64)
    return Features(places=(places + 0.5) * shrink - 0.5, looks=looks)


@lru_cache(maxsize=1)
def _finder() -> Any:
    make: Any = cv2.SIFT_create  # type: ignore[attr-defined,unused-ignore]  # OpenCV 5's stubs do not know it
    return make(nfeatures=_MOST_FEATURES)


def lay_by_features(page: Features, blank: Blank) -> tuple[SheetMap, ...]:
    """The maps on which most features of a page match the blank's: flat as of a scan, and in perspective.

    Empty where too few agree, or on a mirrored page.
    """
    if min(len(page.places), len(blank.features.places)) < _LEAST_MATCHES:
        return ()
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(blank.features.looks, page.looks, k=2)
    clear = [best for best, *others in pairs if others and best.distance < _RATIO * others[0].distance]
    if len(clear) < _LEAST_MATCHES:
        return ()
    mm = blank.features.places[[match.queryIdx for match in clear]]
    px = page.places[[match.trainIdx for match in clear]]
    cv2.setRNGSeed(1)
    flat, flat_agree = cv2.estimateAffine2D(mm, px, method=cv2.RANSAC, ransacReprojThreshold=_NEAR_PX, maxIters=3000)
    full, full_agree = cv2.findHomography(mm, px, cv2.RANSAC, _NEAR_PX, maxIters=3000)
    maps = []
    for matrix, agree in ((flat, flat_agree), (full, full_agree)):
        if matrix is None or int(agree.sum()) < max(_LEAST_MATCHES, _LEAST_PART * len(clear)):
            continue
        square = np.asarray(matrix if len(matrix) == 3 else np.vstack((matrix, (0, 0, 1))), np.float64)
        # no map mirrors, or brings the sheet's far side in front of the camera
        depth = mm @ square[2, :2] + square[2, 2]
        if np.isfinite(square).all() and depth.min() > 0.2 * depth.max() and np.linalg.det(square) > 0:
            maps.append(SheetMap(homography=square))
    return tuple(maps)


def _edges(grey: Image, sheet: SheetMap, size_mm: tuple[float, float]) -> Pieces:
    """Short pieces of a blank's printed edges, spread over it, the dark side at the right hand."""
    soft = cv2.GaussianBlur(grey, (0, 0), max(0.7, 0.08 * sheet.px_per_mm((0, 0))))
    across, down = cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    strength = cv2.magnitude(across, down)
    rim = round(_PIECE_MM * sheet.px_per_mm((0, 0)))
    pieces = []
    height, width = grey.shape
    # upright and level edges alike: those that only one direction has say nothing of the other
    for along in (np.abs(across) > 2 * np.abs(down), np.abs(down) > 2 * np.abs(across)):
        own = np.where(along, strength, 0)
        for top in np.linspace(rim, height - rim, _SQUARES + 1)[:-1].astype(int):
            for left in np.linspace(rim, width - rim, _SQUARES + 1)[:-1].astype(int):
                square = own[top : top + (height - 2 * rim) // _SQUARES, left : left + (width - 2 * rim) // _SQUARES]
                if not square.size or square.max() < _LEAST_EDGE:
                    continue
                y, x = np.unravel_index(int(square.argmax()), square.shape)
                x, y = left + int(x), top + int(y)
                pieces.append(_piece(sheet, (x, y), (float(across[y, x]), float(down[y, x]))))
    if not pieces:
        return Pieces(starts=np.zeros((0, 2)), ends=np.zeros((0, 2)), edges=True)
    found = Pieces(starts=np.array([p[0] for p in pieces]), ends=np.array([p[1] for p in pieces]), edges=True)
    seen = measure(grey, sheet, found, reach_mm=_REACH_MM)
    kept = seen.shown & (np.abs(seen.ends).max(axis=1) <= _EXACT_MM)
    shift = seen.ends[:, :, None] * seen.normals[:, None]
    return Pieces(starts=(found.starts + shift[:, 0])[kept], ends=(found.ends + shift[:, 1])[kept], edges=True)


def _piece(sheet: SheetMap, place: tuple[int, int], slope: tuple[float, float]) -> tuple[Floats, Floats]:
    """Start and end in mm of the edge through a pixel, where the picture gets lighter along slope."""
    scale = np.diag(sheet.homography)[:2]
    middle = (np.array(place) + 0.5) / scale
    # walking along, the dark side is at the right hand: the right hand of (x, y) is (-y, x), and points to the dark
    lighter = np.array(slope) * scale
    along = np.array([-lighter[1], lighter[0]]) / np.hypot(*lighter)
    return middle - along * _PIECE_MM / 2, middle + along * _PIECE_MM / 2
