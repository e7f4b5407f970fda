"""The queue on disk: in order, bounded, safe from crashes, and never the end of a run."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.errors import SinkError
from edge.sinks.outbox import Outbox
from edge.sinks.queue_file import outbox_path

ROOT = Path(__file__).parent.parent.parent
Opener = Callable[..., Outbox]


@pytest.fixture
def opener(tmp_path: Path) -> Iterator[Opener]:
    """Opens the same file again, after closing it."""
    boxes: list[Outbox] = []

    def open_again(**limits: int) -> Outbox:
        for box in boxes:
            box.close()
        boxes.append(Outbox(tmp_path / "events.sqlite", name="sink x", **limits))
        return boxes[-1]

    yield open_again
    for box in boxes:
        box.close()


def ids(box: Outbox) -> list[str]:
    return [stored.id for stored in box.after(0, 10**6)]


def test_events_wait_in_order_over_runs_until_they_are_taken_out(opener: Opener) -> None:
    box = opener()
    for name in "cab":
        box.put(name, f'{{"id": "{name}"}}\n')
    assert ids(box) == ["c", "a", "b"] and box.queue.waiting == 3
    first, second = box.after(0, 2)
    assert (first.line, box.after(second.number, 5)[0].id) == (b'{"id": "c"}', "b")
    box.remove([second.number])
    box = opener()
    assert ids(box) == ["c", "b"] and box.queue.waiting == 2


def test_a_number_is_never_used_again(opener: Opener) -> None:
    box = opener()
    box.put("a", "a")
    (only,) = box.after(0, 1)
    box.remove([only.number])
    box = opener()
    box.put("b", "b")
    assert box.after(0, 1)[0].number > only.number


def test_an_id_that_waits_is_not_stored_twice(opener: Opener) -> None:
    box = opener()
    box.put("a", "first")
    box.put("a", "second")
    assert [stored.line for stored in box.after(0, 9)] == [b"first"] and box.queue.waiting == 1


def test_a_full_queue_drops_the_oldest_and_counts_it_over_runs(
    opener: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    box = opener(most_events=3)
    for name in "abcde":
        box.put(name, name)
    assert ids(box) == ["c", "d", "e"]
    assert (box.queue.waiting, box.queue.dropped) == (3, 2)
    assert caplog.text.count("its queue is full") == 1
    box = opener(most_events=3)
    assert box.queue.dropped == 2
    box.put("f", "f")
    assert (ids(box), box.queue.dropped) == (["d", "e", "f"], 3)


def test_a_queue_is_bounded_in_bytes_and_keeps_at_least_the_newest(opener: Opener) -> None:
    box = opener(most_bytes=100)
    for name in "abc":
        box.put(name, name * 40)
    assert ids(box) == ["b", "c"]
    box.put("large", "x" * 500)
    assert ids(box) == ["large"] and box.queue.dropped == 3


def test_the_latest_line_outlives_its_delivery(opener: Opener) -> None:
    box = opener()
    assert box.latest() is None
    box.put("a", "reading\n", latest=True)
    box.put("b", "gone\n")
    box.remove([stored.number for stored in box.after(0, 9)])
    assert opener().latest() == b"reading"


def test_a_broken_file_is_set_aside_and_a_new_one_begun(
    opener: Opener, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "events.sqlite"
    for content in (b"no database at all" * 100, b""):
        opener().close()
        file.write_bytes(content)
        box = opener()
        box.put("a", "a")
        assert ids(box) == ["a"]
        box.remove([box.after(0, 1)[0].number])
    (aside,) = tmp_path.glob("events.sqlite.broken-*")  # an empty file is as good as none
    assert f"it is set aside as {aside.name}" in caplog.text and aside.read_bytes().startswith(b"no database")


def test_a_file_that_breaks_inside_is_set_aside_too(opener: Opener, tmp_path: Path) -> None:
    box = opener()
    for number in range(500):
        box.put(f"{number}", "x" * 200)
    box.close()
    file = tmp_path / "events.sqlite"
    content = bytearray(file.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    file.write_bytes(content)
    box = opener()
    box.put("a", "a")
    assert ids(box) == ["a"]
    assert len(list(tmp_path.glob("events.sqlite.broken-*"))) == 1


def test_a_file_that_breaks_in_mid_run_is_set_aside_and_numbers_go_on(opener: Opener, tmp_path: Path) -> None:
    box = opener()
    for number in range(300):
        box.put(f"{number}", "x" * 300)
    last = box.after(0, 300)[-1].number
    box.sync()
    file = tmp_path / "events.sqlite"
    with file.open("r+b") as opened:  # under its hands; what it has in memory it asks for no more
        opened.seek(4096)
        opened.write(b"\xff" * (file.stat().st_size - 4096))
    box._db().execute("PRAGMA shrink_memory")
    box.put("a", "a")
    wait = box.after(0, 9)
    assert [stored.id for stored in wait] == ["a"] and wait[0].number > last
    assert (box.queue.waiting, box.queue.dropped) == (1, 300)


def test_on_a_disk_that_is_full_from_the_beginning_the_queue_opens_later(
    opener: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    opener().put("a", "a")
    opener().close()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limit[1]))
    try:
        box = opener()
        with pytest.raises(SinkError, match="make room, or check the disk"):
            box.put("b", "b")
        assert ids(box) == []
        box.remove([])
        box.sync()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert ids(box) == ["a"]
    box.put("b", "b")
    assert ids(box) == ["a", "b"] and box.queue.waiting == 2
    assert caplog.text.count("trying again until it goes") == 1


def test_what_is_set_aside_does_not_pile_up(opener: Opener, tmp_path: Path) -> None:
    for _ in range(5):
        opener().close()
        (tmp_path / "events.sqlite").write_bytes(b"nonsense" * 100)
        opener()
    assert len(list(tmp_path.glob("events.sqlite.broken-*"))) == 2


def test_a_file_of_another_program_is_not_touched(opener: Opener, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "events.sqlite") as other:
        other.execute("PRAGMA user_version = 7")
    other.close()
    with pytest.raises(SinkError, match="made by another program or version; move it away"):
        opener()


def test_two_processes_do_not_share_a_queue(opener: Opener) -> None:
    opener()
    with pytest.raises(SinkError, match="sink x: another `edge run`"):
        Outbox(opener().path, name="sink x")


def test_a_full_disk_is_said_and_what_was_acknowledged_meanwhile_does_not_come_again(opener: Opener) -> None:
    box = opener()
    for number in range(50):
        box.put(f"{number}", "x" * 1000)
    box.sync()
    (pages,) = box._db().execute("PRAGMA page_count").fetchone()
    box._db().execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(SinkError, match=r"sink x: .*full; make room"):
        for number in range(50, 100):
            box.put(f"{number}", "x" * 5000)
    before = ids(box)
    box._db().execute("PRAGMA query_only = ON")  # not even a removal goes
    box.remove([stored.number for stored in box.after(0, 10)])
    assert ids(box) == before[10:] and box.queue.delivered == 10
    box._db().execute("PRAGMA query_only = OFF")
    box._db().execute("PRAGMA max_page_count = 1000000")
    box.put("room", "again")
    box.remove([])
    assert ids(box) == [*before[10:], "room"] == ids(opener())


def test_room_is_given_back_after_a_long_absence(opener: Opener) -> None:
    box = opener()
    for number in range(300):
        box.put(f"{number}", "x" * 20_000)
    box.sync()
    large = box.path.stat().st_size
    box.remove([stored.number for stored in box.after(0, 300)])
    box.sync()
    assert large > 5_000_000 and box.path.stat().st_size < 200_000


def test_threads_may_put_send_and_sync_at_the_same_time(opener: Opener) -> None:
    box = opener()
    sent: list[str] = []
    done = threading.Event()

    def send() -> None:
        last = 0
        while not done.is_set() or box.queue.waiting:
            taken = box.after(last, 7)
            sent.extend(stored.id for stored in taken)
            last = taken[-1].number if taken else last
            box.remove(stored.number for stored in taken)
            box.sync()

    thread = threading.Thread(target=send)
    thread.start()
    for number in range(500):
        box.put(f"{number}", "line", latest=True)
    done.set()
    thread.join(60)
    assert sent == [f"{number}" for number in range(500)] and box.queue.delivered == 500


WRITER = """
import sys
from pathlib import Path
from edge.sinks.outbox import Outbox
box = Outbox(Path(sys.argv[1]), name="x", most_events=10**6)
for number in range(int(sys.argv[2]), 10**6):
    box.put(str(number), "x" * 300, latest=True)
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
    if number % 3 == 0:
        box.sync()
"""


def test_a_kill_at_any_moment_loses_nothing_that_was_stored(opener: Opener) -> None:
    path = opener().path
    opener().close()
    kept: list[str] = []
    for turn in range(4):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, path, f"{turn}00000"], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        for _ in range(20 * turn + 1):
            kept.append(child.stdout.readline().strip())
        child.send_signal(signal.SIGKILL)
        child.wait()
        kept += child.stdout.read().split()
        child.stdout.close()
        found = ids(opener())
        assert [one for one in found if one in set(kept)] == kept
        opener().close()
    assert not list(path.parent.glob("*.broken*"))


def test_a_copy_of_the_files_at_any_moment_opens(opener: Opener, tmp_path: Path) -> None:
    # What a power cut leaves: the files as they are, without the program that would have closed them.
    box = opener()
    for number in range(200):
        box.put(f"{number}", "x" * 300)
        if number == 100:
            box.sync()
    (tmp_path / "after").mkdir()
    for file in tmp_path.glob("events.sqlite*"):
        if not file.name.endswith(("lock", "-shm")):
            shutil.copy(file, tmp_path / "after")
    copy = Outbox(tmp_path / "after" / "events.sqlite", name="copy")
    assert ids(copy) == [f"{number}" for number in range(200)]
    copy.close()


def test_each_target_has_a_file_of_its_own(tmp_path: Path) -> None:
    paths = {outbox_path(tmp_path, "mqtt", target, "broker/desk ü") for target in ("a", "b", "a")}
    assert len(paths) == 2
    assert all(path.parent == tmp_path / "outbox" and path.name.startswith("mqtt-broker-desk-") for path in paths)


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"STATE_DIRECTORY": "/var/lib/inkedge:/var/lib/other"}, "/var/lib/inkedge"),
        ({"XDG_STATE_HOME": "/xdg"}, "/xdg/inkedge"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/home/u"}, "/home/u/.local/state/inkedge"),
        ({"HOME": "/home/u"}, "/home/u/.local/state/inkedge"),
    ],
)
def test_queues_lie_where_state_belongs(
    variables: dict[str, str], folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("STATE_DIRECTORY", "XDG_STATE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert outbox_path(None, "mqtt", "t", "t").parent == Path(folder) / "outbox"


def test_queues_are_for_their_owner_alone(opener: Opener) -> None:
    box = opener()
    assert box.path.stat().st_mode & 0o077 == 0
