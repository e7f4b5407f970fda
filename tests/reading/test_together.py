"""Two networks' opinions of one number: neither is believed against the other more than it is sure."""

import pytest

from edge.reading.together import put_together, text_of
from edge.values import Box, Digit


def digits(text: str, confidence: float, *, left: int = 0, instead: str = "") -> tuple[Digit, ...]:
    """Digits of a text, each so sure, with that of `instead` at its place as the second best."""
    return tuple(
        Digit(
            digit=int(one),
            confidence=confidence,
            box=Box(left=left + 10 * place, top=0, right=left + 10 * place + 8, bottom=20),
            alternatives=((int(instead[place]), 0.9 * (1 - confidence)),) if instead and instead[place] != one else (),
        )
        for place, one in enumerate(text)
    )


def test_opinions_that_agree_are_no_surer_than_the_surer_one() -> None:
    both, confidence = put_together(digits("42", 0.9), 0.81, digits("42", 0.99), 0.98)
    assert text_of(both) == "42"
    assert 0.81 < confidence < 0.98


def test_where_they_differ_in_a_digit_the_one_that_is_surer_of_it_says() -> None:
    named = (*digits("2", 0.999), *digits("7", 0.6, instead="9"))
    whole = (*digits("2", 0.99), *digits("9", 0.95, instead="7"))
    both, confidence = put_together(named, 0.6, whole, 0.94)
    assert text_of(both) == "29"
    assert confidence < 0.94
    assert dict(both[1].alternatives)[7] > 0.1


def test_boxes_are_those_of_the_named_digits_where_both_count() -> None:
    both, _ = put_together(digits("57", 0.8), 0.64, digits("57", 0.8, left=3), 0.64)
    assert [digit.box.left for digit in both] == [0, 10]


@pytest.mark.parametrize(("confidence", "sure", "text"), [(0.88, 0.53, "6133"), (0.3, 0.92, "633")])
def test_a_digit_that_one_leaves_out_is_there_if_the_other_is_surer(confidence: float, sure: float, text: str) -> None:
    both, together = put_together(digits("6133", 0.97), confidence, digits("633", 0.8), sure)
    assert text_of(both) == text
    assert together < max(confidence, sure)


def test_pieces_that_are_read_as_other_digits_at_all_are_believed_only_if_much_surer() -> None:
    assert text_of(put_together(digits("7031147", 0.97), 0.85, digits("703447", 0.9), 0.5)[0]) == "703447"
    assert text_of(put_together(digits("7031147", 0.97), 0.85, digits("703447", 0.8), 0.2)[0]) == "7031147"


def test_certainties_that_contradict_each_other_leave_a_probability() -> None:
    _, confidence = put_together(digits("11", 1.0), 1.0, digits("1", 1.0), 1.0)
    assert 0.0 <= confidence <= 1.0
