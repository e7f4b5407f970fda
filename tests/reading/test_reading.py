"""From pixels to Readings: cells, numbers and pages drawn from MNIST test digits."""

import cv2
import numpy as np
import pytest

from edge.errors import ModelError, ShapeError, UsageError
from edge.reading.reader import Mode, Reader
from edge.sources.demo import open_demo
from edge.sources.digits import load_digits


@pytest.fixture(scope="module")
def digit_reader() -> Reader:
    return Reader.open(mode="digit")


def boxed(index: int, rng: np.random.Generator) -> np.ndarray:
    """A 64×64 photo of a printed box with a written digit in it: lines, a slope of light, noise."""
    cell = np.full((64, 64), 215.0)
    cell[1:4] = 60
    cell[:, 60:62] = 60
    digit = cv2.resize(load_digits()[0][index], (48, 48)) / 255.0
    y, x = rng.integers(6, 12, 2)
    cell[y : y + 48, x : x + 48] -= 110 * digit
    cell *= np.linspace(1, rng.uniform(0.5, 1), 64)
    return np.clip(cell + rng.normal(0, 4, cell.shape), 0, 255).astype(np.uint8)


def number_image(text: str, rng: np.random.Generator) -> np.ndarray:
    """Digits of text written side by side, dark on light."""
    images, labels = load_digits()
    parts = []
    for character in text:
        image = images[rng.choice(np.flatnonzero(labels[:1000] == int(character)))]
        columns = np.flatnonzero(image.any(axis=0))
        parts.append(np.pad(image[:, columns[0] : columns[-1] + 1], ((0, 0), (2, 3))))
    ink = cv2.resize(np.pad(np.hstack(parts), ((8, 8), (12, 12))), None, fx=2, fy=2)
    return (235 - ink * 0.7).astype(np.uint8)


def test_boxed_digits_are_read(digit_reader: Reader) -> None:
    rng = np.random.default_rng(4)
    labels = load_digits()[1]
    right = sum(digit_reader.read(boxed(i, rng))[0].text == str(labels[i]) for i in range(150))
    assert right >= 143


def test_tight_digits_are_read_in_either_polarity(digit_reader: Reader) -> None:
    images, labels = load_digits()
    for picture in (lambda x: x, lambda x: 255 - x, lambda x: 40 + x // 3):
        right = sum(digit_reader.read(picture(images[i][4:24, 4:24]))[0].text == str(labels[i]) for i in range(200))
        assert right >= 192


@pytest.mark.parametrize("shape", [(64, 64), (200, 150), (16, 16), (1, 1), (3, 3), (1, 500)])
def test_blank_cells_are_empty(digit_reader: Reader, shape: tuple[int, int]) -> None:
    (reading,) = digit_reader.read(np.full(shape, 190, np.uint8))
    assert (reading.status, reading.text) == ("empty", "")
    assert reading.box.as_list() == [0, 0, shape[1], shape[0]]


def test_a_large_cell_s_box_is_in_its_own_pixels(digit_reader: Reader) -> None:
    cell = np.full((600, 500, 3), 230, np.uint8)
    cv2.line(cell, (250, 150), (240, 450), (40, 40, 40), 24)
    (reading,) = digit_reader.read(cell)
    assert reading.text == "1"
    assert np.allclose(reading.box.as_list(), [228, 138, 262, 462], atol=8)


def test_a_reading_s_digits_tell_its_text_and_confidence(digit_reader: Reader) -> None:
    (reading,) = digit_reader.read(load_digits()[0][0])
    (digit,) = reading.digits
    assert str(digit.digit) == reading.text == "7"
    assert digit.confidence == reading.confidence > 0.9
    shares = [share for _, share in digit.alternatives]
    assert shares == sorted(shares, reverse=True) and sum(shares) <= 1 - digit.confidence + 1e-6


def test_threshold_divides_read_from_review() -> None:
    image = load_digits()[0][0]
    assert Reader.open(mode="digit", threshold=0.0).read(image)[0].status == "read"
    assert Reader.open(mode="digit", threshold=1.0).read(image)[0].status == "review"


def test_numbers_are_read() -> None:
    reader, rng = Reader.open(mode="number"), np.random.default_rng(7)
    texts = ["".join(map(str, rng.integers(0, 10, rng.integers(1, 7)))) for _ in range(40)]
    readings = [reader.read(number_image(text, rng))[0] for text in texts]
    assert sum(reading.text == text for reading, text in zip(readings, texts, strict=True)) >= 30


@pytest.mark.parametrize("mode", ["number", "page"])
def test_nothing_on_it_is_a_value(mode: Mode) -> None:
    readings = Reader.open(mode=mode).read(np.full((120, 300), 200, np.uint8))
    assert [reading.status for reading in readings] == (["empty"] if mode == "number" else [])


def test_pages_of_the_demo_desk_are_read() -> None:
    desk, reader = open_demo("demo:fast:easy:seed=11"), Reader.open()
    frame, right, total = 0, 0, 0
    for scene in range(25):
        while desk.scene_number(frame) < scene:
            frame += 1
        texts = [reading.text for reading in reader.read(desk.pixels(frame))]
        for number in desk.scene(scene).numbers:
            total += 1
            right += number.text in texts
    assert total >= 40
    assert right / total >= 0.8  # the figure to expect is in docs/accuracy.md; here a break is to be noticed


def test_light_writing_on_a_dark_board_is_read() -> None:
    desk, reader = open_demo("demo:fast:easy:seed=11"), Reader.open()
    board = 255 - desk.pixels(0)
    texts = [reading.text for reading in reader.read(board)]
    dark = [reading.text for reading in reader.read(desk.pixels(0))]
    assert {number.text for number in desk.scene(0).numbers} & set(texts)
    assert len(set(texts) & set(dark)) >= 1


def test_readings_of_a_page_come_top_to_bottom_then_left_to_right() -> None:
    rng = np.random.default_rng(3)
    page = np.full((500, 700), 235, np.uint8)
    for (x, y), text in {(400, 60): "20", (60, 50): "31", (60, 300): "75"}.items():
        part = number_image(text, rng)
        page[y : y + part.shape[0], x : x + part.shape[1]] = part
    readings = Reader.open().read(page)
    assert [reading.text for reading in readings] == ["31", "20", "75"]


@pytest.mark.parametrize("mode", ["digit", "number", "page"])
@pytest.mark.parametrize("kind", ["black", "white", "noise", "chessboard", "specks", "dot", "line"])
def test_strange_pages_raise_nothing(mode: Mode, kind: str) -> None:
    rng = np.random.default_rng(5)
    pages = {
        "black": np.zeros((240, 320), np.uint8),
        "white": np.full((240, 320), 255, np.uint8),
        "noise": rng.integers(0, 256, (240, 320)).astype(np.uint8),
        "chessboard": np.kron(np.indices((12, 16)).sum(axis=0) % 2 * 255, np.ones((20, 20))).astype(np.uint8),
        "specks": np.where(rng.random((240, 320)) < 0.1, 0, 230).astype(np.uint8),
        "dot": np.pad(np.zeros((1, 1), np.uint8), 1, constant_values=255),
        "line": np.tile(np.array([[255], [0], [255]], np.uint8), (1, 400)),
    }
    readings = Reader.open(mode=mode).read(pages[kind])
    assert mode == "page" or len(readings) == 1


def test_what_is_no_image_and_no_mode_is_refused() -> None:
    reader = Reader.open()
    with pytest.raises(ShapeError):
        reader.read(np.zeros((5, 5, 4), np.uint8))
    with pytest.raises(UsageError, match="threshold"):
        Reader.open(threshold=1.5)
    with pytest.raises(ModelError, match="no such model"):
        Reader.open(model="absent.tflite")
