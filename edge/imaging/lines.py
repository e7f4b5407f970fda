"""Lines of writing: how a page lies, which blobs on it stand side by side like digits, and each line turned level."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.imaging.glyphs import Blobs
from edge.imaging.ink import quantile
from edge.imaging.page_ink import PageInk
from edge.values import Box, Image

Floats = npt.NDArray[np.float64]

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
# The bar that a 5 has lost: so flat, in parts of the rest's height so low, and not longer; so far right of the rest at
# most, and so far above or below its top.
_BAR_FLAT = 1.5
_BAR_LOW, _BAR_LONG = 0.5, 1.1
_BAR_APART = 0.2
_BAR_OVER, _BAR_UNDER = 0.6, 0.35
# A digit in pieces is not so much higher than others.
_PIECED = 1.25
STEEPEST_RAD = math.radians(47)
# A page with more blobs than this is texture; the largest are looked at.
_MOST_BLOBS = 1200
# A page that lies within this of level is taken as it is: lines find their own slope.
_NEARLY_LEVEL_RAD = math.radians(8)
# Steeper than this, it may be rows that stand below each other.
_STEEP_RAD = math.radians(20)
_PAD_PX = 3
# Larger writing is shrunk to this height: the networks see 20 to 23 px of it.
_STRIP_DIGIT_PX = 44.0
# Writing smaller than this is worth the page's own pixels.
_SHARP_BELOW_PX = 32.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidates:
    """Blobs that may be digits, by their left edge as the page lies: rows of Blobs, and how the page lies.

    boxes (n, 4) left, top, right, bottom in page coordinates turned by -tilt_rad about the origin: u = x cos + y sin,
    v = y cos - x sin; all_centers (m, 2) are the middles of all blobs, turned likewise.
    """

    rows: npt.NDArray[np.intp]
    boxes: Floats
    all_centers: Floats
    tilt_rad: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """Blobs that make one line of writing, from left to right: their rows, and how they lie.

    slope_rad: positive falls to the right; digit_px: the height of its digits; turned (4,): left, top, right, bottom
    around it in the coordinates of the Candidates' boxes.
    """

    rows: tuple[int, ...]
    slope_rad: float
    digit_px: float
    turned: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Strip:
    """A line's soft ink turned level, (h, w) uint8; to_page is the 2×3 matrix from strip to page pixels (x, y)."""

    ink: Image
    to_page: Floats

    def box_on_page(self, box: Box, width: int, height: int) -> Box:
        """The upright box on a page (height, width) around a box in the strip."""
        corners = [(x, y) for x in (box.left, box.right) for y in (box.top, box.bottom)]
        x, y = ([a * u + b * v + c for u, v in corners] for a, b, c in self.to_page.tolist())
        left, top = max(0, math.floor(min(x) + 0.5)), max(0, math.floor(min(y) + 0.5))
        right, bottom = min(width, math.ceil(max(x) - 0.5)), min(height, math.ceil(max(y) - 0.5))
        left, top = min(left, width - 1), min(top, height - 1)
        return Box(left=left, top=top, right=max(right, left + 1), bottom=max(bottom, top + 1))


def find_candidates(page: PageInk) -> Candidates:
    """The blobs that may be digits by their size and shape, of those that are the pen's, and how the page lies."""
    blobs = page.blobs
    page_height, page_width = blobs.labels.shape
    left, top, right, bottom = blobs.boxes.T.astype(np.float64)
    width, height = right - left, bottom - top
    full = blobs.areas / (width * height)
    # However a page lies, a digit is not much smaller than the least height across and down.
    smallest = max(_SMALLEST_PX, _SMALLEST_PART * min(page_height, page_width))
    inside = (left > 0) & (top > 0) & (right < page_width) & (bottom < page_height)
    size = np.maximum(width, height)
    digit = page.pen & inside & (size >= smallest) & (height <= _LARGEST_PART * page_height)
    digit &= (full <= _FULLEST) | (np.minimum(width, height) < 0.5 * size)
    rows = np.flatnonzero(digit)
    if len(rows) > _MOST_BLOBS:
        rows = rows[np.argpartition(-blobs.areas[rows], _MOST_BLOBS)[:_MOST_BLOBS]]
    tilts = _tilts(blobs.boxes[rows].astype(np.float64))
    found = [_as_it_lies(blobs, rows, tilt, smallest) for tilt in tilts]
    # Where two are told, that in which more blobs stand side by side.
    return max(found, key=lambda one: len(one.rows) - len(set(_chain(one.boxes)))) if len(found) > 1 else found[0]


def _as_it_lies(blobs: Blobs, rows: npt.NDArray[np.intp], tilt: float, smallest: float) -> Candidates:
    """The Candidates of these rows of Blobs on a page with this tilt; a digit is at least so high."""
    boxes, centers = blobs.boxes[rows].astype(np.float64), blobs.centers
    if abs(tilt) < _NEARLY_LEVEL_RAD:
        tilt = 0.0
    else:
        boxes = _turned_boxes(blobs, rows, tilt)
        centers = centers @ np.array([[math.cos(tilt), -math.sin(tilt)], [math.sin(tilt), math.cos(tilt)]])
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    fits = (height >= smallest) & (width <= _WIDEST * height)
    rows, boxes = rows[fits], boxes[fits]
    order = np.argsort(boxes[:, 0], kind="stable")
    return Candidates(rows=rows[order], boxes=boxes[order], all_centers=centers, tilt_rad=tilt)


def _tilts(boxes: Floats) -> tuple[float, ...]:
    """How the page may lie, in radians: the direction in which most blobs, boxes (n, 4), have a neighbour like them.

    Rows below each other are found at a right angle to it, beyond the steepest tilt; but where they are dense, digits
    stand aslant below each other too, so that beside a steep direction the best of the others is given. 0.0 if
    nothing says.
    """
    if len(boxes) < 2:
        return (0.0,)
    left, top, right, bottom = boxes.T
    size = np.maximum(right - left, bottom - top)
    x, y = (left + right) / 2, (top + bottom) / 2
    dx, dy = x[None] - x[:, None], y[None] - y[:, None]
    larger, smaller = np.maximum(size[None], size[:, None]), np.minimum(size[None], size[:, None])
    near = (dx > 0) & (np.hypot(dx, dy) < 1.8 * larger) & (larger < _ALIKE * smaller)
    angles = np.arctan2(dy[near], dx[near])
    angles = angles[np.abs(angles) <= STEEPEST_RAD + 0.1]
    if not len(angles):
        return (0.0,)
    # The angle with most others about it, each counting less the further off it is.
    steps = np.radians(np.arange(-47, 48, 1.0))
    votes = np.clip(1 - np.abs(angles[None] - steps[:, None]) / math.radians(14), 0, None).sum(axis=1)
    votes *= 1 - 0.1 * np.abs(steps)  # paper mostly lies straight
    best = float(steps[int(votes.argmax())])
    if abs(best) < _STEEP_RAD:
        return (best,)
    votes[np.abs(steps - best) < _STEEP_RAD] = 0
    return (best, float(steps[int(votes.argmax())]))


def _turned_boxes(blobs: Blobs, rows: npt.NDArray[np.intp], tilt: float) -> Floats:
    """Boxes (n, 4) around the pixels of these blobs in coordinates turned by -tilt."""
    place = np.zeros(len(blobs) + 1, np.int32)
    place[rows + 1] = np.arange(1, len(rows) + 1)
    y, x = np.nonzero(blobs.labels)
    own = place[blobs.labels[y, x]]
    found = own > 0
    x, y, own = x[found], y[found], own[found] - 1
    order = np.argsort(own, kind="stable")
    starts = np.searchsorted(own[order], np.arange(len(rows)))
    u = (x * math.cos(tilt) + y * math.sin(tilt))[order]
    v = (y * math.cos(tilt) - x * math.sin(tilt))[order]
    reduced = [np.minimum.reduceat(u, starts), np.minimum.reduceat(v, starts)]
    reduced += [np.maximum.reduceat(u, starts) + 1, np.maximum.reduceat(v, starts) + 1]
    return np.stack(reduced, axis=1)


def find_lines(found: Candidates) -> tuple[Line, ...]:
    """The lines of writing that candidates make, top to bottom as the page lies, then left to right."""
    boxes = found.boxes.copy()
    bars = _lost_bars(boxes)
    for bar, owner in bars.items():
        boxes[owner, 1:3] = min(boxes[owner, 1], boxes[bar, 1]), max(boxes[owner, 2], boxes[bar, 2])
    whole = np.array([place for place in range(len(boxes)) if place not in bars], np.intp)
    groups: dict[int, list[int]] = {}
    for place, leader in enumerate(_chain(boxes[whole])):
        groups.setdefault(leader, []).append(int(whole[place]))
    lines = [(_slope(boxes[group], found.tilt_rad), group) for group in _without_pieces(list(groups.values()), boxes)]
    said = [slope for slope, group in lines if slope is not None for _ in group]
    common = quantile(np.array(said), 0.5) if said else found.tilt_rad
    heights = boxes[:, 3] - boxes[:, 1]
    made = [
        Line(
            rows=tuple(int(row) for row in found.rows[group + [bar for bar, own in bars.items() if own in group]]),
            slope_rad=common if slope is None else slope,
            digit_px=quantile(heights[group], 0.5),
            turned=np.concatenate((boxes[group, :2].min(axis=0), boxes[group, 2:].max(axis=0))),
        )
        for slope, group in lines
    ]
    return tuple(sorted(made, key=lambda line: (float(line.turned[1]), float(line.turned[0]))))


def _lost_bars(boxes: Floats) -> dict[int, int]:
    """Among boxes (n, 4) by their left edge: of each that looks like the bar a 5 has lost, whose it is."""
    left, top, right, bottom = boxes.T
    wide, high = right - left, bottom - top
    bars: dict[int, int] = {}
    for bar in np.flatnonzero(wide > _BAR_FLAT * high).tolist():
        own = (high[bar] < _BAR_LOW * high) & (wide[bar] < _BAR_LONG * high) & (wide < high)
        own &= (left[bar] > left) & (left[bar] - right < _BAR_APART * high)
        own &= (top[bar] > top - _BAR_OVER * high) & (bottom[bar] < top + _BAR_UNDER * high)
        owners = np.flatnonzero(own)
        if len(owners):
            bars[bar] = int(owners[np.abs(left[bar] - right[owners]).argmin()])
    return bars


def _without_pieces(groups: list[list[int]], boxes: Floats) -> list[list[int]]:
    """Groups of boxes (n, 4) without those of one that is a piece which a digit of a longer one has lost.

    A rule that runs through a digit takes its middle: the piece left over or under the rest makes it as high as others.
    """
    long = [group for group in groups if len(group) > 1]
    alone = np.array([group[0] for group in groups if len(group) == 1], np.intp)
    if not long or not alone.size:
        return groups
    left, top, right, bottom = boxes[np.concatenate(long)].T
    heights = boxes[:, 3] - boxes[:, 1]
    digit_px = np.concatenate([np.full(len(group), quantile(heights[group], 0.5)) for group in long])
    own_left, own_top, own_right, own_bottom = boxes[alone].T[:, :, None]
    across = np.minimum(own_right, right) - np.maximum(own_left, left)
    narrower = np.minimum(own_right - own_left, right - left)
    together = np.maximum(own_bottom, bottom) - np.minimum(own_top, top)
    piece = ((across > 0.5 * narrower) & (together < _PIECED * digit_px)).any(axis=1)
    return long + [[own] for own in alone[~piece].tolist()]


def _chain(boxes: Floats) -> list[int]:
    """For boxes (n, 4) by their left edge: the index of the first box of each one's chain of right-hand neighbours."""
    left, top, right, bottom = boxes.T.astype(np.float32)
    height, middle = bottom - top, (top + bottom) / 2
    leader = list(range(len(boxes)))
    if not leader:
        return leader
    taller = np.maximum(height[:, None], height[None])
    smaller = np.minimum(height[:, None], height[None])
    gap = left[None] - right[:, None]
    # Joined digits are wide, so what overlaps by more than half a height lies above or below, not beside.
    beside = (gap < _GAP * taller) & (gap > -0.6 * taller) & (taller < _ALIKE * smaller)
    beside &= np.abs(middle[:, None] - middle[None]) < _LEVEL * smaller
    beside &= np.tri(len(boxes), k=-1, dtype=np.bool_).T  # later ones only
    nearest = np.where(beside, gap, np.inf).argmin(axis=1)
    for i in np.flatnonzero(beside.any(axis=1)):
        leader[nearest[i]] = leader[i]
    return leader


def _slope(boxes: Floats, tilt_rad: float) -> float | None:
    """Slope in radians, on a page with this tilt, of the line through boxes' middles; None where they say nothing."""
    if len(boxes) < 2:
        return None
    left, top, right, bottom = boxes.T
    x, y = (left + right) / 2, (top + bottom) / 2
    if np.ptp(x) < 0.3 * quantile(bottom - top, 0.5):
        return None
    x = x - x.mean()
    slope = math.atan(float(x @ y) / float(x @ x)) + tilt_rad  # least squares
    return slope if abs(slope) <= STEEPEST_RAD else None


def level_strip(page: PageInk, found: Candidates, line: Line) -> Strip:
    """The Strip of a line that a page's Candidates make: its blobs' soft ink, and small marks between, turned level.

    to_page leads to pixels of the page itself. Large writing is shrunk; small writing is taken from the page itself.
    """
    box = page.blobs.box(*line.rows)
    own = page.blobs.marked([*line.rows, *_marks_between(page, found, line)], box)
    mask = cv2.dilate(own.view(np.uint8), np.ones((3, 3), np.uint8))
    finer = page.shrink if line.digit_px < _SHARP_BELOW_PX else 1
    if finer > 1:
        ink = page.sharp_ink(box)
        mask = cv2.resize(mask, ink.shape[::-1], interpolation=cv2.INTER_NEAREST)
    else:
        ink = page.ink[box.top : box.bottom, box.left : box.right]
    soft = np.where(mask, ink, 0).astype(np.uint8)
    scale = min(1.0, _STRIP_DIGIT_PX / (finer * line.digit_px))
    cos, sin = math.cos(line.slope_rad), math.sin(line.slope_rad)
    y, x = np.nonzero(own)
    u, v = finer * (x * cos + y * sin), finer * (y * cos - x * sin)
    pad = _PAD_PX / scale
    left, top = float(u.min()) - pad, float(v.min()) - pad
    width = math.ceil(scale * (float(u.max()) + finer + pad - left))
    height = math.ceil(scale * (float(v.max()) + finer + pad - top))
    # Strip (s, t) is u = left + s / scale, v = top + t / scale, and that turned back is the crop's (x, y).
    to_crop = np.array([[cos, -sin, cos * left - sin * top], [sin, cos, sin * left + cos * top]])
    to_crop[:, :2] /= scale
    level = cv2.warpAffine(soft, to_crop, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    to_page = to_crop / finer
    to_page[:, 2] += (box.left, box.top)
    to_page *= page.shrink * page.shrunk
    return Strip(ink=np.asarray(level, np.uint8), to_page=to_page)


def _marks_between(page: PageInk, found: Candidates, line: Line) -> npt.NDArray[np.intp]:
    """Rows of small blobs inside a line's box: the bar of a 5 may be a blob of its own, too small to be a digit."""
    left, top, right, bottom = line.turned
    x, y = found.all_centers.T
    size = page.blobs.boxes[:, 3] - page.blobs.boxes[:, 1]
    small = page.pen & (x > left) & (x < right) & (y > top) & (y < bottom) & (size < bottom - top)
    small[list(line.rows)] = False
    return np.flatnonzero(small)
