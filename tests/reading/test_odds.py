"""What was learned about finds agrees with what anybody would say of them."""

from __future__ import annotations

import pytest

from edge.reading.odds import probability_of_writing

PLAIN = {
    "sure": 5.0, "strokes": 0.0, "rings": 0.0, "lower": 0.0, "higher": 0.0, "other pen": 0.05, "other stroke": 0.05,
    "other ink": 0.05, "paper known": 1.0, "off the paper": 0.0, "speaks": 0.0, "nothing strange": 1.0,
    "mostly strange": 0.0, "strange": 0.0, "speakers": 1.0, "beside letters": 0.0, "in a word": 0.0, "too thick": 0.0,
    "thickness": 0.12, "darkness": 5.0, "mere and lower": 0.0, "mere and other pen": 0.0, "mere and alone": 0.0,
    "digits": 2.0, "sure digits": 10.0,
}  # fmt: skip


@pytest.mark.parametrize("several", [False, True])
def test_a_plain_find_beside_numbers_is_writing(several: bool) -> None:
    assert probability_of_writing(PLAIN, several=several) > 0.9


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("off the paper", 1.0),
        ("other pen", 1.2),
        ("strokes", 1.0),
        ("strange", 3.0),
        ("beside letters", 1.0),
        ("sure", 0.5),
    ],
)
def test_what_speaks_against_writing_makes_it_less_probable(name: str, value: float, several: bool) -> None:
    plain, against = (probability_of_writing(values, several=several) for values in (PLAIN, {**PLAIN, name: value}))
    assert against / (1 - against) < 0.6 * plain / (1 - plain)
