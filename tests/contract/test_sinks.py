"""One suite over every sink: each event a whole line at once, and what cannot be written is a SinkError."""

from __future__ import annotations

import csv
import io
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.errors import SinkError, UsageError
from edge.sinks.base import QueueingSink, Sink
from edge.sinks.console import ConsoleSink
from edge.sinks.file import FileSink
from edge.sinks.open import open_mqtt, open_sink
from tests.sinks.events import BOX, event, wait_for


@dataclass
class Opened:
    sink: Sink
    form: str
    written: Callable[[], str]


@pytest.fixture(params=["text", "csv", "jsonl", "jsonl:", "csv:"])
def opened(request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Opened]:
    kind = request.param
    if kind.endswith(":"):
        path = tmp_path / "events"
        sink = open_sink(f"{kind}{path}")
        yield Opened(sink, kind[:-1], path.read_text)
        sink.close()
        return
    gathered: list[str] = []

    def written() -> str:
        gathered.append(capsys.readouterr().out)
        return "".join(gathered)

    yield Opened(ConsoleSink(kind), kind, written)


def test_each_event_is_a_whole_line_as_soon_as_it_is_written(opened: Opened) -> None:
    before = opened.written().count("\n")
    for number in range(3):
        opened.sink.write(event(number))
        text = opened.written()
        assert text.endswith("\n") and text.count("\n") == before + number + 1
    opened.sink.close()


def test_the_text_confidence_and_place_are_in_every_line(opened: Opened) -> None:
    opened.sink.write(event())
    last = opened.written().splitlines()[-1]
    assert "42" in last and "97" in last and "appeared" in last
    for number in BOX.as_list():
        assert str(number) in last


def test_close_may_come_twice(opened: Opened) -> None:
    opened.sink.close()
    opened.sink.close()


def test_lines_parse_as_what_they_are(opened: Opened) -> None:
    opened.sink.write(event())
    text = opened.written()
    if opened.form == "jsonl":
        line = json.loads(text)
        assert line["id"] == "a-1" and line["frame"] == 1 and line["event"] == "appeared"
        assert line["time"] == "2025-11-22T09:00:00.123Z"
        assert (line["text"], line["confidence"], line["box"]) == ("42", 0.97, [10, 20, 60, 40])
        assert line["digits"][0] == {
            "digit": 4,
            "confidence": 0.98,
            "box": [10, 20, 60, 40],
            "alternatives": [[9, 0.01]],
        }
    if opened.form == "csv":
        (row,) = csv.DictReader(io.StringIO(text))
        assert (row["text"], row["event"], row["right"], row["status"]) == ("42", "appeared", "60", "read")


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_second_run_goes_on_in_the_same_file(tmp_path: Path, kind: str) -> None:
    for number in range(2):
        sink = open_sink(f"{kind}:{tmp_path}/events")
        sink.write(event(number))
        sink.close()
    lines = (tmp_path / "events").read_text().splitlines()
    assert len(lines) == (3 if kind == "csv" else 2)
    assert len(set(lines)) == len(lines), "the header must not come twice"


def test_a_line_cut_off_by_an_earlier_crash_does_not_spoil_the_next(tmp_path: Path) -> None:
    (tmp_path / "events").write_text('{"id": "a-')
    sink = open_sink(f"jsonl:{tmp_path}/events")
    sink.write(event())
    sink.close()
    assert [json.loads(line)["text"] for line in (tmp_path / "events").read_text().splitlines()] == ["42"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file" / "below", tmp_path / "missing" / "a", tmp_path):
        with pytest.raises(SinkError, match=str(path)):
            open_sink(f"jsonl:{path}")


def test_a_full_disk_is_said_and_ends_no_run_until_events_are_lost() -> None:
    for kind in ("jsonl", "csv"):
        sink = open_sink(f"{kind}:/dev/full")
        sink.write(event(1))
        sink.write(event(2))
        assert sink.queue.held == 2
        with pytest.raises(SinkError, match=r"sink /dev/full: No space left .*2 events are lost"):
            sink.close()


def test_a_line_that_half_fits_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "events"
    sink = FileSink(path, "jsonl")
    sink.write(event(1))
    whole = path.read_text()
    real = os.write
    takes = iter([30])  # the disk takes 30 bytes more, and then no more

    def nearly_full(descriptor: int, content: bytes) -> int:
        room = next(takes, 0)
        if not room:
            raise OSError(28, "No space left on device")
        return real(descriptor, content[:room])

    monkeypatch.setattr(os, "write", nearly_full)
    with pytest.raises(SinkError):
        sink.write(event(2))
    assert path.read_text() == whole


@pytest.fixture(params=["jsonl", "csv", "http", "mqtt"])
def queueing(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], QueueingSink]:
    """Opens the same sink again and again; nobody listens where it sends to."""
    kind = request.param
    with socket.socket() as taken:  # bound and not listening: nobody else answers there either
        taken.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{taken.getsockname()[1]}"
    if kind == "mqtt":
        return lambda: open_mqtt(f"mqtt://{host}/desk", state=tmp_path)
    return lambda: open_sink(f"http://{host}/hook" if kind == "http" else f"{kind}:{tmp_path}/events", state=tmp_path)


def test_what_is_written_is_kept_or_waits_for_the_next_run(queueing: Callable[[], QueueingSink]) -> None:
    sink = queueing()
    for number in range(3):
        sink.write(event(number))
    assert sink.queue.waiting + sink.queue.delivered == 3 and sink.queue.held == 0
    waiting = sink.queue.waiting
    sink.close(0.2)
    sink.close()
    again = queueing()
    assert again.queue.waiting == waiting
    again.close(0.2)


def test_two_programs_do_not_share_a_place(queueing: Callable[[], QueueingSink]) -> None:
    sink = queueing()
    with pytest.raises(SinkError, match="another"):
        queueing()
    sink.close(0.2)
    queueing().close(0.2)


def test_a_sink_leaves_no_thread_and_no_file_open(queueing: Callable[[], QueueingSink]) -> None:
    queueing().close(0.2)
    files, threads = len(os.listdir("/proc/self/fd")), threading.active_count()  # noqa: PTH208
    for number in range(3):
        sink = queueing()
        sink.write(event(number))
        sink.close(0.2)
    wait_for(lambda: threading.active_count() <= threads)
    assert len(os.listdir("/proc/self/fd")) <= files  # noqa: PTH208


def test_a_name_holds_nothing_secret(queueing: Callable[[], QueueingSink]) -> None:
    sink = queueing()
    assert "hook" not in sink.name and sink.name
    sink.close(0.2)


@pytest.mark.parametrize("spec", ["xml:a", "jsonl", "jsonl:", "", "ftp://127.0.0.1/", "http:nonsense"])
def test_an_unknown_sink_is_a_usage_error(spec: str) -> None:
    with pytest.raises(UsageError, match="jsonl:PATH or csv:PATH"):
        open_sink(spec)
