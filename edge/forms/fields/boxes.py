"""The printed boxes of a form's cells taken out of the ink: lines at known places, all sides of all cells at once."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.values import Image, Mask

# A line may be this far, of a cell's side, from where the template has it; beyond, strokes are likelier.
OFF = 0.16
# A line is found by its straight runs; it fills so much of a cell's side, which the bar of a 7 or a tall 1 do not.
_RUN, _SPAN = 0.82, 0.86
# The rows beside it in which it still shows in parts are its own: it leans or wavers.
_WAVERS = 0.25
# What is paler than this part of the line is no part of it.
_PALER = 0.4
# A side longer than this, by the other one, is looked at in parts.
_LONGEST = 1.7
# A side is looked at in so many pieces; the first and the last are corners, where other lines are.
_PIECES = 8
# Gaps in a line up to so many pixels are print that failed.
_GAP_PX = 5
# A line's blurred edges reach so many rows.
_RIM = 3
# A side of a line is darker than the line by more than twice and this, of 255, only if it is a stroke.
_CLEARLY = 40
# Ink so many times as dark as the print of a line is a stroke on it.
_DARKER = 1.3
# Ink from so many levels on is a stroke.
_STROKE = 1.6


def drop_boxes(
    ink: Image, xs: npt.NDArray[np.intp], ys: npt.NDArray[np.intp], *, level: float, owned: Mask, step: int = 1
) -> Image:
    """Soft ink (H, W) uint8 of a grid of cells without the printed lines around its cells.

    xs, ys: pixels of the cells' sides, evenly apart, at least a fifth of a cell from ink's border. owned (rows,
    columns): which cells there are; with a step of 2 a gap as high as a row lies below each but the last. What lies
    above level along a side is its line; where a stroke crosses it or is clearly darker, that stays.
    """
    wide, high = int(xs[1] - xs[0]), int(ys[1] - ys[0])
    reach = max(3, round(OFF * min(wide, high)))
    cells = np.zeros((len(ys) + 1, len(xs) + 1), np.bool_)  # with the gaps, and a margin
    cells[1:-1:step, 1:-1] = owned
    across = _Lines(ink, _parted(xs, high), ys, reach, level, (cells[1:] | cells[:-1])[:, 1:-1])
    down = _Lines(_turned(ink), _parted(ys, wide), xs, reach, level, (cells[:, 1:] | cells[:, :-1])[1:-1].T)
    if not (across.mask.any() or down.mask.any()):
        return ink
    strokes = np.asarray(cv2.threshold(ink, int(_STROKE * level), 1, cv2.THRESH_BINARY)[1], np.uint8)
    across.drop(strokes)
    turned = _turned(strokes)
    down.drop(turned)
    clean = ink.copy()
    across.clear(clean, _turned(turned))
    clean = _turned(clean)
    down.clear(clean, turned)
    return _turned(clean)


def _turned(pixels: Image) -> Image:
    """Pixels (H, W) as (W, H), rows as columns; a view of them would be slow to go through."""
    return np.asarray(cv2.transpose(pixels), np.uint8)


def _parted(sides: npt.NDArray[np.intp], other: int) -> npt.NDArray[np.intp]:
    """The ends of cells' sides, long ones cut into parts: no long line is straight."""
    parts = max(1, round((sides[1] - sides[0]) / (_LONGEST * other)))
    cuts = sides[:-1, None] + np.diff(sides)[:, None] * np.arange(parts) / parts
    return np.append(np.rint(cuts).astype(np.intp).ravel(), sides[-1])


class _Lines:
    """The level lines of a grid in bands of its ink around ys: mask (lines, rows, columns) bool."""

    def __init__(
        self, ink: Image, xs: npt.NDArray[np.intp], ys: npt.NDArray[np.intp], reach: int, level: float, there: Mask
    ) -> None:
        """Look for lines between xs; there (lines, sides) says which sides of cells there are at all."""
        side = int(xs[1] - xs[0])
        corner = max(2, side // 8)  # where lines meet at the grid's outer corners
        self._columns = np.s_[int(xs[0]) - corner : int(xs[-1]) + corner]
        xs = xs - self._columns.start
        bands: Image = np.stack([ink[y - reach : y + reach + 1, self._columns] for y in ys.tolist()])
        # Lines waver by a pixel: they are looked for in ink thickened by one.
        thick = _widened(bands).reshape(-1, bands.shape[2])
        closed = cv2.morphologyEx(thick, cv2.MORPH_CLOSE, np.ones((1, _GAP_PX), np.uint8))
        run = np.ones((1, round(_RUN * side)), np.uint8)
        starts = np.asarray(cv2.erode(closed, run), np.uint8).reshape(bands.shape)
        # Lines that are straight on paper lie in a part of their bands.
        found = np.flatnonzero(starts.max(axis=0).max(axis=1) > int(level))
        first, last = (max(0, int(found[0]) - _RIM), int(found[-1]) + 1 + _RIM) if len(found) else (0, 1)
        self._bands, starts = (np.ascontiguousarray(part[:, first:last]) for part in (bands, starts))
        runs: Image = np.asarray(cv2.dilate(starts.reshape(-1, bands.shape[2]), run), np.uint8).reshape(starts.shape)
        self._rows = [np.s_[y - reach + first : y - reach + first + runs.shape[1]] for y in ys.tolist()]
        columns = np.diff(xs)  # of each side
        columns[0] += corner
        columns[-1] += corner
        # What is much paler than the line is not of it: the blur between it and a stroke beside it.
        print_dark = _middles(runs, xs).max(axis=1)  # (lines, sides)
        least = np.maximum(level, _PALER * print_dark).astype(np.uint8)
        dark = (runs > np.repeat(least, columns, axis=1)[:, None]).view(np.uint8) * np.uint8(255)
        pieces = _pieces(dark, xs)
        share, whole = np.add.reduce(pieces, axis=0, dtype=np.int32), 255 * len(pieces)  # (lines, rows, sides)
        rows = _grown(share >= whole * _SPAN, share >= whole * _WAVERS) & ~_stands_out(print_dark, there)[:, None]
        rows = _widened(_widened(rows))  # its own blurred edges
        self.mask = np.repeat(rows, columns, axis=2) & (runs > int(level))
        print_only = np.where(rows, _middles(self._bands, xs), 0)
        darker = np.minimum(_DARKER * _widened(print_only) + 2 * level, 255).astype(np.uint8)
        self._darker = np.repeat(darker, columns, axis=2)

    def drop(self, strokes: Image) -> None:
        """Set strokes (H, W) to 0 where lines are, in place."""
        for rows, off in zip(self._rows, ~self.mask, strict=True):
            strokes[rows, self._columns] &= off.view(np.uint8)

    def clear(self, clean: Image, strokes: Image) -> None:
        """Take the lines out of clean (H, W), in place, but for the strokes that cross them or are darker.

        strokes (H, W): 1 where ink is surely a stroke, outside of all lines.
        """
        used = np.flatnonzero(self.mask.any(axis=(0, 2)))
        if not len(used):
            return
        first, last = int(used[0]), int(used[-1])
        mask, on = (part[:, first : last + 1] for part in (self.mask, self._bands > self._darker))
        # A stroke that crosses at a slant is met a pixel aside.
        columns = np.s_[self._columns.start - 1 : self._columns.stop + 1]
        near = np.stack([strokes[rows.start + first - 1 : rows.start + last + 2, columns] for rows in self._rows])
        around = (near[:, :, :-2] | near[:, :, 1:-1] | near[:, :, 2:]).view(np.bool_)
        met = on | around[:, 1:-1]
        crossed = np.empty_like(mask)
        above, below = around[:, 0], around[:, -1]
        for i in range(last + 1 - first):
            crossed[:, i] = mask[:, i] & above
            above = met[:, i] | crossed[:, i]
        for i in reversed(range(last + 1 - first)):
            meets = mask[:, i] & below
            crossed[:, i] &= meets
            below = met[:, i] | meets
        stays = ~mask | crossed | on
        for rows, kept in zip(self._rows, stays, strict=True):
            clean[rows.start + first : rows.start + last + 1, self._columns] *= kept


def _pieces(bands: Image, xs: npt.NDArray[np.intp]) -> Image:
    """The pieces of each cell's side in level bands (lines, rows, W), averaged, without the corners.

    (pieces, lines, rows, sides).
    """
    lines, rows, width = bands.shape
    sides = len(xs) - 1
    inner = bands.reshape(lines * rows, width)[:, xs[0] : xs[-1]]
    small = cv2.resize(inner, (sides * _PIECES, lines * rows), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small.reshape(lines, rows, sides, _PIECES)[..., 1:-1].transpose(3, 0, 1, 2))


def _middles(bands: Image, xs: npt.NDArray[np.intp]) -> Image:
    """The upper median of each side's six pieces in level bands (lines, rows, W): (lines, rows, sides).

    By comparisons of whole arrays (Knuth 1998, 5.3.3), in a quarter of the time that sorting takes: of four, then of
    five the least and the largest are dropped, and of the four that are left with the sixth the third is taken.
    """
    a, b, c, d, fifth, sixth = _pieces(bands, xs)
    (a, b), (c, d) = _in_order(a, b), _in_order(c, d)
    least, low = _in_order(a, c)
    high, most = _in_order(b, d)
    low, high = _in_order(low, high)
    middle, last = _in_order(np.minimum(np.maximum(least, fifth), most), sixth)
    return np.maximum(np.maximum(low, middle), np.minimum(high, last))


def _in_order(one: Image, other: Image) -> tuple[Image, Image]:
    """The smaller and the larger values of two arrays."""
    return np.minimum(one, other), np.maximum(one, other)


def _stands_out(dark: Image, there: Mask) -> Mask:
    """Which sides (lines, sides) are so much darker than most that are there of their line: a tall 1 drawn on them."""
    there = np.repeat(there, dark.shape[1] // there.shape[1], axis=1)
    count = np.count_nonzero(there, axis=1)
    ranked = np.sort(np.where(there, dark.astype(np.int32), 256), axis=1)
    common = ranked[np.arange(len(ranked)), np.maximum(count - 1, 0) // 2]
    out: Mask = (dark > 2 * common[:, None] + _CLEARLY) & (count > 2)[:, None]  # two sides say nothing of a third
    return out


def _widened(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Values (lines, rows, n), each the largest of its own and those of the rows above and below."""
    wide = rows.copy()
    np.maximum(wide[:, 1:], rows[:, :-1], out=wide[:, 1:])
    np.maximum(wide[:, :-1], rows[:, 1:], out=wide[:, :-1])
    return wide


def _grown(seeds: Mask, allowed: Mask) -> Mask:
    """(lines, rows, sides) bool: the runs of allowed along the rows that hold a seed."""
    grown = seeds & allowed
    for _ in range(seeds.shape[1]):
        wider = _widened(grown) & allowed
        if (wider == grown).all():
            break
        grown = wider
    return grown
