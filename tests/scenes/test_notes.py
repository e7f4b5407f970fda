"""The scenes are what they say they are, and the reader reads most of what is written on them."""

from __future__ import annotations

import numpy as np
import pytest

from edge.reading.reader import Reader
from edge.values import Reading
from tests.scenes.bad import PICTURES
from tests.scenes.hand import thinned
from tests.scenes.notes import Note, draw_note

SMALL = (640, 480)
FLOOR, SURE_AND_FALSE, FALSE = 0.6, 0.3, 1.0  # of the lines
SCENES = 12


def test_the_same_number_gives_the_same_note() -> None:
    first, again, other = draw_note(5, SMALL), draw_note(5, SMALL), draw_note(6, SMALL)
    assert first.lines == again.lines and np.array_equal(first.pixels, again.pixels)
    assert not np.array_equal(first.pixels, other.pixels)


def test_lines_lie_in_the_picture_and_are_darker_than_their_paper() -> None:
    for note in (draw_note(seed, SMALL) for seed in range(20, 26)):
        height, width = note.pixels.shape[:2]
        assert note.lines
        for line in note.lines:
            assert line.text.isdigit()
            x, y = np.array(line.quad).T
            assert x.min() >= 0 and y.min() >= 0 and x.max() <= width and y.max() <= height
            left, top, right, bottom = (int(v) for v in (x.min(), y.min(), x.max(), y.max()))
            grey = note.pixels[top : bottom + 1, left : right + 1].mean(axis=2)
            assert np.percentile(grey, 1) < 0.85 * np.median(grey)


def test_a_size_can_be_asked_for() -> None:
    assert draw_note(3, (480, 640)).pixels.shape == (640, 480, 3)


def test_thin_lines_keep_loops_and_ends() -> None:
    ring = np.zeros((40, 40), np.bool_)
    ring[8:32, 8:32] = True
    ring[15:25, 15:25] = False
    line = thinned(ring)
    assert 30 < line.sum() < 90 and not line[15:25, 15:25].any()


def test_bad_pictures_have_the_shape_asked_for() -> None:
    for name, draw in PICTURES.items():
        picture = draw(np.random.default_rng(0), (90, 120))
        assert picture.shape[:2] == (90, 120) and picture.dtype == np.uint8, name


@pytest.fixture(scope="module")
def read_notes() -> list[tuple[Note, list[Reading]]]:
    reader = Reader.open(mode="page")
    notes = [draw_note(seed, SMALL) for seed in range(200, 200 + SCENES)]
    return [(note, [reading for reading in reader.read(note.pixels) if reading.text]) for note in notes]


def judged(note: Note, readings: list[Reading]) -> tuple[int, int, int]:
    """How many lines neighbouring readings, joined, give exactly; how many readings are then left, and sure."""
    left = list(readings)
    right = 0
    for line in note.lines:
        spans = [(i, j) for i in range(len(left)) for j in range(i + 1, len(left) + 1)]
        hit = next(((i, j) for i, j in spans if "".join(r.text for r in left[i:j]) == line.text), None)
        if hit:
            right += 1
            del left[hit[0] : hit[1]]
    return right, len(left), sum(reading.status == "read" for reading in left)


def test_most_lines_of_photographed_notes_are_read_whole(read_notes: list[tuple[Note, list[Reading]]]) -> None:
    lines = sum(len(note.lines) for note, _ in read_notes)
    right, false, sure = np.sum([judged(note, readings) for note, readings in read_notes], axis=0)
    assert lines >= 30
    assert right >= FLOOR * lines
    assert sure <= SURE_AND_FALSE * lines
    assert false <= FALSE * lines
