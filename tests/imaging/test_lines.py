"""Blobs side by side are one number, whichever way the line leans; a wider gap divides."""

import cv2
import numpy as np
import pytest

from edge.errors import ShapeError
from edge.imaging.glyphs import cut_glyph, find_blobs
from edge.imaging.lines import find_candidates, find_lines, level_strip
from edge.imaging.page_ink import PageInk, lift_page
from edge.imaging.segments import cut_numbers
from edge.values import Glyph


def sure(_: tuple[Glyph, ...]) -> float:
    return 0.5


def writing(texts: dict[tuple[int, int], str], angle_deg: float = 0.0) -> np.ndarray:
    """Soft ink (400, 600) with texts at (x, y), turned about the middle."""
    ink = np.zeros((400, 600), np.uint8)
    for place, text in texts.items():
        cv2.putText(ink, text, place, cv2.FONT_HERSHEY_SIMPLEX, 1.6, 255, 4, cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D((300, 200), -angle_deg, 1.0)
    return cv2.warpAffine(ink, turn, (600, 400))


def page(texts: dict[tuple[int, int], str], angle_deg: float = 0.0) -> PageInk:
    """As writing, dark on light."""
    return lift_page(255 - writing(texts, angle_deg))


@pytest.mark.parametrize("angle", [-44, -25, -12, 0, 12, 25, 44])
def test_a_leaning_number_is_one_line_and_its_slope_is_measured(angle: int) -> None:
    sheet = page({(180, 220): "25038"}, angle)
    found = find_candidates(sheet)
    lines = find_lines(found)
    assert [len(line.rows) for line in lines] == [5]
    assert np.degrees(lines[0].slope_rad) == pytest.approx(angle, abs=2.5)
    strip = level_strip(sheet, found, lines[0])
    (number,) = cut_numbers(strip.ink, sure)
    assert len(number) == 5
    boxes = [strip.box_on_page(glyph.box, 600, 400) for glyph in number]
    ink = writing({(180, 220): "25038"}, angle)
    assert all(ink[box.top : box.bottom, box.left : box.right].max() > 200 for box in boxes)
    assert [box.left for box in boxes] == sorted(box.left for box in boxes)


def test_a_leaning_page_of_rows_keeps_its_rows_apart() -> None:
    lines = find_lines(find_candidates(page({(150, 140): "2503", (150, 220): "7714", (150, 300): "6980"}, 40)))
    assert [len(line.rows) for line in lines] == [4, 4, 4]


@pytest.mark.parametrize("text", ["15", "51", "5"])
def test_the_bar_that_a_5_has_lost_belongs_to_it(text: str) -> None:
    """Its body is a hook to the left, and the bar stands apart of it, higher up on the right."""
    ink = np.zeros((400, 600), np.uint8)
    for place, digit in enumerate(text):
        left = 250 + 60 * place
        if digit == "5":
            cv2.polylines(
                ink, [np.array([[left, 212], [left + 16, 224], [left + 10, 244], [left - 4, 248]])], False, 255, 5
            )
            cv2.line(ink, (left + 14, 198), (left + 40, 194), 255, 5)
        else:
            cv2.line(ink, (left + 12, 196), (left + 8, 248), 255, 5)
    sheet = lift_page(255 - ink)
    found = find_candidates(sheet)
    (line,) = find_lines(found)
    assert len(line.rows) == len(text) + 1
    (number,) = cut_numbers(level_strip(sheet, found, line).ink, sure)
    assert len(number) == len(text)


def test_lines_come_top_to_bottom() -> None:
    lines = find_lines(find_candidates(page({(60, 300): "31", (60, 80): "24", (350, 190): "77"})))
    assert [len(line.rows) for line in lines] == [2, 2, 2]


def test_small_writing_on_a_large_page_is_taken_from_the_page_itself() -> None:
    large = np.full((1200, 2600), 255, np.uint8)
    cv2.putText(large, "4907", (800, 600), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 0, 3, cv2.LINE_AA)  # 26 px high
    sheet = lift_page(large)
    found = find_candidates(sheet)
    (line,) = find_lines(found)
    strip = level_strip(sheet, found, line)
    (number,) = cut_numbers(strip.ink, sure)
    assert [20 <= glyph.box.height <= 32 for glyph in number] == [True] * 4  # 13 on the small picture
    box = strip.box_on_page(number[0].box, 2600, 1200)
    assert box.as_list() == pytest.approx([800, 573, 823, 602], abs=5)


@pytest.mark.parametrize(("gap", "numbers"), [(14, 1), (90, 2)])
def test_a_gap_of_a_digit_height_divides(gap: int, numbers: int) -> None:
    ink = np.zeros((64, 300), np.uint8)
    cv2.putText(ink, "4", (10, 50), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 255, 4)
    right = int(np.flatnonzero(ink.any(axis=0))[-1])
    cv2.putText(ink, "7", (right + gap, 50), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 255, 4)
    assert len(cut_numbers(ink, sure)) == numbers


def test_points_and_commas_are_dropped() -> None:
    ink = np.zeros((70, 300), np.uint8)
    cv2.putText(ink, "1.250,8", (10, 50), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 255, 4)
    (number,) = cut_numbers(ink, sure)
    assert len(number) == 5


def test_joined_digits_are_cut_only_if_the_network_is_surer_of_the_pieces() -> None:
    ink = np.zeros((70, 120), np.uint8)
    cv2.putText(ink, "00", (10, 50), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 255, 4)
    ink[28:32, 20:70] = 255
    assert [len(n) for n in cut_numbers(ink, lambda glyphs: 0.9 if len(glyphs) == 2 else 0.5)] == [2]
    assert [len(n) for n in cut_numbers(ink, lambda glyphs: 0.9 if len(glyphs) == 1 else 0.5)] == [1]


def test_nothing_written_is_nothing_found() -> None:
    empty = np.zeros((50, 80), np.uint8)
    assert find_lines(find_candidates(lift_page(empty))) == ()
    assert cut_numbers(empty, sure) == ()


def test_a_glyph_keeps_its_own_ink_only() -> None:
    ink = np.zeros((40, 60), np.uint8)
    ink[10:30, 10:14], ink[10:30, 18:22] = 120, 200
    blobs = find_blobs(ink > 50)
    glyph = cut_glyph(ink, blobs, (0,)).glyph
    assert glyph.box.as_list() == [10, 10, 14, 30]
    assert glyph.ink.max() == 255 and glyph.ink.shape == (22, 6)


def test_masks_are_bool() -> None:
    with pytest.raises(ShapeError, match="mask"):
        find_blobs(np.zeros((5, 5), np.uint8))
