"""Values for review as a spreadsheet: a picture of each beside an empty cell for what stands there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from edge.counted import counted
from edge.errors import UsageError
from edge.forms.job.ledger import Ledger
from edge.forms.job.review_queue import Open, ReviewQueue, Seen
from edge.forms.job.spreadsheet import TEXT_FORMAT, aside, ended, library, text_cell

COLUMNS = ("picture", "value", "read", "confidence", "or", "why", "field", "page", "sha256", "revision")
SHEET = "review"
EMPTY, UNREADABLE = "empty", "unreadable"
# More pictures than this no spreadsheet scrolls through.
MOST_ROWS = 5_000
_WIDTHS = (46, 16, 14, 11, 24, 36, 18, 30, 12, 9)
_PICTURE_PX = (310, 52)
_ROW_PT = 42.0
_HOW = (
    "Type into the column `value` what stands in the picture, as digits. Leave out what you are not sure of.",
    f"Nothing is written there: {EMPTY}. Nobody can read it: {UNREADABLE}.",
    "Then: edge forms correct JOB FILE.xlsx",
    "Lines may be sorted and deleted; the columns field, sha256 and revision say which value a line is about.",
)


@dataclass(slots=True, kw_only=True)
class Listed:
    """How many values went into a file, and how many more wait."""

    path: Path
    values: int = 0
    more: int = 0

    def __str__(self) -> str:
        more = ""
        if self.more:
            wait = counted(self.more, "more waits", "more wait")
            more = f"; {wait}, surer than these: export again when these are entered"
        return f"{counted(self.values, 'value')} for review in {self.path}{more}"


def write_review(job: Path, output: Path) -> Listed:
    """Write the values of a job that wait for a person, the least sure first, into FILE.xlsx.

    Raises UsageError for another suffix or if openpyxl is absent, JobError if the job is absent or broken, SinkError if
    the file cannot be written.
    """
    if output.suffix.lower() != ".xlsx":
        raise UsageError(f"{output}: values for review go into a spreadsheet; name it FILE.xlsx")
    openpyxl = library("openpyxl", "forms")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(SHEET)
    listed = Listed(path=output)
    with Ledger(job) as ledger, ledger.still(), aside(output) as part, ended(sheet):
        queue = ReviewQueue(ledger)
        waiting = queue.waiting("risk", MOST_ROWS)
        _write(sheet, _seen(queue, waiting), ledger)
        listed.values = len(waiting)
        listed.more = max(0, queue.left().waiting - len(waiting)) if len(waiting) == MOST_ROWS else 0
        how = book.create_sheet("how")
        for line in _HOW:
            how.append([line])
        book.save(part)
    return listed


def _seen(queue: ReviewQueue, waiting: tuple[Open, ...]) -> Iterator[tuple[Open, Seen]]:
    for one in waiting:
        seen = queue.seen(one.page, one.field)
        if seen is not None:
            yield one, seen


def _write(sheet: Any, values: Iterator[tuple[Open, Seen]], ledger: Ledger) -> None:
    cells, styles = library("openpyxl.cell", "forms"), library("openpyxl.styles", "forms")
    drawing = library("openpyxl.drawing.image", "forms")
    sheet.freeze_panes = "A2"
    for letter, width in zip("ABCDEFGHIJ", _WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    to_fill = styles.PatternFill("solid", fgColor="FFF7D6")

    def text(value: str) -> Any:
        return text_cell(cells, sheet, value) if value else None

    sheet.append([text(name) for name in COLUMNS])
    for row, (one, seen) in enumerate(values, 2):
        sheet.row_dimensions[row].height = _ROW_PT
        value = cells.WriteOnlyCell(sheet)
        value.fill, value.number_format = to_fill, TEXT_FORMAT
        likely = ", ".join(f"{said} {100 * share:.0f}%" for said, share in seen.reading.alternatives)
        sheet.append(
            [
                None,
                value,
                text(one.text),
                round(one.confidence, 4),
                text(likely),
                text(seen.reading.reason or ""),
                text(one.field),
                text(seen.place),
                text(one.page),
                seen.revision,
            ]
        )
        png = ledger.crop_of(one.generation, one.page, one.field)
        if png is not None:
            sheet.add_image(_picture(drawing, png), f"A{row}")


def _picture(drawing: Any, png: bytes) -> Any:
    """A picture scaled to its cell."""
    picture = drawing.Image(BytesIO(png))
    scale = min(1.0, _PICTURE_PX[0] / picture.width, _PICTURE_PX[1] / picture.height)
    picture.width, picture.height = round(picture.width * scale), round(picture.height * scale)
    return picture
