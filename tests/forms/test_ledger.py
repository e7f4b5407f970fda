"""The ledger of a job: what it keeps, who may write, and what it says when it is broken or out of room."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.errors import JobError, SinkError
from edge.forms.job.forget import forget_pages
from edge.forms.job.generation import Generation
from edge.forms.job.job_page import Copies, StoredPage, page_from_json
from edge.forms.job.job_status import job_status
from edge.forms.job.ledger import Ledger, Run
from edge.forms.values import FormPage
from edge.values import Page
from tests.forms.stand_in import IS_UNKNOWN, SLIP, StandIn, picture

GENERATION = Generation.of((SLIP,))


def stored(number: int, *, page_number: int = 1) -> StoredPage:
    return StoredPage.of(page(number, page_number=page_number))


def page(number: int, *, source: str = "a.png", page_number: int = 1, mood: int = 0) -> FormPage:
    pixels = Page(pixels=picture(number, mood), source=source, page_number=page_number)
    return StandIn().read(pixels, f"hash of {number}")


def fill(ledger: Ledger, numbers: range = range(8, 12), generation: Generation = GENERATION) -> Run:
    """A run over files of one page each, `a0.png` and so on."""
    sources = [f"a{index}.png" for index in range(len(numbers))]
    run = ledger.begin(generation, sources)
    for position, number in enumerate(numbers):
        ledger.note_file(run, position, file=f"file {number}")
        ledger.set_count(run, f"file {number}", 1)
        crops = [("account", b"png")] if number % 5 == 0 else []
        ledger.record(run, f"file {number}", stored(number), crops)
    return run


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "job", create=True) as opened:
        yield opened


@pytest.mark.parametrize("mood", [0, IS_UNKNOWN])
def test_a_page_comes_back_from_the_ledger_as_it_was(mood: int) -> None:
    read = replace(page(10, mood=mood), ms=12.5)
    assert page_from_json(StoredPage.of(read).content, source="a.png", page_number=1, ms=12.5) == read


def test_what_a_later_version_stored_more_is_passed_over() -> None:
    content = json.loads(StoredPage.of(page(10)).content)
    content["ink"] = content["fields"][0]["pen"] = content["registration"]["bend_mm"] = 3
    assert page_from_json(json.dumps(content), source="a.png", page_number=1, ms=0.0) == page(10)


def test_pages_stand_under_the_sources_of_the_last_run_that_had_them(ledger: Ledger) -> None:
    fill(ledger)
    run = ledger.begin(GENERATION, ["z.png", "a2.png"])
    ledger.note_file(run, 0, file="file 8")
    ledger.note_file(run, 1, file="file 10")
    assert [given.source for given in ledger.inputs()] == ["a0.png", "a1.png", "a3.png", "z.png", "a2.png"]
    marked = list(map(Copies().mark, ledger.all_pages()))
    assert [(one.page.source, one.duplicate_of) for one in marked] == [
        ("a0.png", None), ("a1.png", None), ("a3.png", None), ("z.png", "a0.png#1"), ("a2.png", None),
    ]  # fmt: skip
    assert ledger.unread() == 0


def test_a_name_that_is_no_text_is_kept(ledger: Ledger) -> None:
    name = b"caf\xe9\xff.png".decode("utf-8", "surrogateescape")
    ledger.begin(GENERATION, [name])
    assert [given.source for given in ledger.inputs()] == [name] and ledger.unread() == 1


def test_an_error_is_not_done_and_is_replaced_by_what_the_next_run_reads(ledger: Ledger) -> None:
    run = ledger.begin(GENERATION, ["a.tif"])
    ledger.note_file(run, 0, file="f")
    ledger.set_count(run, "f", 3)
    for number in (1, 2, 3):
        broken = FormPage(source="a.tif", page_number=number, sha256="", error="broken")
        ledger.record(run, "f", StoredPage.of(broken) if number == 2 else stored(number, page_number=number))
    assert ledger.done(run, "f") == {1, 3}
    assert [one.status for one in ledger.all_pages()] == ["read", "error", "read"]
    ledger.record(run, "f", stored(2, page_number=2))
    assert ledger.done(run, "f") == {1, 2, 3}
    ledger.set_count(run, "f", 2)  # a file that was replaced
    assert len(list(ledger.all_pages())) == 2


def test_a_correction_stands_whatever_the_generation_and_ends_the_review(ledger: Ledger) -> None:
    fill(ledger, range(10, 11))
    (before,) = ledger.all_pages()
    ledger.correct(before.page.sha256, {"account": "0017"})
    (after,) = ledger.all_pages()
    assert (before.status, after.status, dict(after.corrections)) == ("review", "read", {"account": "0017"})
    other = Generation.of((SLIP,), threshold=0.3)
    run = ledger.begin(other, ["a0.png"])
    ledger.note_file(run, 0, file="f")
    assert run.before == GENERATION and other.differences(GENERATION) == ("the threshold",)
    ledger.record(run, "f", stored(10))
    assert [dict(one.corrections) for one in ledger.all_pages()] == [{"account": "0017"}]
    assert (ledger.generations(), ledger.generations_in_use()) == (2, (other,))


def test_a_required_field_that_is_empty_is_for_review(ledger: Ledger) -> None:
    fill(ledger, range(14, 15))
    (read,) = ledger.all_pages()
    account = replace(read.page.fields[0], value="", raw="", status="empty")
    assert read.status == "read"
    assert replace(read, page=replace(read.page, fields=(account, read.page.fields[1]))).status == "review"


def test_the_status_counts_pages_values_and_reasons(tmp_path: Path) -> None:
    with Ledger(tmp_path / "job", create=True) as ledger:
        fill(ledger, range(5, 15))
        run = ledger.begin(GENERATION, ["b.png", "c.png"])
        ledger.note_file(run, 0, error="no such file; check the path")
    status = job_status(tmp_path / "job")
    assert (status.files, status.unread_files, status.pages) == (12, 1, 11)
    assert (status.read, status.review, status.errors) == (8, 2, 1)
    assert status.fields == {"read": 16, "review": 2, "empty": 2}
    assert status.reasons == (("not sure enough", 2), ("no such file", 1))
    assert json.loads(status.to_json())["reasons"] == [["not sure enough", 2], ["no such file", 1]]
    assert "  1 file is not read yet; the same `edge forms read` goes on from there" in status.lines()


def test_crops_are_found_by_page_and_field(ledger: Ledger) -> None:
    fill(ledger)
    found = {one.page.source: ledger.crop(one, "account") for one in ledger.all_pages()}
    assert found == {"a0.png": None, "a1.png": None, "a2.png": b"png", "a3.png": None}


def test_what_is_forgotten_is_in_no_byte_of_the_folder_and_is_not_read_again(tmp_path: Path) -> None:
    job = tmp_path / "job"
    with Ledger(job, create=True) as ledger:
        run = fill(ledger, range(4710, 4716))
        ledger.correct("hash of 4710", {"account": "4799"})
    assert any(b"4713" in file.read_bytes() for file in job.iterdir())
    nothing = forget_pages(job, datetime.now(UTC) - timedelta(days=1))
    assert (nothing.pages, nothing.crops, nothing.corrections) == (0, 0, 0)
    gone = forget_pages(job, datetime.now(UTC) + timedelta(days=1))
    assert (gone.pages, gone.crops, gone.corrections) == (6, 2, 1)
    for file in job.iterdir():
        content = file.read_bytes().replace(b"hash of 47", b"").replace(b"file 47", b"")
        assert not any(text in content for text in (b'"value":"47', b"4799", b"png\x00", b'"raw"'))
    with Ledger(job) as ledger:
        assert all(one.forgotten and not one.page.fields for one in ledger.all_pages())
        assert ledger.done(run, "file 4713") == {1}
    assert (job_status(job).forgotten, job_status(job).pages) == (6, 6)


def test_a_page_that_was_read_twice_is_one_page_that_is_forgotten(tmp_path: Path) -> None:
    with Ledger(tmp_path / "job", create=True) as ledger:
        fill(ledger)
        fill(ledger, generation=Generation.of((SLIP,), threshold=0.5))
    assert forget_pages(tmp_path / "job", datetime.now(UTC) + timedelta(days=1)).pages == 4


def test_one_writer_at_a_time_and_readers_beside_it(tmp_path: Path) -> None:
    job = tmp_path / "job"
    code = (
        "import sys, time; from pathlib import Path; from edge.forms.job.ledger import Ledger\n"
        "with Ledger(Path(sys.argv[1]), create=True): print('holds', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(job)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout and holder.stdout.readline() == "holds\n"
        with pytest.raises(JobError, match=f"process {holder.pid} is at work in it"):
            Ledger(job, create=True)
        assert job_status(job).running
        holder.kill()
    assert not job_status(job).running
    Ledger(job, create=True).close()


def test_a_reader_sees_the_ledger_as_it_was_while_a_run_adds_to_it(tmp_path: Path) -> None:
    with Ledger(tmp_path / "job", create=True) as writer, Ledger(tmp_path / "job") as reader:
        fill(writer, range(8, 10))
        with reader.still():
            before = len(list(reader.all_pages()))
            fill(writer, range(8, 14))
            assert len(list(reader.all_pages())) == before == 2
        assert len(list(reader.all_pages())) == 6


def test_a_folder_without_a_ledger_is_an_error_and_stays_as_it_is(tmp_path: Path) -> None:
    for open_it in (job_status, lambda job: forget_pages(job, datetime.now())):
        with pytest.raises(JobError, match="there is no ledger in it"):
            open_it(tmp_path / "job")
    assert not (tmp_path / "job").exists()
    (tmp_path / "killed").mkdir()
    (tmp_path / "killed" / "ledger.sqlite").touch()
    with pytest.raises(JobError, match="no run has begun in it"):
        job_status(tmp_path / "killed")
    Ledger(tmp_path / "killed", create=True).close()
    (tmp_path / "file").touch()
    with pytest.raises(JobError, match="this is not a folder"):
        Ledger(tmp_path / "file", create=True)


def spoil(path: Path, start: int, content: bytes) -> None:
    with path.open("r+b") as stream:
        stream.seek(start)
        stream.write(content)


def test_a_broken_ledger_is_told_from_one_of_another_version_or_program(tmp_path: Path) -> None:
    job = tmp_path / "job"
    with Ledger(job, create=True) as ledger:
        fill(ledger)
    file = job / "ledger.sqlite"
    whole = file.read_bytes()
    spoil(file, 60, (9).to_bytes(4, "big"))
    with pytest.raises(JobError, match="version 9"):
        Ledger(job)
    file.write_bytes(whole)
    spoil(file, 68, b"\0\0\0\0")
    with pytest.raises(JobError, match="not a ledger of this program"):
        Ledger(job, create=True)
    for start, content in ((0, b"garbage" * 20), (4096, b"\xff" * 40_000), (len(whole) // 4, b"\xff" * 20_000)):
        file.write_bytes(whole)
        spoil(file, start, content)
        with pytest.raises(JobError, match="is broken") as told, Ledger(job) as ledger:
            list(ledger.all_pages())
            ledger.unread()
        assert told.value.exit_code == 5
    file.write_bytes(whole[:100])
    with pytest.raises(JobError, match="is broken"):
        Ledger(job)


def test_a_full_disk_takes_nothing_of_what_is_there(tmp_path: Path) -> None:
    with Ledger(tmp_path / "job", create=True) as ledger:
        fill(ledger)
        with pytest.raises(SinkError, match="make room, then run the same command again"), ledger.change() as db:
            (pages,) = db.execute("PRAGMA page_count").fetchone()
            db.execute(f"PRAGMA max_page_count = {pages}")
            for number in range(1000):
                db.execute("INSERT INTO crop VALUES (1, ?, 'f', ?)", (str(number), bytes(4000)))
        assert len(list(ledger.all_pages())) == 4


def test_a_mistake_of_ours_is_not_called_a_broken_ledger(ledger: Ledger) -> None:
    with pytest.raises(sqlite3.ProgrammingError), ledger.change() as db:
        db.execute("INSERT INTO file VALUES (?, ?, ?)", (1,))
