"""The printed box of one cell: its lines found as straight runs along the crop's sides, and taken out of the ink."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from edge.values import Box, Image

# A side is looked at in so many pieces. A printed line shows in all but one of them, or, where its box has round
# corners, in all but two at each end; the foot of a 2 or the bar of a 7 does not.
_PIECES = 16
_MISSING = 1
_CORNER = 2
# Box lines lie in this outer part of a crop.
_BAND = 0.25
# How far a line may lean: its rise over the crop's width.
_LEANS = (0.0, -0.03, 0.03, -0.06, 0.06, -0.09, 0.09, -0.12, 0.12)
# Print is even: no piece is paler than this part of the middle one. Deeper in the crop than _OUTER of it, where strokes
# are likelier than lines, it has to be more even.
_EVEN, _OUTER, _VERY_EVEN = 0.45, 0.12, 0.65
# The inner edge of a line is straight to this part of the crop, for the middle half of the pieces.
_STRAIGHT = 0.03
# A line with round corners is thin, or it is a round 0.
_THIN = 0.125
# Ink below this part of a line's own is beyond its edge.
_EDGE = 0.4
# The blurred edge of a line is at most so many pixels wide.
_SKIRT = 4
# Sides are looked at so much deeper than lines may lie.
_DEEPER = 4
# A crop longer than this is no box: its long sides are the strokes of a 1.
_LONGEST = 2.2
_THREE, _ACROSS = np.ones((3, 1), np.uint8), np.ones((1, 3), np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside(Box):
    """The part of a cell (H, W) that its printed lines leave.

    lined says for left, top, right, bottom whether a line is there.
    """

    lined: tuple[bool, bool, bool, bool] = (False, False, False, False)

    @classmethod
    def whole(cls, ink: Image) -> Inside:
        """All of (H, W) ink."""
        return cls(left=0, top=0, right=ink.shape[1], bottom=ink.shape[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    lean: float  # rise over the side's width
    row: int  # its innermost row in the middle of the side
    through: bool  # from end to end, corners included
    common: list[int]  # of each row that lies as the line does, from the side inwards: the median ink
    least: list[int]  # likewise the lower quartile


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
    if height == width:
        top, bottom, right, left = _search((*_flat_sides(ink), *_upright_sides(ink)), height, width, level)
    else:
        top, bottom = _search(_flat_sides(ink), height, width, level)
        right, left = _search(_upright_sides(ink), width, height, level)
    first, last = _beyond(top, height), height - _beyond(bottom, height)
    if (first or last < height) and not (_is_through(right) and _is_through(left)):
        found = _search(_upright_sides(ink[first:last]), width, last - first, level)
        right, left = (
            line if _is_through(line) else new or line for line, new in zip((right, left), found, strict=True)
        )
    first, last = _beyond(left, width), width - _beyond(right, width)
    if (first or last < width) and not (_is_through(top) and _is_through(bottom)):
        found = _search(_flat_sides(ink[:, first:last]), height, last - first, level)
        top, bottom = (
            line if _is_through(line) else new or line for line, new in zip((top, bottom), found, strict=True)
        )
    return [top, right, bottom, left]


def _is_through(line: _Line | None) -> bool:
    return line is not None and line.through


def _beyond(line: _Line | None, length: int) -> int:
    """How much of a crop of that length lies beyond a line, 0 if it is too little to matter."""
    return line.row if line and line.through and line.row * _PIECES > _MISSING * length else 0


def _flat_sides(ink: Image) -> tuple[Image, Image]:
    """The top and the bottom of (h, w) ink in pieces: (rows, pieces) from the side inwards, the bottom turned by half.

    Averaged by piece, which is what makes the search cheap.
    """
    height = ink.shape[0]
    depth = round(_BAND * height) + _DEEPER
    pieces = cv2.resize(ink, (_PIECES, height), interpolation=cv2.INTER_AREA)
    return pieces[:depth], pieces[::-1, ::-1][:depth]


def _upright_sides(ink: Image) -> tuple[Image, Image]:
    """The right and the left of (h, w) ink in pieces, as _flat_sides, each turned to be the top."""
    width = ink.shape[1]
    depth = round(_BAND * width) + _DEEPER
    pieces = cv2.resize(ink, (width, _PIECES), interpolation=cv2.INTER_AREA).T
    return pieces[::-1][:depth], pieces[:depth, ::-1]


def _search(sides: Sequence[Image], height: int, width: int, level: float) -> list[_Line | None]:
    """The line along the top of each of some sides (rows, pieces) of ink (height, width), turned so that it is the top.

    One search for all: of a cell, which is small, arrays cost little and calls on them much.
    """
    nothing: list[_Line | None] = [None] * len(sides)
    depth = len(sides[0])
    raw = np.concatenate(sides, axis=1)  # (rows, sides × pieces)
    near = cv2.dilate(raw, _THREE)
    above = near > int(level)  # whole numbers are compared as they are, others as float64
    alive = np.count_nonzero(above.any(axis=0).reshape(len(sides), _PIECES), axis=1)
    if alive.max() < _PIECES - 2 * _CORNER:
        return nothing
    way = _ways(len(sides), depth, height, width)
    counts = np.add.reduce(above.ravel().view(np.uint8).take(way.places), axis=0, dtype=np.uint8)
    found = np.flatnonzero(counts >= _PIECES - 2 * _CORNER)
    if not len(found):
        return nothing
    seen = near.ravel().take(way.places[:, found])  # (pieces, candidates)
    middle = np.partition(seen, _PIECES // 2, axis=0)[_PIECES // 2].astype(np.float32)
    has = (seen > int(level)) & (seen >= way.even[found] * middle)
    through = np.add.reduce(has.view(np.uint8), axis=0, dtype=np.uint8) >= _PIECES - _MISSING
    rounded = has[_CORNER:-_CORNER].all(axis=0) & ~has[0] & ~has[-1]
    group = found // (depth - _DEEPER)  # side × leans + lean
    strength = np.bincount(group, np.where(through, 4.0, rounded) * middle, minlength=len(sides) * len(_LEANS))
    strength = strength.reshape(len(sides), len(_LEANS))
    leans = strength.argmax(axis=1)
    level_raw = raw.ravel()[way.rows[np.arange(len(sides)), leans]]  # (sides, rows, pieces)
    ranked = np.partition(level_raw, (_PIECES // 4, _PIECES // 2), axis=2)
    lines = nothing
    for side, lean in enumerate(leans.tolist()):
        if not strength[side, lean]:
            continue
        of_lean = (group == side * len(_LEANS) + lean) & (through | rounded)
        run = (found[of_lean] % (depth - _DEEPER)).tolist()
        line = _Line(
            lean=_LEANS[lean],
            row=run[-1],
            through=bool(through[of_lean].any()),
            common=ranked[side, :, _PIECES // 2].tolist(),
            least=ranked[side, :, _PIECES // 4].tolist(),
        )
        thin = run[-1] - run[0] < _THIN * height
        if (line.through or thin) and _is_straight(level_raw[side], line.common, run, height):
            lines[side] = line
    return lines


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ways:
    """Where in flat (rows, sides × pieces) sides lie the pieces of leaning rows, and how even a line has to be there.

    places: (pieces, sides × leans × rows that a line may lie in); even: (as many as the latter,). rows: (sides, leans,
    rows, pieces), all of the rows.
    """

    places: npt.NDArray[np.intp]
    even: npt.NDArray[np.float32]
    rows: npt.NDArray[np.intp]


@lru_cache(maxsize=64)
def _ways(sides: int, depth: int, height: int, width: int) -> _Ways:
    across = (np.arange(_PIECES) + 0.5) / _PIECES - 0.5
    shift = np.rint(np.array(_LEANS)[:, None] * width * across).astype(np.intp)  # (leans, pieces)
    row = np.clip(np.arange(depth)[:, None] + shift[:, None, :], 0, depth - 1)  # (leans, rows, pieces)
    rows = row * sides * _PIECES + np.arange(_PIECES) + _PIECES * np.arange(sides)[:, None, None, None]
    places = rows[:, :, : depth - _DEEPER].reshape(-1, _PIECES).T
    outer = np.arange(depth - _DEEPER) < _OUTER * height
    even = np.tile(np.where(outer, _EVEN, _VERY_EVEN).astype(np.float32), sides * len(_LEANS))
    return _Ways(places=np.ascontiguousarray(places), even=even, rows=rows)


def _is_straight(raw: Image, common: Sequence[int], run: Sequence[int], height: int) -> bool:
    """Whether the inner edge of the line in rows run of the levelled side (rows, pieces) is straight.

    Judged by the middle half of the pieces, for strokes and other lines meet it in some.
    """
    peak = max(run, key=common.__getitem__)
    edge = _EDGE * common[peak]
    beyond = raw[peak:] < edge
    ends = sorted(beyond.argmax(axis=0)[~beyond[0]].tolist())
    quarter = len(ends) // 4
    return bool(ends[-1 - quarter] - ends[quarter - 1] <= max(1.0, _STRAIGHT * height))


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


def _drop_top(side: Image, line: _Line, level: float) -> int:
    """Take the line out of side (h, w), in place; the rows that it reaches down."""
    end = line.row + 1
    while end < line.row + _SKIRT and line.least[end] > 0.5 * level:
        end += 1
    start = next((row for row in range(end) if line.common[row] > 0.5 * level), 0)
    section = [max(line.common[max(0, row - 2) : min(row + 3, end)]) for row in range(start, end)]
    before = 2 if start >= _SKIRT - 1 else 0
    if line.lean:
        rows, columns = _leaning(*side.shape, end + 2, line.lean)
        band = side[rows[start - before :], columns]  # the line lies level in it
    else:
        band = side[start - before : end + 2]
    own = band[before : before + end - start]
    stays = own > np.array(section, np.float32)[:, None] * 1.5 + 2 * level  # a pen darker than the print
    if before:
        pen = band > int(2 * level)
        crosses = np.logical_and(pen[:2].any(axis=0, keepdims=True), pen[-2:].any(axis=0, keepdims=True))
        stays |= cv2.dilate(crosses.view(np.uint8), _ACROSS).view(np.bool_)
    left = np.where(stays, own, 0)
    if line.lean:
        side[rows[start:end], columns] = left
    else:
        side[start:end] = left
    return end
