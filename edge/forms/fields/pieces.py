"""The pieces of ink in a grid of cells, and which cell each is of, where strokes run over the lines between them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.forms.fields.lifted import LiftedInk, levels_of
from edge.imaging.glyphs import Labelled
from edge.values import Mask

# Hysteresis (Canny, 1986) in parts of a cell's level: ink goes on down to the first where it reaches the second.
_LOW, _HIGH = 0.6, 1.1
# Ink of which this part lies in a second cell is two digits that touch across the line, and is cut there.
_SHARED = 0.25


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pieces:
    """The blobs of a grid's ink (H, W), boxes as theirs, areas in pixels; cells: which blobs are each cell's own."""

    blobs: Labelled
    boxes: list[tuple[int, int, int, int]]
    areas: list[int]
    columns: int
    cells: tuple[tuple[int, ...], ...]

    def of_cell(self, row: int, column: int) -> tuple[int, ...]:
        """The rows of the blobs that are of a cell, or mostly."""
        return self.cells[row * self.columns + column]


def find_pieces(lifted: LiftedInk) -> Pieces:
    """The Pieces of cells' ink: a piece is of the cell in which most of it lies; one in two is cut between them."""
    rows, columns = lifted.owned.shape
    weak, strong = _above(lifted, levels_of(lifted))
    labels, sides, sizes = components(weak)
    is_strong = np.zeros(len(sides) + 1, np.bool_)
    is_strong[labels[strong]] = True
    cell_at = _Cells(lifted)
    left, top, right, bottom = sides.T
    first, last = cell_at(left, top), cell_at(right - 1, bottom - 1)
    boxes: list[tuple[int, int, int, int]] = [(a, b, c, d) for a, b, c, d in sides.tolist()]
    areas: list[int] = sizes.tolist()
    own: list[list[int]] = [[] for _ in range(rows * columns)]
    for piece in np.flatnonzero(is_strong[1:]).tolist():
        if first[piece] == last[piece]:
            if first[piece] >= 0:
                own[first[piece]].append(piece)
            continue
        # Over the sides of a cell: its pixels are counted.
        a, b, c, d = boxes[piece]
        y, x = np.nonzero(labels[b:d, a:c] == piece + 1)
        where = cell_at(x + a, y + b)
        counts = np.bincount(where + 1, minlength=rows * columns + 1)
        owner, total = int(counts.argmax()) - 1, len(where)
        beside = counts[1:].copy()
        if owner >= 0:
            beside[owner] = 0
        if beside.max() < _SHARED * total:
            if owner >= 0:
                own[owner].append(piece)
            continue
        # The part in each cell becomes a blob of its own; the first keeps the label.
        parts = np.flatnonzero(counts[1:] >= 0.5 * _SHARED * total).tolist()
        for row, part in zip((piece, *range(len(boxes), len(boxes) + len(parts) - 1)), parts, strict=True):
            in_part = where == part
            down, across = y[in_part] + b, x[in_part] + a
            labels[down, across] = row + 1
            box = (int(across.min()), int(down.min()), int(across.max()) + 1, int(down.max()) + 1)
            boxes[row : row + 1], areas[row : row + 1] = [box], [len(down)]
            own[part].append(row)
    return Pieces(
        blobs=Labelled(labels=labels, boxes=np.array(boxes, np.int32).reshape(-1, 4)),
        boxes=boxes,
        areas=areas,
        columns=columns,
        cells=tuple(tuple(one) for one in own),
    )


def _above(lifted: LiftedInk, levels: npt.NDArray[np.float64]) -> tuple[Mask, Mask]:
    """Where ink is above the lower and the upper part of its cell's level; beside the cells of the nearest one's.

    As large as the ink, or two rows and columns larger: even, and no ink in the last column.
    """
    ink, step = lifted.ink, lifted.step
    high, wide = ink.shape
    even = (high + high % 2, wide + 2 - wide % 2)
    weak, strong = np.zeros(even, np.bool_), np.zeros(even, np.bool_)
    widths = np.diff([0, *lifted.xs[1:-1].tolist(), wide])
    ys = [0, *lifted.ys[step:-1:step].tolist(), high]
    for part, above in ((_LOW, weak), (_HIGH, strong)):
        across = np.repeat(np.minimum(part * levels, 254).astype(np.uint8), widths, axis=1)
        for (top, bottom), level in zip(pairwise(ys), across, strict=True):
            np.greater(ink[top:bottom], level, out=above[top:bottom, :wide])
    return weak, strong


def components(mask: Mask) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The 8-connected components of a mask (H, W): labels (H, W), 0 for paper, boxes (n, 4) and areas (n,).

    As glyphs.find_blobs; ink is little here, so that its level runs are quicker counted than all pixels. No run may
    reach the mask's last column. Its sides are even, for OpenCV works in squares of two pixels.
    """
    count, labels = cv2.connectedComponentsWithAlgorithm(mask.view(np.uint8), 8, cv2.CV_32S, cv2.CCL_GRANA)
    flat, wide = mask.ravel(), mask.shape[1]
    turns = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    if flat[0]:
        turns = np.insert(turns, 0, 0)
    of = labels.ravel()[turns[::2]]
    # One digit of 16 bits is sorted several times as quickly as one of 32.
    order = np.argsort(of.astype(np.uint16) if count <= 1 << 16 else of, kind="stable")
    first, last, of = turns[::2][order], turns[1::2][order], of[order]
    begins = np.searchsorted(of, np.arange(1, count))
    rows = first // wide
    first -= rows * wide
    last -= rows * wide
    if count == 1:
        return labels, np.zeros((0, 4), np.intp), np.zeros(0, np.intp)
    ends = np.append(begins[1:], len(of)) - 1
    sides = (np.minimum.reduceat(first, begins), rows[begins], np.maximum.reduceat(last, begins), rows[ends] + 1)
    return labels, np.stack(sides, axis=1), np.add.reduceat(last - first, begins)


class _Cells:
    """Which cell a pixel is in, counted in reading order; -1 for none."""

    def __init__(self, lifted: LiftedInk) -> None:
        rows, columns = lifted.owned.shape
        column = np.searchsorted(lifted.xs, np.arange(lifted.ink.shape[1]), side="right") - 1
        row = np.searchsorted(lifted.ys, np.arange(lifted.ink.shape[0]), side="right") - 1
        beside = (row < 0) | (row >= len(lifted.ys) - 1) | (row % lifted.step != 0)
        # One row and one column more are outside of the cells.
        self._column = np.where((column < 0) | (column >= columns), columns, column)
        self._row = np.where(beside, rows, row // lifted.step)
        self._cells = np.full((rows + 1, columns + 1), -1)
        self._cells[:-1, :-1] = np.where(lifted.owned, np.arange(rows * columns).reshape(rows, columns), -1)

    def __call__(self, x: npt.NDArray[np.integer[Any]], y: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.intp]:
        """(n,) of pixels at x, y, each (n,)."""
        found: npt.NDArray[np.intp] = self._cells[self._row[y], self._column[x]]
        return found
