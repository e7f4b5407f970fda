"""The pieces of ink in a grid of cells, and which cell each is of, where strokes run over the lines between them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
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
    low, high = (_spread(np.minimum(part * levels, 254).astype(np.uint8), xs, ys, ink.shape) for part in (_LOW, _HIGH))
    weak = cv2.compare(ink, low, cv2.CMP_GT).view(np.bool_)
    blobs = find_blobs(weak)
    pixels = np.flatnonzero(weak)
    labels, where = blobs.labels.ravel()[pixels], _cells_of(pixels, ink.shape[1], xs, ys)
    outside = rows * columns
    counts = np.bincount(labels * (outside + 1) + where, minlength=(len(blobs) + 1) * (outside + 1))
    counts = counts.reshape(-1, outside + 1)  # pixels of each blob in each cell
    strong = np.zeros(len(blobs) + 1, np.bool_)
    strong[labels[ink.ravel()[pixels] > high.ravel()[pixels]]] = True
    owners, totals = counts.argmax(axis=1), counts.sum(axis=1)
    beside = counts[:, :outside] * (owners[:, None] != np.arange(outside))
    shared = strong & (beside.max(axis=1) >= _SHARED * totals)
    boxes: list[tuple[int, int, int, int]] = [(a, b, c, d) for a, b, c, d in blobs.boxes.tolist()]
    areas: list[int] = blobs.areas.tolist()
    own: list[list[int]] = [[] for _ in range(outside + 1)]
    for label in np.flatnonzero(strong & ~shared).tolist():
        own[owners[label]].append(label - 1)
    for label in np.flatnonzero(shared).tolist():
        # The part in each cell becomes a blob of its own; the first keeps the label.
        mine = pixels[labels == label], where[labels == label]
        parts = np.flatnonzero(counts[label, :outside] >= 0.5 * _SHARED * totals[label]).tolist()
        for row, part in zip((label - 1, *range(len(boxes), len(boxes) + len(parts) - 1)), parts, strict=True):
            y, x = np.divmod(mine[0][mine[1] == part], ink.shape[1])
            blobs.labels[y, x] = row + 1
            box = (int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1)
            boxes[row : row + 1], areas[row : row + 1] = [box], [len(y)]
            own[part].append(row)
    blobs = Blobs(
        labels=blobs.labels,
        boxes=np.array(boxes, np.int32).reshape(-1, 4),
        areas=np.array(areas, np.int32),
        centers=blobs.centers,
    )
    return Pieces(
        blobs=blobs, boxes=boxes, areas=areas, columns=columns, cells=tuple(tuple(one) for one in own[:outside])
    )


def _spread(values: Image, xs: npt.NDArray[np.intp], ys: npt.NDArray[np.intp], shape: tuple[int, ...]) -> Image:
    """An image of a shape (H, W) of each cell's value (rows, columns), and around the grid of what is near."""
    across, down = np.diff(xs), np.diff(ys)
    for lengths, sides, whole in ((across, xs, shape[1]), (down, ys, shape[0])):
        lengths[0] += sides[0]
        lengths[-1] += whole - sides[-1]
    return np.repeat(np.repeat(values, across, axis=1), down, axis=0)


def _cells_of(
    pixels: npt.NDArray[np.intp], width: int, xs: npt.NDArray[np.intp], ys: npt.NDArray[np.intp]
) -> npt.NDArray[np.intp]:
    """The cell, counted in reading order, that pixels (n,) of a flat (H × width) image are in; their number if none."""
    y, x = np.divmod(pixels, width)
    columns = len(xs) - 1
    row = np.searchsorted(ys, np.arange(int(y.max(initial=0)) + 1), side="right") - 1
    column = np.searchsorted(xs, np.arange(width), side="right") - 1
    none = (len(ys) - 1) * columns
    first = np.where((row < 0) | (row >= len(ys) - 1), none, row * columns)
    beside = np.where((column < 0) | (column >= columns), none, column)
    cells: npt.NDArray[np.intp] = np.minimum(first[y] + beside[x], none)
    return cells
