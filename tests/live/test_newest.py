"""The newest frame: loss and return, retries, drivers that hang; by a camera that does as it is told."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from threading import Event

import numpy as np
import pytest

from edge.errors import SourceError
from edge.live.loop import Limits, follow
from edge.live.newest import NewestFrame
from edge.live.vitals import Vitals
from edge.patience import Patience
from edge.sources.base import SourceBase
from edge.values import Frame, Image, Reading

LONG_S = 30.0
Opening = Callable[["Told"], Iterator[Image]]


class Told(SourceBase):
    """A live source; each opening does the next thing it was told, the last one again and again."""

    live = True
    moving = True

    def __init__(self, *openings: Opening, sensor: bool = True) -> None:
        self.name = "told"
        self.sensor = sensor
        self.openings = list(openings)
        self.opened = 0
        self.released = 0
        self.index = 0
        self.closed = Event()
        self.rng = np.random.default_rng(3)

    def __iter__(self) -> Iterator[Frame]:
        opening = self.openings[min(self.opened, len(self.openings) - 1)]
        self.opened += 1
        try:
            for pixels in opening(self):
                if self.closed.wait(0.005):
                    return
                yield Frame(pixels=pixels, index=self.index, time=time.time(), source=self.name)
                self.index += 1
        finally:
            self.released += 1

    def close(self) -> None:
        self.closed.set()

    def noise(self, shape: tuple[int, ...] = (48, 64, 3)) -> Image:
        return self.rng.integers(60, 200, shape, np.uint8)


def lives(camera: Told) -> Iterator[Image]:
    while True:
        yield camera.noise()


def gives(frames: int) -> Opening:
    """So many frames, and then it is unplugged."""

    def opening(camera: Told) -> Iterator[Image]:
        for _ in range(frames):
            yield camera.noise()
        raise SourceError("camera told: unplugged")

    return opening


def freezes(camera: Told) -> Iterator[Image]:
    still = camera.noise()
    for _ in range(5):
        yield camera.noise()
    while True:
        yield still.copy()


def is_silent(camera: Told) -> Iterator[Image]:
    yield camera.noise()
    camera.closed.wait(LONG_S)
    raise SourceError("camera told: silent")


QUICK = Patience(first_s=0.02, most_s=0.05)


class Watched:
    """A NewestFrame with what it says of itself."""

    def __init__(self, camera: Told, *, timeout_s: float = 2.0, wait: bool = False) -> None:
        self.camera, self.vitals = camera, Vitals()
        self.newest = NewestFrame(camera, vitals=self.vitals, timeout_s=timeout_s, wait=wait, patience=QUICK)
        self.frames: list[Frame] = []

    def until(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + LONG_S
        while not done():
            assert time.monotonic() < end, f"it never came: {self.vitals}"
            frame = self.newest.next(0.02)
            if frame is not None:
                self.frames.append(frame)


@pytest.fixture
def watch(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[..., Watched]]:
    caplog.set_level(logging.WARNING)
    before = threading.active_count()
    open_ones: list[Watched] = []

    def start(camera: Told, **options: float) -> Watched:
        open_ones.append(Watched(camera, **options))
        return open_ones[-1]

    yield start
    for watched in open_ones:
        watched.newest.close()
        watched.newest.close()
    end = time.monotonic() + LONG_S
    while threading.active_count() > before:
        assert time.monotonic() < end, f"threads left: {threading.enumerate()}"
        time.sleep(0.01)


def test_a_source_that_never_gave_a_frame_ends_with_its_reason(watch: Callable[..., Watched]) -> None:
    watched = watch(Told(gives(0)))
    with pytest.raises(SourceError, match="unplugged"):
        watched.until(lambda: False)


def test_a_source_that_is_silent_from_the_start_ends_within_its_timeout(watch: Callable[..., Watched]) -> None:
    def never(camera: Told) -> Iterator[Image]:
        camera.closed.wait(LONG_S)
        yield camera.noise()

    watched = watch(Told(never))
    start = time.monotonic()
    with pytest.raises(SourceError, match="--wait waits for it"):
        watched.until(lambda: False)
    assert time.monotonic() - start > 1


def test_waiting_outlasts_a_source_that_comes_late(
    watch: Callable[..., Watched], caplog: pytest.LogCaptureFixture
) -> None:
    watched = watch(Told(gives(0), gives(0), gives(0), lives), wait=True)
    watched.until(lambda: len(watched.frames) >= 3)
    assert watched.camera.opened == 4 and not watched.vitals.lost
    assert ["unplugged" in line for line in caplog.messages] == [True, False]
    assert watched.vitals.reconnects == 0, "it was never there before"


def test_loss_and_return_are_each_one_line_and_counted(
    watch: Callable[..., Watched], caplog: pytest.LogCaptureFixture
) -> None:
    watched = watch(Told(gives(5), gives(0), gives(0), gives(5), lives))
    watched.until(lambda: watched.camera.opened == 5 and watched.vitals.reconnects == 2)
    lost = [line for line in caplog.messages if "unplugged; trying again" in line]
    back = [line for line in caplog.messages if "frames again" in line]
    assert len(lost) == 2 and len(back) == 2 and len(caplog.messages) == 4
    assert watched.vitals.faults["lost"] == 2


def test_each_opening_is_given_back_before_the_next(watch: Callable[..., Watched]) -> None:
    camera = Told(gives(3), freezes, gives(2), lives)
    released: list[int] = []
    original = camera.openings[-1]
    camera.openings[-1] = lambda told: (released.append(told.released), original(told))[1]
    watched = watch(camera)
    watched.until(lambda: bool(released))
    assert released == [3]


def test_silence_after_frames_is_noticed_within_the_timeout(
    watch: Callable[..., Watched], caplog: pytest.LogCaptureFixture
) -> None:
    watched = watch(Told(is_silent))
    watched.until(lambda: bool(watched.frames))
    assert not watched.vitals.lost
    watched.until(lambda: watched.vitals.lost)
    assert [("no frame for" in line, "trying again" in line) for line in caplog.messages] == [(True, True)]


def test_a_frozen_camera_is_opened_again_and_heals(
    watch: Callable[..., Watched], caplog: pytest.LogCaptureFixture
) -> None:
    watched = watch(Told(freezes, lives))
    watched.until(lambda: watched.vitals.reconnects == 1)
    assert watched.vitals.faults == {"frozen": 1}
    assert "same picture to the byte" in caplog.messages[0] and "frames again" in caplog.messages[1]


def test_a_still_stream_is_not_opened_again(watch: Callable[..., Watched], caplog: pytest.LogCaptureFixture) -> None:
    def still(camera: Told) -> Iterator[Image]:
        picture = camera.noise()
        while True:
            yield picture.copy()

    watched = watch(Told(still, sensor=False), timeout_s=2)
    watched.until(lambda: bool(caplog.messages))
    seen = len(watched.frames)
    watched.until(lambda: len(watched.frames) > seen + 5)
    assert watched.camera.opened == 1 and not watched.vitals.lost and len(caplog.messages) == 1


def test_half_pictures_are_not_handed_over(watch: Callable[..., Watched]) -> None:
    def sometimes_half(camera: Told) -> Iterator[Image]:
        for number in range(10_000):
            picture = camera.noise()
            if number % 3 == 2:
                picture[20:] = 128
            yield picture

    watched = watch(Told(sometimes_half))
    watched.until(lambda: len(watched.frames) > 20 and watched.vitals.faults["broken"] > 5)
    assert all(frame.pixels[-1].std() > 10 for frame in watched.frames)
    assert not watched.vitals.lost


def test_pictures_that_the_source_could_not_decode_are_counted(watch: Callable[..., Watched]) -> None:
    def breaks(camera: Told) -> Iterator[Image]:
        while True:
            camera.broken += 1
            yield camera.noise()

    watched = watch(Told(breaks))
    watched.until(lambda: watched.vitals.faults["broken"] > 3)
    assert not watched.vitals.lost


def test_black_is_no_loss(watch: Callable[..., Watched], caplog: pytest.LogCaptureFixture) -> None:
    def dark(camera: Told) -> Iterator[Image]:
        while True:
            yield camera.noise() // 20

    watched = watch(Told(dark), timeout_s=2)
    watched.until(lambda: watched.vitals.faults["black"] == 1)
    assert not watched.vitals.lost and watched.camera.opened == 1
    (line,) = caplog.messages
    assert line.startswith("camera told: its pictures have been black")


def test_another_size_is_taken_and_said_once(watch: Callable[..., Watched], caplog: pytest.LogCaptureFixture) -> None:
    def grows(camera: Told) -> Iterator[Image]:
        for _ in range(5):
            yield camera.noise()
        while True:
            yield camera.noise((96, 128, 3))

    watched = watch(Told(grows))
    watched.until(lambda: bool(watched.frames) and watched.frames[-1].pixels.shape == (96, 128, 3))
    assert caplog.messages == ["camera told: its pictures are 128x96 now"]
    assert watched.camera.opened == 1 and watched.vitals.faults == {"resized": 1}


def test_a_driver_that_never_returns_costs_two_threads_and_heals_when_it_does(
    watch: Callable[..., Watched], caplog: pytest.LogCaptureFixture
) -> None:
    free = Event()

    def hangs(camera: Told) -> Iterator[Image]:
        yield camera.noise()
        free.wait(LONG_S)
        yield camera.noise()

    def hangs_in_opening(camera: Told) -> Iterator[Image]:
        free.wait(LONG_S)
        yield camera.noise()

    before = threading.active_count()
    camera = Told(hangs, hangs_in_opening, hangs_in_opening, lives)
    watched = watch(camera, timeout_s=0.5)
    watched.until(lambda: camera.opened == 3)
    end = time.monotonic() + 2.5  # two more would have been started by then
    watched.until(lambda: time.monotonic() > end)
    assert camera.opened == 3 and threading.active_count() == before + 3
    assert watched.vitals.lost and len(caplog.messages) == 1
    free.set()
    watched.until(lambda: not watched.vitals.lost)
    watched.until(lambda: threading.active_count() <= before + 1)
    seen = len(watched.frames)
    watched.until(lambda: len(watched.frames) > seen + 5)


def test_a_bug_reaches_the_reader(watch: Callable[..., Watched]) -> None:
    def broken(camera: Told) -> Iterator[Image]:
        yield camera.noise()
        raise ZeroDivisionError

    watched = watch(Told(broken))
    with pytest.raises(ZeroDivisionError):
        watched.until(lambda: False)


def test_the_end_of_a_run_is_no_loss(caplog: pytest.LogCaptureFixture) -> None:
    class Blind:
        def read(self, pixels: Image) -> tuple[Reading, ...]:
            return ()

    before, vitals = threading.active_count(), Vitals()
    assert len(list(follow(Told(lives), Blind(), vitals, limits=Limits(frames=3)))) == 3
    assert threading.active_count() == before
    assert caplog.messages == [] and not vitals.lost
