"""From a TOML file to a Template: every rule that a form must keep, checked before a page is read with it."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from dataclasses import asdict, replace
from itertools import combinations
from pathlib import Path
from typing import cast

from edge.errors import UsageError
from edge.forms.checksum import load_check
from edge.forms.roster import read_roster
from edge.forms.template import ROUNDING_MM, BoxMm, Field, Kind, Layout, Marks, Orientation, Template, touches
from edge.forms.toml_table import Mistakes, Table, read_toml
from edge.forms.values import Method

_log = logging.getLogger(__name__)

# A name stands in file names, in the heads of tables and in the page code: no dots, brackets or signs that a
# spreadsheet takes for a formula.
_NAME = re.compile(r"\w(?:[\w -]*\w)?")
_FORM_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_ .-]*[A-Za-z0-9_])?")  # ASCII, for the page code
_LONGEST_NAME = 40
# The first columns of the table that is put out.
_TAKEN_NAMES = ("source", "page", "status", "template")
_MOST_PAGES, _MOST_FIELDS, _MOST_CELLS, _MOST_ACROSS = 50, 500, 5_000, 200
_SHEET_MM = (20.0, 1_500.0)
# Below, a pen fits no digit; a photo of an A4 page shows it with 12 pixels.
_SMALLEST_CELL_MM = 2.0
_LARGEST_NUMBER = 10**18
_METHODS: tuple[Method, ...] = ("marks", "frame", "reference", "none")
_KINDS: tuple[Kind, ...] = ("digit", "number")
_LAYOUTS: tuple[Layout, ...] = ("row", "grid")
_TURNS: tuple[Orientation, ...] = ("upright", "auto")


def read_template(path: Path) -> Template:
    """The template in a file. Raises UsageError with file, line and key of every mistake, one a line."""
    top, mistakes = read_toml(path)
    name = _name(top, _FORM_NAME) or ""
    title, note = top.text("title"), top.text("note")
    page = top.table("page")
    version = page.whole("version", 1, 1, 999_999) or 1
    registration = page.choice("registration", _METHODS)
    size = _size(page)
    orientation = page.choice("orientation", _TURNS, "upright") or "upright"
    reference = _reference(page, registration, path.parent)
    marks = _marks(top, registration, size)
    tables = top.tables("field")
    fields = _fields(tables, path.parent)
    for table in (page, top):
        table.close()
    if not tables:
        mistakes.add((), "there is no [[field]]; a form needs at least one")
    _check_places(fields, size, marks, mistakes)
    mistakes.raise_if_any()
    if registration is None or size is None:  # then there was a mistake
        raise UsageError(f"{path}: cannot be used")
    template = Template(
        name=name,
        version=version,
        registration=registration,
        size_mm=size,
        fields=tuple(fields.values()),
        sha256="",
        orientation=orientation,
        marks=marks,
        reference=reference,
        title=title,
        note=note,
    )
    return _sealed(template)


def _name(table: Table, rule: re.Pattern[str]) -> str | None:
    name = table.text("name", required=True)
    if name is not None and (len(name) > _LONGEST_NAME or not rule.fullmatch(name)):
        table.wrong("name", f"must be at most {_LONGEST_NAME} letters, digits, _, - and spaces inside, not {name!r}")
        return None
    return name


def _size(page: Table) -> tuple[float, float] | None:
    size = page.lengths("size_mm", ("width", "height"))
    least, most = _SHEET_MM
    if size is not None and not all(least <= side <= most for side in size):
        page.wrong("size_mm", f"each side must be {least:g} to {most:g} mm, not {list(size)}")
        return None
    return cast(tuple[float, float] | None, size)


def _reference(page: Table, registration: Method | None, folder: Path) -> Path | None:
    name = page.text("reference", required=registration == "reference")
    if name is None:
        return None
    if registration != "reference":
        _log.warning('page.reference: has no effect without registration = "reference"')
        return None
    from edge.sources.files import BadPage, read_pages

    file = folder / name
    first = next(read_pages(file), None)
    if first is None or isinstance(first, BadPage):
        page.wrong("reference", f"{file}: {first.message if first else 'it has no pages; name a picture or a PDF'}")
    return file


def _marks(top: Table, registration: Method | None, size: tuple[float, float] | None) -> Marks | None:
    said = top.has("marks")
    table = top.table("marks")
    if registration != "marks":
        if said:
            _log.warning('[marks]: has no effect without registration = "marks"')
        return None
    usual = Marks()
    dictionary = table.text("dictionary") or usual.dictionary
    count = _mark_count(dictionary)
    if count is None:
        table.wrong("dictionary", f"OpenCV has no ArUco dictionary {dictionary!r}; DICT_4X4_50 is the usual one")
    ids = table.wholes("ids", 4, 0, (count or 1_000) - 1) or usual.ids
    if len(set(ids)) < 4:
        table.wrong("ids", f"must be four different ids, or no corner is known from another, not {list(ids)}")
    side = table.length("size_mm", usual.size_mm, 4.0, 50.0) or usual.size_mm
    inset = table.length("inset_mm", usual.inset_mm, 2.0, 100.0) or usual.inset_mm
    if size is not None and min(size) < 2 * (inset + side) + side:
        table.wrong("size_mm", f"marks of {side:g} mm, {inset:g} mm from the edges, do not fit {list(size)} mm")
    table.close()
    return Marks(dictionary=dictionary, ids=cast(tuple[int, int, int, int], ids), size_mm=side, inset_mm=inset)


def _mark_count(dictionary: str) -> int | None:
    import cv2

    number = getattr(cv2.aruco, dictionary, None) if re.fullmatch(r"DICT_\w+", dictionary) else None
    return None if number is None else len(cv2.aruco.getPredefinedDictionary(number).bytesList)


def _fields(tables: list[Table], folder: Path) -> dict[Table, Field]:
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
    name = _name(table, _NAME) or f"#{number}"
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


def _check_places(
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


def _sealed(template: Template) -> Template:
    """The template with the sha256 of what decides its readings."""
    said = asdict(template)
    for spoken in ("title", "note", "sha256"):
        del said[spoken]
    for field in said["fields"]:
        for spoken in ("label", "column_labels", "row_labels"):
            del field[spoken]
    said["reference"] = None
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    if template.reference is not None:
        digest.update(template.reference.read_bytes())
    return replace(template, sha256=digest.hexdigest())
