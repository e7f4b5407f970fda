"""Numbers stay what they are while their readings tremble."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.live.steady import EACH_FRAME, STEADY, Steady, overlap
from edge.sinks.base import Event
from edge.values import Box, Frame, Reading, Status

PIXELS = np.zeros((4, 4), np.uint8)


def at(left: int, top: int = 100, width: int = 60, height: int = 30) -> Box:
    return Box(left=left, top=top, right=left + width, bottom=top + height)


def reading(
    text: str, *, left: int = 100, confidence: float = 0.98, status: Status = "read", top: int = 100
) -> Reading:
    return Reading(text=text, confidence=confidence, status=status, box=at(left, top))


def watch(frames: Iterable[list[Reading]], steady: Steady | None = None) -> list[Event]:
    steady = steady or Steady()
    events: list[Event] = []
    for index, readings in enumerate(frames):
        events += steady.update(Frame(pixels=PIXELS, index=index, time=1000 + index / 15, source="test"), readings)
    return events


def story(events: list[Event]) -> list[tuple[str, str]]:
    return [(event.happening, event.reading.text) for event in events]


def test_a_number_appears_once_it_was_read_surely_often_enough() -> None:
    events = watch([[reading("42")]] * 10)
    assert story(events) == [("appeared", "42")]
    assert events[0].frame == STEADY.agree - 1


def test_it_is_gone_only_after_some_frames_without_it() -> None:
    frames = [[reading("42")]] * 5
    assert story(watch([*frames, *[[]] * (STEADY.misses - 1), *frames])) == [("appeared", "42")]
    assert story(watch([*frames, *[[]] * STEADY.misses])) == [("appeared", "42"), ("gone", "42")]


def test_single_misreadings_do_not_flicker() -> None:
    frames = [[reading("47" if index % 4 == 3 else "42")] for index in range(40)]
    assert story(watch(frames)) == [("appeared", "42")]


def test_a_new_text_at_the_same_place_is_a_change_of_the_same_number() -> None:
    events = watch([[reading("42")]] * 10 + [[reading("43")]] * 10)
    assert story(events) == [("appeared", "42"), ("changed", "43")]
    assert events[0].track == events[1].track


def test_two_numbers_are_two_and_keep_their_ids() -> None:
    events = watch([[reading("1", left=100), reading("2", left=300)]] * 6 + [[reading("2", left=300)]] * 8)
    assert story(events) == [("appeared", "1"), ("appeared", "2"), ("gone", "1")]
    assert events[2].track == events[0].track != events[1].track


def test_a_number_that_is_moved_slowly_stays_the_same() -> None:
    events = watch([[reading("42", left=100 + 10 * index, top=100 + 3 * index)] for index in range(30)])
    assert story(events) == [("appeared", "42")]


def test_the_shown_box_follows_the_number() -> None:
    steady = Steady()
    watch([[reading("42", left=100 + 5 * index)] for index in range(10)], steady)
    assert steady.shown[0].box == at(145)


def test_doubtful_once_is_not_shown_and_doubtful_always_the_same_is_for_review() -> None:
    doubtful = [reading("42", confidence=0.7, status="review")]
    assert watch([doubtful] * (STEADY.persist - 1)) == []
    events = watch([doubtful] * 20)
    assert story(events) == [("appeared", "42")]
    assert events[0].reading.status == "review"
    assert watch([[reading("42", confidence=0.3, status="review")]] * 20) == []


def test_what_becomes_sure_is_told_once_and_stays_sure() -> None:
    doubtful, sure = [reading("42", confidence=0.7, status="review")], [reading("42")]
    events = watch([doubtful] * 8 + [sure] * 8 + [doubtful] * 20)
    assert [(event.happening, event.reading.status) for event in events] == [
        ("appeared", "review"),
        ("changed", "read"),
    ]


def test_empty_readings_are_nothing() -> None:
    assert watch([[Reading(text="", confidence=0.9, status="empty", box=at(10))]] * 20) == []
    assert watch([[Reading(text="", confidence=0.9, status="review", box=at(10))]] * 20) == []


def test_pictures_of_their_own_show_everything_at_once() -> None:
    events = watch([[reading("42")], [], [reading("7", status="review", confidence=0.2)]], Steady(EACH_FRAME))
    assert story(events) == [("appeared", "42"), ("gone", "42"), ("appeared", "7")]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(
        st.lists(
            st.builds(
                reading,
                st.sampled_from(["1", "2", "12"]),
                left=st.sampled_from([0, 20, 100, 400]),
                confidence=st.floats(0, 1),
                status=st.sampled_from(["read", "review"]),
            ),
            max_size=4,
        ),
        max_size=40,
    )
)
def test_every_story_is_appeared_then_changes_then_gone(frames: list[list[Reading]]) -> None:
    told: dict[str, str] = {}
    for event in watch(frames):
        before = told.get(event.track)
        assert (before is None) == (event.happening == "appeared")
        assert before != "gone"
        told[event.track] = event.happening


def test_overlap_is_of_the_union() -> None:
    assert overlap(at(0), at(0)) == 1
    assert overlap(at(0), at(60)) == 0
    assert overlap(at(0), at(30)) == 1 / 3
