"""Many frames vote on a text with what they are worth."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.live.vote import Votes, decide, share_of
from edge.values import Box, Digit, Reading, Status

BOX = Box(left=0, top=0, right=60, bottom=30)


def reading(
    text: str, confidence: float = 0.9, *, status: Status = "read", others: tuple[tuple[int, float], ...] = ()
) -> Reading:
    """A reading whose last digit has these alternatives."""
    each = confidence ** (1 / len(text))
    digits = tuple(
        Digit(digit=int(one), confidence=each, box=BOX, alternatives=others if at == len(text) - 1 else ())
        for at, one in enumerate(text)
    )
    return Reading(text=text, confidence=confidence, status=status, box=BOX, digits=digits)


def test_one_frame_says_what_it_says() -> None:
    verdict = decide([reading("42", 0.83)])
    assert verdict.reading.text == "42" and verdict.reading.confidence == pytest.approx(0.83)
    assert verdict.votes == 1 and verdict.share == verdict.sure == 1


def test_more_frames_make_surer_but_not_without_end() -> None:
    sure = [decide([reading("42", 0.8)] * count).reading.confidence for count in (1, 2, 4, 8, 30, 1000)]
    assert sure == sorted(sure) and sure[1] > 0.85
    assert sure[-1] < 0.98, "a thousand frames of one scene are no thousand witnesses"


def test_what_most_frames_doubt_stays_doubtful() -> None:
    assert decide([reading("42", 0.3)] * 30).reading.confidence < 0.3


def test_the_surer_text_wins_against_the_more_frequent() -> None:
    assert decide([reading("47", 0.5)] * 5 + [reading("42", 0.99)] * 4).reading.text == "42"
    assert decide([reading("47", 0.9)] * 5 + [reading("42", 0.9)] * 2).reading.text == "47"


def test_two_texts_at_odds_leave_doubt() -> None:
    assert decide([reading("47", 0.95), reading("42", 0.95)] * 10).reading.confidence < 0.8


def test_what_a_frame_holds_possible_counts_for_that() -> None:
    torn = reading("47", 0.5, others=((2, 0.45),))
    assert share_of(torn, "42") > 0.3 > share_of(torn, "43")
    with_it = decide([torn] * 4 + [reading("42", 0.9)] * 3).reading
    without = decide([reading("47", 0.5)] * 4 + [reading("42", 0.9)] * 3).reading
    assert with_it.text == without.text == "42" and with_it.confidence > without.confidence


def test_a_frame_that_lost_a_digit_speaks_for_the_longer_text_too() -> None:
    assert share_of(reading("35", 0.99), "135") > share_of(reading("135", 0.99), "35")
    assert decide([reading("135", 0.93)] * 5 + [reading("35", 0.95)] * 6).reading.text == "135"
    assert decide([reading("135", 0.4)] + [reading("35", 0.99)] * 9).reading.text == "35"


def test_a_text_that_is_named_is_judged_beside_the_others() -> None:
    readings = [reading("47", 0.9)] * 6 + [reading("42", 0.9)] * 2
    named, best = decide(readings, "42"), decide(readings)
    assert named.reading.text == "42" and best.reading.text == "47"
    assert named.reading.confidence + best.reading.confidence <= 1 and named.votes == 2


def test_the_verdict_is_the_latest_reading_of_its_text_where_the_number_is_now() -> None:
    doubted = Reading(text="42", confidence=0.9, status="review", box=BOX.moved(5, 0))
    further = Reading(text="47", confidence=0.4, status="review", box=BOX.moved(9, 0))
    part = Reading(text="4", confidence=0.4, status="review", box=BOX.moved(30, 0))
    verdict = decide([reading("42"), doubted, further, part])
    assert verdict.reading.text == "42" and verdict.reading.box == BOX.moved(9, 0)
    assert verdict.sure == 0.5 and verdict.votes == 2


READINGS = st.lists(
    st.builds(reading, st.sampled_from(["1", "7", "17", "12", "117"]), st.floats(0, 1)), min_size=1, max_size=20
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(READINGS)
def test_a_verdict_is_one_of_the_texts_with_a_probability(readings: list[Reading]) -> None:
    verdict = decide(readings)
    assert verdict.reading.text in {one.text for one in readings}
    assert 0 <= verdict.reading.confidence <= 1 and 0 < verdict.share <= 1


def test_old_votes_are_forgotten_and_the_latest_others_found() -> None:
    votes = Votes(1.0)
    for time, text in ((0.0, "42"), (0.5, "42"), (1.2, "47"), (1.3, "47")):
        votes.add(time, reading(text))
    assert len(votes) == 3 and votes.has("42") and not votes.has("9")
    assert [time for time, _ in votes.since("42")] == [1.2, 1.3]
    assert len(votes.since("9")) == 3
    votes.forget([1.3])
    assert [one.text for one in votes.readings()] == ["47"]
