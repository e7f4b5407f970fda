"""Values, not characters: what check, range and roster make of what the networks say of the cells."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import UsageError
from edge.forms.fields.context import ReadCell, in_context
from edge.forms.fields.rules import Chances, Rules, best_first
from edge.forms.fields.settle import value_of_cells
from edge.forms.template import Field
from edge.values import NOT_A_DIGIT, Prediction


def _field(**rules: object) -> Field:
    return Field(name="account", kind="digit", box_mm=(0.0, 0.0, 80.0, 8.0), columns=8, **rules)  # type: ignore[arg-type]


def _chances(text: str, sure: float = 0.99, rivals: dict[int, tuple[str, float]] | None = None) -> Chances:
    """Each digit of text with the probability sure, or, by its place, with a rival's probability taken from it."""
    chances = np.full((len(text), 10), (1 - sure) / 9)
    for row, digit in zip(chances, text, strict=True):
        row[int(digit)] = sure
    for place, (rival, share) in (rivals or {}).items():
        chances[place, int(text[place])] = sure - share
        chances[place, int(rival)] = share
    return chances


def _cell(digit: str, sure: float = 0.99, *, doubts: tuple[str, ...] = (), dark: float = 150.0) -> ReadCell:
    rest = tuple((str(d), (1 - sure) / 10) for d in range(10) if str(d) != digit)
    others = rest if digit == NOT_A_DIGIT else (*rest, (NOT_A_DIGIT, (1 - sure) / 10))
    return ReadCell(prediction=Prediction(label=digit, confidence=sure, alternatives=others), doubts=doubts, dark=dark)


def _row(text: str, sure: float = 0.999) -> list[ReadCell]:
    return [ReadCell() if sign == " " else _cell(sign, sure) for sign in text]


def test_without_rules_the_value_is_what_is_read() -> None:
    value = value_of_cells(_row("00420", 0.9), _field(), Rules(_field()), 0.5)
    assert (value.value, value.raw, value.status) == ("00420", "00420", "read")
    assert value.confidence == pytest.approx(0.9**5)


def test_ink_that_can_be_no_digit_at_all_has_a_guess_and_no_confidence() -> None:
    surely = Prediction(label=NOT_A_DIGIT, confidence=1.0, alternatives=tuple((str(d), 0.0) for d in range(10)))
    value = value_of_cells([ReadCell(prediction=surely)], _field(), Rules(_field()), 0.0)
    assert (value.value, value.confidence, value.status) == ("0", 0.0, "review")


def test_a_check_digit_decides_between_likely_readings() -> None:
    settled = Rules(_field(check="luhn")).settle(_chances("79927398723", 0.999, {9: ("1", 0.4)}))
    assert (settled.raw, settled.value) == ("79927398723", "79927398713")
    assert 0.9 < settled.confidence < 1.0


def test_a_check_that_no_likely_reading_keeps_is_for_review() -> None:
    value = value_of_cells(_row("79927398723"), _field(check="luhn"), Rules(_field(check="luhn")), 0.9)
    assert value.status == "review"
    assert value.value == value.raw == "79927398723"
    assert value.reason is not None and "luhn" in value.reason


def test_a_check_that_holds_makes_a_value_surer() -> None:
    chances = _chances("79927398713", 0.98)
    assert Rules(_field(check="luhn")).settle(chances).confidence > 0.98**11


def test_the_only_entry_of_a_roster_is_not_sure_for_being_the_only_one() -> None:
    far = Rules(_field(values=("12345678",))).settle(_chances("12349999", 0.999))
    assert far.value == "12349999" and far.confidence == 0.0
    near = Rules(_field(values=("12345678",))).settle(_chances("12345679", 0.999, {7: ("8", 0.45)}))
    assert near.value == "12345678" and 0.9 < near.confidence < 0.99


def test_a_roster_keeps_leading_zeros_and_lengths_apart() -> None:
    rules = Rules(_field(values=("0042", "42", "7x")))
    assert rules.settle(_chances("0042")).value == "0042"
    assert rules.settle(_chances("42")).value == "42"
    assert rules.broken_by("042") is not None


def test_a_large_roster_is_searched_whole() -> None:
    rng = np.random.default_rng(5)
    roster = tuple(f"{n:012d}" for n in rng.integers(0, 10**12, 100_000))  # far apart
    rules = Rules(_field(values=roster))
    for text in roster[:20]:
        wrong = str((int(text[3]) + 1) % 10)
        settled = rules.settle(_chances(text[:3] + wrong + text[4:], 0.99, {3: (text[3], 0.4)}))
        assert settled.value == text


def test_a_range_is_of_numbers_and_keeps_the_text() -> None:
    rules = Rules(_field(range=(1, 31)))
    assert rules.settle(_chances("07")).value == "07"
    assert rules.settle(_chances("41", 0.99, {0: ("1", 0.45)})).value == "11"


def test_an_unknown_check_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="nonsense"):
        Rules(_field(check="nonsense"))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_texts_come_with_falling_probability_and_none_is_missing(seed: int, n: int) -> None:
    chances = np.random.default_rng(seed).dirichlet(np.full(10, 0.3), n) + 1e-6
    found = list(zip(range(300), best_first(np.log(chances)), strict=False))
    texts = [text for _, (text, _) in found]
    shares = [share for _, (_, share) in found]
    assert len(set(texts)) == len(texts) == min(300, 10**n)
    assert all(a >= b - 1e-12 for a, b in pairwise(shares))
    for text, share in zip(texts, shares, strict=True):
        assert share == pytest.approx(np.prod([chances[i, int(d)] for i, d in enumerate(text)]))


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([None, "luhn", "verhoeff", "iso7064.mod_97_10"]),
    st.sampled_from([None, (0, 5000), (100, 99_999)]),
    st.booleans(),
)
def test_a_value_keeps_its_rules_or_is_for_review(
    seed: int, check: str | None, between: tuple[int, int] | None, listed: bool
) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 7))
    roster = tuple({f"{number:0{n}d}" for number in rng.integers(0, 10**n, 20)}) if listed else None
    field = _field(check=check, range=between, values=roster)
    rules = Rules(field)
    cells = []
    for shares in rng.dirichlet(np.full(11, 0.08), n):
        ranked = sorted(zip(shares, [*"0123456789", NOT_A_DIGIT], strict=True), reverse=True)
        (best, label), *others = [(float(share), name) for share, name in ranked]
        cells.append(
            ReadCell(
                prediction=Prediction(
                    label=label, confidence=best, alternatives=tuple((name, share) for share, name in others)
                )
            )
        )
    value = value_of_cells(cells, field, rules, 0.8)
    assert value.status == "review" or rules.broken_by(value.value) is None
    assert (value.status == "review") == (value.reason is not None)
    assert 0.0 <= value.confidence <= 1.0
    assert value.value.isdigit() and len(value.value) == len(value.raw) == n
    if value.status == "read":
        assert value.confidence >= 0.8


def test_blank_cells_may_stand_around_digits_and_not_between() -> None:
    field, rules = _field(), Rules(_field())
    around = value_of_cells(_row("  042   "), field, rules, 0.9)
    assert (around.value, around.status) == ("042", "read")
    between = value_of_cells(_row(" 04 2   "), field, rules, 0.9)
    assert between.status == "review" and between.reason == "a blank cell between digits"


def test_nothing_written_is_empty_or_missed() -> None:
    assert value_of_cells(_row("    "), _field(), Rules(_field()), 0.9).status == "empty"
    missed = value_of_cells(_row("    "), _field(required=True), Rules(_field()), 0.9)
    assert missed.status == "review" and missed.value == ""


def test_a_doubtful_digit_tells_what_else_it_may_be() -> None:
    likely = Prediction(label="4", confidence=0.6, alternatives=(("9", 0.3), (NOT_A_DIGIT, 0.08), ("7", 0.02)))
    value = value_of_cells([*_row("1"), ReadCell(prediction=likely)], _field(), Rules(_field()), 0.9)
    assert (value.value, value.status) == ("14", "review")
    assert [text for text, _ in value.alternatives] == ["19", "17"]
    assert value.alternatives[0][1] == pytest.approx(0.3, abs=0.01)
    assert value.reason == "not sure enough, may be 19"


def test_what_is_no_digit_is_for_review_however_sure() -> None:
    field, rules = _field(), Rules(_field())
    tick = value_of_cells([*_row("12"), _cell(NOT_A_DIGIT, 0.999)], field, rules, 0.0)
    assert tick.status == "review" and tick.reason == "no digit"
    note = value_of_cells([_cell("1", 0.999, doubts=("small and aside, like a note",))], field, rules, 0.0)
    assert note.status == "review" and note.reason == "small and aside, like a note"


def _grid(rows: int, columns: int) -> Field:
    return Field(name="marks", kind="digit", layout="grid", box_mm=(0.0, 0.0, 30.0, 60.0), rows=rows, columns=columns)


def test_traces_of_what_was_rubbed_out_are_blank_and_pale_digits_in_doubt() -> None:
    cells = [_cell("3") for _ in range(9)] + [
        _cell(NOT_A_DIGIT, dark=25.0),
        _cell("5", dark=25.0),
        _cell("6", dark=90.0),
    ]
    (found,) = in_context([(_grid(12, 1), cells)])
    assert found[9].prediction is None
    assert found[10].doubts and not found[11].doubts
    assert all(not cell.doubts for cell in found[:9])


def test_a_column_of_marks_holds_no_sure_digit_and_its_neighbour_does() -> None:
    marks = [NOT_A_DIGIT, NOT_A_DIGIT, "1", NOT_A_DIGIT] * 3
    cells = [cell for mark in marks for cell in (_cell("4"), _cell(mark))]
    (found,) = in_context([(_grid(12, 2), cells)])
    assert not any(cell.doubts for cell in found[::2])
    assert all(cell.doubts for cell in found[1::2] if cell.prediction and cell.prediction.label == "1")
