"""What a review took, found and left: in the status, in the report, in the exit code; and that it can be forgotten."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.forms.job.batch import JobSettings, read_job
from edge.forms.job.entries import Said, enter
from edge.forms.job.forget import forget_pages
from edge.forms.job.job_status import job_status
from edge.forms.job.ledger import Ledger
from edge.forms.job.review_figures import review_figures
from edge.forms.job.review_queue import ReviewQueue
from edge.forms.judge.report import write_report
from tests.forms.review_jobs import Made, make_job
from tests.forms.stand_in import SLIP, StandIn, write_pages


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make_job(tmp_path, pages=2)


def judge_everything(made: Made, ledger: Ledger, name: str = "Ann", needed: int = 1, took_s: float = 2.0) -> None:
    for one in ReviewQueue(ledger).waiting("risk", 100, unsaid_by=name):
        said = Said(page=one.page, field=one.field, value=made.truth[one.page, one.field], seen=0, took_s=took_s)
        with ledger.change() as db:
            enter(db, [said], name=name, needed=needed)


def test_status_says_what_was_judged_and_what_is_left_at_an_error_rate(made: Made) -> None:
    assert "  review: 20 values left to look at" in job_status(made.job).lines()
    with Ledger(made.job) as ledger:
        judge_everything(made, ledger)
    status = job_status(made.job)
    assert (status.read, status.review, status.fields) == (2, 0, {"read": 60, "corrected": 20})
    assert (
        "  review: 20 judged by 1 person in 2.0 s each, 50.0 of a hundred were wrong; 0 values left to look at"
        in status.lines()
    )
    assert '"through_before": 0, "through_after": 2' in status.to_json()
    stricter = job_status(made.job, max_error=0.0001)
    assert stricter.reviewed.left.waiting > 0 and "0.01 % are expected to be wrong" in stricter.lines()[-1]


def test_a_sheet_judged_by_one_key_takes_no_0_seconds(made: Made) -> None:
    with Ledger(made.job) as ledger:
        judge_everything(made, ledger, took_s=0.004)
        assert "20 judged by 1 person in less than 0.1 s each, " in str(review_figures(ledger))


def test_figures_tell_the_doubtful_from_the_sure_and_count_disagreements(made: Made) -> None:
    with Ledger(made.job) as ledger:
        judge_everything(made, ledger, needed=2)
        first, second, *_ = ReviewQueue(ledger).waiting("page", 2)
        with ledger.change() as db:
            for one in (first, second):
                value = "99" if one is first else made.truth[one.page, one.field]
                enter(db, [Said(page=one.page, field=one.field, value=value)], name="Ben", needed=2)
            sure = [one for one in ReviewQueue(ledger).alike("5", 99) if one.confidence > 0.9]
            right = [one for one in sure if made.truth[one.page, one.field] == "5"]
            enter(db, [Said(page=one.page, field=one.field, value="5") for one in right], name="Cleo")
        figures = review_figures(ledger)
    assert (figures.keyed_twice, figures.disagreed, figures.names) == (2, 1, 3)
    assert (figures.doubted, figures.sure, figures.sure_wrong) == (1, len(right), 0)
    assert "1 of 2 keyed twice in disagreement" in str(figures)


def test_the_report_has_what_people_made_of_it(made: Made, tmp_path: Path) -> None:
    with (tmp_path / "truth.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("file", "field", "value"))
        with Ledger(made.job) as ledger:
            names = {page.page.sha256: page.page.source for page in ledger.all_pages()}
        rows.writerows((Path(names[page]).name, field, value) for (page, field), value in made.truth.items())
    write_report(made.job, tmp_path / "truth.csv", tmp_path / "before.html")
    assert "What people made of it" not in (tmp_path / "before.html").read_text()
    with Ledger(made.job) as ledger:
        judge_everything(made, ledger)
    write_report(made.job, tmp_path / "truth.csv", tmp_path / "after.html")
    text = (tmp_path / "after.html").read_text()
    assert "20 by 1 person" in text and "2.0 s (median of 20)" in text and "50.00% (29.93%–70.07%)" in text
    assert "Pages that need nobody now</td><td>100.00%" in text
    assert "As it was run, 0.00%" in text


def test_a_job_of_which_all_is_judged_needs_nobody_any_more(tmp_path: Path) -> None:
    pages = write_pages(tmp_path / "scans", 5)
    settings = JobSettings(workers=1, open_reader=StandIn())
    assert read_job(pages, (SLIP,), tmp_path / "job", settings, output=tmp_path / "a.jsonl").exit_code == 10
    with Ledger(tmp_path / "job") as ledger, ledger.change() as db:
        waiting = ReviewQueue(ledger).waiting("page", 9)
        assert [one.field for one in waiting] == ["account"]
        enter(db, [Said(page=one.page, field=one.field, value="17", seen=0) for one in waiting], name="Ann")
    assert read_job(pages, (SLIP,), tmp_path / "job", settings, output=tmp_path / "b.jsonl").exit_code == 0


def test_a_review_goes_on_while_a_run_holds_the_job(made: Made) -> None:
    with Ledger(made.job, write=True) as run, Ledger(made.job) as ledger:
        judge_everything(made, ledger)
        assert [page.status for page in run.all_pages()] == ["read", "read"]


def test_what_is_forgotten_is_not_shown_and_nothing_of_it_is_kept(made: Made) -> None:
    with Ledger(made.job) as ledger:
        judge_everything(made, ledger)
    forget_pages(made.job, datetime.now(UTC) + timedelta(days=1))
    with Ledger(made.job) as ledger:
        for table in ("value", "tile", "entry", "correction", "crop"):
            assert ledger.rows(f"SELECT count(*) FROM {table}") == [(0,)]
        queue = ReviewQueue(ledger)
        assert queue.left().waiting == 0 and queue.alike("5", 9) == () and queue.waiting("page", 9) == ()
