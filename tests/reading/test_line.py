"""Whole numbers by the strip network: images of one number, and lines with several."""

import cv2
import numpy as np
import pytest

from edge.imaging.strips import strip_ink
from edge.inference.strip import StripReader
from edge.reading.evidence import Trace
from edge.reading.line import read_line, read_number, read_strip
from edge.sources.digits import load_digits

DIGITS = load_digits()


@pytest.fixture(scope="module")
def strips() -> StripReader:
    return StripReader.open()


def written(text: str, rng: np.random.Generator, *, gap: int = 3) -> np.ndarray:
    """Soft ink (44, w) uint8 of MNIST test digits side by side; a space is a gap of two digits' height."""
    images, labels = DIGITS
    parts = []
    for character in text:
        if character == " ":
            parts.append(np.zeros((28, 40), np.uint8))
            continue
        image = images[rng.choice(np.flatnonzero(labels[:1000] == int(character)))]
        columns = np.flatnonzero(image.any(axis=0))
        parts.append(np.pad(image[:, columns[0] : columns[-1] + 1], ((0, 0), (gap // 2, gap - gap // 2))))
    return np.asarray(cv2.resize(np.pad(np.hstack(parts), ((8, 8), (12, 12))), None, fx=2, fy=2))


def photo(ink: np.ndarray) -> np.ndarray:
    """Ink on grey paper."""
    return (215 - 0.6 * ink).astype(np.uint8)


def texts(rng: np.random.Generator, count: int) -> list[str]:
    return ["".join(map(str, rng.integers(0, 10, rng.integers(2, 7)))) for _ in range(count)]


def test_numbers_are_read_in_either_polarity(strips: StripReader) -> None:
    rng = np.random.default_rng(7)
    wanted = texts(rng, 40)
    inks = [written(text, rng) for text in wanted]
    for picture in (photo, lambda ink: 255 - photo(ink), lambda ink: np.dstack([photo(ink)] * 3)):
        readings = [read_number(picture(ink), strips, 0.9) for ink in inks]
        assert sum(reading.text == text for reading, text in zip(readings, wanted, strict=True)) >= 32


def test_what_it_is_sure_of_is_right(strips: StripReader) -> None:
    rng = np.random.default_rng(8)
    wanted = texts(rng, 60)
    readings = [read_number(photo(written(text, rng)), strips, strips.manifest.threshold) for text in wanted]
    sure = [reading.text == text for reading, text in zip(readings, wanted, strict=True) if reading.status == "read"]
    assert len(sure) >= 20 and sum(sure) >= 0.95 * len(sure)


def test_each_digit_has_its_box_in_pixels_of_the_image(strips: StripReader) -> None:
    rng = np.random.default_rng(9)
    for scale in (1.0, 0.5, 3.0):
        image = np.full((300, 700), 215, np.uint8)
        ink = photo(written("3061", rng, gap=6))
        image[100 : 100 + ink.shape[0], 200 : 200 + ink.shape[1]] = ink
        crop = cv2.resize(image[90:190, 190:460], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        reading = read_number(crop, strips, 0.9)
        assert reading.text == "3061"
        boxes = [digit.box for digit in reading.digits]
        assert [box.left for box in boxes] == sorted(box.left for box in boxes)
        assert reading.box.left == boxes[0].left and reading.box.right == boxes[-1].right
        assert all(20 * scale <= box.height <= 70 * scale and box.width <= 60 * scale for box in boxes)
        assert reading.box.bottom <= crop.shape[0] and reading.box.right <= crop.shape[1]


def test_a_reading_says_how_sure_it_is_and_what_else_it_may_be(strips: StripReader) -> None:
    reading = read_number(photo(written("52", np.random.default_rng(3))), strips, 0.9)
    assert 0 < reading.confidence <= min(digit.confidence for digit in reading.digits) + 1e-9
    for digit in reading.digits:
        shares = [share for _, share in digit.alternatives]
        assert shares == sorted(shares, reverse=True) and sum(shares) <= 1 - digit.confidence + 1e-9
        assert digit.digit not in [other for other, _ in digit.alternatives]


def test_the_threshold_divides_read_from_review(strips: StripReader) -> None:
    image = photo(written("47", np.random.default_rng(3)))
    assert read_number(image, strips, 0.0).status == "read"
    assert read_number(image, strips, 1.0).status == "review"


@pytest.mark.parametrize("shape", [(40, 100), (1, 1), (3, 3), (1, 500), (500, 1)])
def test_blank_paper_is_empty(strips: StripReader, shape: tuple[int, int]) -> None:
    reading = read_number(np.full(shape, 190, np.uint8), strips, 0.9)
    assert (reading.status, reading.text) == ("empty", "")
    assert reading.box.as_list() == [0, 0, shape[1], shape[0]]


@pytest.mark.parametrize("kind", ["noise", "chess", "stripes", "wide noise"])
def test_texture_is_never_read(strips: StripReader, kind: str) -> None:
    y, x = np.mgrid[:60, :400]
    pictures = {
        "noise": np.random.default_rng(1).integers(0, 256, (60, 400)),
        "chess": 255 * ((x // 8 + y // 8) % 2),
        "stripes": 255 * (x // 12 % 2),
        "wide noise": np.random.default_rng(2).integers(0, 256, (30, 9000)),
    }
    reading = read_number(pictures[kind].astype(np.uint8), strips, strips.manifest.threshold)
    assert reading.status != "read"


def test_a_gap_of_a_digit_s_height_divides_numbers(strips: StripReader) -> None:
    rng = np.random.default_rng(11)
    right = 0
    for _ in range(10):
        first, second = texts(rng, 2)
        ink = written(f"{first} {second}", rng)
        numbers = read_line(ink, strips)
        right += [number.prediction.text for number in numbers] == [first, second]
        assert all(number.box.right <= ink.shape[1] and number.box.bottom <= ink.shape[0] for number in numbers)
        if len(numbers) == 2:
            assert numbers[0].box.right < numbers[1].box.left
    assert right >= 6


def test_one_number_is_not_divided_where_that_is_not_asked_for(strips: StripReader) -> None:
    ink = photo(written("12 34", np.random.default_rng(2)))
    assert len(read_strip(strip_ink(ink), strips, divide=False).numbers) == 1
    assert len(read_strip(strip_ink(ink), strips, divide=True).numbers) == 2


def test_no_ink_on_a_line_is_no_number(strips: StripReader) -> None:
    assert read_line(np.zeros((40, 200), np.uint8), strips) == ()


def test_a_trace_shows_what_the_network_saw(strips: StripReader) -> None:
    trace = Trace()
    reading = read_number(photo(written("806", np.random.default_rng(5))), strips, 0.9, trace)
    evidence = trace.of(reading)
    assert evidence is not None and evidence.strip is not None
    assert evidence.strip.tensor.shape[0] == 32 and len(evidence.strip.spans) == len(reading.text)
