"""Snapshots: each event with what the camera saw and what the network got, and the loop never waits."""

from __future__ import annotations

import json
import time
from pathlib import Path
from threading import Event as Flag
from types import SimpleNamespace
from typing import Any, cast

import cv2
import numpy as np
import pytest

from edge.live.loop import Limits, Step, follow
from edge.live.snapshots import Snapshots
from edge.live.vitals import Vitals
from edge.reading.evidence import Evidence, SeenDigit, Trace
from edge.reading.reader import Reader
from edge.sinks.base import Event, Happening
from edge.sources.demo import DemoSource
from edge.values import Box, Digit, Frame, Image, Prediction, Reading

PLACE = Box(left=100, top=50, right=160, bottom=90)
PIXELS = np.random.default_rng(1).integers(0, 256, (240, 320, 3)).astype(np.uint8)


def reading(text: str = "42", box: Box = PLACE) -> Reading:
    wide = box.width // max(1, len(text))
    digits = tuple(
        Digit(
            digit=int(one),
            confidence=0.98,
            box=Box(left=box.left + at * wide, top=box.top, right=box.left + (at + 1) * wide, bottom=box.bottom),
        )
        for at, one in enumerate(text)
    )
    return Reading(text=text, confidence=0.96, status="read", box=box, digits=digits)


class OneReader:
    """Reads the same number in every picture, once it may."""

    classifier = SimpleNamespace(manifest=SimpleNamespace(name="paper"))

    def __init__(self, text: str = "42", box: Box = PLACE) -> None:
        self.may, self.text, self.box = Flag(), text, box
        self.may.set()
        self.shapes: list[tuple[int, ...]] = []

    def read(self, pixels: Image, trace: Trace) -> tuple[Reading, ...]:
        assert self.may.wait(30)
        self.shapes.append(pixels.shape)
        found = reading(self.text, self.box)
        seen = tuple(
            SeenDigit(tensor=np.full((28, 28), 10 + at, np.uint8), prediction=Prediction(label=one, confidence=0.9))
            for at, one in enumerate(self.text)
        )
        trace.add(Evidence(reading=found, ink=np.ones((10, 10), np.uint8), digits=seen))
        return (found,)


def step(*happenings: Happening, first: int = 1, text: str = "42") -> Step:
    events = tuple(
        Event(
            id=f"0190-e{first + at:08d}",
            track="0190-1",
            time=1_767_225_600.5,
            frame=7,
            happening=happening,
            reading=reading(text),
        )
        for at, happening in enumerate(happenings)
    )
    frame = Frame(pixels=PIXELS, index=7, time=1_767_225_600.5, source="test")
    return Step(frame=frame, readings=(), events=events, shown=())


def open_snapshots(folder: Path, reader: OneReader, **more: Any) -> Snapshots:
    return Snapshots.open(folder, open_reader=lambda: cast(Reader, reader), **more)


def wait_for(snapshots: Snapshots, count: int) -> None:
    until = time.monotonic() + 30
    while snapshots.stored < count:
        assert time.monotonic() < until, f"{snapshots.stored} of {count} were stored"
        time.sleep(0.01)


def test_an_event_is_its_crop_its_record_and_what_the_network_got(tmp_path: Path) -> None:
    snapshots = open_snapshots(tmp_path, OneReader())
    snapshots.see(step("appeared"))
    snapshots.close()
    record = json.loads((tmp_path / "0190-e00000001.json").read_text())
    crop = record["crop"]
    assert crop == [80, 30, 180, 110], "half a height around"
    assert np.array_equal(cv2.imread(str(tmp_path / record["image"])), PIXELS[30:110, 80:180])
    assert {
        key: record[key] for key in ("id", "run", "track", "event", "frame", "time", "text", "status", "model")
    } == {
        "id": "0190-e00000001",
        "run": "0190",
        "track": "0190-1",
        "event": "appeared",
        "frame": 7,
        "time": "2026-01-01T00:00:00.500Z",
        "text": "42",
        "status": "read",
        "model": "paper",
    }
    assert [digit["digit"] for digit in record["digits"]] == [4, 2] and record["seen"] == "42"
    for at, digit in enumerate(record["digits"]):
        tensor = cv2.imread(str(tmp_path / digit["image"]), cv2.IMREAD_UNCHANGED)
        assert tensor.shape == (28, 28) and (tensor == 10 + at).all()


def test_where_the_frame_does_not_show_the_text_no_tensor_is_called_its_digit(tmp_path: Path) -> None:
    elsewhere = OneReader(box=PLACE.moved(120, 100))
    for number, reader in enumerate((OneReader("427"), elsewhere)):
        snapshots = open_snapshots(tmp_path / str(number), reader)
        snapshots.see(step("changed"))
        snapshots.close()
        (record,) = (json.loads(place.read_text()) for place in (tmp_path / str(number)).glob("*.json"))
        assert [digit["image"] for digit in record["digits"]] == [None, None]
        assert record["seen"] == ("427", "")[number]
        assert len(list((tmp_path / str(number)).iterdir())) == 2


def test_what_is_gone_has_a_picture_and_no_digits(tmp_path: Path) -> None:
    snapshots = open_snapshots(tmp_path, OneReader())
    snapshots.see(step("gone"))
    snapshots.close()
    record = json.loads((tmp_path / "0190-e00000001.json").read_text())
    assert record["event"] == "gone" and record["text"] == "42" and record["digits"] == []


def test_only_the_region_that_is_read_is_read_again(tmp_path: Path) -> None:
    reader = OneReader(box=PLACE.moved(-90, -40))
    snapshots = open_snapshots(tmp_path, reader, roi=Box(left=90, top=40, right=200, bottom=120))
    snapshots.see(step("appeared"))
    snapshots.close()
    assert reader.shapes == [(80, 110, 3)]
    assert json.loads((tmp_path / "0190-e00000001.json").read_text())["digits"][0]["image"]


def test_the_loop_never_waits_and_what_is_left_out_is_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    reader = OneReader()
    reader.may.clear()
    snapshots = open_snapshots(tmp_path, reader)
    for number in range(40):
        snapshots.see(step("appeared", first=1 + number))
    assert snapshots.dropped >= 30 and snapshots.stored == 0
    assert caplog.text.count("faster than they can be stored") == 1
    reader.may.set()
    wait_for(snapshots, 40 - snapshots.dropped)
    snapshots.close()
    snapshots.close()
    assert len(list(tmp_path.glob("*.json"))) == 40 - snapshots.dropped


def test_a_bug_in_one_event_is_told_and_the_next_is_stored(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    snapshots = open_snapshots(tmp_path, OneReader())
    broken = step("appeared")
    object.__setattr__(broken, "looked_at", "no picture")
    snapshots.see(broken)
    snapshots.see(step("appeared", first=2))
    snapshots.close()
    assert "frame 7 is left out" in caplog.text
    assert [place.name for place in tmp_path.glob("*.json")] == ["0190-e00000002.json"]


def test_a_reader_opened_anew_is_asked_for(tmp_path: Path) -> None:
    opened: list[OneReader] = []

    def open_reader() -> Reader:
        opened.append(OneReader())
        return cast(Reader, opened[-1])

    snapshots = Snapshots.open(tmp_path, open_reader=open_reader)
    snapshots.see(step("appeared"))
    wait_for(snapshots, 1)
    snapshots.forget_reader()
    snapshots.see(step("appeared", first=2))
    wait_for(snapshots, 2)
    snapshots.close()
    assert len(opened) == 2


def test_a_run_of_the_demo_leaves_labelled_digits(tmp_path: Path) -> None:
    snapshots = Snapshots.open(tmp_path, keep=50)
    for seen in follow(DemoSource(fast=True, easy=True, seed=3), Reader.open(), Vitals(), limits=Limits(frames=8)):
        snapshots.see(seen)
    count = sum(1 for place in tmp_path.glob("*.json"))
    snapshots.close()
    records = [json.loads(place.read_text()) for place in sorted(tmp_path.glob("*.json"))]
    assert len(records) >= max(1, count)
    digits = [digit for record in records for digit in record["digits"]]
    assert digits and all(digit["image"] for digit in digits)
    for digit in digits:
        tensor = cv2.imread(str(tmp_path / digit["image"]), cv2.IMREAD_UNCHANGED)
        assert tensor.shape == (28, 28) and tensor.max() == 255
