"""The cells of one field on a laid page: the digit in each, apart from its printed box and its neighbours' strokes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edge.forms.fields.boxes import OFF
from edge.forms.fields.lifted import LiftedInk, lift_grid, lift_rows
from edge.forms.fields.pieces import Pieces, find_pieces
from edge.forms.sheet.sheet_map import SheetMap
from edge.forms.template import Field
from edge.imaging.cells import BLOT, HARDLY_DARKER, PALE_WRITING, PALEST_WRITING, doubts_of_place, is_blot
from edge.imaging.frames import Inside
from edge.imaging.glyphs import cut_glyph
from edge.values import Glyph, Image

# So many cells across and down are looked at in one picture.
_BLOCK = 16
# Parts of a cell's height. What is smaller all in all is a speck, and no one's value.
_SPECK, _NOTHING = 0.12, 0.24
# A stroke is thicker than what an uneven line leaves along a side.
_THIN_PX = 4
# Pieces of one digit are this near each other; a fragment has this part of the main piece's area, another sign that.
_NEAR, _FRAGMENT, _SIGN = 0.12, 0.06, 0.3
# The dot of a question mark has at least this part of the main piece's area.
_DOT = 0.025


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CellInk:
    """What a cell holds: the digit's Glyph, its box in pixels of the field's picture, None if the cell is blank.

    doubts say why the ink may not be one plain digit. dark: how much of the light its darkest tenth absorbs, 0 to 255.
    """

    glyph: Glyph | None = None
    doubts: tuple[str, ...] = ()
    dark: float = 0.0


def find_cells(pixels: Image, sheet: SheetMap, fields: Sequence[Field]) -> tuple[tuple[CellInk, ...], ...]:
    """What stands in each cell of fields of digits, in reading order, on a page's pixels (H, W) or (H, W, 3)."""
    found = [[CellInk()] * (field.rows * field.columns) for field in fields]
    for some in _together(fields):
        boxes, columns = [fields[i].box_mm for i in some], [fields[i].columns for i in some]
        lifted = lift_rows(pixels, sheet, boxes, columns)
        pieces = find_pieces(lifted)
        for row, (i, insides) in enumerate(zip(some, lifted.insides(), strict=True)):
            found[i] = [_cell(lifted, pieces, row, column, insides[column]) for column in range(columns[row])]
    for own, field in zip(found, fields, strict=True):
        if not _is_row(field):
            _find_in_grid(pixels, sheet, field, own)
    return tuple(tuple(own) for own in found)


def _find_in_grid(pixels: Image, sheet: SheetMap, field: Field, found: list[CellInk]) -> None:
    """Put into found what stands in each cell; large fields go piece by piece, or their picture would be too large."""
    left, top, width, height = field.box_mm
    across, down = width / field.columns, height / field.rows
    for first_row in range(0, field.rows, _BLOCK):
        for first in range(0, field.columns, _BLOCK):
            rows, columns = min(_BLOCK, field.rows - first_row), min(_BLOCK, field.columns - first)
            box = (left + first * across, top + first_row * down, columns * across, rows * down)
            lifted = lift_grid(pixels, sheet, box, rows, columns)
            pieces = find_pieces(lifted)
            for row, insides in enumerate(lifted.insides()):
                start = (first_row + row) * field.columns + first
                found[start : start + columns] = [
                    _cell(lifted, pieces, row, column, inside) for column, inside in enumerate(insides)
                ]


def _is_row(field: Field) -> bool:
    return field.rows == 1 and field.columns <= _BLOCK


def _together(fields: Sequence[Field]) -> list[list[int]]:
    """The fields of one row, by their place in fields, that go into one picture: their cells are of one size."""
    sizes: dict[tuple[float, float], list[int]] = {}
    for i, field in enumerate(fields):
        if _is_row(field):
            size = (round(field.box_mm[2] / field.columns, 3), round(field.box_mm[3], 3))
            sizes.setdefault(size, []).append(i)
    racks: list[list[int]] = []
    for own in sizes.values():
        own.sort(key=lambda i: -fields[i].columns)
        for i in own:
            # A short row beside a long one is mostly waste.
            wide = racks and racks[-1][0] in own and 2 * fields[i].columns > fields[racks[-1][0]].columns
            if wide and len(racks[-1]) < _BLOCK:
                racks[-1].append(i)
            else:
                racks.append([i])
    return racks


def _cell(lifted: LiftedInk, pieces: Pieces, row: int, column: int, inside: Inside) -> CellInk:
    """What stands in one cell, which lies inside so, of the pieces of ink that are its own."""
    rows, strange = _digit_of(pieces, pieces.of_cell(row, column), inside)
    if not rows:
        return CellInk()
    cut = cut_glyph(lifted.ink, pieces.blobs, rows)
    box, dark = cut.glyph.box, cut.darkest
    floor = float(lifted.floors[row, column])
    if max(box.height / inside.height, box.width / inside.width) < _NOTHING or dark < max(PALEST_WRITING, 1.5 * floor):
        return CellInk()
    doubts = list(doubts_of_place(box, inside))
    if dark < max(PALE_WRITING, 2.0 * floor):
        doubts.append(HARDLY_DARKER)
    doubts += strange
    if is_blot(cut):
        doubts.append(BLOT)
    return CellInk(glyph=cut.glyph, doubts=tuple(doubts), dark=dark)


def _digit_of(pieces: Pieces, own: tuple[int, ...], inside: Inside) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The pieces of a cell that make its digit, the main one first, () if it is blank; and doubts about the others.

    The main piece is the largest near the middle; what stands close to it is of the same digit.
    """
    boxes, areas = pieces.boxes, pieces.areas
    kept = [piece for piece in own if not _is_rest(boxes[piece], inside)]
    if not kept:
        return (), ()

    main = kept[0] if len(kept) == 1 else max(kept, key=lambda piece: areas[piece] * _centrality(boxes[piece], inside))
    doubts = ["along the edge of its cell"] if _is_along(boxes[main], inside) else []
    if len(own) == 1:
        return own, tuple(doubts)
    rows, tall, over = [main], boxes[main][3] - boxes[main][1], _runs_over(boxes[main], inside)
    for piece in own:
        near = _gap(boxes[piece], boxes[main]) <= _NEAR * inside.height
        # What runs over the cell's edge, and is not of a digit that does, is a stray stroke.
        stray = not over and _runs_over(boxes[piece], inside)
        if piece != main and near and not stray and areas[piece] >= _FRAGMENT * areas[main]:
            rows.append(piece)
    others = [piece for piece in kept if piece not in rows and areas[piece] >= _SIGN * areas[main]]
    if any(boxes[piece][3] - boxes[piece][1] >= 0.5 * tall for piece in others):
        doubts.append("more than one piece of writing")
    if any(areas[piece] >= _DOT * areas[main] and _is_dot(boxes[piece], boxes[main]) for piece in own):
        doubts.append("a dot below, as of a question mark")
    return tuple(rows), tuple(doubts)


def _centrality(box: tuple[int, int, int, int], inside: Inside) -> float:
    """How near to the middle of a cell a box (left, top, right, bottom) is, 0.5 to 1.2."""
    off_x = ((box[0] + box[2]) / 2 - inside.left) / inside.width - 0.5
    off_y = ((box[1] + box[3]) / 2 - inside.top) / inside.height - 0.5
    return 1.2 - min(0.7, math.hypot(off_x, off_y))


def _is_rest(box: tuple[int, int, int, int], inside: Inside) -> bool:
    """Whether a box (left, top, right, bottom) is that of a speck, or of what is left of a line along a cell's side."""
    short, long = sorted((box[2] - box[0], box[3] - box[1]))
    if long < _SPECK * inside.height:
        return True
    return _is_along(box, inside) and (short <= _THIN_PX or long < _NOTHING * inside.height)


def _is_along(box: tuple[int, int, int, int], inside: Inside) -> bool:
    """Whether a box (left, top, right, bottom) lies along one side of a cell and nowhere else."""
    near = OFF * min(inside.width, inside.height)
    across = box[2] <= inside.left + near or box[0] >= inside.right - near
    return across or box[3] <= inside.top + near or box[1] >= inside.bottom - near


def _is_dot(piece: tuple[int, int, int, int], main: tuple[int, int, int, int]) -> bool:
    """Whether a box (left, top, right, bottom) is that of a dot a little below the main piece's."""
    tall, wide, high = main[3] - main[1], piece[2] - piece[0], piece[3] - piece[1]
    small = max(wide, high) <= 0.28 * tall and min(wide, high) >= 0.5 * max(wide, high)
    below = -0.03 * tall <= piece[1] - main[3] <= 0.35 * tall
    return small and below and main[0] < (piece[0] + piece[2]) / 2 < main[2]


def _runs_over(box: tuple[int, int, int, int], inside: Inside) -> bool:
    """Whether a box (left, top, right, bottom) reaches out of a cell."""
    return box[0] < inside.left or box[1] < inside.top or box[2] > inside.right or box[3] > inside.bottom


def _gap(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> float:
    """The distance between two boxes (left, top, right, bottom), 0 if they overlap."""
    x = max(0, one[0] - other[2], other[0] - one[2])
    y = max(0, one[1] - other[3], other[1] - one[3])
    return float((x * x + y * y) ** 0.5)
