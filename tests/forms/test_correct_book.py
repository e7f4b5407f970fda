"""Values for review as a spreadsheet and back: pictures beside empty cells, lines that fit nothing, hostile files."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from edge.errors import JobError, SourceError, UsageError
from edge.forms.job.correct_book import Corrected, correct_job
from edge.forms.job.ledger import Ledger
from edge.forms.job.review_book import COLUMNS, write_review
from edge.forms.job.review_queue import ReviewQueue
from tests.forms.review_jobs import Made, make_job

VALUE, FIELD, SHA256, REVISION = (COLUMNS.index(name) for name in ("value", "field", "sha256", "revision"))


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make_job(tmp_path, pages=2)


@pytest.fixture
def book(made: Made, tmp_path: Path) -> Any:
    assert str(write_review(made.job, tmp_path / "look.xlsx")).startswith("20 values for review in ")
    return openpyxl.load_workbook(tmp_path / "look.xlsx")


def correct(made: Made, book: Any, tmp_path: Path, name: str = "Bo") -> Corrected:
    book.save(tmp_path / "filled.xlsx")
    return correct_job(made.job, tmp_path / "filled.xlsx", name)


def test_each_value_has_its_picture_beside_an_empty_cell_and_nothing_is_a_formula(made: Made, book: Any) -> None:
    sheet = book["review"]
    lines = list(sheet.iter_rows(min_row=2))
    assert [cell.value for cell in sheet[1]] == list(COLUMNS) and len(lines) == 20
    assert sorted(picture.anchor._from.row for picture in sheet._images) == list(range(1, 21))
    assert all(line[VALUE].value is None and line[VALUE].number_format == "@" for line in lines)
    assert {cell.data_type for line in lines for cell in line} <= {"s", "n"}
    confidences = [line[COLUMNS.index("confidence")].value for line in lines]
    assert confidences == sorted(confidences)


def test_what_a_person_typed_is_noted_in_whatever_order_the_lines_are(made: Made, book: Any, tmp_path: Path) -> None:
    sheet = book["review"]
    lines = [[cell.value for cell in line] for line in sheet.iter_rows(min_row=2)]
    typed = ["7", 8, 9.0, " 1 2,3 ", "empty", "Unreadable", "", None]
    for line, value in zip(lines, typed, strict=False):
        line[VALUE] = value
    for number, line in enumerate(reversed(lines), 2):
        for column, value in enumerate(line, 1):
            sheet.cell(number, column).value = value
    done = correct(made, book, tmp_path)
    assert (done.noted, done.left_empty, done.refused, done.exit_code) == (6, 14, (), 0)
    with Ledger(made.job) as ledger:
        queue = ReviewQueue(ledger)
        seen = [queue.seen(line[SHA256], line[FIELD]) for line in lines[:6]]
        said = [(one.said.kind, one.said.value, one.said.name) for one in seen if one and one.said]
        assert [(kind == "unreadable", value) for kind, value, _ in said] == [
            (False, "7"), (False, "8"), (False, "9"), (False, "123"), (False, ""), (True, ""),
        ]  # fmt: skip
        assert {name for *_, name in said} == {"Bo"} and queue.left().waiting == 14
    again = correct_job(made.job, tmp_path / "filled.xlsx", "Bo")
    assert (again.noted, again.already, again.refused) == (0, 6, ())


def test_a_line_that_fits_no_value_is_refused_by_its_number_and_the_others_are_taken(
    made: Made, book: Any, tmp_path: Path
) -> None:
    sheet = book["review"]
    for line in range(2, 12):
        sheet.cell(line, VALUE + 1).value = "4"
    for line, value in zip(range(2, 8), ["=1+1", "<b>1</b>", "1" * 10_000, "1\u200b2", 4.5, True], strict=True):
        sheet.cell(line, VALUE + 1).value = value
    sheet.cell(8, SHA256 + 1).value = "f" * 64
    sheet.cell(9, FIELD + 1).value = "=HYPERLINK(1)"
    sheet.cell(10, REVISION + 1).value = "new"
    done = correct(made, book, tmp_path)
    assert [line for line, _ in done.refused] == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert (done.noted, done.exit_code) == (1, 3)
    told = done.lines()
    assert all(len(line) < 300 and f"filled.xlsx:{number}:" in line for number, line in enumerate(told[:-1], 2))
    assert told[-1].endswith("1 value noted, 10 lines left empty, 9 refused")


def test_what_another_has_said_meanwhile_is_not_written_over(made: Made, book: Any, tmp_path: Path) -> None:
    sheet = book["review"]
    page, field = sheet.cell(2, SHA256 + 1).value, sheet.cell(2, FIELD + 1).value
    with Ledger(made.job) as ledger:
        ledger.correct(page, {field: "88"})
    sheet.cell(2, VALUE + 1).value = "9"
    done = correct(made, book, tmp_path)
    assert done.noted == 0 and "has said '88' meanwhile" in done.refused[0][1]


def no_book(kind: str) -> bytes:
    if kind == "text":
        return b"value,field\n1,a\n"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as parts:
        if kind == "bomb":
            with parts.open("xl/worksheets/sheet1.xml", "w") as sheet:
                for _ in range(300):
                    sheet.write(bytes(1 << 20))
        elif kind == "other":
            parts.writestr("a.txt", "b")
    return content.getvalue()


@pytest.mark.parametrize("kind", ["text", "bomb", "other", "cut", "foreign"])
def test_a_file_that_is_no_such_spreadsheet_is_refused_whole(made: Made, book: Any, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "in.xlsx"
    if kind == "foreign":
        openpyxl.Workbook().save(path)
    elif kind == "cut":
        book.save(path)
        path.write_bytes(path.read_bytes()[:-3000])
    else:
        path.write_bytes(no_book(kind))
    with pytest.raises(SourceError, match=r"in\.xlsx: "):
        correct_job(made.job, path, "Bo")
    with Ledger(made.job) as ledger:
        assert ReviewQueue(ledger).left().judged == 0


def test_what_is_missing_is_named(made: Made, book: Any, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read: No such file"):
        correct_job(made.job, tmp_path / "absent.xlsx", "Bo")
    with pytest.raises(UsageError, match="it has 1 to 60 characters"):
        correct_job(made.job, tmp_path / "look.xlsx", "\x07 \n")
    with pytest.raises(UsageError, match=r"name it FILE\.xlsx"):
        write_review(made.job, tmp_path / "a.csv")
    with pytest.raises(JobError, match="no ledger"):
        correct_job(tmp_path, tmp_path / "look.xlsx", "Bo")
