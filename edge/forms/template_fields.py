"""The fields of a template: their names, places and rules, each mistake noted where it is."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from typing import cast

from edge.errors import UsageError
from edge.forms.checksum import load_check
from edge.forms.roster import read_roster
from edge.forms.template import ROUNDING_MM, BoxMm, Field, Kind, Layout, Marks, touches
from edge.toml.table import Mistakes, Table

# A name stands in file names and in the heads of tables: no dots, brackets or signs that a spreadsheet takes for a
# formula.
_NAME = re.compile(r"\w(?:[\w -]*\w)?")
_LONGEST_NAME = 40
# The first columns of the table that is put out.
_TAKEN_NAMES = ("source", "page", "status", "template")
_MOST_PAGES, _MOST_FIELDS, _MOST_CELLS, _MOST_ACROSS = 50, 500, 5_000, 200
# Below, a pen fits no digit; a photo of an A4 page shows it with 12 pixels.
_SMALLEST_CELL_MM = 2.0
_LARGEST_NUMBER = 10**18
_KINDS: tuple[Kind, ...] = ("digit", "number")
_LAYOUTS: tuple[Layout, ...] = ("row", "grid")


def read_name(table: Table, rule: re.Pattern[str]) -> str | None:
    """The name of a form or field, if it keeps the rule and is not too long."""
    name = table.text("name", required=True)
    if name is not None and (len(name) > _LONGEST_NAME or not rule.fullmatch(name)):
        table.wrong("name", f"must be at most {_LONGEST_NAME} letters, digits, _, - and spaces inside, not {name!r}")
        return None
    return name


def read_fields(tables: list[Table], folder: Path) -> dict[Table, Field]:
    """The field of each table that has a box; mistakes are noted."""
    if len(tables) > _MOST_FIELDS:
        tables[_MOST_FIELDS].wrong("name", f"a form has at most {_MOST_FIELDS} fields; divide it")
        return {}
    fields: dict[Table, Field] = {}
    seen: dict[str, str] = {}
    cells = 0
    for number, table in enumerate(tables, 1):
        field = _field(table, folder, number)
        table.close()
        if field is None:
            continue
        if field.name in _TAKEN_NAMES:
            table.wrong("name", f"{field.name} is a column of its own in the table that is put out; choose another")
        key = field.name.casefold()  # crops are files, and some file systems know no case
        if key in seen:
            table.wrong("name", f"there is another field {seen[key]!r}; each needs a name of its own")
        seen.setdefault(key, field.name)
        fields[table] = field
        cells += field.rows * field.columns
        if cells > _MOST_CELLS:
            table.wrong("columns", f"a form has at most {_MOST_CELLS} cells; divide it")
            break
    return fields


def _field(table: Table, folder: Path, number: int) -> Field | None:
    """The field of a table; what is wrong with it is noted, and something harmless put in its place.

    So that mistakes in its place and name show too. None where there is no box to speak of.
    """
    name = read_name(table, _NAME) or f"#{number}"
    label = table.text("label")
    kind = table.choice("kind", _KINDS)
    layout = table.choice("layout", _LAYOUTS, "row") or "row"
    page = table.whole("page", 1, 1, _MOST_PAGES) or -number  # one of its own
    counts = table.whole("rows", 1, 1, _MOST_ACROSS), table.whole("columns", 1, 1, _MOST_ACROSS)
    rows, columns = counts[0] or 1, counts[1] or 1
    box = cast(BoxMm | None, table.lengths("box_mm", ("left", "top", "width", "height")))
    across, down = table.texts("column_labels", columns), table.texts("row_labels", rows)
    required = table.flag("required")
    if kind == "number" and (layout == "grid" or rows * columns > 1):
        table.wrong("columns", "a number has one box, without rows, columns or grid; give each number its own field")
    known = kind == "digit" and None not in counts
    check, bounds, values = _rules(table, folder, (1 if layout == "grid" else rows * columns) if known else None)
    if box is None:
        return None
    if box[2] / columns < _SMALLEST_CELL_MM or box[3] / rows < _SMALLEST_CELL_MM:
        told = f"{box[2] / columns:.1f} × {box[3] / rows:.1f} mm"
        table.wrong("box_mm", f"a cell would be {told}; {_SMALLEST_CELL_MM:g} mm is the least")
    return Field(
        name=name,
        kind=kind or "digit",
        box_mm=box,
        layout=layout,
        page=page,
        rows=rows,
        columns=columns,
        required=required,
        check=check,
        range=bounds,
        values=values,
        label=label,
        column_labels=across,
        row_labels=down,
    )


def _rules(
    table: Table, folder: Path, longest: int | None
) -> tuple[str | None, tuple[int, int] | None, tuple[str, ...] | None]:
    """Check, range and allowed values of a field whose texts have at most `longest` digits; None: of any length."""
    check = table.text("check")
    if check is not None:
        try:
            load_check(check)
        except UsageError as error:
            table.wrong("check", str(error))
    bounds = cast(tuple[int, int] | None, table.wholes("range", 2, 0, _LARGEST_NUMBER))
    if bounds is not None and bounds[0] > bounds[1]:
        table.wrong("range", f"is upside down: {bounds[0]} is more than {bounds[1]}; the least number comes first")
    elif bounds is not None and longest is not None and bounds[0] >= 10**longest:
        table.wrong("range", f"{bounds[0]} has more digits than the {longest} of the box; no value could be right")
    roster = table.text("values")
    values = None
    if roster is not None:
        try:
            values = read_roster(folder / roster, longest=longest)
        except UsageError as error:
            table.wrong("values", str(error))
    return check, bounds, values


def check_places(
    fields: dict[Table, Field], size: tuple[float, float] | None, marks: Marks | None, mistakes: Mistakes
) -> None:
    """Note boxes off the sheet, on a mark, and on each other."""
    for table, field in fields.items():
        left, top, width, height = field.box_mm
        if size is not None and (
            min(left, top) < -ROUNDING_MM
            or left + width > size[0] + ROUNDING_MM
            or top + height > size[1] + ROUNDING_MM
        ):
            table.wrong("box_mm", f"{list(field.box_mm)} reaches beyond the {size[0]:g} × {size[1]:g} mm of size_mm")
        if size is not None and marks is not None and any(touches(field.box_mm, one) for one in marks.boxes_mm(size)):
            table.wrong("box_mm", "lies on one of the marks; move it inwards")
    pairs = combinations(fields.items(), 2) if not mistakes or len(fields) <= _MOST_FIELDS else ()
    for (_, one), (table, other) in pairs:
        if one.page == other.page and touches(one.box_mm, other.box_mm):
            table.wrong("box_mm", f"overlaps the box of field {one.name!r}; move one of them")
