"""Files of events: rotated by size, an id never twice, whatever becomes of disk and file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.errors import SinkError, UsageError
from edge.sinks.file import FileSink
from edge.sinks.holding import HoldingSink
from edge.sinks.lines import CSV_HEADER, Format
from edge.sinks.open import check_places, open_sink
from edge.sinks.rotation import Rotation
from tests.sinks.events import event, wait_for


def ids(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_text().splitlines()]


def numbered(*numbers: int) -> list[str]:
    return [f"a-{number}" for number in numbers]


def test_files_rotate_by_size_and_the_oldest_goes(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    sink = FileSink(path, "jsonl", Rotation(most_bytes=1000, keep=2))
    for number in range(20):
        sink.write(event(number))
    sink.close()
    files = [path.with_name("events.jsonl.2"), path.with_name("events.jsonl.1"), path]
    assert sorted(tmp_path.iterdir()) == sorted(files)
    assert all(file.stat().st_size <= 1000 for file in files)
    kept = [one for file in files for one in ids(file)]
    assert kept == numbered(*range(20 - len(kept), 20))


def test_each_csv_has_its_header(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "events.csv", "csv", Rotation(most_bytes=400, keep=9))
    for number in range(20):
        sink.write(event(number))
    sink.close()
    files = list(tmp_path.iterdir())
    assert len(files) > 3
    for file in files:
        assert file.read_text().startswith(CSV_HEADER) and file.read_text().count("confidence") == 1


def test_a_line_longer_than_the_limit_is_written_all_the_same(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "events", "jsonl", Rotation(most_bytes=10, keep=0))
    for number in range(3):
        sink.write(event(number))
    sink.close()
    assert [file.name for file in tmp_path.iterdir()] == ["events"] and ids(tmp_path / "events") == numbered(2)


def test_a_rotation_cut_off_in_mid_way_costs_no_further_file(tmp_path: Path) -> None:
    # Killed after .1 became .2 and before the file became .1.
    for name, number in (("events.3", 0), ("events.2", 1)):
        (tmp_path / name).write_text(json.dumps({"id": f"old-{number}"}) + "\n")
    sink = FileSink(tmp_path / "events", "jsonl", Rotation(most_bytes=300, keep=3))
    for number in range(2):
        sink.write(event(number))
    sink.close()
    assert [ids(tmp_path / name) for name in ("events.3", "events.2", "events.1", "events")] == [
        ["old-0"],
        ["old-1"],
        ["a-0"],
        ["a-1"],
    ]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_an_id_that_is_in_the_file_or_those_before_is_not_written_again(tmp_path: Path, form: Format) -> None:
    for part in ((1, 2, 3), (2, 3, 4), (1, 4, 5)):
        sink = FileSink(tmp_path / "events", form, Rotation(most_bytes=500, keep=9))
        for number in part:
            sink.write(event(number))
        sink.close()
    text = "".join(file.read_text() for file in tmp_path.iterdir())
    assert all(text.count(f"a-{number}") == 1 for number in range(1, 6))


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_line_cut_off_anywhere_by_a_power_cut_is_taken_back_and_comes_again(tmp_path: Path, form: Format) -> None:
    path = tmp_path / "events"

    def write_both() -> bytes:
        sink = FileSink(path, form)
        for number in (1, 2):
            sink.write(event(number))
        sink.close()
        return path.read_bytes()

    whole = write_both()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        assert write_both() == whole, whole[:cut]


def test_what_others_wrote_stays_whole_and_ours_begins_a_line(tmp_path: Path) -> None:
    path = tmp_path / "events"
    for form in ("jsonl", "csv"):
        path.write_text("my list")
        sink = open_sink(f"{form}:{path}")
        sink.write(event(1))
        sink.close()
        assert path.read_text().startswith("my list\n") and path.read_text().count("a-1") == 1


def test_a_file_that_was_moved_or_deleted_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "events"
    sink = FileSink(path, "jsonl")
    sink.write(event(1))
    path.rename(tmp_path / "moved")
    sink.write(event(2))
    path.unlink()
    sink.write(event(3))
    sink.close()
    assert (ids(tmp_path / "moved"), ids(path)) == (numbered(1), numbered(3))


def test_a_folder_that_goes_and_comes_back_costs_no_event(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "stick"
    folder.mkdir()
    sink = HoldingSink(FileSink(folder / "events", "jsonl"), retry_s=0.05)
    sink.write(event(1))
    folder.rename(tmp_path / "away")
    for number in (2, 3):
        sink.write(event(number))
    wait_for(lambda: sink.queue.held == 2)
    (tmp_path / "away").rename(folder)
    wait_for(lambda: sink.queue.held == 0)
    sink.write(event(4))
    sink.close()
    assert ids(folder / "events") == numbered(1, 2, 3, 4)
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert "2 events were held" in caplog.text


def test_what_is_held_is_bounded_and_what_is_lost_is_counted_and_said(tmp_path: Path) -> None:
    folder = tmp_path / "stick"
    folder.mkdir()
    sink = HoldingSink(FileSink(folder / "events", "jsonl"), most_held=3, retry_s=0.05)
    folder.rename(tmp_path / "away")
    for number in range(5):
        sink.write(event(number))
    assert (sink.queue.held, sink.queue.dropped) == (3, 2)
    with pytest.raises(SinkError, match=r"No such file or directory; .* \(3 events are lost\)"):
        sink.close()
    sink.close()


def test_a_file_that_rotates_is_synced_whatever_happens_to_it(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "events", "jsonl", Rotation(most_bytes=300, keep=1))
    for number in range(5):
        sink.write(event(number))
        sink.sync()
    sink.close()
    sink.sync()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("jsonl:{}/a:rotat=10MB", "unknown; use rotate="),
        ("jsonl:{}/a:size=1", "unknown; use rotate or keep="),
        ("csv:{}/a:rotate=ten", "give a size such as"),
        ("csv:{}/a:rotate=0MB", "give a size such as"),
        ("csv:{}/a:keep=-1", "give a number of old files"),
        ("csv:{}/a:keep=1:keep=2", "given twice"),
    ],
)
def test_a_bad_option_is_refused_and_makes_no_file(tmp_path: Path, spec: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        open_sink(spec.format(tmp_path))
    assert not list(tmp_path.iterdir())


def test_options_come_after_the_path_which_may_hold_colons(tmp_path: Path) -> None:
    path = tmp_path / "10:30=x" / "events:1"
    path.parent.mkdir()
    sink = open_sink(f"jsonl:{path}:rotate=300:keep=1")
    for number in range(3):
        sink.write(event(number))
    sink.close()
    assert sorted(file.name for file in path.parent.iterdir()) == ["events:1", "events:1.1"]


@pytest.mark.parametrize(
    ("specs", "url"),
    [
        (["https://me:s3cret@host/"], None),
        (["ftp://me:s3cret@host/"], None),
        (["jsonl:a", "csv:b:rotate=no"], None),
        ([], "mqtt://me:s3cret@host/desk"),
    ],
)
def test_places_can_be_looked_at_before_they_are_shown(specs: list[str], url: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        check_places(specs, url)
    assert "s3cret" not in str(caught.value)


def test_looking_at_good_places_opens_none(tmp_path: Path) -> None:
    check_places([f"jsonl:{tmp_path}/a:rotate=1MB", "https://host/x"], "mqtt://me@host/desk")
    assert not list(tmp_path.iterdir())
