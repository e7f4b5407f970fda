"""A batch of scans: the order of its output, copies, errors, workers that die, and what the next run does."""

from __future__ import annotations

import csv
import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import pytest

from edge.errors import GateError, JobError, ModelError, UsageError
from edge.forms.job.batch import JobSettings, read_job
from edge.forms.job.ledger import Ledger
from edge.forms.job.run_through import Outcome
from edge.forms.job.tables import LineFormat
from tests.forms import stand_in
from tests.forms.stand_in import SLIP, StandIn, picture, write_page, write_pages
from tests.sources.samples import pdf


def read(job: Path, *scans: Path, workers: int = 1, page_s: float = 60.0, **more: Any) -> tuple[Outcome, list[Any]]:
    output = job.parent / "out.jsonl"
    reader = StandIn(folder=job, pause_s=more.pop("pause_s", 0.0))
    settings = JobSettings(workers=workers, page_s=page_s, open_reader=reader, threshold=more.pop("threshold", None))
    outcome = read_job(scans, more.pop("templates", (SLIP,)), job, settings, output=output, **more)
    return outcome, [json.loads(line) | {"ms": 0} for line in output.read_text().splitlines()]


def values(pages: list[Any]) -> list[str]:
    return [page["fields"][0]["value"] if page["fields"] else page.get("duplicate_of") or "error" for page in pages]


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine pages in five files, a copy of one in a TIFF, a file that is no picture, and one of another kind."""
    folder = tmp_path_factory.mktemp("pile")
    write_pages(folder, 3)
    assert cv2.imwritemulti(str(folder / "q.tif"), [picture(20), picture(8), picture(21), picture(22), picture(23)])
    (folder / "r.png").write_bytes(b"no picture")
    write_page(folder / "s.png", 30)
    (folder / "notes.txt").write_text("not a scan")
    return folder


def test_the_output_has_every_page_in_the_order_of_the_input_however_many_workers(pile: Path, tmp_path: Path) -> None:
    one, first = read(tmp_path / "one", pile)
    three, second = read(tmp_path / "three", pile, workers=3)
    assert first == second
    assert [(Path(page["source"]).name, page["page"]) for page in first] == [
        ("p00.png", 1), ("p01.png", 1), ("p02.png", 1),
        ("q.tif", 1), ("q.tif", 2), ("q.tif", 3), ("q.tif", 4), ("q.tif", 5), ("r.png", 1), ("s.png", 1),
    ]  # fmt: skip
    copy = f"{pile / 'p01.png'}#1"
    assert values(first) == ["0007", "0008", "0009", "0020", copy, "0021", "0022", "0023", "error", "0030"]
    assert (one.pages, one.errors, one.duplicates, one.read, one.exit_code) == (10, 1, 1, 10, 3)
    assert three.exit_code == 3


def test_the_next_run_reads_nothing_again_but_what_failed(pile: Path, tmp_path: Path) -> None:
    _, first = read(tmp_path / "job", pile)
    outcome, second = read(tmp_path / "job", pile)
    assert second == first
    assert outcome.read == 1  # the file that is no picture


def test_a_page_is_known_under_another_name_and_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    (page,) = write_pages(tmp_path / "a", 1)
    read(tmp_path / "job", page)
    moved = page.rename(tmp_path / "moved.png")
    outcome, (object_,) = read(tmp_path / "job", moved)
    assert (outcome.read, object_["source"], values([object_])) == (0, str(moved), ["0007"])
    write_page(moved, 9)
    outcome, (object_,) = read(tmp_path / "job", moved)
    assert (outcome.read, values([object_])) == (1, ["0009"])


def test_the_same_file_twice_is_a_copy_of_itself(tmp_path: Path) -> None:
    (page,) = write_pages(tmp_path / "a", 1)
    outcome, (first, second) = read(tmp_path / "job", page, page)
    assert outcome.read == 1 and "duplicate_of" not in first
    assert (second["duplicate_of"], second["fields"], second["error"]) == (f"{page}#1", [], None)


@pytest.mark.parametrize("output_format", ["csv", "jsonl"])
def test_what_workers_wrote_is_byte_for_byte_what_the_ledger_gives(
    pile: Path, tmp_path: Path, output_format: LineFormat
) -> None:
    settings = JobSettings(workers=2, open_reader=StandIn())
    outcomes, outputs = [], [tmp_path / "fresh", tmp_path / "known"]
    for output in outputs:
        outcomes.append(
            read_job([pile], (SLIP,), tmp_path / "job", settings, output_format=output_format, output=output)
        )
    fresh, known = outcomes
    assert fresh.read == 10 and known.read == 1
    assert replace(fresh, read=1) == known
    assert outputs[0].read_bytes() == outputs[1].read_bytes()


def test_a_page_that_a_person_judged_is_put_out_so_when_it_is_read_anew(tmp_path: Path) -> None:
    pages = write_pages(tmp_path / "a", 4)
    read(tmp_path / "job", *pages)
    with Ledger(tmp_path / "job", write=True) as ledger:
        review = next(page for page in ledger.all_pages() if page.status == "review")
        ledger.correct(review.page.sha256, {"account": "1234"})
    outcome, objects = read(tmp_path / "job", *pages, threshold=0.5)
    assert (outcome.read, outcome.review, outcome.exit_code) == (4, 0, 0)
    assert values(objects) == ["0007", "0008", "0009", "1234"]
    assert objects[3]["fields"][0]["status"] == "corrected"


@pytest.mark.parametrize("change", ["template", "threshold"])
def test_another_template_or_threshold_begins_a_generation_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, change: str
) -> None:
    pages = write_pages(tmp_path / "a", 2)
    read(tmp_path / "job", *pages)
    assert "generation" not in caplog.text
    more: dict[str, Any] = {"threshold": 0.5}
    if change == "template":
        more = {"templates": (replace(SLIP, sha256="slip/2"),)}
    outcome, _ = read(tmp_path / "job", *pages, **more)
    assert outcome.read == 2
    assert change in caplog.text and "new generation" in caplog.text
    assert read(tmp_path / "job", *pages)[0].read == 0  # the first generation is still there


def test_statuses_and_exit_codes(tmp_path: Path) -> None:
    good, review = write_page(tmp_path / "a.png", 8), write_page(tmp_path / "b.png", 10)
    unknown = write_page(tmp_path / "c.png", 11, stand_in.IS_UNKNOWN)
    absent = tmp_path / "absent.png"
    assert read(tmp_path / "job", good)[0].exit_code == 0
    assert read(tmp_path / "job", good, review)[0].exit_code == 10
    outcome, pages = read(tmp_path / "job", unknown)
    assert outcome.exit_code == 10 and pages[0]["template"] is None and pages[0]["registration"]["status"] == "failed"
    outcome, pages = read(tmp_path / "job", good, absent, review)
    assert outcome.exit_code == 3 and "no such file" in pages[1]["error"] and values(pages) == ["0008", "error", "0010"]


def test_csv_has_a_row_a_page_and_leaves_copies_out(
    pile: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    output = tmp_path / "out.csv"
    settings = JobSettings(workers=1, open_reader=StandIn())
    read_job([pile], (SLIP,), tmp_path / "job", settings, output_format="csv", output=output)
    rows = list(csv.reader(output.read_text().splitlines()))
    assert rows[0] == [
        "source", "page", "status", "account", "account.confidence", "account.status",
        "score", "score.confidence", "score.status",
    ]  # fmt: skip
    assert rows[1][1:] == ["1", "read", "0007", "0.9900", "read", "", "0.9900", "empty"]
    assert [row[2] for row in rows[1:]] == ["read"] * 3 + ["review", "read", "read", "read", "error", "review"]
    assert "1 page is a second copy and left out" in caplog.text


def test_a_page_that_kills_or_hangs_its_worker_is_an_error_and_the_others_are_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pages = write_pages(tmp_path / "a", 4)
    write_page(pages[1], 101, stand_in.DIES)
    write_page(pages[2], 102, stand_in.HANGS)
    outcome, objects = read(tmp_path / "job", *pages, page_s=4.0)
    assert values(objects) == ["0007", "error", "error", "0010"]
    assert "died (exit code -9), 2 times" in objects[1]["error"] and "more than 4 s" in objects[2]["error"]
    assert outcome.exit_code == 3
    write_page(pages[1], 8)
    write_page(pages[2], 9)
    outcome, objects = read(tmp_path / "job", *pages)
    assert (outcome.read, values(objects)) == (2, ["0007", "0008", "0009", "0010"])


def test_a_worker_that_dies_of_something_else_costs_nothing(tmp_path: Path) -> None:
    pages = write_pages(tmp_path / "a", 6)
    for index in (1, 4):
        write_page(pages[index], 200 + index, stand_in.DIES_ONCE)
    long = tmp_path / "long.tif"
    moods = [picture(300 + index, stand_in.DIES_ONCE if index in (0, 3) else 0) for index in range(7)]
    assert cv2.imwritemulti(str(long), moods)
    outcome, objects = read(tmp_path / "job", *pages, long, workers=2)
    assert outcome.errors == 0
    assert values(objects) == [
        "0007",
        "0201",
        "0009",
        "0010",
        "0204",
        "0012",
        *(f"0{300 + index}" for index in range(7)),
    ]


def test_a_bug_on_one_page_is_told_and_does_not_stop_the_others(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pages = write_pages(tmp_path / "a", 3)
    write_page(pages[1], 50, stand_in.RAISES)
    outcome, objects = read(tmp_path / "job", *pages)
    assert "bug of inkedge (IndexError)" in objects[1]["error"] and values(objects)[::2] == ["0007", "0009"]
    assert outcome.exit_code == 3 and "IndexError: page 50" in capfd.readouterr().err


def test_a_model_that_only_some_field_wants_ends_the_run_when_it_is_broken(tmp_path: Path) -> None:
    pages = write_pages(tmp_path / "a", 2)
    write_page(pages[1], 50, stand_in.WANTS_A_MODEL)
    with pytest.raises(ModelError, match="no such model"):
        read(tmp_path / "job", *pages)


class _NoMemory(StandIn):
    def __call__(self) -> StandIn:
        raise SystemExit(9)


def test_workers_that_cannot_start_end_the_run(tmp_path: Path) -> None:
    (page,) = write_pages(tmp_path / "a", 1)
    with pytest.raises(JobError, match="before they have opened their models"):
        read_job(
            [page], (SLIP,), tmp_path / "job", JobSettings(workers=1, open_reader=_NoMemory()), output=tmp_path / "o"
        )


def test_a_stopped_run_leaves_the_old_output_and_the_next_goes_on(tmp_path: Path) -> None:
    pages = write_pages(tmp_path / "a", 12)
    (tmp_path / "out.jsonl").write_text('{"old": true}\n')
    asked = iter([False] * 4 + [True] * 100)
    outcome, objects = read(tmp_path / "job", *pages, pause_s=0.05, stopped=lambda: next(asked))
    assert outcome.stopped and outcome.exit_code == 0 and objects == [{"old": True, "ms": 0}]
    done = outcome.read
    outcome, objects = read(tmp_path / "job", *pages)
    assert outcome.read == 12 - done and len(objects) == 12


def test_a_pdf_is_split_over_workers_and_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf(*((20 + number, 30) for number in range(9)), (14400, 28346)))
    outcome, objects = read(tmp_path / "job", tmp_path / "a.pdf", workers=2)
    assert [page["page"] for page in objects] == list(range(1, 11))
    assert [page["error"] is None for page in objects] == [True] * 9 + [False] and "megapixels" in objects[9]["error"]
    assert outcome.duplicates == 0


def test_a_job_that_another_run_holds_is_refused(tmp_path: Path) -> None:
    with Ledger(tmp_path / "job", create=True), pytest.raises(JobError, match="is at work in it"):
        read(tmp_path / "job", tmp_path / "absent.png")
    assert read(tmp_path / "job", tmp_path / "absent.png")[0].exit_code == 3


def test_a_threshold_is_chosen_on_pages_that_are_known(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pages = write_pages(tmp_path / "a", 20)
    truth = tmp_path / "truth.csv"
    truth.write_text(
        "file,field,value,kind\n" + "".join(f"p{n:02}.png,account,{7 + n:04},hand\n" for n in range(14, 19))
    )
    settings = JobSettings(workers=1, open_reader=StandIn(), max_error=0.6, truth=truth)
    for _ in range(2):
        caplog.clear()
        outcome = read_job([tmp_path / "a"], (SLIP,), tmp_path / "job", settings, output=tmp_path / "o")
        assert "threshold 0.9900: 4 of 4 known values are sure, 0 of those wrong" in caplog.text
        assert "generation" not in caplog.text
    assert (outcome.pages, outcome.read) == (20, 0)
    with Ledger(tmp_path / "job") as ledger:
        assert [one.threshold for one in ledger.generations_in_use()] == [0.99] and ledger.generations() == 1
    with pytest.raises(GateError, match="label more pages"):
        read_job(pages, (SLIP,), tmp_path / "job", replace(settings, max_error=0.01), output=tmp_path / "o")
    for wrong in ({"max_error": 0.1}, {"truth": truth}, {"max_error": 0.1, "truth": truth, "threshold": 0.5}):
        with pytest.raises(UsageError, match="--max-error"):
            JobSettings(**wrong)


def test_progress_tells_pages_and_the_time_that_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("edge.reading.progress._LOG_S", 0.0)
    logging.getLogger().setLevel(logging.WARNING)
    read(tmp_path / "job", *write_pages(tmp_path / "a", 3), pause_s=0.02)
    assert "3 of 3 files, 3 pages, " in (said := capsys.readouterr().err) and "0:00 left" in said
