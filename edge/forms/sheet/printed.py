"""What is printed on a form, measured against where its template has it: lines of boxes and edges of marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from edge.forms.sheet.sheet_map import Floats, SheetMap
from edge.forms.template import BoxMm, Template
from edge.imaging.ink import quantile
from edge.values import Image

Profiles = npt.NDArray[np.float32]

# A piece of print is looked at in so many places along it, each over so many samples along and as many across as fit.
_STATIONS = 8
_ALONG = 3
_SPREAD = (np.arange(_ALONG) + 0.5) / _ALONG - 0.5
# Much print is known well from fewer places on each of its pieces.
_MUCH, _STATIONS_OF_MUCH = 48, 5
# Samples across lie so many pixels apart, but not closer than so many mm.
_STEP_PX, _STEP_MM = 0.7, 0.05
# Print absorbs so much of the light of the paper beside it, and so many times the unrest of its profile; edges of
# marks are darker than paper by so much of 255.
_FAINTEST, _OVER_UNREST, _FAINTEST_EDGE = 0.032, 2.5, 24.0
# A printed line is not wider than this part of the reach; what is wider is a shadow, a stain or a table's edge.
_WIDEST_PART = 0.9
# One piece is straight: its stations lie within this of a straight line, and so many of them do.
_STRAIGHT_MM = 0.12
_SHOWN = 0.6
_ROUNDS = 3
_ENDS = np.array([0.0, 1.0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pieces:
    """Straight pieces of print in mm, from starts (n, 2) to ends (n, 2).

    edges: whether they are edges with the dark side at the right hand when one walks along, instead of dark lines.
    """

    starts: Floats
    ends: Floats
    edges: bool = False

    def __len__(self) -> int:
        return len(self.starts)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stations:
    """Where pieces of print are looked at, in mm: the same for every page of a form.

    middle: the mean of their parts of a piece; powers (s, 3): 1, t and t² for how far t each is from it. places
    (n, s, 2); around (3, n, s, 2): the places, and a millimetre to the right of them and below; along and normals
    (n, 2): ways of length 1; spread (n,): how far around a station along its piece.
    """

    middle: float
    powers: Floats
    places: Floats
    around: Floats
    along: Floats
    normals: Floats
    spread: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """Pieces of print as they lie in a picture: where each of n pieces' stations are, and how far print is off them.

    stations are one object for all pages on which the same pieces were looked at. offsets (n, s) mm along the
    normal; good (n, s) bool says which offsets are of
    the piece's print; shown (n,) bool says which pieces are there at all. ends (n, 2): how far the straight lines
    through the good stations are off at the pieces' starts and ends.
    """

    stations: Stations
    offsets: Floats
    good: npt.NDArray[np.bool_]
    shown: npt.NDArray[np.bool_]
    ends: Floats

    @property
    def places(self) -> Floats:
        """(n, s, 2) in mm."""
        return self.stations.places

    @property
    def normals(self) -> Floats:
        """(n, 2), of length 1."""
        return self.stations.normals


def residual_mm(measured: Sequence[Measured]) -> float | None:
    """RMS of what print is off, over all good stations; None if there is none."""
    off = np.concatenate([m.offsets[m.good] for m in measured])
    return float(np.sqrt(np.mean(off**2))) if off.size else None


def measure(
    pixels: Image, sheet: SheetMap, pieces: Pieces, *, reach_mm: float, stations: int | None = None
) -> Measured:
    """How far pieces of print are off their places in grey pixels (H, W), looked for within reach_mm to both sides.

    stations: in how many places a piece; None takes as many as are needed. A piece is there if most of its stations
    show print on one straight line; a pen that crosses it is passed over.
    """
    if stations is None:
        stations = _STATIONS if len(pieces) <= _MUCH else _STATIONS_OF_MUCH
    looked = _stations(pieces, stations)
    profiles, step = _profiles(pixels, sheet, looked, reach_mm)
    offsets, seen = (_edge if pieces.edges else _line)(profiles, step)
    good, ends = _straight(offsets, seen, looked)
    return Measured(
        stations=looked,
        offsets=offsets,
        good=good,
        shown=np.asarray(good.any(axis=1), np.bool_),
        ends=ends,
    )


@lru_cache(maxsize=64)
def _stations(pieces: Pieces, count: int) -> Stations:
    """So many stations on each of some pieces."""
    ways = pieces.ends - pieces.starts
    length = np.maximum(np.hypot(ways[:, 0], ways[:, 1]), 1e-6)
    along = ways / length[:, None]
    # stations keep off the ends, where other lines cross
    at = 0.06 + 0.88 * (np.arange(count) + 0.5) / count
    t = at - at.mean()
    places = pieces.starts[:, None] + ways[:, None] * at[:, None]
    return Stations(
        middle=float(at.mean()),
        powers=np.stack((np.ones_like(t), t, t * t), axis=1),
        places=places,
        around=np.stack((places, places + np.array([1.0, 0.0]), places + np.array([0.0, 1.0]))),
        along=along,
        normals=np.stack((-along[:, 1], along[:, 0]), axis=1),  # to the right hand, as y goes down
        spread=np.minimum(length / count, 1.5),
    )


def _profiles(pixels: Image, sheet: SheetMap, looked: Stations, reach_mm: float) -> tuple[Profiles, float]:
    """The picture's values across each station (n, s, k), and how many mm lie between two of them."""
    count, stations, _ = looked.places.shape
    # around a station the map is as good as straight: its place and a millimetre to the right and down are enough
    at = sheet.points(looked.around.reshape(-1, 2)).reshape(looked.around.shape)
    right, down = at[1] - at[0], at[2] - at[0]
    x, y = looked.along[:, None, :1], looked.along[:, None, 1:]
    forward, aside = x * right + y * down, x * down - y * right
    scale = max(quantile(np.hypot(aside[..., 0], aside[..., 1]), 0.5), 1e-3) if count else 1.0
    step = max(_STEP_MM, _STEP_PX / scale)
    half = int(np.ceil(reach_mm / step))
    across = step * np.arange(-half, half + 1)
    if not count:
        return np.zeros((0, stations, len(across)), np.float32), step
    # a sample is the station, so much of the way forward and so much aside
    forward *= looked.spread[:, None, None]
    ways = np.empty((count, stations, 3, 2), np.float32)
    ways[:, :, 0], ways[:, :, 1], ways[:, :, 2] = at[0], forward, aside
    grid = np.ones((3, _ALONG, len(across)), np.float32)
    grid[1], grid[2] = _SPREAD[:, None], across
    # one row a piece: OpenCV takes no picture with a side of 32,767 or more
    x_px, y_px = ((ways[..., i] @ grid.reshape(3, -1)).reshape(count, -1) for i in (0, 1))
    seen = cv2.remap(pixels, x_px, y_px, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    lines = seen.reshape(count, stations, _ALONG, len(across))
    summed = sum(lines[:, :, i].astype(np.float32) for i in range(_ALONG))
    return np.asarray(summed / _ALONG, np.float32), step


def _line(profiles: Profiles, step: float) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """The middle of the dark line in each profile (n, s, k): offset (n, s) in mm, whether there is one."""
    k = profiles.shape[2]
    ranked = np.sort(profiles, axis=2)
    # a thick line may be half of the profile
    paper = ranked[:, :, int(0.75 * (k - 1))]
    unrest = ranked[:, :, int(0.9 * (k - 1))] - ranked[:, :, int(0.65 * (k - 1))]
    soft = _smoothed(np.maximum(paper[:, :, None] - profiles, 0))
    top = soft.argmax(axis=2).astype(np.int16)
    # samples first: what is found along few of them goes quicker over all stations at once
    soft = np.ascontiguousarray(soft.transpose(2, 0, 1))
    peak = soft.max(axis=0)
    # the run around the peak that is at least half as dark; its middle by weight is the line's
    index = np.arange(k, dtype=np.int16)[:, None, None]
    broken = soft < 0.5 * peak
    left = np.where(broken & (index < top), index, np.int16(-1)).max(axis=0)
    right = np.where(broken & (index > top), index, np.int16(k)).min(axis=0)
    weight = np.where((index > left) & (index < right), soft, np.float32(0))
    middle = (weight * index).sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-6)
    offset = (middle - (k - 1) / 2) * step
    seen = (peak >= _FAINTEST * paper) & (peak >= _OVER_UNREST * unrest) & (right - left - 1 <= _WIDEST_PART * k / 2)
    seen &= (left >= 0) & (right < k)
    return offset.astype(np.float64), seen


def _edge(profiles: Profiles, step: float) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """The edge from light to dark in each profile (n, s, k): offset (n, s) in mm, whether there is one."""
    k = profiles.shape[2]
    soft = _smoothed(profiles)
    fall = np.clip(soft[:, :, :-1] - soft[:, :, 1:], 0, None)
    top = fall.argmax(axis=2)
    index = np.arange(k - 1, dtype=np.int16)
    near = np.abs(index - top[:, :, None].astype(np.int16)) <= max(2, round(0.25 / step))
    weight = np.where(near, fall, 0)
    total = weight.sum(axis=2)
    middle = weight @ index.astype(np.float32) / np.maximum(total, 1e-6)
    offset = (middle - (k - 2) / 2) * step
    return offset.astype(np.float64), total >= _FAINTEST_EDGE


def _smoothed(profiles: Profiles) -> Profiles:
    soft = 0.5 * profiles
    soft[:, :, 1:] += 0.25 * profiles[:, :, :-1]
    soft[:, :, :-1] += 0.25 * profiles[:, :, 1:]
    soft[:, :, 0] += 0.25 * profiles[:, :, 0]
    soft[:, :, -1] += 0.25 * profiles[:, :, -1]
    return np.asarray(soft, np.float32)


def _straight(offsets: Floats, seen: npt.NDArray[np.bool_], looked: Stations) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Which stations (n, s) lie on their piece's straight line, none where most do not; its offsets at the ends (n, 2).

    A straight line through each piece by least squares, weighted anew each round by Cauchy's weights (Huber 1981).
    """
    powers = looked.powers
    t = powers[:, 1]
    ranked = np.sort(np.where(seen, offsets, np.inf), axis=1)
    start = ranked[np.arange(len(ranked)), np.maximum(seen.sum(axis=1) - 1, 0) // 2]
    start[~np.isfinite(start)] = 0.0
    slope = np.zeros(len(offsets))
    value = np.where(seen, offsets, 0.0)
    for _ in range(_ROUNDS):
        off = (value - (start[:, None] + slope[:, None] * t)) / _STRAIGHT_MM
        weight = seen / (1 + off * off)
        total, sum_t, sum_tt = (weight @ powers).T
        sum_v, sum_tv = ((weight * value) @ powers[:, :2]).T
        total += 1e-9
        mean_t, mean_v = sum_t / total, sum_v / total
        slope = (sum_tv - mean_t * sum_v) / (sum_tt - mean_t * sum_t + 1e-3)
        start = mean_v - slope * mean_t
    off = value - (start[:, None] + slope[:, None] * t)
    near = seen & (np.abs(off) <= 2 * _STRAIGHT_MM)
    shown = near.sum(axis=1) >= _SHOWN * offsets.shape[1]
    ends = start[:, None] + slope[:, None] * (_ENDS - looked.middle)
    return near & shown[:, None], ends


def box_lines(boxes: Sequence[BoxMm]) -> Pieces:
    """The four sides of boxes, each once, however many boxes share it."""
    sides: dict[tuple[float, ...], tuple[float, float, float, float]] = {}
    for left, top, width, height in boxes:
        right, bottom = left + width, top + height
        for side in (
            (left, top, right, top),
            (left, bottom, right, bottom),
            (left, top, left, bottom),
            (right, top, right, bottom),
        ):
            sides.setdefault(tuple(round(value, 2) for value in side), side)
    ends = np.array(list(sides.values()), np.float64).reshape(-1, 4)
    return Pieces(starts=ends[:, :2], ends=ends[:, 2:])


@lru_cache(maxsize=64)
def field_lines(template: Template, page: int) -> Pieces:
    """The lines around all cells of one page of a form."""
    return box_lines([cell for slot in template.slots(page) for cell in slot.cells_mm])


@lru_cache(maxsize=64)
def frame_lines(size_mm: tuple[float, float], pieces: int = 6) -> Pieces:
    """The four sides of a frame, each cut into pieces."""
    width, height = size_mm
    cuts = np.linspace(0, 1, pieces + 1)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    along = np.roll(corners, -1, axis=0) - corners
    starts = (corners[:, None] + along[:, None] * cuts[:-1, None]).reshape(-1, 2)
    ends = (corners[:, None] + along[:, None] * cuts[1:, None]).reshape(-1, 2)
    return Pieces(starts=starts, ends=ends)
