"""The loop: newest frames, limits, regions, loss and return; and the demo's own judgement."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from threading import Event

import cv2
import numpy as np
import pytest

from edge.errors import SinkError, SourceError, UsageError
from edge.live.judge import DemoJudge, compare
from edge.live.loop import Limits, follow
from edge.live.vitals import Vitals
from edge.sources.base import SourceBase
from edge.sources.demo import DemoSource
from edge.sources.writing import WrittenNumber
from edge.values import Box, Frame, Image, Reading

PIXELS = np.zeros((480, 640, 3), np.uint8)


class Camera(SourceBase):
    """A live source that gives frames every period_s; `fails` says after how many, again and again."""

    live = True
    moving = True

    def __init__(self, *, period_s: float = 0.005, fails: tuple[int, ...] = ()) -> None:
        self.name = "fake"
        self.period_s = period_s
        self.index = 0
        self.fails = iter(fails)
        self.closed = Event()
        self.opened = 0

    def __iter__(self) -> Iterator[Frame]:
        self.opened += 1
        left = next(self.fails, None)
        for given in count():
            if given == left:
                raise SourceError("camera fake: unplugged")
            if self.closed.wait(self.period_s):
                return
            yield Frame(pixels=PIXELS, index=self.index, time=time.time(), source=self.name)
            self.index += 1

    def close(self) -> None:
        self.closed.set()


class Reader:
    """Reads the same number everywhere, slowly if asked to."""

    def __init__(self, *, takes_s: float = 0.0) -> None:
        self.takes_s = takes_s
        self.shapes: list[tuple[int, ...]] = []

    def read(self, pixels: Image) -> tuple[Reading, ...]:
        time.sleep(self.takes_s)
        self.shapes.append(pixels.shape)
        return (Reading(text="42", confidence=0.99, status="read", box=Box(left=10, top=20, right=60, bottom=40)),)


def test_a_slow_reader_gets_the_newest_frame_and_the_skipped_are_counted() -> None:
    camera, vitals = Camera(), Vitals()
    indices = [step.frame.index for step in follow(camera, Reader(takes_s=0.05), vitals, limits=Limits(frames=6))]
    assert vitals.frames == 6 and vitals.skipped >= 20
    assert indices == sorted(set(indices))
    assert indices[-1] > 20 and max(vitals.latest) < 2, "old frames were read"


def test_every_frame_of_a_source_that_is_not_live_is_read() -> None:
    vitals = Vitals()
    source = DemoSource(fast=True)
    indices = [step.frame.index for step in follow(source, Reader(), vitals, limits=Limits(frames=20))]
    assert indices == list(range(20)) and vitals.skipped == 0


def test_a_run_ends_after_its_seconds_even_when_no_frame_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    start = time.monotonic()
    silent = Camera(period_s=60)
    assert list(follow(silent, Reader(), Vitals(), limits=Limits(seconds=0.5))) == []
    assert time.monotonic() - start < 20


def test_a_region_is_cut_out_and_boxes_are_of_the_whole_picture() -> None:
    reader = Reader()
    roi = Box(left=100, top=50, right=300, bottom=150)
    (step,) = follow(DemoSource(fast=True), reader, Vitals(), limits=Limits(frames=1, roi=roi))
    assert reader.shapes == [(100, 200)]
    assert step.readings[0].box.as_list() == [110, 70, 160, 90]


def test_a_region_outside_the_picture_is_a_usage_error() -> None:
    roi = Box(left=600, top=0, right=700, bottom=100)
    with pytest.raises(UsageError, match="640x480"):
        list(follow(DemoSource(fast=True), Reader(), Vitals(), limits=Limits(roi=roi)))


def test_a_camera_that_comes_back_smaller_than_the_region_ends_no_run(caplog: pytest.LogCaptureFixture) -> None:
    class Replaced(Camera):
        def __iter__(self) -> Iterator[Frame]:
            for frame in super().__iter__():
                small = 3 <= frame.index < 10
                yield replace(frame, pixels=PIXELS[:100, :100] if small else PIXELS)

    source = Replaced()
    source.live = False  # every frame counts
    roi = Box(left=0, top=0, right=200, bottom=50)
    steps = list(follow(source, Reader(), Vitals(), limits=Limits(roi=roi, frames=8)))
    assert [step.frame.index for step in steps] == [0, 1, 2, 10, 11, 12, 13, 14]
    assert len(caplog.messages) == 1 and "the picture is 100x100" in caplog.messages[0]


def test_a_source_that_never_gave_a_frame_ends_the_run_with_its_reason() -> None:
    with pytest.raises(SourceError, match="unplugged"):
        list(follow(Camera(fails=(0,)), Reader(), Vitals()))


def test_a_bug_in_a_source_reaches_the_reader() -> None:
    class Broken(Camera):
        def __iter__(self) -> Iterator[Frame]:
            raise ZeroDivisionError
            yield

    with pytest.raises(ZeroDivisionError):
        list(follow(Broken(), Reader(), Vitals()))


def test_stopping_ends_between_frames_and_closes_the_source() -> None:
    camera, vitals = Camera(), Vitals()
    for _ in follow(camera, Reader(), vitals, stopped=lambda: vitals.frames >= 3):
        pass
    assert vitals.frames == 3 and camera.closed.is_set()


def test_a_run_sums_up_in_one_line() -> None:
    vitals = Vitals(frames=100, skipped=7, began=0.0, ended=10.0, latest=deque([0.01] * 90 + [0.05] * 10))
    assert str(vitals) == "100 frames read, 7 skipped, 10.0 frames/s, capture to reading p50 10.0 ms, p95 50.0 ms"


class Oracle:
    """Reads the truth of the demo, but for the numbers it is told to misread."""

    def __init__(self, source: DemoSource, wrong: frozenset[str] = frozenset()) -> None:
        self.source, self.wrong, self.index = source, wrong, 0

    def read(self, pixels: Image) -> tuple[Reading, ...]:
        numbers = self.source.scene(self.source.scene_number(self.index)).numbers
        self.index += 1
        return tuple(
            Reading(
                text="00000000" if number.text in self.wrong else number.text,
                confidence=0.99,
                status="read",
                box=number.box,
            )
            for number in numbers
        )


def judged(frames: int, misread_first: bool = False, easy: bool = True) -> DemoJudge:
    source = DemoSource(fast=True, easy=easy)
    wrong = frozenset({source.scene(0).numbers[0].text}) if misread_first else frozenset()
    judge = DemoJudge(source)
    for step in follow(source, Oracle(source, wrong), Vitals(), limits=Limits(frames=frames)):
        judge.see(step)
    judge.finish()
    return judge


def numbers_until(frames: int) -> int:
    source = DemoSource(fast=True, easy=True)
    return sum(len(source.scene(number).numbers) for number in range(source.scene_number(frames - 1) + 1))


def test_a_perfect_reader_is_all_right() -> None:
    judge = judged(170)
    assert judge.right == judge.total >= numbers_until(170) - 4
    assert judge.false == 0


def test_a_misread_number_is_wrong_and_a_false_reading() -> None:
    judge = judged(170, misread_first=True)
    assert judge.right < judge.total and judge.false >= 1


def test_a_scene_cut_off_in_less_than_a_second_does_not_count() -> None:
    source = DemoSource(fast=True, easy=True)
    start = next(index for index in range(1000) if source.scene_number(index) == 2)
    assert judged(start + 10).total == numbers_until(start)
    assert judged(start + 20).total == numbers_until(start + 1)


def test_the_right_text_at_the_wrong_place_is_not_right() -> None:
    box = Box(left=0, top=0, right=50, bottom=30)
    number = WrittenNumber(text="42", quad=((0, 0), (50, 0), (50, 30), (0, 30)), box=box, height_px=30)
    elsewhere = Reading(text="42", confidence=1, status="read", box=box.moved(200, 0))
    verdict = compare((number,), (elsewhere,))
    assert verdict.right == 0 and verdict.strays == (elsewhere,)


def test_the_picture_is_written_whole(tmp_path: Path) -> None:
    judge = judged(150, misread_first=True)
    judge.write_picture(tmp_path / "demo.png")
    assert cv2.imread(str(tmp_path / "demo.png")).shape[0] > 480
    assert [file.name for file in tmp_path.iterdir()] == ["demo.png"]
    with pytest.raises(SinkError, match="can be written"):
        judge.write_picture(tmp_path / "demo.png" / "below.png")
