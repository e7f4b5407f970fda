"""The pieces of ink in a grid of cells, and which cell each is of, where strokes run over the lines between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.imaging.glyphs import Blobs, find_blobs
from edge.values import Image

# Hysteresis (Canny, 1986) in parts of a cell's level: ink goes on down to the first where it reaches the second.
_LOW, _HIGH = 0.6, 1.1
# Ink of which this part lies in a second cell is two digits that touch across the line, and is cut there.
_SHARED = 0.25


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pieces:
    """The blobs of a grid's ink (H, W); boxes and areas as theirs; cells says which blobs are each cell's own."""

    blobs: Blobs
    boxes: list[tuple[int, int, int, int]]
    areas: list[int]
    columns: int
    cells: tuple[tuple[int, ...], ...]

    def of_cell(self, row: int, column: int) -> tuple[int, ...]:
        """The rows of the blobs that are of a cell, or mostly."""
        return self.cells[row * self.columns + column]


def find_pieces(
    ink: Image, xs: npt.NDArray[np.intp], ys: npt.NDArray[np.intp], levels: npt.NDArray[np.float64]
) -> Pieces:
    """The Pieces of soft ink (H, W) in a grid with its cells' sides at xs, ys, whose strokes are above levels.

    levels (rows, columns). A piece is of the cell in which most of it lies; one that lies in two is cut between them.
    """
    rows, columns = levels.shape
    # the row and the column of each pixel; outside of the grid the nearest, for its level
    down = np.searchsorted(ys, np.arange(ink.shape[0]), side="right") - 1
    across = np.searchsorted(xs, np.arange(ink.shape[1]), side="right") - 1
    nearest = np.ix_(np.clip(down, 0, rows - 1), np.clip(across, 0, columns - 1))
    low, high = (np.minimum(part * levels, 254).astype(np.uint8)[nearest] for part in (_LOW, _HIGH))
    weak = ink > low
    blobs = find_blobs(weak)
    if not len(blobs):
        return Pieces(blobs=blobs, boxes=[], areas=[], columns=columns, cells=((),) * (rows * columns))
    outside = rows * columns
    cell = down[:, None] * columns + across
    cell[(down < 0) | (down >= rows)] = outside
    cell[:, (across < 0) | (across >= columns)] = outside
    y, x = np.nonzero(weak)
    labels, where = blobs.labels[y, x], cell[y, x]
    counts = np.bincount(labels * (outside + 1) + where, minlength=(len(blobs) + 1) * (outside + 1))
    counts = counts.reshape(-1, outside + 1)
    dark = np.zeros(len(blobs) + 1, np.bool_)
    dark[blobs.labels[ink > high]] = True
    owners = counts.argmax(axis=1)
    totals = counts.sum(axis=1)
    inner = counts[:, :outside].copy()
    inner[np.arange(len(inner)), np.minimum(owners, outside - 1)] = 0
    shared = np.flatnonzero(dark & (inner.max(axis=1) >= _SHARED * totals))
    boxes = [(int(a), int(b), int(c), int(d)) for a, b, c, d in blobs.boxes]
    areas = [int(area) for area in blobs.areas]
    own: list[list[int]] = [[] for _ in range(outside + 1)]
    for label in np.flatnonzero(dark).tolist():
        own[owners[label]].append(label - 1)
    for label in shared.tolist():
        # each cell's part becomes a blob of its own; the first keeps the label
        own[owners[label]].remove(label - 1)
        mine = labels == label
        for i, part in enumerate(np.flatnonzero(counts[label, :outside] >= 0.5 * _SHARED * totals[label]).tolist()):
            of_part = mine & (where == part)
            rows_, columns_ = y[of_part], x[of_part]
            box = (int(columns_.min()), int(rows_.min()), int(columns_.max()) + 1, int(rows_.max()) + 1)
            if i == 0:
                boxes[label - 1], areas[label - 1], row = box, len(rows_), label - 1
            else:
                row = len(boxes)
                boxes.append(box)
                areas.append(len(rows_))
            blobs.labels[rows_, columns_] = row + 1
            own[part].append(row)
    blobs = Blobs(
        labels=blobs.labels,
        boxes=np.array(boxes, np.int32),
        areas=np.array(areas, np.int32),
        centers=blobs.centers,
    )
    return Pieces(
        blobs=blobs, boxes=boxes, areas=areas, columns=columns, cells=tuple(tuple(one) for one in own[:outside])
    )
