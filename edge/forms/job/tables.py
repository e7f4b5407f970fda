"""A page of a job as a JSON line, or as a row of a table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias

from edge.forms.job.job_page import JobPage
from edge.forms.values import FieldReading, Registration
from edge.sinks.whole import WholeOutput

LineFormat: TypeAlias = Literal["jsonl", "csv"]
Cell: TypeAlias = str | int | float | None
FIRST_COLUMNS = ("source", "page", "status")
# Beside those of a reading: a person gave the value, or found that nobody can read it.
CORRECTED, UNREADABLE = "corrected", "unreadable"
# A cell that begins so is a formula, or becomes one, to one spreadsheet or another (OWASP, CSV Injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def column_names(fields: Sequence[str]) -> tuple[str, ...]:
    """Names of the columns of a table with these fields."""
    return (*FIRST_COLUMNS, *(column for name in fields for column in (name, f"{name}.confidence", f"{name}.status")))


def row_of(page: JobPage, fields: Sequence[str]) -> list[Cell]:
    """The cells of a page under column_names(fields); None where it has no such field. Values are texts, always."""
    read = {one.name: one for one in page.page.fields}
    row: list[Cell] = [page.page.source, page.page.page_number, page.status]
    for name in fields:
        row += [None, None, None] if name not in read else _value(read[name], page)
    return row


def status_of(one: FieldReading, page: JobPage) -> str:
    """The status of a value, after what people said of it."""
    return str(_value(one, page)[2])


def in_table(page: JobPage) -> bool:
    """False for a second copy and for a page whose values were forgotten."""
    return page.duplicate_of is None and not page.forgotten


def defused(text: str) -> str:
    """Text that no spreadsheet takes for a formula, by an apostrophe before it where it would."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def csv_text(rows: Iterable[Sequence[Cell]]) -> str:
    """Rows as CSV, texts defused, confidences with four decimals."""
    text = io.StringIO()
    for row in rows:
        cells = [_csv_cell(cell) for cell in row]
        # Python quotes no CR where lines end with LF, and then takes it for the end of a line.
        torn = any(isinstance(cell, str) and "\r" in cell for cell in cells)
        csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if torn else csv.QUOTE_MINIMAL).writerow(cells)
    return text.getvalue()


def json_line(page: JobPage) -> str:
    """The JSON object of a page, on one line."""
    content: dict[str, Any] = {
        "source": page.page.source,
        "page": page.page.page_number,
        "template": page.page.template,
        "error": page.page.error,
        "ms": round(page.page.ms, 1),
        "registration": None if page.page.registration is None else _registration(page.page.registration),
        "fields": [_field(one, page) for one in page.page.fields],
    }
    if page.duplicate_of is not None:
        content["duplicate_of"] = page.duplicate_of
    if page.forgotten:
        content["forgotten"] = True
    # Names on disk need not be valid text; escapes keep the line valid UTF-8 whatever they are.
    return json.dumps(content) + "\n"


def text_of(page: JobPage, output_format: LineFormat, fields: Sequence[str]) -> str:
    """What stands in an output for a page: a line with its end; nothing in a CSV for what is not in a table."""
    if output_format == "jsonl":
        return json_line(page)
    return csv_text([row_of(page, fields)]) if in_table(page) else ""


class FormsSink(WholeOutput):
    """Writes pages as JSON lines or CSV; a CSV has its header first, and leaves out what is not in a table."""

    def __init__(self, output_format: LineFormat, output: Path | None, fields: Sequence[str]) -> None:
        """Open stdout (None) or `output`.part. Raises SinkError if that cannot be written."""
        super().__init__(output)
        self._format = output_format
        self._fields = fields

    def __enter__(self) -> Self:
        if self._format == "csv":
            self.put(csv_text([column_names(self._fields)]))
        return self

    def write(self, page: JobPage) -> None:
        """Write one page. Raises SinkError if the place is full or gone."""
        if text := text_of(page, self._format, self._fields):
            self.put(text)


def _value(one: FieldReading, page: JobPage) -> list[Cell]:
    said = page.judged.get(one.name)
    if said is None:
        return [one.value, round(one.confidence, 4), one.status]
    if said.kind == "odd":
        return [one.value, round(one.confidence, 4), "review"]
    return ["", 0.0, UNREADABLE] if said.kind == "unreadable" else [said.value, 1.0, CORRECTED]


def _csv_cell(cell: Cell) -> str | int:
    if isinstance(cell, float):
        return f"{cell:.4f}"
    return "" if cell is None else defused(cell) if isinstance(cell, str) else cell


def _registration(found: Registration) -> dict[str, Any]:
    residual = found.residual_mm
    content: dict[str, Any] = {
        "status": found.status,
        "method": found.method,
        "residual_mm": None if residual is None else round(residual, 3),
        "rotation_deg": found.rotation_deg,
    }
    return content if found.reason is None else content | {"reason": found.reason}


def _field(one: FieldReading, page: JobPage) -> dict[str, Any]:
    value, confidence, status = _value(one, page)
    by_a_person = status in (CORRECTED, UNREADABLE)
    content: dict[str, Any] = {
        "name": one.name,
        "value": value,
        "raw": one.raw,
        "confidence": confidence,
        "status": status,
        "repaired": one.repaired and not by_a_person,
        "box": one.box.as_list(),
        "quad": [[round(x, 1), round(y, 1)] for x, y in one.quad],
    }
    if by_a_person:
        said = page.judged[one.name]
        return content | {"by": said.name, "at": said.made_at}
    return content if one.reason is None else content | {"reason": one.reason}
