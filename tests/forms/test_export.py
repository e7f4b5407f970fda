"""Tables out of a job: zeros stay, nothing is a formula, corrections stand, copies and forgotten pages are left out."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import JobError, SinkError, UsageError
from edge.forms.job.batch import JobSettings, read_job
from edge.forms.job.export import Exported, export_job
from edge.forms.job.forget import forget_pages
from edge.forms.job.generation import FormOutline, Generation
from edge.forms.job.ledger import Ledger
from edge.forms.job.tables import FormsSink, csv_text, defused
from tests.forms.stand_in import SLIP, StandIn
from tests.forms.test_ledger import GENERATION, fill, stored

try:
    from pyarrow import parquet
except ImportError:  # absent, or it wants numpy 2 where tflite-runtime wants 1: then the command says so
    parquet = None
SUFFIXES = ("csv", "jsonl", "xlsx", "parquet") if parquet else ("csv", "jsonl", "xlsx")
HEADER = [
    "source", "page", "status", "account", "account.confidence", "account.status",
    "score", "score.confidence", "score.status",
]  # fmt: skip


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """Pages 0008 to 0011, 0010 for review; a formula as a name and a copy of 0009 behind it; two files unread."""
    with Ledger(tmp_path / "job", create=True) as ledger:
        fill(ledger)
        run = ledger.begin(GENERATION, ["=1+1.png", "copy.png", "absent.png", "unread.png", "b.pdf"])
        for position, number in ((0, 0), (1, 9)):
            ledger.note_file(run, position, file=f"file {number}")
            ledger.set_count(run, f"file {number}", 1)
            ledger.record(run, f"file {number}", stored(number))
        ledger.note_file(run, 2, error="no such file")
        ledger.note_file(run, 4, file="half")
        ledger.set_count(run, "half", 2)
        ledger.record(run, "half", stored(12))
        ledger.correct("hash of 10", {"account": "0019"})
    return tmp_path / "job"


ROWS = [
    ("a0.png", 1, "read", "0008", 0.99, "read", "8", 0.99, "read"),
    ("a1.png", 1, "read", "0009", 0.99, "read", "9", 0.99, "read"),
    ("a2.png", 1, "read", "0019", 1.0, "corrected", "10", 0.99, "read"),
    ("a3.png", 1, "read", "0011", 0.99, "read", "11", 0.99, "read"),
    ("'=1+1.png", 1, "review", "0000", 0.7, "review", "", 0.99, "empty"),
    ("absent.png", 1, "error", None, None, None, None, None, None),
    ("b.pdf", 1, "read", "0012", 0.99, "read", "12", 0.99, "read"),
]


def test_csv(job: Path, tmp_path: Path) -> None:
    said = str(export_job(job, tmp_path / "t.csv"))
    rows = list(csv.reader((tmp_path / "t.csv").read_text().splitlines()))
    assert rows[0] == HEADER
    shown = {type(None): lambda _: "", float: "{:.4f}".format, int: str, str: str}
    assert rows[1:] == [[shown[type(cell)](cell) for cell in row] for row in ROWS]
    assert "7 pages in " in said and "1 second copy left out" in said and "2 files are not read yet" in said


def test_jsonl_keeps_what_was_read_beside_the_correction(job: Path, tmp_path: Path) -> None:
    export_job(job, tmp_path / "t.jsonl")
    pages = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    assert [one["source"] for one in pages] == [row[0].lstrip("'") for row in ROWS]
    account = pages[2]["fields"][0]
    assert (account["value"], account["raw"], account["status"]) == ("0019", "0010", "corrected")
    assert pages[5]["error"] == "no such file" and pages[5]["fields"] == []


def test_a_spreadsheet_holds_texts_and_no_formula(job: Path, tmp_path: Path) -> None:
    export_job(job, tmp_path / "t.xlsx")
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    rows = list(book.active.iter_rows())
    assert [cell.value for cell in rows[0]] == HEADER
    assert [tuple(cell.value for cell in row) for row in rows[1:]] == [
        tuple(None if cell == "" else cell for cell in row) for row in ROWS
    ]
    assert {cell.data_type for row in rows for cell in row if cell.value is not None} == {"s", "n"}
    assert {row[3].number_format for row in rows if row[3].value} == {"@"}
    assert not list(tmp_path.glob("*.part"))


def test_parquet_has_types(job: Path, tmp_path: Path) -> None:
    if parquet is None:
        with pytest.raises(UsageError, match=r"this needs pyarrow.*inkedge\[parquet\]"):
            export_job(job, tmp_path / "t.parquet")
        return
    export_job(job, tmp_path / "t.parquet")
    table = parquet.read_table(tmp_path / "t.parquet")
    assert table.column_names == HEADER
    assert {str(table.schema.field(name).type) for name in ("source", "account", "score.status")} == {"string"}
    assert str(table.schema.field("page").type) == "int32"
    assert str(table.schema.field("score.confidence").type) == "double"
    rows = [tuple(row.values()) for row in table.to_pylist()]
    assert rows == [(str(row[0]).lstrip("'"), *row[1:]) for row in ROWS]


def test_forgotten_pages_are_left_out_and_counted(job: Path, tmp_path: Path) -> None:
    forget_pages(job, datetime.now(UTC) + timedelta(hours=1))
    exported = export_job(job, tmp_path / "t.csv")
    assert (exported.pages, exported.forgotten, exported.duplicates) == (1, 6, 1)
    assert len((tmp_path / "t.csv").read_text().splitlines()) == 2


def test_the_export_of_csv_and_jsonl_is_what_the_run_put_out(tmp_path: Path) -> None:
    from tests.forms.stand_in import write_pages

    pages = write_pages(tmp_path / "scans", 5)
    for form in ("csv", "jsonl"):
        settings = JobSettings(workers=1, open_reader=StandIn())
        read_job(pages, (SLIP,), tmp_path / "job", settings, output_format=form, output=tmp_path / f"run.{form}")
        export_job(tmp_path / "job", tmp_path / f"export.{form}")
        assert (tmp_path / f"run.{form}").read_bytes() == (tmp_path / f"export.{form}").read_bytes()


def test_names_that_are_no_text_or_no_xml_are_written_all_the_same(tmp_path: Path) -> None:
    names = [b"caf\xe9.png".decode("utf-8", "surrogateescape"), "bell\a.png", "@home.png", "\tb.png", "＝c.png"]
    with Ledger(tmp_path / "job", create=True) as ledger:
        run = ledger.begin(GENERATION, names)
        for position in range(len(names)):
            ledger.note_file(run, position, error="broken")
    for suffix in SUFFIXES:
        assert export_job(tmp_path / "job", tmp_path / f"t.{suffix}").pages == len(names)
    sources = [row[0].value for row in openpyxl.load_workbook(tmp_path / "t.xlsx").active.iter_rows(min_row=2)]
    assert sources == ["caf\\xe9.png", "bell�.png", "'@home.png", "'\tb.png", "'＝c.png"]
    assert (tmp_path / "t.csv").read_bytes().splitlines()[1].startswith(os.fsencode(names[0]))


def test_columns_of_several_forms_are_one_after_the_other_each_once(tmp_path: Path) -> None:
    other = FormOutline(name="b", version=1, sha256="x", columns=("score", "room"), required=())
    both = Generation(forms=(*GENERATION.forms, other), model="m", strip_model="s")
    assert both.columns == ("account", "score", "room")
    with Ledger(tmp_path / "job", create=True) as ledger:
        ledger.begin(GENERATION, ["a.png"])
        ledger.begin(both, ["b.png"])
    export_job(tmp_path / "job", tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text().splitlines()[0].count(",") == 2 + 3 * 3


def test_what_cannot_be_written_says_why(job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"use \.csv, \.jsonl, \.xlsx, \.parquet"):
        export_job(job, tmp_path / "t.ods")
    with pytest.raises(JobError, match="no ledger"):
        export_job(tmp_path, tmp_path / "t.csv")
    for suffix in SUFFIXES:
        (tmp_path / "file").touch()
        with pytest.raises(SinkError, match="cannot be written"):
            export_job(job, tmp_path / "file" / f"t.{suffix}")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"pip install 'inkedge\[forms\]'"):
        export_job(job, tmp_path / "t.xlsx")
    with pytest.raises(UsageError, match=r"pip install 'inkedge\[parquet\]'"):
        export_job(job, tmp_path / "t.parquet")


def test_a_table_that_is_too_wide_for_a_sheet_is_refused(tmp_path: Path) -> None:
    wide = FormOutline(name="w", version=1, sha256="x", columns=tuple(f"f{n}" for n in range(5500)), required=())
    with Ledger(tmp_path / "job", create=True) as ledger:
        ledger.begin(Generation(forms=(wide,), model="m", strip_model="s"), ["a.png"])
    with pytest.raises(UsageError, match="16503 columns do not fit"):
        export_job(tmp_path / "job", tmp_path / "t.xlsx")


@given(st.text() | st.sampled_from("=+-@\t\r\n").flatmap(lambda first: st.text().map(lambda rest: first + rest)))
def test_no_text_begins_a_formula_and_none_is_lost(text: str) -> None:
    shown = defused(text)
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert shown in (text, f"'{text}")
    if "\0" not in text and text:  # Python's csv reads no NUL
        assert list(csv.reader(io.StringIO(csv_text([[text]]), newline=""))) == [[shown]]


def test_a_sink_that_is_abandoned_keeps_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("old")
    with FormsSink("csv", tmp_path / "t.csv", ("a",)) as sink:
        sink.abandon()
    assert (tmp_path / "t.csv").read_text() == "old" and (tmp_path / "t.csv.part").exists()


def test_nothing_left_out_is_not_mentioned(tmp_path: Path) -> None:
    assert str(Exported(path=Path("t.csv"), pages=3)) == "3 pages in t.csv"
