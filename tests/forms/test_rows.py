"""Rows of cells that stand apart on a page are read as if each were alone, however many and long they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge.forms.fields.cells import CellInk, find_cells
from edge.forms.register import lay
from edge.forms.template import Field
from tests.forms.known_forms import FORM
from tests.forms.sheets import filled, lit


def _row(name: str, columns: int, left: float, top: float, cell_mm: float = 8.0) -> Field:
    return Field(name=name, kind="digit", box_mm=(left, top, columns * cell_mm, 8.0), columns=columns)


# Two on one line, one alone of its size, and a grid between them.
FIELDS = (
    _row("long", 12, 20.0, 40.0),
    _row("left", 4, 20.0, 60.0),
    _row("right", 7, 60.0, 60.0),
    Field(name="grid", kind="digit", layout="grid", box_mm=(20.0, 80.0, 24.0, 16.0), rows=2, columns=3),
    _row("narrow", 9, 60.0, 80.0, 6.0),
    _row("one", 1, 120.0, 100.0),
)
SHEET = replace(FORM, fields=FIELDS, sha256="rows")


def _likeness(some: CellInk, other: CellInk) -> float:
    """How alike the inks of two cells are, 0 to 1."""
    assert some.glyph is not None and other.glyph is not None
    one, two = some.glyph.box, other.glyph.box
    return (
        min(one.width, two.width)
        / max(one.width, two.width)
        * min(one.height, two.height)
        / max(one.height, two.height)
    )


@pytest.mark.parametrize("seed", range(3))
def test_rows_in_one_picture_are_what_each_is_alone(seed: int) -> None:
    rng = np.random.default_rng((91, seed))
    made = lit(filled(SHEET, rng, dpi=(150, 200, 300)[seed], part=1.0), rng, darkest=0.8, noise=4, quality=80)
    sheet = lay(made.pixels, [SHEET]).sheet
    assert sheet is not None
    together = find_cells(made.pixels, sheet, FIELDS)
    assert [len(cells) for cells in together] == [field.rows * field.columns for field in FIELDS]
    pairs = [
        (some, other)
        for field, cells in zip(FIELDS, together, strict=True)
        for some, other in zip(cells, find_cells(made.pixels, sheet, [field])[0], strict=True)
    ]
    assert all(some.glyph is not None and other.glyph is not None for some, other in pairs)
    assert np.mean([_likeness(some, other) for some, other in pairs]) > 0.98
    assert min(_likeness(some, other) for some, other in pairs) > 0.8


def test_what_stands_beside_a_short_row_is_not_of_it() -> None:
    rng = np.random.default_rng(92)
    made = filled(SHEET, rng, dpi=150, part=0.0)
    for cell in SHEET.slots(1)[2].cells_mm:  # only `right` is written on
        (left, top), (right, bottom) = made.points([cell[:2], (cell[0] + cell[2], cell[1] + cell[3])]).astype(int)
        made.pixels[top + 8 : bottom - 8, (left + right) // 2 - 2 : (left + right) // 2 + 2] = 30
    sheet = lay(made.pixels, [SHEET]).sheet
    assert sheet is not None
    inked = [
        (field.name, sum(cell.glyph is not None for cell in cells))
        for field, cells in zip(FIELDS, find_cells(made.pixels, sheet, FIELDS), strict=True)
    ]
    assert dict(inked) == {"long": 0, "left": 0, "right": 7, "grid": 0, "narrow": 0, "one": 0}
