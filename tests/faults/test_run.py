"""`edge run` against cameras that are not there, say nothing, say nonsense, die, freeze and come back."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from edge.sources.demo import DemoSource
from tests.faults.streams import Run, Stream, free_port, listener


@pytest.fixture
def stream(tmp_path: Path) -> Iterator[Stream]:
    source = DemoSource(fast=True, easy=True)
    start = next(index for index in range(1000) if source.scene_number(index) == 1)
    cv2.imwrite(str(tmp_path / "desk.png"), source.pixels(start))
    served = Stream(tmp_path / "desk.png")
    yield served
    served.stop()


def first_events(path: Path, seconds: float = 60) -> list[str]:
    """Texts of events, once there is one."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        lines = path.read_text().splitlines() if path.exists() else []
        if lines:
            return [json.loads(line)["text"] for line in lines]
        time.sleep(0.05)
    raise AssertionError("no event came")


def test_a_real_mjpeg_stream_is_read_and_ends_after_its_frames(stream: Stream) -> None:
    stream.start()
    run = Run("--camera", stream.url, "--frames", "12", "--wait", "--format", "jsonl", "--verbose")
    code, out = run.end()
    assert code == 0
    assert run.errors[-1].startswith("12 frames read, ")
    assert "capture to reading p50" in run.errors[-1]
    texts = {json.loads(line)["text"] for line in out.splitlines()}
    truth = {number.text for number in DemoSource(fast=True, easy=True).scene(1).numbers}
    assert texts & truth


def test_a_stream_that_dies_and_returns_is_followed_with_one_line_each(stream: Stream, tmp_path: Path) -> None:
    stream.start()
    run = Run("--camera", stream.url, "--wait", "--sink", f"jsonl:{tmp_path}/events")
    first_events(tmp_path / "events")
    stream.stop()
    run.wait_for("trying again")
    time.sleep(1.5)
    stream.start()
    run.wait_for("frames again")
    code, _ = run.end(signal.SIGTERM)
    assert code == 0
    # --wait may have been there before the server: that is a loss of its own
    since = run.errors[next(index for index, line in enumerate(run.errors) if "frames again" in line) :]
    assert "frames read" in since[-1]
    assert sum("the stream stopped" in line for line in run.errors) == 1


def test_a_frozen_stream_is_a_loss_and_ctrl_c_still_ends_the_run(stream: Stream, tmp_path: Path) -> None:
    stream.start()
    run = Run("--camera", stream.url, "--wait", "--sink", f"jsonl:{tmp_path}/events")
    first_events(tmp_path / "events")
    stream.send(signal.SIGSTOP)
    run.wait_for("trying again", seconds=30)
    started = time.monotonic()
    code, _ = run.end(signal.SIGINT)
    assert code == 130 and time.monotonic() - started < 20  # left to itself OpenCV takes 30 s
    assert "frames read" in run.errors[-1]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "no "),
        (b"nothing that any film would hold\n" * 50, "no video stream there"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "no video stream there"),
    ],
    ids=["silence", "garbage", "404"],
)
def test_what_is_no_stream_ends_with_3_in_five_seconds(answer: bytes | None, words: str) -> None:
    with listener(answer) as url:
        run = Run("--camera", url)
        code, out = run.end()
        took = time.monotonic() - run.started
    assert code == 3 and out == ""
    assert took < 20, f"{took:.1f} s"  # 5 s where nothing else runs; left to itself OpenCV takes 30 s and more
    (line,) = run.errors
    assert line.startswith(f"error: camera {url}: {words}")


@pytest.mark.parametrize("spec", ["9", "csi:0", "nowhere.mp4"])
def test_no_camera_is_one_line_and_exit_3(spec: str) -> None:
    run = Run("--camera", spec)
    assert run.end() == (3, "")
    assert len(run.errors) == 1 and run.errors[0].startswith("error: ")


def test_nothing_there_ends_at_once_unless_waiting() -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    run = Run("--camera", url)
    assert run.end()[0] == 3
    waiting = Run("--camera", url, "--wait", "--seconds", "4")
    assert waiting.end()[0] == 0
    assert sum("trying again" in line for line in waiting.errors) == 1


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_signals_end_the_run_with_its_sum(tmp_path: Path, number: signal.Signals, expected: int) -> None:
    run = Run("--camera", "demo:easy", "--sink", f"jsonl:{tmp_path}/events")
    first_events(tmp_path / "events")
    code, out = run.end(number)
    assert code == expected
    assert "frames read" in run.errors[-1] and "skipped" in run.errors[-1]
    assert out.endswith("\n")


def test_a_full_disk_is_exit_6_and_keeps_the_other_sink_whole(tmp_path: Path) -> None:
    run = Run("--camera", "demo:fast:easy", "--frames", "60", "--sink", "jsonl:/dev/full")
    code, out = run.end()
    assert code == 6
    assert run.errors[-1].startswith("error: sink /dev/full: No space left")
    assert out.endswith("\n")


def test_full_stdout_is_exit_6_and_what_was_kept_is_whole(tmp_path: Path) -> None:
    import subprocess
    import sys

    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "edge", "run", "--camera", "demo:fast:easy", "--frames", "60"]
        done = subprocess.run([*command, "--format", "csv"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 6
    assert "stdout: No space left" in done.stderr


def test_a_sink_below_a_file_is_exit_6_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    run = Run("--camera", "demo:fast", "--sink", f"csv:{tmp_path}/file/below")
    assert run.end() == (6, "")
    assert len(run.errors) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("--camera", "demo", "--roi", "1,2,3"),
        ("--camera", "demo", "--roi", "9,9,2,2"),
        ("--camera", "demo:fast", "--roi", "0,0,9999,9999"),
        ("--camera", "demo:slow"),
        ("--camera", "demo", "--sink", "fax:1"),
        ("--camera", "demo", "--frames", "0"),
        ("--camera", "/dev/null", "--check"),
        (),
    ],
    ids=lambda arguments: " ".join(arguments) or "nothing",
)
def test_a_malformed_command_line_is_exit_2(arguments: tuple[str, ...]) -> None:
    run = Run(*arguments)
    assert run.end() == (2, "")
    assert run.errors


def test_the_demo_checks_itself_and_says_so_last(tmp_path: Path) -> None:
    arguments = ("--camera", "demo:fast:easy", "--frames", "130", "--check", "--picture", f"{tmp_path}/demo.png")
    run = Run(*arguments)
    code, out = run.end(seconds=60)
    assert code == 0
    right, of, total, numbers, words = out.splitlines()[-1].split()
    assert (of, numbers, words) == ("of", "numbers", "right")
    assert int(total) >= 4 and int(right) >= 0.5 * int(total)
    assert "32-80 px" in run.errors[-2] and "frames read" in run.errors[-1]
    assert cv2.imread(f"{tmp_path}/demo.png") is not None


def test_a_folder_is_read_picture_by_picture(tmp_path: Path) -> None:
    source = DemoSource(fast=True, easy=True)
    source.scene_number(1000)
    for number in range(3):
        index = next(index for index in range(1000) if source.scene_number(index) == number)
        cv2.imwrite(f"{tmp_path}/{number}.png", source.pixels(index))
    run = Run("--camera", str(tmp_path), "--format", "jsonl")
    code, out = run.end()
    assert code == 0 and run.errors[-1].startswith("3 frames read, 0 skipped")
    assert {json.loads(line)["frame"] for line in out.splitlines()} == {0, 1, 2}
