"""The template of a first form: ready to print, and a comment on everything that can be changed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, TypeAlias

from edge.errors import UsageError
from edge.sinks.whole import write_whole

Paper: TypeAlias = Literal["a4", "letter"]

PAPERS_MM: dict[Paper, tuple[float, float]] = {"a4": (210.0, 297.0), "letter": (215.9, 279.4)}
# Below, people write over the lines; above, twelve cells in a row do not fit the sheet.
CELL_MM = (5.0, 12.5)
_LEFT_MM, _TOP_MM = 20.0, 52.0  # under the title, right of the marks


def write_first_template(output: Path, *, paper: Paper, cell_mm: float) -> None:
    """Write the template of a form with each kind of field, cells of cell_mm; the file's name is the form's.

    Raises UsageError if the file exists or the cells do not fit, SinkError if it cannot be written.
    """
    least, most = CELL_MM
    if not least <= cell_mm <= most:
        raise UsageError(f"--cell-mm {cell_mm:g}: boxes of {least:g} to {most:g} mm fit this form and a hand; try 8")
    if output.exists():
        raise UsageError(f"{output}: is there already, and is not written over; choose another name")
    write_whole(output, _compose(_form_name(output), paper, cell_mm).encode())


def _form_name(output: Path) -> str:
    """A name that a template may have, from the file's."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", output.stem)[:40].strip("-") or "form"


def _compose(name: str, paper: Paper, cell: float) -> str:
    width, height = PAPERS_MM[paper]
    second = _TOP_MM + cell + 16
    third = second + cell + 4 + 20
    check, blank = f"edge forms check {name}.toml", f"edge forms blank {name}.toml -o {name}.pdf"
    named, size, row = f'name = "{name}"', f"size_mm = [{width}, {height}]", (_LEFT_MM, _TOP_MM, 10 * cell, cell)
    meter = f"box_mm = [{', '.join(f'{side:g}' for side in row)}]"
    return f"""\
# A form for edge forms, in millimetres from the top left corner of the sheet.
#   {check:<{len(blank)}}   says what is wrong with it, line by line
#   {blank}   makes the PDF to print
#   edge forms read SCANS --template {name}.toml --job JOB --format csv --output table.csv

{named:<35} # stands in the page code: letters, digits, - and _
title = "Weekly readings"           # stands at the top of the sheet
note = "One sheet a week. A slip of the pen? Please take a new sheet."

[page]
version = 1                         # count up when boxes move: sheets printed before are then told apart
registration = "marks"              # the sheet is found by its four corner marks
{size:<35} # {"A4" if paper == "a4" else "Letter"}, upright
orientation = "upright"             # the marks tell how the sheet is turned

[marks]
dictionary = "DICT_4X4_50"          # ArUco marks
ids = [0, 1, 2, 3]                  # top left, top right, bottom right, bottom left
size_mm = 8.0
inset_mm = 8.0                      # from the sheet's edges; most printers leave 4 to 6 mm white

# A row: one digit to a box, and the boxes make one value.
[[field]]
name = "meter"                      # the name of the column in the table
label = "Meter number"              # what is printed above the boxes
kind = "digit"
layout = "row"
{meter:<35} # left, top, width, height; the boxes divide it evenly
columns = 10
required = true                     # a sheet without it is for review
check = "luhn"                      # its last digit is a check digit; take this line out if yours have none
# values = "meters.csv"             # only what the first column of this file lists

[[field]]
name = "week"
kind = "digit"
label = "Week"
box_mm = [{_LEFT_MM + 10 * cell + 12:g}, {_TOP_MM:g}, {2 * cell:g}, {cell:g}]
columns = 2
range = [1, 53]                     # anything else is for review

# A number: one box, written as one likes.
[[field]]
name = "total"
kind = "number"
label = "Total, as you usually write it"
box_mm = [{_LEFT_MM:g}, {second:g}, {8 * cell:g}, {cell + 4:g}]

# A grid: every box is a value of its own, visitors[1,1] to visitors[4,7].
[[field]]
name = "visitors"
kind = "digit"
layout = "grid"
label = "Visitors"
column_labels = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
row_labels = ["Morning", "Noon", "Afternoon", "Evening"]
box_mm = [{_LEFT_MM + 14:g}, {third:g}, {7 * cell:g}, {4 * cell:g}]
rows = 4
columns = 7
"""
