"""The ink of a form's cells lifted off a laid page, without the printed boxes: many cells in one picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from edge.forms.fields.boxes import drop_boxes
from edge.forms.sheet.sheet_map import SheetMap
from edge.forms.template import BoxMm
from edge.imaging.frames import Inside
from edge.imaging.ink import FAINTEST, lift_ink, otsu, quantile, running_counts, to_grey
from edge.values import Image, Mask

# A cell's shorter side is looked at so large, and so much of it around the field, for strokes that run over its edge.
CELL_PX = 64
_MARGIN = 0.3
# lift_ink looks for the light on a picture so many times smaller, quickly where the division leaves nothing over.
_LIGHT_PX = 3
# What is left of dark print along a cell's sides must not hide faint writing.
_RIM = 0.12
# Of Gaussian unrest 1 pixel in 4,000 is darker than its palest quarter by so many times what that quarter spans.
_UNREST = 4.2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LiftedInk:
    """A picture of cells in soft ink (H, W), without their printed boxes; pixels xs, ys of the cells' sides in it.

    owned (rows, columns): which of the cells are some field's; the others are what happens to lie beside. step: 1
    where the rows of cells follow each other, 2 where between two of them lies a gap as high as a row. floors (rows,
    columns): the ink above which a pixel of a cell is hardly the paper's unrest.
    """

    ink: Image
    xs: npt.NDArray[np.intp]
    ys: npt.NDArray[np.intp]
    owned: Mask
    step: int
    floors: npt.NDArray[np.float64]

    def insides(self) -> list[list[Inside]]:
        """Where the cells of each row lie."""
        xs, ys = self.xs.tolist(), self.ys.tolist()
        return [
            [Inside(left=left, top=top, right=right, bottom=bottom) for left, right in pairwise(xs)]
            for top, bottom in list(pairwise(ys))[:: self.step]
        ]


def lift_grid(pixels: Image, sheet: SheetMap, box_mm: BoxMm, rows: int, columns: int) -> LiftedInk:
    """The LiftedInk of a grid of cells at box_mm on a page's pixels (H, W) or (H, W, 3), and of a margin around it."""
    left, top, width, height = box_mm
    scale = CELL_PX / min(width / columns, height / rows)
    margin = round(_MARGIN * CELL_PX)
    size = (_whole(width * scale + 2 * margin) / scale, _whole(height * scale + 2 * margin) / scale)
    grey = to_grey(sheet.cut(pixels, (left - margin / scale, top - margin / scale, *size), scale))
    xs = margin + np.rint(np.linspace(0, width * scale, columns + 1)).astype(np.intp)
    ys = margin + np.rint(np.linspace(0, height * scale, rows + 1)).astype(np.intp)
    return _lifted(grey, xs, ys, np.ones((rows, columns), np.bool_), step=1)


def lift_rows(pixels: Image, sheet: SheetMap, boxes_mm: Sequence[BoxMm], columns: Sequence[int]) -> LiftedInk:
    """The LiftedInk of rows of cells that stand apart on the page, one below the other; all cells are of one size.

    Row i has columns[i] cells at boxes_mm[i]. One picture of ten rows takes a third of the time of ten pictures.
    """
    most = max(columns)
    cell_mm = boxes_mm[0][2] / columns[0], boxes_mm[0][3]
    scale = CELL_PX / min(cell_mm)
    high, margin = round(cell_mm[1] * scale), round(_MARGIN * CELL_PX)
    wide = _whole(most * cell_mm[0] * scale + 2 * margin) / scale
    cuts = []
    for left, top, _, height in boxes_mm:
        above = top + height / 2 - high / scale
        cuts.append(sheet.cut(pixels, (left - margin / scale, above, wide, 2 * high / scale), scale))
    cuts.append(cuts[-1][: _whole(2 * high * len(cuts)) - 2 * high * len(cuts)])
    grey = to_grey(np.concatenate(cuts))
    xs = margin + np.rint(np.linspace(0, most * cell_mm[0] * scale, most + 1)).astype(np.intp)
    ys = high // 2 + high * np.arange(2 * len(boxes_mm), dtype=np.intp)
    owned = np.arange(most) < np.array(columns)[:, None]
    return _lifted(grey, xs, ys, owned, step=2)


def _whole(px: float) -> int:
    """So many pixels, or a few more: lift_ink is quicker with them."""
    return math.ceil(round(px, 6) / _LIGHT_PX) * _LIGHT_PX


def _lifted(grey: Image, xs: npt.NDArray[np.intp], ys: npt.NDArray[np.intp], owned: Mask, *, step: int) -> LiftedInk:
    ink = np.asarray(cv2.GaussianBlur(lift_ink(grey, reach_px=CELL_PX // 3), (3, 3), 0), np.uint8)
    if step > 1:  # what else is printed between the rows takes time, and is none of theirs
        margin = round(_MARGIN * CELL_PX)
        for above, below in zip([-margin, *ys[1::2].tolist()], [*ys[::2].tolist(), len(ink) + margin], strict=True):
            ink[above + margin : below - margin] = 0
    floors = _floors(ink, xs, ys[::step] if step > 1 else ys[:-1], int(np.diff(ys).min()))
    level = 0.8 * quantile(floors[owned], 0.5)
    clean = drop_boxes(ink, xs, ys, level=level, owned=owned, step=step)
    return LiftedInk(ink=clean, xs=xs, ys=ys, owned=owned, step=step, floors=floors)


def levels_of(lifted: LiftedInk) -> npt.NDArray[np.float64]:
    """(rows, columns): the soft ink that divides strokes from paper in each cell (Otsu), above the paper's unrest."""
    rim = round(_RIM * CELL_PX)
    levels = np.zeros(lifted.owned.shape)
    xs, ys = lifted.xs.tolist(), lifted.ys.tolist()
    for row, column in np.argwhere(lifted.owned).tolist():
        top, bottom = ys[row * lifted.step : row * lifted.step + 2]
        inner = lifted.ink[top + rim : bottom - rim, xs[column] + rim : xs[column + 1] - rim]
        levels[row, column] = otsu(np.ascontiguousarray(inner))
    above: npt.NDArray[np.float64] = np.maximum(levels, lifted.floors)
    return above


def _floors(ink: Image, xs: npt.NDArray[np.intp], tops: npt.NDArray[np.intp], high: int) -> npt.NDArray[np.float64]:
    """(rows, columns): the soft ink above which a pixel of a cell is hardly paper, judged by its palest quarter."""
    wide = int(np.diff(xs).min())
    rows = tops[:, None] + np.arange(0, high, 2)
    columns = xs[:-1, None] + np.arange(0, wide, 2)
    # Rows first, then columns: a third of the time of both at once.
    taken = ink.take(rows.ravel(), axis=0).take(columns.ravel(), axis=1).reshape(*rows.shape, *columns.shape)
    cells = taken.swapaxes(1, 2).reshape(len(rows), len(columns), -1)
    below = running_counts(cells.reshape(-1, cells.shape[2]))
    pale, middle = ((below > cells.shape[2] // part).argmax(axis=1) for part in (20, 4))
    floors: npt.NDArray[np.float64] = np.maximum(FAINTEST, middle + _UNREST * (middle - pale))
    return floors.reshape(len(rows), len(columns))
