"""Real streams on loopback, in real trouble: stopped, killed, cut, frozen, broken, replaced by another size."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.live.newest import NewestFrame
from edge.live.vitals import Vitals
from edge.patience import Patience
from edge.sources.base import opened
from edge.sources.open import open_source
from edge.sources.settings import CameraSettings
from edge.values import Frame
from tests.faults.streams import MjpegServer, RtspStream, Stream

LONG_S = 60.0


class Watched:
    """The newest frames of an address, until something is so."""

    def __init__(self, url: str, timeout_s: float = 5.0) -> None:
        settings = CameraSettings(timeout_s=timeout_s)
        self.vitals = Vitals()
        patience = Patience(first_s=0.1, most_s=0.5)
        source = open_source(url, settings)
        self.newest = NewestFrame(source, vitals=self.vitals, wait=True, timeout_s=timeout_s, patience=patience)
        self.frames: list[Frame] = []

    def until(self, done: Callable[[], bool]) -> float:
        """Seconds until done() was so."""
        start = time.monotonic()
        while not done():
            assert time.monotonic() - start < LONG_S, f"it never came: {self.vitals}"
            frame = self.newest.next(0.05)
            if frame is not None:
                self.frames = [*self.frames[-9:], frame]
        return time.monotonic() - start

    def until_frames(self) -> None:
        self.frames.clear()
        self.until(lambda: len(self.frames) >= 5)

    def until_lost(self) -> float:
        return self.until(lambda: self.vitals.lost)

    def until_seen_changing(self) -> None:
        """By then it is known that the last rows of its pictures change."""
        self.until(lambda: self.frames[-1].index > 40)

    def until_back(self) -> None:
        self.until(lambda: not self.vitals.lost)
        self.until_frames()


@pytest.fixture
def watch(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[..., Watched]]:
    caplog.set_level(logging.WARNING)
    open_ones: list[Watched] = []

    def start(url: str, timeout_s: float = 5.0) -> Watched:
        open_ones.append(Watched(url, timeout_s))
        open_ones[-1].until_frames()
        open_ones[-1].vitals.faults.clear()
        caplog.clear()  # the server may have come after its viewer
        return open_ones[-1]

    yield start
    for watched in open_ones:
        watched.newest.close()


@pytest.fixture
def rtsp() -> Iterator[RtspStream]:
    stream = RtspStream()
    stream.start()
    yield stream
    stream.stop()


@pytest.fixture
def mjpeg() -> Iterator[MjpegServer]:
    server = MjpegServer()
    yield server
    server.close()


def test_an_rtsp_server_that_stops_goes_on_dies_and_returns_larger(
    rtsp: RtspStream, watch: Callable[..., Watched], caplog: pytest.LogCaptureFixture
) -> None:
    watched = watch(rtsp.url)
    assert watched.frames[-1].pixels.shape == (240, 320, 3)
    rtsp.send(signal.SIGSTOP)
    assert watched.until_lost() < 7, "noticed within 5 s, and a busy machine"
    rtsp.send(signal.SIGCONT)
    watched.until_back()
    rtsp.stop()
    watched.until_lost()
    rtsp.start("640x480")
    watched.until_back()
    assert watched.frames[-1].pixels.shape == (480, 640, 3)
    assert watched.vitals.reconnects == 2 and watched.vitals.faults == {"lost": 2, "resized": 1}
    said = ["trying again", "frames again", "trying again", "frames again", "640x480 now"]
    assert [words in line for words, line in zip(said, caplog.messages, strict=True)] == [True] * 5


def test_frames_are_the_older_the_slower_they_are_fetched(rtsp: RtspStream) -> None:
    with open_source(rtsp.url) as source, opened(source) as frames:
        ages_s = []
        for frame in islice(frames, 50):
            ages_s.append(time.time() - frame.time)
            time.sleep(0.12)  # they come each 0.067 s
        assert ages_s[-1] - ages_s[9] > 1
        for frame in islice(frames, 60):
            age_s = time.time() - frame.time
        assert age_s < ages_s[-1] - 0.5, "what had waited is fetched by now"


def test_an_mjpeg_stream_by_ffmpeg_that_is_stopped_and_started_anew(
    tmp_path: Path, watch: Callable[..., Watched], caplog: pytest.LogCaptureFixture
) -> None:
    picture = np.random.default_rng(1).integers(60, 200, (120, 160, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "noise.png"), picture)
    stream = Stream(tmp_path / "noise.png")
    stream.start()
    try:
        watched = watch(stream.url, timeout_s=4)
        stream.send(signal.SIGSTOP)
        watched.until_lost()
        stream.stop()
        stream.start()
        watched.until_back()
    finally:
        stream.stop()
    assert ["again" in line for line in caplog.messages[:2]] == [True, True]


@pytest.mark.parametrize(
    ("trouble", "fault", "words"),
    [
        ("frozen", "frozen", "the same picture to the byte"),
        ("stalls", "lost", "the stream stopped"),
        ("cuts", "lost", "the stream stopped"),
        ("refuses", "lost", "the stream stopped"),
        ("404", "lost", "the stream stopped"),
        ("garbage", "lost", ""),
        ("broken", "broken", "half decoded"),
    ],
)
def test_a_stream_in_trouble_is_noticed_said_once_and_heals(
    trouble: str,
    fault: str,
    words: str,
    mjpeg: MjpegServer,
    watch: Callable[..., Watched],
    caplog: pytest.LogCaptureFixture,
) -> None:
    watched = watch(mjpeg.url, timeout_s=3)
    if trouble == "broken":
        watched.until_seen_changing()
    mjpeg.does = trouble
    watched.until_lost()
    assert watched.vitals.faults[fault] >= 1
    mjpeg.does = "live"
    watched.until_back()
    lost, back = caplog.messages
    assert words in lost and lost.endswith("trying again until it comes back") and "frames again" in back
    assert watched.vitals.reconnects == 1


def test_pictures_cut_in_the_middle_are_left_out(mjpeg: MjpegServer, watch: Callable[..., Watched]) -> None:
    watched = watch(mjpeg.url)
    watched.until_seen_changing()
    mjpeg.does = "half"
    watched.until(lambda: watched.vitals.faults["broken"] > 10)
    assert not watched.vitals.lost


def test_black_pictures_are_said_and_read(
    mjpeg: MjpegServer, watch: Callable[..., Watched], caplog: pytest.LogCaptureFixture
) -> None:
    watched = watch(mjpeg.url, timeout_s=3)
    mjpeg.does = "black"
    watched.until(lambda: watched.vitals.faults["black"] == 1)
    assert watched.frames[-1].pixels.mean() < 10 and not watched.vitals.lost
    mjpeg.does = "live"
    watched.until(lambda: watched.frames[-1].pixels.mean() > 60)
    black, light = caplog.messages
    assert "is the lens covered" in black and "no longer black" in light


def test_pictures_that_grow_in_the_stream_are_read_as_they_are(
    mjpeg: MjpegServer, watch: Callable[..., Watched], caplog: pytest.LogCaptureFixture
) -> None:
    watched = watch(mjpeg.url)
    mjpeg.does = "large"
    watched.until(lambda: watched.frames[-1].pixels.shape == (240, 320, 3))
    mjpeg.does = "live"
    watched.until(lambda: watched.frames[-1].pixels.shape == (120, 160, 3))
    assert [line.split(": ", 1)[1] for line in caplog.messages] == ["its pictures are 320x240 now"]
