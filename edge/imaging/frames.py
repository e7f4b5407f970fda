"""The printed box of one cell: its lines found as straight runs along the crop's sides, and taken out of the ink."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from edge.values import Image

# A side is looked at in so many pieces. A printed line shows in all but one of them, or, where its box has round
# corners, in all but two at each end; the foot of a 2 or the bar of a 7 does not.
_PIECES = 16
_MISSING = 1
_CORNER = 2
# Box lines lie in this outer part of a crop.
_BAND = 0.25
# How far a line may lean: its rise over the crop's width.
_LEANS = np.array((0.0, -0.03, 0.03, -0.06, 0.06, -0.09, 0.09, -0.12, 0.12), np.float32)
# Print is even: no piece is paler than this part of the middle one. Deeper in the crop than _OUTER of it, where strokes
# are likelier than lines, it has to be more even.
_EVEN, _OUTER, _VERY_EVEN = 0.45, 0.12, 0.65
# The inner edge of a line is straight to this part of the crop, for the middle half of the pieces.
_STRAIGHT = 0.03
# A line with round corners is thin, or it is a round 0.
_THIN = 0.125
# The blurred edge of a line is at most so many pixels wide.
_SKIRT = 4
# A crop longer than this is no box: its long sides are the strokes of a 1.
_LONGEST = 2.2
_THREE = np.ones((3, 1), np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """The part of a cell (H, W) that its printed lines leave, in pixels, half-open.

    lined says for left, top, right, bottom whether a line is there.
    """

    left: int
    top: int
    right: int
    bottom: int
    lined: tuple[bool, bool, bool, bool] = (False, False, False, False)

    @classmethod
    def whole(cls, ink: Image) -> Inside:
        """All of (H, W) ink."""
        return cls(left=0, top=0, right=ink.shape[1], bottom=ink.shape[0])

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.bottom - self.top


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    lean: float  # rise over the side's width
    row: int  # its innermost row in the middle of the side
    through: bool  # from end to end, corners included


def drop_frame(ink: Image, *, level: float) -> tuple[Image, Inside]:
    """Soft ink (H, W) uint8 of one cell's crop without printed lines along its sides, and what is inside of them.

    A line is where soft ink above level runs evenly and straight along a side, from end to end, or as a frame with
    round corners on all sides. It goes with all its thickness; a stroke that crosses it or is darker stays.
    """
    height, width = ink.shape
    if max(height, width) > _LONGEST * min(height, width) or min(height, width) < _PIECES:
        return ink, Inside.whole(ink)
    lines = _find_lines(ink, level)
    if not all(lines) or any(line.through for line in lines if line):
        lines = [line if line and line.through else None for line in lines]
    if not any(lines):
        return ink, Inside.whole(ink)
    clean = ink.copy()
    # views: each side in turn is the top
    top, right, bottom, left = (
        _drop_top(_turned(clean, turns), line, level) if line else 0 for turns, line in enumerate(lines)
    )
    lined = (left > 0, top > 0, right > 0, bottom > 0)
    return clean, Inside(left=left, top=top, right=width - right, bottom=height - bottom, lined=lined)


def _find_lines(ink: Image, level: float) -> list[_Line | None]:
    """The lines along the top, right, bottom and left of ink; where one crosses a side, the side ends there."""
    height, width = ink.shape
    top, right, bottom, left = (_find_top(_turned(ink, turns), level) for turns in range(4))
    first, last = _beyond(top, height), height - _beyond(bottom, height)
    if first or last < height:
        right = _better(right, _turned(ink[first:last], 1), level)
        left = _better(left, _turned(ink[first:last], 3), level)
    first, last = _beyond(left, width), width - _beyond(right, width)
    if first or last < width:
        top = _better(top, ink[:, first:last], level)
        bottom = _better(bottom, _turned(ink[:, first:last], 2), level)
    return [top, right, bottom, left]


def _better(line: _Line | None, part: Image, level: float) -> _Line | None:
    """The line if it runs through, otherwise the one along the top of this part of its side."""
    return line if line and line.through else _find_top(part, level) or line


def _beyond(line: _Line | None, length: int) -> int:
    """How much of a crop of that length lies beyond a line, 0 if it is too little to matter."""
    return line.row if line and line.through and line.row * _PIECES > _MISSING * length else 0


def _find_top(side: Image, level: float) -> _Line | None:
    """The line along the top of side (h, w), if there is one."""
    height, width = side.shape
    rows = round(_BAND * height)
    profile = cv2.resize(np.ascontiguousarray(side[: rows + 4]), (_PIECES, rows + 4), interpolation=cv2.INTER_AREA)
    if np.count_nonzero(profile.max(axis=0) > level) < _PIECES - 2 * _CORNER:
        return None
    near = cv2.dilate(profile, _THREE)
    seen = near.ravel()[_places(rows, width)]  # (leans, rows, pieces)
    leans, places = np.nonzero((seen > level).sum(axis=2) >= _PIECES - 2 * _CORNER)
    if not len(leans):
        return None
    seen = seen[leans, places]  # (candidates, pieces)
    middle = np.partition(seen, _PIECES // 2, axis=1)[:, _PIECES // 2].astype(np.float32)
    even = np.where(places < _OUTER * height, _EVEN, _VERY_EVEN) * middle
    has = (seen > level) & (seen >= even[:, None])
    through = has.sum(axis=1) >= _PIECES - _MISSING
    rounded = has[:, _CORNER:-_CORNER].all(axis=1) & ~has[:, 0] & ~has[:, -1]
    strength = np.bincount(leans, weights=np.where(through, 4.0, rounded) * middle, minlength=len(_LEANS))
    lean = int(strength.argmax())
    if not strength[lean]:
        return None
    of_lean = (leans == lean) & (through | rounded)
    run = places[of_lean]
    line = _Line(lean=float(_LEANS[lean]), row=int(run[-1]), through=bool(through[of_lean].any()))
    if not line.through and run[-1] - run[0] >= _THIN * height:
        return None
    raw = profile.ravel()[_places(rows + 4, width, rows + 4)[lean]]
    return line if _is_straight(raw, run, height) else None


@lru_cache(maxsize=32)
def _places(rows: int, width: int, deepest: int | None = None) -> npt.NDArray[np.intp]:
    """Where in a flat (rows + 4, pieces) profile the pieces of leaning rows lie: (leans, rows, pieces)."""
    last = (deepest or rows + 4) - 1
    across = (np.arange(_PIECES) + 0.5) / _PIECES - 0.5
    shift = np.rint(_LEANS[:, None] * width * across).astype(np.intp)  # (leans, pieces)
    place = np.clip(np.arange(rows)[None, :, None] + shift[:, None, :], 0, last)
    flat: npt.NDArray[np.intp] = place * _PIECES + np.arange(_PIECES)
    return flat


@lru_cache(maxsize=64)
def _leaning(height: int, width: int, rows: int, lean: float) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Row (rows, width) and column (width,) indices that take leaning rows out of (height, width) as level ones."""
    columns = np.arange(width)
    drop = np.rint(lean * (columns + 0.5 - width / 2)).astype(np.intp)
    return np.clip(np.arange(rows)[:, None] + drop, 0, height - 1), columns


def _turned(image: Image, turns: int) -> Image:
    """A view of (H, W) after so many quarter turns: numpy's rot90 in a tenth of its time."""
    if turns == 1:
        return image.T[::-1]
    if turns == 2:
        return image[::-1, ::-1]
    return image.T[:, ::-1] if turns else image


def _is_straight(raw: Image, run: npt.NDArray[np.intp], height: int) -> bool:
    """Whether the inner edge of the line in rows run of the levelled profile (rows, pieces) is straight.

    Judged by the middle half of the pieces, for strokes and other lines meet it in some.
    """
    common = np.partition(raw, _PIECES // 2, axis=1)[:, _PIECES // 2]
    peak = int(run[common[run].argmax()])
    there = raw[peak] >= 0.4 * float(common[peak])
    ends = np.sort((raw[peak:, there] < 0.4 * float(common[peak])).argmax(axis=0))
    quarter = len(ends) // 4
    spread = ends[-1 - quarter] - ends[quarter - 1]
    return bool(spread <= max(1.0, _STRAIGHT * height))


def _drop_top(side: Image, line: _Line, level: float) -> int:
    """Take the line out of side (h, w), in place; the rows that it reaches down."""
    height, width = side.shape
    place, columns = _leaning(height, width, line.row + _SKIRT + 2, line.lean)
    band = side[place, columns]  # the line lies level in it
    ranked = np.partition(band, (width // 4, width // 2), axis=1)
    skirt: Image = ranked[:, width // 4]
    common: Image = ranked[:, width // 2]
    end = line.row + 1
    while end < line.row + _SKIRT and skirt[end] > 0.5 * level:
        end += 1
    start = int((common[:end] > 0.5 * level).argmax())
    section = cv2.dilate(common[:end, None], np.ones((5, 1), np.uint8)).astype(np.float32)
    stays = band[:end] > 1.5 * section + 2 * level  # a pen darker than the print
    if start >= _SKIRT - 1:
        outside, within = band[start - 2 : start], band[end : end + 2]
        crosses = np.asarray((outside > 2 * level).any(axis=0) & (within > 2 * level).any(axis=0))
        stays |= cv2.dilate(crosses.view(np.uint8)[None], np.ones((1, 3), np.uint8)).astype(np.bool_)
    side[place[start:end], columns] = np.where(stays[start:], band[start:end], 0)
    return end
