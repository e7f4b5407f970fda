"""`edge read --explain`: a sheet a reading, in every mode, and the readings stay what they are without it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import ShapeError
from edge.imaging.tensors import fit_digit
from edge.reading.evidence import Evidence, SeenStrip, Trace
from edge.reading.explain import explain
from edge.reading.reader import Mode, Reader
from edge.sinks.pictures import picture_path
from edge.sources.digits import load_digits
from edge.values import Box, Digit, Image, Page, Reading

MODES: tuple[Mode, ...] = ("digit", "number", "page")


def edge(*args: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=dict(os.environ))


def written(count: int) -> Image:
    """Grey pixels (120, 60 + 50 count) with so many MNIST test digits 36 px high on a light page."""
    page = np.full((120, 60 + 50 * count), 230, np.uint8)
    for at in range(count):
        digit = cv2.resize(load_digits()[0][at], (44, 44), interpolation=cv2.INTER_AREA)
        place = page[40:84, 30 + 44 * at : 74 + 44 * at]
        place[:] = np.minimum(place, 230 - (digit * 0.8).astype(np.uint8))
    return page


@pytest.mark.parametrize("mode", MODES)
def test_every_reading_gets_a_sheet_and_stays_what_it_is(mode: str, tmp_path: Path) -> None:
    file = tmp_path / "notes.png"
    cv2.imwrite(str(file), written(1 if mode == "digit" else 4))
    asked = ("read", "--mode", mode, "--format", "jsonl", file)
    plain, told = edge(*asked), edge(*asked, "--explain", tmp_path / "why")
    assert told.returncode == 0, told.stderr
    pages = [json.loads(done.stdout) for done in (plain, told)]
    assert pages[0]["readings"] == pages[1]["readings"] != []
    sheets = sorted((tmp_path / "why").iterdir())
    assert [sheet.name[-len("notes.png-1.png") :] for sheet in sheets] == [
        f"notes.png-{number}.png" for number in range(1, 1 + len(pages[1]["readings"]))
    ]
    picture = cv2.imread(str(sheets[0]))
    assert picture is not None and picture.shape[0] > 300
    assert np.ptp(picture, axis=2).max() > 100, "a status in colour"


def test_a_blank_page_in_number_mode_has_a_sheet_that_shows_it(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "blank.png"), np.full((40, 90), 220, np.uint8))
    done = edge("read", "--mode", "number", "--explain", tmp_path / "why", tmp_path / "blank.png")
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "why").iterdir())) == 1


def test_a_cell_is_shown_with_all_its_ink_and_the_digit_s_place_in_it() -> None:
    reader = Reader.open(mode="digit")
    for pixels, boxes in ((written(1), 1), (np.full((64, 64), 220, np.uint8), 0)):
        trace = Trace()
        (reading,) = reader.read(pixels, trace)
        evidence = trace.of(reading)
        assert evidence is not None and len(evidence.boxes) == boxes
        for box in evidence.boxes:
            assert evidence.ink[box.top : box.bottom, box.left : box.right].sum() > 0.9 * evidence.ink.sum()


def test_sheets_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cv2.imwrite(str(tmp_path / "a.png"), written(1))
    done = edge("read", "--mode", "digit", "--explain", tmp_path / "file" / "why", tmp_path / "a.png")
    assert done.returncode == 6
    assert "a.png-1.png: cannot be written" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("mode", MODES)
def test_the_trace_holds_what_the_networks_were_shown(mode: Mode) -> None:
    reader, trace = Reader.open(mode=mode), Trace()
    pixels = written(1 if mode == "digit" else 3)
    readings = reader.read(pixels, trace)
    assert readings == reader.read(pixels)
    for reading in readings:
        evidence = trace.of(reading)
        assert evidence is not None and evidence.ink.max() > 100
        said = reader.classifier.predict(
            np.array([seen.tensor[:, :, None] for seen in evidence.digits], np.uint8).reshape(-1, 28, 28, 1)
        )
        assert said == tuple(seen.prediction for seen in evidence.digits)
        assert evidence.digits or evidence.strip is not None
    trace.clear()
    assert trace.of(readings[0]) is None


def strip_reading(text: str) -> tuple[Reading, Evidence]:
    box = Box(left=0, top=0, right=30, bottom=40)
    digits = tuple(Digit(digit=int(d), confidence=0.9, box=box, alternatives=((7, 0.05),)) for d in text)
    reading = Reading(text=text, confidence=0.8, status="review", box=box, digits=digits)
    tensor = np.zeros((32, 32 + 20 * len(text)), np.uint8)
    tensor[4:27, 10:30] = cv2.resize(fit_digit(load_digits()[0][0]), (20, 23))
    shares = np.full((16, 11), 1 / 11, np.float32)
    spans = tuple((20.0 * at, 20.0 * at + 20) for at in range(len(text)))
    strip = SeenStrip(tensor=tensor, labels=(*"0123456789", "blank"), shares=shares, spans=spans)
    return reading, Evidence(reading=reading, ink=tensor, strip=strip, doubts=("two readings are near",))


def test_a_strip_is_shown_with_its_columns_and_a_card_a_digit() -> None:
    pixels = np.full((40, 60, 3), 200, np.uint8)
    heights = [explain(pixels, *strip_reading(text), threshold=0.9).shape[0] for text in ("73", "7" * 12)]
    assert heights[0] < heights[1], "cards beyond the sheet's width begin a new row"
    reading, _ = strip_reading("73")
    bare = explain(pixels, reading, None, threshold=0.9)
    assert bare.shape[0] < heights[0]


def test_a_picture_s_name_tells_file_page_and_reading() -> None:
    pixels, folder = np.zeros((9, 9), np.uint8), Path("out")
    assert picture_path(folder, Page(pixels=pixels, source="scans/a.png")).as_posix() == "out/scans_a.png.png"
    page = Page(pixels=pixels, source="../b.pdf", page_number=2)
    assert picture_path(folder, page, 3).as_posix() == "out/b.pdf#2-3.png"


def test_names_that_the_font_lacks_do_no_harm() -> None:
    reading, evidence = strip_reading("4")
    assert explain(np.zeros((9, 9), np.uint8), reading, evidence, threshold=0.5, name="Übung №1 ✎.png").ndim == 3


def test_spans_outside_their_strip_are_refused() -> None:
    with pytest.raises(ShapeError, match="columns of their strip"):
        SeenStrip(
            tensor=np.zeros((32, 8), np.uint8), labels=("0",), shares=np.ones((2, 1), np.float32), spans=((6, 9),)
        )
