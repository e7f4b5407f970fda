"""A job's table as a spreadsheet (openpyxl, the extra `forms`) and as Parquet (pyarrow, the extra `parquet`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from edge.errors import UsageError
from edge.forms.job.job_page import JobPage
from edge.forms.job.tables import Cell, column_names, defused, row_of
from edge.sinks.whole import part_of, write_fault

# What a sheet can hold (Excel specifications and limits).
_MOST_ROWS, _MOST_COLUMNS = 1_048_576, 16_384
# Characters that XML 1.0 cannot hold.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
TEXT_FORMAT = "@"
# Pages are gathered in groups of so many before they are written.
_GROUP = 1_000


def write_xlsx(output: Path, fields: Sequence[str], pages: Iterable[JobPage]) -> None:
    """Write pages as the only sheet of a workbook; values are texts, so that zeros stay and nothing is a formula.

    Raises UsageError if openpyxl is absent or broken, or a sheet cannot hold the table, SinkError if it is not written.
    """
    openpyxl = library("openpyxl", "forms")
    cells = library("openpyxl.cell", "forms")
    names = column_names(fields)
    if len(names) > _MOST_COLUMNS:
        raise UsageError(
            f"{output}: {len(names)} columns do not fit in a sheet ({_MOST_COLUMNS}); use .csv or .parquet"
        )
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("pages")
    sheet.freeze_panes = "A2"

    def cell(value: Cell) -> Any:
        return text_cell(cells, sheet, value) if isinstance(value, str) else value

    with aside(output) as part, ended(sheet):
        sheet.append([cell(name) for name in names])
        for row, page in enumerate(pages, 2):
            if row > _MOST_ROWS:
                raise UsageError(f"{output}: more than {_MOST_ROWS} rows do not fit in a sheet; use .csv or .parquet")
            sheet.append([cell(value) for value in row_of(page, fields)])
        book.save(part)


def text_cell(cells: Any, sheet: Any, text: str) -> Any:
    """A cell that shows a text and is never a formula; cells is the module openpyxl.cell."""
    made = cells.WriteOnlyCell(sheet, value=defused(readable(text)))
    made.data_type, made.number_format = "s", TEXT_FORMAT
    return made


def write_parquet(output: Path, fields: Sequence[str], pages: Iterable[JobPage]) -> None:
    """Write pages as a Parquet file: texts as strings, page as int32, confidences as doubles, null for no such field.

    Raises UsageError if pyarrow is absent or does not load (it wants numpy 2), SinkError if the file cannot be written.
    """
    arrow = library("pyarrow", "parquet")
    parquet = library("pyarrow.parquet", "parquet")
    names = column_names(fields)
    confidences = {f"{name}.confidence" for name in fields}
    schema = arrow.schema(
        [
            (name, arrow.int32() if name == "page" else arrow.float64() if name in confidences else arrow.string())
            for name in names
        ]
    )
    with aside(output) as part, parquet.ParquetWriter(part, schema) as writer:
        for group in batched_rows(pages, fields):
            columns = zip(*group, strict=True)
            writer.write_table(arrow.table([list(column) for column in columns], schema=schema))


def batched_rows(pages: Iterable[JobPage], fields: Sequence[str]) -> Iterator[list[list[Cell]]]:
    """Rows of pages in groups, their texts valid Unicode."""
    group: list[list[Cell]] = []
    for page in pages:
        group.append([_unicode(cell) if isinstance(cell, str) else cell for cell in row_of(page, fields)])
        if len(group) == _GROUP:
            yield group
            group = []
    if group:
        yield group


def _unicode(text: str) -> str:
    """Text in which bytes that are no UTF-8, of the name of a file, are shown by their codes."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def readable(text: str) -> str:
    """Text that a sheet can hold."""
    return _ILLEGAL.sub("�", _unicode(text))


@contextmanager
def ended(sheet: Any) -> Iterator[None]:
    """A sheet that is streamed to a file is closed after a fault too: openpyxl complains otherwise."""
    try:
        yield
    except BaseException:
        with suppress(Exception):
            sheet.close()
        raise


@contextmanager
def aside(output: Path) -> Iterator[Path]:
    """FILE.part to be written inside, renamed to FILE when that went well."""
    try:
        yield part_of(output)
        part_of(output).replace(output)
    except OSError as error:
        raise write_fault(str(output), error) from error


def library(name: str, extra: str) -> Any:
    """A module of an extra. Raises UsageError that names the extra if it is absent or does not load."""
    try:
        return import_module(name)
    except ImportError as error:
        absent = isinstance(error, ModuleNotFoundError) and error.name == name.partition(".")[0]
        cause = f"needs {error.name}" if absent else f"needs {name}, which does not load: {error}"
        raise UsageError(f"this {cause}; pip install 'inkedge[{extra}]', or export to .csv or .jsonl") from error
