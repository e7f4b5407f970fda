"""Which of the blobs in a cell make its digit: the main one, and what stands close to it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edge.imaging.frames import Inside
from edge.imaging.glyphs import Blobs

# A part of the cell's height; what is lower is a speck.
_SPECK = 0.12


def find_members(
    blobs: Blobs, strong: npt.NDArray[np.bool_], inside: Inside, height: int, width: int
) -> tuple[tuple[int, ...], bool]:
    """The digit's components: the largest near the middle and what stands close to it; and whether there are others.

    Of the strong (n,) ones; none if all are specks or belong to the neighbours. Plain arithmetic: they are few.
    """
    boxes, areas = blobs.boxes.tolist(), blobs.areas.tolist()
    within: list[int] = []
    kept: list[int] = []
    most, main = 0.0, -1
    for row in np.flatnonzero(strong).tolist():
        left, top, right, bottom = boxes[row]
        x, y, tall = (left + right) / 2, (top + bottom) / 2, bottom - top
        if not (inside.left < x < inside.right and inside.top < y < inside.bottom):
            continue
        within.append(row)
        off_x, off_y = abs(x / width - 0.5), abs(y / height - 0.5)
        # A digit that runs into the border stays if it is tall and central; a neighbour's piece is neither.
        central = off_x < 0.3 and off_y < 0.3 and tall >= 0.4 * height
        if tall < _SPECK * height or not (central or not _touches(boxes[row], height, width)):
            continue
        kept.append(row)
        weight = areas[row] * (1.2 - math.hypot(off_x, off_y))
        if weight > most:
            most, main = weight, row
    if main < 0:
        return (), False
    cut_off = _touches(boxes[main], height, width)
    rows, others = [main], False
    for row in within:
        if row == main:
            continue
        touches = _touches(boxes[row], height, width)
        # In a tight crop all parts of the digit run into the border.
        near = _gap(boxes[row], boxes[main]) <= 0.12 * height and areas[row] >= 0.06 * areas[main]
        if near and (cut_off or not touches):
            rows.append(row)
            continue
        tall, of_main = (boxes[i][3] - boxes[i][1] for i in (row, main))
        others |= row in kept and tall >= 0.5 * of_main and areas[row] >= 0.3 * areas[main]
        # What runs out of the picture beside others that do is a part of something larger.
        others |= cut_off and touches and areas[row] >= 0.15 * areas[main]
    return tuple(sorted(rows)), others


def _touches(box: Sequence[int], height: int, width: int) -> bool:
    """Whether a box, left, top, right, bottom, runs into the border of (height, width)."""
    return box[0] == 0 or box[1] == 0 or box[2] == width or box[3] == height


def _gap(one: Sequence[int], other: Sequence[int]) -> float:
    """How far two boxes, left, top, right, bottom, are apart, in pixels."""
    across = max(0, one[0] - other[2], other[0] - one[2])
    return math.hypot(across, max(0, one[1] - other[3], other[1] - one[3]))
