"""Which pieces of a line are one number: joined digits, units and brackets beside it."""

from __future__ import annotations

import numpy as np

from edge.imaging.segments import Cut
from edge.reading.runs import Run, cut_weak, divide, divide_joined
from edge.values import NOT_A_DIGIT, Box, Glyph, Prediction

HIGH = 40


def line(*pieces: tuple[str, float, int, int, float]) -> tuple[Cut, list[Prediction]]:
    """A line of pieces: label, confidence, width and height in pixels, and the gap before in digit heights."""
    glyphs, said, right = [], [], 0
    for label, confidence, width, height, gap in pieces:
        left = right + round(gap * HIGH)
        right = left + width
        box = Box(left=left, top=100 - height, right=right, bottom=100)
        glyphs.append(Glyph(box=box, ink=np.full((height, width), 255, np.uint8)))
        other = "0" if label != "0" else "1"
        said.append(Prediction(label=label, confidence=confidence, alternatives=((other, 1 - confidence),)))
    return Cut(glyphs=tuple(glyphs), digit_px=HIGH), said


def spans(runs: list[Run]) -> list[tuple[int, int]]:
    return [(run.start, run.end) for run in runs]


def test_a_gap_of_a_digit_and_what_is_no_digit_divide() -> None:
    cut, said = line(
        ("2", 0.99, 20, 40, 0), ("3", 0.99, 20, 40, 1.2), (NOT_A_DIGIT, 0.99, 20, 40, 0.2), ("4", 0.99, 20, 40, 0.2)
    )
    assert spans(divide(cut, said)) == [(0, 1), (1, 2), (3, 4)]


def test_what_is_taken_is_passed_over() -> None:
    cut, said = line(("2", 0.99, 20, 40, 0), ("3", 0.99, 20, 40, 0.2))
    assert spans(divide(cut, said, {0})) == [(1, 2)]


def test_strokes_that_overtop_a_number_at_both_ends_are_brackets() -> None:
    inner = (("9", 0.99, 20, 40, 0.1), ("2", 0.99, 20, 38, 0.1))
    cut, said = line(("1", 0.99, 14, 54, 0), *inner, ("1", 0.9, 14, 52, 0.1))
    assert (1, 3) in spans(divide(cut, said))
    cut, said = line(("1", 0.99, 14, 42, 0), *inner, ("1", 0.9, 14, 52, 0.1))
    assert spans(divide(cut, said)) == [(0, 4)]


def test_wide_pieces_beside_digits_may_be_joined_digits_and_words_further_off_are_not_asked_for() -> None:
    cut, said = line(
        ("4", 0.99, 20, 40, 0),
        (NOT_A_DIGIT, 0.99, 50, 42, 0.1),
        ("5", 0.99, 20, 40, 0.2),
        (NOT_A_DIGIT, 0.99, 60, 40, 0.6),
    )
    first, word = divide_joined(cut, said)
    assert (first.start, first.end, first.joined) == (0, 3, (1,))
    assert (word.start, word.end) == (3, 4)


def test_a_low_or_narrow_piece_is_not_joined_digits() -> None:
    cut, said = line(("4", 0.99, 20, 40, 0), (NOT_A_DIGIT, 0.99, 50, 20, 0.1), (NOT_A_DIGIT, 0.99, 20, 40, 0.1))
    assert divide_joined(cut, said) == []


def test_a_weak_number_is_cut_before_letters_that_stand_apart() -> None:
    cut, said = line(("9", 0.99, 20, 40, 0), ("8", 0.99, 20, 40, 0.2), ("6", 0.9, 20, 45, 0.6), ("7", 0.7, 20, 28, 0))
    (whole,) = divide(cut, said)
    assert (whole.start, whole.end) == (0, 4)
    parts = cut_weak(whole, cut, said)
    assert parts is not None and spans(list(parts)) == [(0, 2), (2, 4)]
    assert parts[1].apart and 0.5 <= parts[0].complete < 1
    cut, said = line(("9", 0.99, 20, 40, 0), ("8", 0.99, 20, 40, 0.2), ("6", 0.9, 20, 45, 0.25))
    assert cut_weak(divide(cut, said)[0], cut, said) is None
