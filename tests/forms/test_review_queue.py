"""What waits for a person: in which order, for whom, how much, after new runs and with a hundred thousand values."""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.errors import JobError
from edge.forms.job.entries import Said, enter, undo
from edge.forms.job.export import export_job
from edge.forms.job.job_page import StoredPage
from edge.forms.job.ledger import Ledger
from edge.forms.job.review_queue import ORDERS, Open, Order, ReviewQueue
from edge.forms.values import FieldReading, FormPage, Registration
from edge.values import Box
from tests.forms.review_jobs import GRID, NAMES, Made, make_crowd, make_job


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make_job(tmp_path, pages=3)


@pytest.fixture
def ledger(made: Made) -> Iterator[Ledger]:
    with Ledger(made.job) as opened:
        yield opened


def all_of(queue: ReviewQueue, order: Order, most: int = 7, **asked: float) -> list[Open]:
    found: list[Open] = []
    while more := queue.waiting(order, most, after=found[-1].after if found else "", **asked):
        found += more
    return found


def say(ledger: Ledger, *said: Said, name: str = "Ann", needed: int = 1) -> int:
    with ledger.change(forever=True) as db:
        return enter(db, said, name=name, needed=needed).noted


def of(one: Open, value: str | None) -> Said:
    return Said(page=one.page, field=one.field, value=value, seen=0)


@pytest.mark.parametrize("order", ORDERS)
def test_every_value_that_waits_comes_once_in_each_order(ledger: Ledger, order: Order) -> None:
    found = all_of(ReviewQueue(ledger), order)
    assert len({(one.page, one.field) for one in found}) == len(found) == 30
    keys = {
        "risk": [one.confidence for one in found],
        "field": [(NAMES.index(one.field), one.confidence) for one in found],
        "page": [(one.leaf, NAMES.index(one.field)) for one in found],
    }
    assert keys[order] == sorted(keys[order])


def test_what_is_judged_waits_no_more_and_what_is_taken_back_does(ledger: Ledger) -> None:
    queue = ReviewQueue(ledger)
    first, second, third, *_ = queue.waiting("risk", 5)
    assert say(ledger, of(first, first.text), of(second, "9" * 3), of(third, None)) == 3
    assert queue.left().waiting == 27 and queue.left().judged == 3
    assert not {first.field + first.page, third.field + third.page} & {
        one.field + one.page for one in all_of(queue, "page")
    }
    seen = [queue.seen(one.page, one.field) for one in (first, second, third)]
    assert [one.said.kind for one in seen if one and one.said] == ["accepted", "corrected", "unreadable"]
    with ledger.change() as db:
        assert len(undo(db, "Ann")) == 3
    assert queue.left().waiting == 30 and queue.left().judged == 0


def test_a_value_that_looks_odd_to_somebody_waits_although_it_was_sure(ledger: Ledger) -> None:
    queue = ReviewQueue(ledger)
    (sure,) = [one for one in queue.alike("7", 50) if one.confidence > 0.9][:1]
    say(ledger, Said(page=sure.page, field=sure.field, value=None, odd=True, seen=0))
    assert queue.left().waiting == 31
    assert (sure.page, sure.field) in {(one.page, one.field) for one in all_of(queue, "risk")}
    assert all((one.page, one.field) != (sure.page, sure.field) for one in queue.alike("7", 50))
    page = next(one for one in ledger.all_pages() if one.page.sha256 == sure.page)
    assert page.status == "review"
    seen = queue.seen(sure.page, sure.field)
    assert seen is not None and seen.revision > 0
    say(ledger, Said(page=sure.page, field=sure.field, value="7", seen=seen.revision))
    assert queue.left().waiting == 30


def test_alike_are_the_least_sure_first_and_only_of_that_digit(ledger: Ledger) -> None:
    found = ReviewQueue(ledger).alike("3", 100)
    assert found and {one.text for one in found} == {"3"}
    assert [one.confidence for one in found] == sorted(one.confidence for one in found)


def test_at_an_error_rate_the_least_sure_are_left_and_what_no_confidence_helps(ledger: Ledger) -> None:
    queue = ReviewQueue(ledger)
    lefts = [queue.left(error) for error in (0.5, 0.05, 0.02, 0.001)]
    assert [left.waiting for left in lefts] == sorted(left.waiting for left in lefts)
    assert lefts[0].waiting == 0 and lefts[-1].waiting > 30
    for left in lefts:
        assert left.below is not None
        found = all_of(queue, "risk", below=left.below)
        assert len(found) == left.waiting
        sure = [one for digit in "0123456789" for one in queue.alike(digit, 1000) if one.confidence >= left.below]
        rest = [1 - one.confidence for one in sure]
        assert sum(rest) <= (left.error or 0) * 120


def test_two_people_never_overwrite_each_other_unseen(ledger: Ledger) -> None:
    (one,) = ReviewQueue(ledger).waiting("risk", 1)
    with ledger.change() as db:
        assert enter(db, [of(one, "1")], name="Ann").noted == 1
        late = enter(db, [of(one, "2")], name="Ben")
    assert late.noted == 0 and "Ann has said '1' meanwhile" in str(late.refused[0])
    seen = ReviewQueue(ledger).seen(one.page, one.field)
    assert seen is not None and seen.said is not None and (seen.said.value, seen.said.name) == ("1", "Ann")
    say(ledger, Said(page=one.page, field=one.field, value="2", seen=seen.revision), name="Ben")
    with ledger.change() as db:
        assert undo(db, "Ann") == ()  # Ben has judged it since
    seen = ReviewQueue(ledger).seen(one.page, one.field)
    assert seen is not None and seen.said is not None and seen.said.value == "2"


def test_the_same_press_of_a_key_is_noted_once(ledger: Ledger) -> None:
    (one,) = ReviewQueue(ledger).waiting("risk", 1)
    for _ in range(2):
        with ledger.change() as db:
            assert enter(db, [of(one, "1")], name="Ann", token="t1").noted == 1
    assert ledger.rows("SELECT count(*) FROM entry") == [(1,)]


def test_what_fits_no_value_is_refused(ledger: Ledger) -> None:
    (one,) = ReviewQueue(ledger).waiting("risk", 1)
    for said in (replace(of(one, "1"), field="none"), replace(of(one, "1"), page="0" * 64)):
        assert say(ledger, said) == 0


def test_of_two_names_it_counts_when_both_say_the_same(ledger: Ledger) -> None:
    queue = ReviewQueue(ledger)
    first, second = queue.waiting("risk", 2)
    say(ledger, of(first, "1"), of(second, "2"), needed=2)
    assert queue.left().waiting == 30 and queue.left(unsaid_by="Ann").waiting == 28
    assert len(all_of(queue, "page")) == 30
    unsaid = {(one.page, one.field) for one in queue.waiting("risk", 40, unsaid_by="Ann")}
    assert len(unsaid) == 28 and (first.page, first.field) not in unsaid
    say(ledger, of(first, "1"), of(second, "3"), name="Ben", needed=2)
    assert queue.left().waiting == 29 and queue.disputed() == ((second.page, second.field),)
    seen = queue.seen(first.page, first.field)
    assert seen is not None and seen.said is not None and seen.said.name == "Ann + Ben"
    say(ledger, of(second, "3"), name="Cleo", needed=2)
    assert queue.disputed() == () and queue.left().waiting == 28
    with ledger.change() as db:
        undo(db, "Cleo", needed=2)
    assert queue.disputed() == ((second.page, second.field),)


def test_the_same_name_twice_is_one_name(ledger: Ledger) -> None:
    (one,) = ReviewQueue(ledger).waiting("risk", 1)
    for name in ("Ann", "ann"):
        say(ledger, of(one, "1"), name=name, needed=2)
    assert ReviewQueue(ledger).left().waiting == 30


def test_what_people_said_survives_another_template_and_model(made: Made, tmp_path: Path) -> None:
    with Ledger(made.job) as ledger:
        (one,) = ReviewQueue(ledger).waiting("risk", 1)
        say(ledger, of(one, "77"))
    again = make_job(tmp_path, pages=3, generation=replace(GRID, model="another", threshold=0.3))
    assert again.truth == made.truth
    with Ledger(made.job) as ledger:
        queue = ReviewQueue(ledger)
        assert ledger.generations() == 2
        found = all_of(queue, "risk")
        assert len(found) == queue.left().waiting == 29 and {one.generation for one in found} == {2}
    export_job(made.job, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text().count("77,1.0000,corrected") == 1


def test_a_page_that_may_be_laid_wrong_waits_with_its_empty_fields_too(tmp_path: Path) -> None:
    made = make_job(tmp_path / "a", pages=1)
    with Ledger(made.job) as ledger:
        (page,) = ledger.all_pages()
        laid = replace(page.page.registration, status="review", reason="bent") if page.page.registration else None
        empty = replace(page.page.fields[1], value="", raw="", status="empty")
        doubtful = tuple(replace(one, status="review", reason=one.reason or "bent") for one in page.page.fields[2:])
        bent = replace(page.page, registration=laid, fields=(page.page.fields[0], empty, *doubtful))
    with Ledger(tmp_path / "b", create=True) as ledger:
        run = ledger.begin(GRID, ["a.png"])
        ledger.note_file(run, 0, file="f")
        ledger.set_count(run, "f", 1)
        ledger.record(run, "f", StoredPage.of(bent))
        queue = ReviewQueue(ledger)
        assert queue.left().waiting == 40 and queue.left(0.5).waiting == 40
        say(ledger, *[of(one, one.text) for one in all_of(queue, "page")])
        (done,) = ledger.all_pages()
        assert done.status == "read" and queue.left().waiting == 0


def test_a_page_with_an_unreadable_value_is_not_complete(made: Made, ledger: Ledger, tmp_path: Path) -> None:
    queue = ReviewQueue(ledger)
    first, *others = [one for one in all_of(queue, "page") if one.leaf == 1]
    say(ledger, of(first, None), *[of(one, one.text) for one in others])
    page = next(iter(ledger.all_pages()))
    assert page.status == "review" and queue.left().waiting == 20
    export_job(made.job, tmp_path / "t.jsonl")
    line = (tmp_path / "t.jsonl").read_text().splitlines()[0]
    assert '"value": "", "raw"' in line and '"status": "unreadable"' in line and '"by": "Ann"' in line


OLD = """
DROP TABLE leaf; DROP TABLE value; DROP TABLE tile; DROP TABLE form; DROP TABLE entry; DROP TABLE choice;
DROP INDEX place_page; DROP INDEX input_file; DROP TABLE correction;
CREATE TABLE correction (page TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, made_at TEXT NOT NULL,
  PRIMARY KEY (page, field)) WITHOUT ROWID;
INSERT INTO correction SELECT sha256, 'g[1,1]', '8', '2026-01-01T00:00:00.000Z' FROM page LIMIT 1;
PRAGMA user_version = 1;
"""


def test_a_ledger_of_an_older_inkedge_is_renewed_once_and_not_under_a_run(made: Made) -> None:
    db = sqlite3.connect(made.job / "ledger.sqlite")
    db.executescript(OLD)
    db.close()
    with Ledger(made.job) as ledger:
        queue = ReviewQueue(ledger)
        assert queue.left().waiting == 29 and queue.left().judged == 1
        assert len(queue.alike("4", 100)) > 3
        ((page, field),) = ledger.rows("SELECT page, field FROM entry")
        seen = queue.seen(page, field)
        assert seen is not None and seen.said is not None and seen.said.value == "8" and seen.revision == 1
    db = sqlite3.connect(made.job / "ledger.sqlite")
    db.executescript(OLD.replace("g[1,1]", "g[1,5]"))
    db.close()
    with (made.job / "lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(JobError, match="is at work in it"):
            Ledger(made.job)


def test_a_hundred_thousand_values_wait_and_the_next_ones_are_found_without_going_through_them(tmp_path: Path) -> None:
    make_crowd(tmp_path / "job")
    with Ledger(tmp_path / "job") as ledger:
        queue = ReviewQueue(ledger)
        assert queue.left().waiting == 100_000
        steps = 0

        def count() -> None:
            nonlocal steps
            steps += 1

        # Steps of SQLite's machine, in thousands: what it takes does not hang on how busy this machine is.
        ledger._db.set_progress_handler(count, 1000)
        for order in ORDERS:
            after = ""
            for _ in range(3):
                found = queue.waiting(order, 12, after=after)
                assert len(found) == 12
                after = found[-1].after
        queue.alike("7", 60)
        assert steps < 100


def test_what_a_name_has_said_already_is_not_gone_through_for_each_value(tmp_path: Path) -> None:
    make_crowd(tmp_path / "job", pages=500)
    with Ledger(tmp_path / "job") as ledger:
        with ledger.change() as db:
            db.execute(
                "INSERT INTO entry (page, field, kind, value, name, made_at, was, was_sure, batch) "
                "SELECT leaf.page, v.field, 'accepted', '1', 'Ann', '', '', 0, 1 FROM value v JOIN leaf "
                "ON leaf.id = v.leaf WHERE v.position < 10"
            )
        queue, steps = ReviewQueue(ledger), 0

        def count() -> None:
            nonlocal steps
            steps += 1

        ledger._db.set_progress_handler(count, 1000)
        assert queue.left(unsaid_by="Ann").waiting == 15_000 and queue.left(unsaid_by="Bo").waiting == 20_000
        assert len(queue.waiting("risk", 12, unsaid_by="Ann")) == 12
        assert steps < 2000, "5,000 entries for each of 20,000 values would be a hundred million steps"


def test_reading_a_page_as_form_page_is_what_was_stored(made: Made, ledger: Ledger) -> None:
    seen = ReviewQueue(ledger).seen(*next(iter(made.truth)))
    assert seen is not None and isinstance(seen.page, FormPage) and seen.place.endswith("1.png#1")


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Ledger]:
    """A job of one page with a sure row of cells, 1212, and one for review, 34; behind it a cell is blank."""

    def row(name: str, text: str, cells: int, top: int) -> FieldReading:
        sure = name == "sure"
        return FieldReading(
            name=name,
            value=text,
            raw=text,
            confidence=0.99 if sure else 0.6,
            status="read" if sure else "review",
            box=Box(left=0, top=top, right=40, bottom=top + 10),
            quad=((0.0, top), (40.0, top), (40.0, top + 10.0), (0.0, top + 10.0)),
            alternatives=() if sure else (("39", 0.3),),
            reason=None if sure else "not sure enough, may be 39",
            cells=cells,
        )

    laid = Registration(status="ok", method="none")
    fields = (row("sure", "1212", 4, 0), row("doubtful", "34", 2, 20), row("short", "7", 3, 40))
    page = FormPage(source="a.png", page_number=1, sha256="a" * 64, template="grid", registration=laid, fields=fields)
    with Ledger(tmp_path / "rows", create=True) as ledger:
        run = ledger.begin(GRID, ["a.png"])
        ledger.note_file(run, 0, file="f")
        ledger.set_count(run, "f", 1)
        ledger.record(run, "f", StoredPage.of(page))
        yield ledger


def test_digits_of_a_row_are_among_those_alike_and_the_row_is_accepted_with_its_last_one(rows: Ledger) -> None:
    queue = ReviewQueue(rows)
    assert [(one.field, round(one.confidence, 2)) for one in queue.alike("4", 9)] == [("doubtful#2", 0.67)]
    assert [one.field for one in queue.alike("7", 9)] == ["short"]  # which of its cells are filled is not known
    assert queue.left().waiting == 2 == len(all_of(queue, "risk")) and queue.left(0.0).waiting == 3
    for digit in "12":
        found = queue.alike(digit, 9)
        assert {one.field.partition("#")[0] for one in found} == {"sure"} and len(found) == 2
        say(rows, *[of(one, digit) for one in found])
    (page,) = rows.all_pages()
    assert page.corrections["sure"] == "1212" and queue.left().judged == 1
    with rows.change() as db:
        assert {field for _, field in undo(db, "Ann")} == {"sure#2", "sure#4", "sure"}
    assert len(queue.alike("2", 9)) == 2 and queue.alike("1", 9) == () and queue.left().judged == 0


def test_of_a_row_with_an_odd_digit_the_whole_is_looked_at(rows: Ledger) -> None:
    queue = ReviewQueue(rows)
    page = "a" * 64
    assert say(rows, Said(page=page, field="sure#3", value="9", seen=0)) == 0  # a digit is as it was read, or odd
    odd = [Said(page=page, field=f"sure#{cell}", value=None, odd=True, seen=0) for cell in (3, 4)]
    assert say(rows, *odd) == 2
    assert "sure" in {one.field for one in all_of(queue, "risk")} and queue.alike("1", 9) == ()
    seen = queue.seen(page, "sure#3")
    assert seen is not None and seen.reading.name == "sure" and seen.said is not None and seen.said.kind == "odd"
    assert say(rows, Said(page=page, field="sure", value="1272", seen=0)) == 1  # to ask for a look is no other value
    (one,) = rows.all_pages()
    assert dict(one.corrections) == {"sure": "1272"}
