"""Numbers stay what they are while their readings tremble."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.live.steady import EACH_FRAME, STEADY, Steady, overlap
from edge.sinks.base import Event
from edge.values import Box, Digit, Frame, Reading, Status

PIXELS = np.zeros((4, 640), np.uint8)
FPS = 15.0


def at(left: int, top: int = 100, width: int = 60, height: int = 30) -> Box:
    return Box(left=left, top=top, right=left + width, bottom=top + height)


def reading(
    text: str, *, left: int = 100, confidence: float = 0.98, status: Status = "read", top: int = 100
) -> Reading:
    return Reading(text=text, confidence=confidence, status=status, box=at(left, top))


def watch(frames: Iterable[list[Reading]], steady: Steady | None = None, fps: float = FPS) -> list[Event]:
    steady = steady or Steady()
    events: list[Event] = []
    for index, readings in enumerate(frames):
        events += steady.update(Frame(pixels=PIXELS, index=index, time=1000 + index / fps, source="test"), readings)
    return events


def story(events: list[Event]) -> list[tuple[str, str]]:
    return [(event.happening, event.reading.text) for event in events]


def test_a_number_appears_once_it_was_read_surely_often_enough() -> None:
    events = watch([[reading("42")]] * 10)
    assert story(events) == [("appeared", "42")]
    assert events[0].frame == STEADY.votes - 1


def test_it_is_gone_only_after_a_second_without_it() -> None:
    frames = [[reading("42")]] * 8
    kept = round(STEADY.kept_s * FPS)
    assert story(watch([*frames, *[[]] * (kept - 1), *frames])) == [("appeared", "42")]
    events = watch([*frames, *[[]] * (kept + 1)])
    assert story(events) == [("appeared", "42"), ("gone", "42")]


@pytest.mark.parametrize("fps", [5.0, 15.0, 30.0])
def test_it_takes_as_long_at_any_frame_rate(fps: float) -> None:
    doubtful = [reading("42", confidence=0.85, status="review")]
    events = watch([doubtful] * round(3 * fps) + [[]] * round(2 * fps), fps=fps)
    assert story(events) == [("appeared", "42"), ("gone", "42")]
    assert STEADY.patience_s <= events[0].time - 1000 <= max(0.7, STEADY.votes / fps)
    assert STEADY.kept_s <= events[1].time - 1003 <= STEADY.kept_s + 2 / fps


def test_skipped_frames_do_not_make_it_go() -> None:
    steady, events = Steady(), []
    for index, time in enumerate([0, 0.07, 0.13, 0.2, 0.27, 2.9, 3.0, 9.0, 9.1]):
        events += steady.update(Frame(pixels=PIXELS, index=index, time=1000 + time, source="test"), [reading("42")])
    assert story(events) == [("appeared", "42")]


@pytest.mark.parametrize("jump", [-3600.0, 3600.0, 50 * 365 * 86400.0])
def test_a_clock_that_is_set_ends_nothing_and_holds_nothing(jump: float) -> None:
    steady, events = Steady(), []
    for index in range(60):
        time = 1000 + index / FPS + (jump if index >= 20 else 0)
        readings = [reading("42")] if index < 30 else []
        events += steady.update(Frame(pixels=PIXELS, index=index, time=time, source="test"), readings)
    assert story(events) == [("appeared", "42"), ("gone", "42")]
    assert events[1].frame <= 30 + 1.2 * STEADY.kept_s * FPS


def test_single_misreadings_do_not_flicker() -> None:
    frames = [[reading("47" if index % 4 == 3 else "42")] for index in range(40)]
    assert story(watch(frames)) == [("appeared", "42")]


def test_a_new_text_at_the_same_place_is_a_change_of_the_same_number() -> None:
    events = watch([[reading("42")]] * 10 + [[reading("43")]] * 10)
    assert story(events) == [("appeared", "42"), ("changed", "43")]
    assert events[0].track == events[1].track


def test_a_new_text_of_another_length_at_the_same_place_is_a_change_too() -> None:
    long = Reading(text="123456", confidence=0.98, status="read", box=at(40, width=180))
    events = watch([[reading("42")]] * 10 + [[long]] * 10)
    assert [event.happening for event in events] in (["appeared", "changed"], ["appeared", "gone", "appeared"])
    assert events[-1].reading.text == "123456" and events[-1].frame <= 10 + 0.7 * FPS


def test_a_number_half_covered_for_a_moment_does_not_change() -> None:
    whole, part = [reading("4217")], [Reading(text="42", confidence=0.99, status="read", box=at(100, width=30))]
    assert story(watch([whole] * 10 + [part] * 10 + [whole] * 10)) == [("appeared", "4217")]
    pieces = [*part, Reading(text="7", confidence=0.99, status="read", box=at(145, width=15))]
    assert story(watch([whole] * 10 + [pieces] * 10 + [whole] * 10)) == [("appeared", "4217")]


def test_what_the_reader_doubts_is_no_number_if_it_is_mere_strokes() -> None:
    for text, confidence in (("1", 0.8), ("111", 0.99)):
        assert watch([[reading(text, status="review", confidence=confidence)]] * 60) == []
    assert story(watch([[reading("1")]] * 10)) == [("appeared", "1")]


def test_a_number_thrown_across_the_picture_is_the_same() -> None:
    frames = [[reading("4217", left=20)]] * 10 + [[]] * 4 + [[reading("4217", left=400, top=250)]] * 20
    assert story(watch(frames)) == [("appeared", "4217")]


def test_a_piece_of_one_number_is_not_another_that_was_covered() -> None:
    zero, forty = reading("6", left=300, top=300), Reading(text="46", confidence=0.98, status="read", box=at(100))
    piece = Reading(text="6", confidence=0.99, status="read", box=at(130, width=30))
    frames = [[zero, forty]] * 10 + [[piece]] * 6 + [[zero, forty]] * 20
    assert story(watch(frames)) == [("appeared", "6"), ("appeared", "46")]


def test_numbers_that_are_pushed_on_together_keep_their_ids() -> None:
    """Each comes to stand where its neighbour was a moment before."""
    frames = [[reading("31", left=50 + shift), reading("58", left=150 + shift)] for shift in [0] * 10]
    frames += [[reading("31", left=50 + shift), reading("58", left=150 + shift)] for shift in range(0, 210, 35)]
    frames += [[reading("31", left=225), reading("58", left=325)]] * 10
    assert story(watch(frames)) == [("appeared", "31"), ("appeared", "58")]


def test_ids_are_of_one_run_alone_and_sort_by_time() -> None:
    story = [[reading("42")]] * 6 + [[]] * 20
    one, other = watch(story * 12), watch(story * 12)
    ids = [event.id for event in (*one, *other)]
    assert len(set(ids)) == len(ids) == 48
    assert ids[:24] == sorted(ids[:24])


def test_two_numbers_are_two_and_keep_their_ids() -> None:
    events = watch([[reading("1", left=100), reading("2", left=300)]] * 6 + [[reading("2", left=300)]] * 20)
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
    doubtful = [reading("42", confidence=0.8, status="review")]
    assert watch([doubtful] * round(STEADY.patience_s * FPS)) == []
    events = watch([doubtful] * 20)
    assert story(events) == [("appeared", "42")]
    assert events[0].reading.status == "review"
    assert watch([[reading("42", confidence=0.3, status="review")]] * 20) == []


@pytest.mark.parametrize("text", ["42", "7"])
def test_what_stands_there_for_a_second_is_shown_for_review_however_doubted_and_is_no_event(text: str) -> None:
    doubtful = [reading(text, confidence=0.4, status="review")]
    steady = Steady()
    assert watch([doubtful] * 12, steady) == [] and steady.shown == ()
    assert watch([doubtful] * 8, steady) == []
    assert [(shown.text, shown.status) for shown in steady.shown] == [(text, "review")]
    assert watch([[]] * 20, steady) == [] and steady.shown == ()


@pytest.mark.parametrize("texts", [["1"], ["7", "", ""], ["7", "4"], ["42", "", ""]])
def test_a_stroke_what_is_seldom_seen_and_a_digit_that_changes_is_no_guess(texts: list[str]) -> None:
    steady = Steady()
    watch([[reading(text, confidence=0.6, status="review")] if text else [] for text in texts * 10], steady)
    assert steady.shown == ()


def test_what_becomes_sure_is_told_once_and_stays_sure() -> None:
    doubtful, sure = [reading("42", confidence=0.8, status="review")], [reading("42")]
    events = watch([doubtful] * 12 + [sure] * 30 + [doubtful] * 60)
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


def written(text: str, *, left: int, confidence: float = 0.98) -> Reading:
    """A reading with a box a digit, 20 px apart and 30 high."""
    boxes = [at(left + 20 * place, width=16) for place in range(len(text))]
    digits = tuple(
        Digit(digit=int(char), confidence=confidence, box=box, alternatives=())
        for char, box in zip(text, boxes, strict=True)
    )
    return Reading(text=text, confidence=confidence, status="read", box=Box.around(boxes), digits=digits)


def test_a_piece_of_a_number_that_is_read_whole_now_and_then_is_not_told() -> None:
    whole, pieces = [written("284", left=100)], [written("2", left=100), written("4", left=140)]
    told = watch(([whole] + [pieces] * 3) * 12)
    assert all(event.reading.text == "284" for event in told)


def test_what_stands_too_near_to_be_two_numbers_is_told_only_when_it_has_stood_so_for_long() -> None:
    """A digit between them cannot be read now, or there is none but a dash."""
    events = watch([[written("42", left=100), written("73", left=160)]] * 60)
    assert sorted(story(events)) == [("appeared", "42"), ("appeared", "73")]
    assert all(event.time - 1000 >= 2.0 for event in events)


def test_numbers_a_digits_height_apart_are_two_at_once() -> None:
    events = watch([[written("42", left=100), written("73", left=180)]] * 10)
    assert sorted(story(events)) == [("appeared", "42"), ("appeared", "73")]
    assert {event.frame for event in events} == {STEADY.votes - 1}


def test_a_number_of_which_half_was_seen_for_a_moment_is_still_the_same() -> None:
    low, high = reading("544"), Reading(text="544", confidence=0.98, status="read", box=at(102, 98, 60, 58))
    assert story(watch([[low]] * 8 + [[high]] * 20)) == [("appeared", "544")]


def test_in_pictures_of_their_own_nothing_is_held_back() -> None:
    steady = Steady(EACH_FRAME)
    events = watch([[written("42", left=100), written("73", left=160)]], steady)
    assert sorted(story(events)) == [("appeared", "42"), ("appeared", "73")]


def test_what_is_left_of_a_number_whose_end_was_wiped_away_is_told() -> None:
    events = watch([[written("1234", left=100)]] * 20 + [[written("12", left=100)]] * 40)
    assert events[-1].happening in ("appeared", "changed") and events[-1].reading.text == "12"
    assert events[-1].frame <= 20 + 1.5 * STEADY.kept_s * FPS
