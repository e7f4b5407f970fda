"""What on a page is a number: on the paper, of one pen, apart from words, rules and what lies about."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.reading.evidence import Trace
from edge.reading.reader import Reader
from edge.sources.digits import load_digits
from edge.values import Image, Reading
from tests.scenes.letters import curves

# Places of shipped digits that are written plainly, by what they are.
PLAIN = {"1": 2, "0": 3, "2": 1, "7": 0, "3": 30, "9": 12}
# Of a 9 and a 5 that are hard to read.
ODD_NINE, ODD_FIVE = 593, 340


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.open()


def sheet(height: int = 480, width: int = 640) -> Image:
    """Plain paper with a little noise."""
    rng = np.random.default_rng(1)
    return np.clip(rng.normal(225, 2, (height, width)), 0, 255).astype(np.uint8)


def write(page: Image, text: str, left: int, top: int, px: int = 60) -> None:
    """Write digits of MNIST, px for the whole 28×28, dark on the page, in place."""
    for place, digit in enumerate(text):
        stamp(page, PLAIN[digit], left + round(0.75 * px) * place, top, px)


def stamp(page: Image, index: int, left: int, top: int, px: int = 60, dark: float = 0.7) -> None:
    """The shipped digit of this index, px for the whole 28×28, so dark on the page, in place."""
    ink = cv2.resize(load_digits()[0][index], (px, px), interpolation=cv2.INTER_CUBIC)
    part = page[top : top + px, left : left + px]
    part[:] = (part * (1 - dark / 255 * ink)).astype(np.uint8)


def texts(readings: tuple[Reading, ...], status: str | None = None) -> list[str]:
    return [reading.text for reading in readings if status in (None, reading.status)]


def test_what_lies_beside_the_paper_is_passed_over(reader: Reader) -> None:
    page = sheet()
    page[:, 420:] = np.clip(np.random.default_rng(2).normal(80, 3, (480, 220)), 0, 255)
    write(page, "2079", 60, 100)
    write(page, "3", 520, 300)
    assert texts(reader.read(page)) == ["2079"]


def test_a_stroke_alone_is_never_sure(reader: Reader) -> None:
    page = sheet()
    cv2.line(page, (300, 150), (290, 260), (60,), 6, cv2.LINE_AA)
    assert texts(reader.read(page), "read") == []


def test_a_stroke_unlike_the_writing_is_not_sure_and_one_like_it_is(reader: Reader) -> None:
    page = sheet()
    write(page, "2079", 60, 100)
    write(page, "1", 60, 220)
    cv2.line(page, (420, 150), (410, 450), (60,), 14, cv2.LINE_AA)
    assert texts(reader.read(page), "read") == ["2079", "1"]


@pytest.mark.parametrize(("length", "ink"), [(12, 60), (44, 165)])
def test_a_stroke_not_half_as_high_or_as_dark_as_the_writing_is_no_writing(
    reader: Reader, length: int, ink: int
) -> None:
    page = sheet()
    write(page, "2079", 60, 100)
    cv2.line(page, (360, 300), (357, 300 + length), (ink,), 5, cv2.LINE_AA)
    assert texts(reader.read(page)) == ["2079"]


def test_a_stroke_as_high_and_as_dark_as_the_writing_is_a_1(reader: Reader) -> None:
    page = sheet()
    write(page, "2079", 60, 100)
    cv2.line(page, (360, 300), (357, 344), (60,), 5, cv2.LINE_AA)
    assert texts(reader.read(page)) == ["2079", "1"]


@pytest.mark.parametrize("slope", [0.0, 0.06])
def test_numbers_are_read_on_ruled_paper(reader: Reader, slope: float) -> None:
    page = sheet()
    for top in range(30, 480, 52):
        cv2.line(page, (0, top), (639, round(top + 639 * slope)), (150,), 2, cv2.LINE_AA)
    write(page, "2079", 60, 100)
    write(page, "370", 200, 270)
    assert texts(reader.read(page)) == ["2079", "370"]


def test_rows_of_a_leaning_page_come_in_order(reader: Reader) -> None:
    page = sheet(700, 700)
    for row, left in ((0, 180), (1, 180), (2, 180)):
        write(page, ("20", "79", "93")[row], left, 200 + 110 * row)
        write(page, ("37", "02", "70")[row], left + 220, 200 + 110 * row)
    turn = cv2.getRotationMatrix2D((350, 350), 38, 0.85)
    leaning = cv2.warpAffine(page, turn, (700, 700), borderValue=(225,))
    assert texts(reader.read(leaning)) == ["20", "37", "79", "02", "93", "70"]


def test_light_writing_beside_dark_writing_does_not_hide_it(reader: Reader) -> None:
    page = sheet()
    page[:, 400:] = 30
    for top in range(20, 460, 60):
        cv2.putText(page, "AKHX", (420, top + 30), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (220,), 2, cv2.LINE_AA)
    write(page, "2079", 60, 100)
    assert "2079" in texts(reader.read(page))


@pytest.mark.parametrize(("letter", "seed"), [("h", 0), ("h", 2), ("y", 3), ("y", 6), ("y", 11)])
def test_a_letter_somewhat_behind_a_number_is_none_of_its_digits(reader: Reader, letter: str, seed: int) -> None:
    page = sheet()
    write(page, "2079", 60, 100)
    write(page, "3027", 60, 220)
    for stroke in curves(letter, np.random.default_rng(seed), 0.05):
        points = np.round(8 * (np.array(stroke) * (40, -40) + (265, 150)))
        cv2.polylines(page, [points.astype(np.int32)], False, (70,), 3, cv2.LINE_AA, 3)
    found = texts(reader.read(page))
    assert found[0] == "2079"
    assert found[-1] == "3027"


def test_a_plain_digit_somewhat_apart_is_still_of_its_number(reader: Reader) -> None:
    page = sheet()
    write(page, "2079", 60, 100)
    write(page, "2", 60 + 4 * 45 + 14, 100)
    assert texts(reader.read(page)) == ["20792"]


def test_digits_that_touch_are_read_with_those_beside_them(reader: Reader) -> None:
    page = sheet()
    for place, digit in enumerate("2003"):
        ink = cv2.resize(load_digits()[0][PLAIN[digit]], (60, 60), interpolation=cv2.INTER_CUBIC)
        left = 60 + (0, 46, 78, 124)[place]
        part = page[100:160, left : left + 60]
        part[:] = np.minimum(part, (225 * (1 - 0.7 / 255 * ink)).astype(np.uint8))
    assert texts(reader.read(page)) == ["2003"]


def test_writing_between_the_shadows_of_a_blind_is_read(reader: Reader) -> None:
    page = sheet()
    write(page, "2079", 60, 100, px=48)
    write(page, "3027", 60, 220, px=48)
    shade = 1 - 0.3 * (np.sin(np.arange(640) / 3) > 0)
    blinds = page * cv2.GaussianBlur(shade[None], (9, 1), 2)
    assert texts(reader.read(blinds.astype(np.uint8))) == ["2079", "3027"]


def test_rows_that_stand_close_below_each_other_do_not_turn_the_page(reader: Reader) -> None:
    page = sheet()
    rows = ["2079", "3027", "9032", "7203"]
    for place, row in enumerate(rows):
        write(page, row, 200, 80 + 54 * place, px=48)
    turn = cv2.getRotationMatrix2D((320, 240), 14, 1)
    leaning = cv2.warpAffine(page, turn, (640, 480), borderValue=(225,))
    assert texts(reader.read(leaning)) == rows


@pytest.mark.parametrize("text", ["0", "3"])
def test_a_digit_three_times_as_high_is_one_among_nothing_but_numbers(reader: Reader, text: str) -> None:
    page = sheet()
    write(page, "2079", 60, 60)
    write(page, text, 420, 260, px=180)
    assert texts(reader.read(page)) == ["2079", text]


def test_a_digit_alone_on_its_page_is_sure_where_both_networks_are(reader: Reader) -> None:
    page = sheet()
    write(page, "3", 300, 200)
    assert texts(reader.read(page), "read") == ["3"]


def test_a_digit_alone_on_its_page_is_not_sure_for_one_network(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    page = sheet()
    write(page, "3", 300, 200)
    monkeypatch.setattr("edge.reading.page.is_seconded", lambda number, strips: False)
    (reading,) = reader.read(page)
    assert (reading.text, reading.status) == ("3", "review")


def test_a_seven_whose_bar_lies_on_a_rule_is_a_seven(reader: Reader) -> None:
    page = sheet()
    for top in range(30, 480, 52):
        cv2.line(page, (0, top), (639, top), (165,), 2, cv2.LINE_AA)
    # The bar's row within the digit, so that it falls on a rule.
    bar = int(np.flatnonzero(load_digits()[0][PLAIN["7"]].max(axis=1) > 128)[0]) * 60 // 28 + 3
    write(page, "2079", 60, 238 - bar)
    write(page, "370", 200, 342 - bar)
    assert texts(reader.read(page)) == ["2079", "370"]


@pytest.mark.parametrize(("index", "text"), [(ODD_NINE, "9"), (ODD_FIVE, "5")])
def test_an_odd_digit_beside_numbers_is_for_review_and_less_likely_writing_in_another_pen(
    reader: Reader, index: int, text: str
) -> None:
    doubts: dict[float, tuple[str, ...]] = {}
    for dark in (1.0, 0.4):
        page = sheet()
        write(page, "2079", 60, 100)
        stamp(page, index, 300, 250, dark=dark)
        trace = Trace()
        readings = reader.read(page, trace)
        assert [(one.text, one.status) for one in readings] == [("2079", "read"), (text, "review")]
        evidence = trace.of(readings[1])
        doubts[dark] = () if evidence is None else evidence.doubts
    assert doubts == {1.0: (), 0.4: ("not like the other writing",)}


@pytest.mark.parametrize("px", [100, 34])
def test_ones_side_by_side_may_be_higher_and_lower_than_the_writing(reader: Reader, px: int) -> None:
    page = sheet()
    write(page, "2079", 60, 100)
    write(page, "11", 320, 230, px)
    readings = reader.read(page)
    assert texts(readings) == ["2079", "11"] and texts(readings, "read") == ["2079"]


def test_strokes_of_another_pen_side_by_side_are_no_number(reader: Reader) -> None:
    page = sheet()
    write(page, "2079", 60, 100)
    for left in (360, 372):
        cv2.line(page, (left, 300), (left, 318), (175,), 2, cv2.LINE_AA)
    assert texts(reader.read(page)) == ["2079"]
