"""One suite over every kind of source: whoever opens one may rely on this."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import EdgeError, SourceError, UsageError
from edge.sources.base import Source, opened
from edge.sources.open import open_source
from edge.sources.settings import CameraSettings
from tests.faults.streams import MjpegServer, RtspStream
from tests.sources.doubles import Picamera2, UsbCamera, picamera2_module


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    (folder / "stills").mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / "stills" / f"{number}.png"), np.full((48, 64), 80 * number, np.uint8))
    cv2.imwrite(str(folder / "one.jpg"), np.full((48, 64, 3), 200, np.uint8))
    video = cv2.VideoWriter(str(folder / "film.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 15, (64, 48))
    for number in range(5):
        video.write(np.full((48, 64, 3), 40 * number, np.uint8))
    video.release()
    return folder


@pytest.fixture(scope="module")
def mjpeg() -> Iterator[MjpegServer]:
    server = MjpegServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def rtsp() -> Iterator[RtspStream]:
    stream = RtspStream()
    stream.start()
    yield stream
    stream.stop()


FILES = ["stills", "one.jpg", "film.avi"]
CAMERAS = ["demo", "usb", "csi:0", "http", "rtsp"]


@pytest.fixture(params=["demo:fast", "demo:fast:easy:seed=7", *FILES, *CAMERAS])
def spec(request: pytest.FixtureRequest, media: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The SPEC of a source of each kind; the cameras that no test machine has are doubles."""
    if request.param in FILES:
        return str(media / request.param)
    if request.param in ("http", "rtsp"):
        return str(request.getfixturevalue({"http": "mjpeg", "rtsp": "rtsp"}[request.param]).url)
    if request.param == "usb":
        monkeypatch.setattr("edge.sources.v4l2.cv2.VideoCapture", UsbCamera().capture)
        return "/dev/null"  # a device that is there
    if request.param == "csi:0":
        Picamera2.restart()
        monkeypatch.setitem(sys.modules, "picamera2", picamera2_module())
    return str(request.param)


@pytest.fixture
def source(spec: str) -> Iterator[Source]:
    with open_source(spec) as opened_one:
        yield opened_one


def test_frames_count_from_zero_and_time_goes_on(source: Source) -> None:
    with opened(source) as given:
        frames = list(islice(given, 5))
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert all(one.time <= two.time for one, two in pairwise(frames))
    assert all(frame.pixels.dtype == np.uint8 and frame.source for frame in frames)


def test_every_frame_is_its_own(source: Source) -> None:
    with opened(source) as given:
        frames = list(islice(given, 3))
    before = [frame.pixels.copy() for frame in frames]
    frames[0].pixels[:] = 7
    assert all(np.array_equal(frame.pixels, kept) for frame, kept in zip(frames[1:], before[1:], strict=True))


def test_close_ends_the_frames_and_may_come_twice(source: Source) -> None:
    with opened(source) as given:
        next(given)
        source.close()
        source.close()
        assert len(list(given)) <= 1


def test_an_iteration_that_is_left_gives_the_source_back_for_the_next(source: Source) -> None:
    for _ in range(2):
        with opened(source) as given:
            next(given)


def test_live_frames_are_as_old_as_they_say_and_others_are_not_live(source: Source) -> None:
    before = time.time()
    with opened(source) as given:
        frame = next(given)
    assert source.live == any(source.name.startswith(kind) for kind in ("/dev", "csi", "http", "rtsp")) or (
        source.name == "demo"
    )
    if source.live:
        assert before - 2 <= frame.time <= time.time()
        assert source.moving and source.broken == 0


def test_every_source_can_be_turned_and_mirrored(spec: str) -> None:
    with open_source(spec, CameraSettings(rotation=90, mirror=True)) as turned, opened(turned) as given:
        frame = next(given)
    with open_source(spec) as plain, opened(plain) as given:
        straight = next(given)
    assert frame.pixels.shape[:2] == straight.pixels.shape[1::-1]
    assert (turned.name, turned.live, turned.moving, turned.sensor) == (
        plain.name,
        plain.live,
        plain.moving,
        plain.sensor,
    )
    if not plain.live:
        assert np.array_equal(frame.pixels, straight.pixels.swapaxes(0, 1)), "turned, then mirrored: transposed"


def test_files_end_and_give_every_frame(media: Path) -> None:
    assert [len(list(open_source(str(media / name)))) for name in ("stills", "one.jpg", "film.avi")] == [3, 1, 5]
    assert not any(open_source(str(media / name)).live for name in ("stills", "one.jpg", "film.avi"))


def test_what_has_no_sequence_says_so(media: Path) -> None:
    assert open_source(str(media / "film.avi")).moving and open_source("demo").moving
    assert not open_source(str(media / "stills")).moving


@pytest.mark.parametrize(
    ("spec", "kind", "remedy"),
    [
        ("99", SourceError, "plug it in"),
        ("usb:99", SourceError, "plug it in"),
        ("/dev/video99", SourceError, "plug it in"),
        ("/dev/null", SourceError, "does not open as a camera"),
        ("csi:0", SourceError, "apt install python3-picamera2"),
        ("nowhere.png", SourceError, "give 0, csi:0, http"),
        ("", SourceError, "give 0, csi:0, http"),
        ("demo:x", UsageError, "fast, easy"),
        ("http://127.0.0.1:9/", SourceError, "is the address right"),
    ],
)
def test_what_is_no_source_is_said_with_the_remedy(spec: str, kind: type[EdgeError], remedy: str) -> None:
    with pytest.raises(kind, match=remedy):
        next(iter(open_source(spec)))


def test_a_file_that_is_neither_image_nor_video_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("milk\n" * 100)
    (tmp_path / "notes.png").write_text("milk\n" * 100)
    (tmp_path / "empty").mkdir()
    for name, words in (("notes.txt", "nor a video"), ("notes.png", "not an image"), ("empty", "no image in it")):
        with pytest.raises(SourceError, match=words):
            next(iter(open_source(str(tmp_path / name))))


def test_a_bad_image_in_a_folder_is_named_and_the_others_are_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cv2.imwrite(str(tmp_path / "b.png"), np.zeros((5, 5), np.uint8))
    (tmp_path / "a.png").write_bytes(b"")
    assert len(list(open_source(str(tmp_path)))) == 1
    assert "a.png page 1: the file is empty" in caplog.text
