"""The judge of scripted runs: it finds what was told right, late, wrongly and not at all."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from edge.errors import UsageError
from edge.live.judge import open_judge
from edge.live.loop import Step
from edge.live.score import Score, score
from edge.sinks.base import Event, Happening
from edge.sources.script import Spell
from edge.sources.scripted import ScriptSource
from edge.values import Box, Frame, Reading

PLACE = Box(left=100, top=100, right=160, bottom=130)
ELSEWHERE = PLACE.moved(300, 200)


def spell(text: str, first: int, end: int, *, replaces: bool = False, replaced: bool = False) -> Spell:
    boxes = (PLACE,) * (end - first)
    return Spell(text=text, there=first, first=first, end=end, boxes=boxes, replaces=replaces, replaced=replaced)


@dataclass(frozen=True)
class Script:
    """A script of one play."""

    own: tuple[Spell, ...]
    frames: int = 300

    def begins(self, number: int) -> int:
        return number * self.frames

    def play_number(self, frame_index: int) -> int:
        return frame_index // self.frames

    def kind(self, number: int) -> str:
        return "still"

    def spells(self, number: int) -> tuple[Spell, ...]:
        return self.own if number == 0 else ()


def told(
    happening: Happening, text: str, frame: int, *, track: str = "t", box: Box = PLACE, sure: bool = True
) -> Event:
    reading = Reading(text=text, confidence=0.9, status="read" if sure else "review", box=box)
    return Event(id=f"e{frame}", track=track, time=frame / 15, frame=frame, happening=happening, reading=reading)


def judged(spells: tuple[Spell, ...], *events: Event) -> Score:
    return score(Script(spells), 300, events)


ONE = (spell("42", 30, 100),)


def test_a_number_that_comes_and_goes_in_time_is_two_right_events() -> None:
    made = judged(ONE, told("appeared", "42", 36), told("gone", "42", 115))
    assert (made.total, made.right, made.late, len(made.lies), made.missed) == (2, 2, 0, 0, ())
    assert made.delays("appeared") == [6 / 15] and made.delays("gone") == [1.0]


def test_what_is_told_too_late_is_late_and_what_is_not_told_is_missed() -> None:
    made = judged(ONE, told("appeared", "42", 60))
    assert (made.total, made.right, made.late, len(made.lies)) == (2, 0, 1, 0)
    assert [due.due for due in made.missed] == ["gone"]


def test_a_wrong_text_and_a_wrong_place_are_lies_and_the_end_of_a_lie_is_none() -> None:
    made = judged(ONE, told("appeared", "47", 36, sure=False), told("gone", "47", 115))
    assert (made.right, len(made.lies), made.sure_lies, len(made.missed)) == (0, 1, 0, 2)
    made = judged(ONE, told("appeared", "42", 36, box=ELSEWHERE))
    assert (made.right, len(made.lies), made.sure_lies) == (0, 1, 1)


def test_flicker_is_a_lie() -> None:
    events = told("appeared", "42", 36), told("gone", "42", 60), told("appeared", "42", 64), told("gone", "42", 115)
    made = judged(ONE, *events)
    assert (made.right, len(made.lies)) == (2, 2)


def test_a_replaced_number_may_be_told_as_a_change_or_as_one_that_goes_and_one_that_comes() -> None:
    both = (spell("42", 30, 100, replaced=True), spell("57", 100, 160, replaces=True))
    begin, end = told("appeared", "42", 36), told("gone", "57", 176)
    made = judged(both, begin, told("changed", "57", 106), end)
    assert (made.total, made.right, len(made.lies)) == (3, 3, 0)
    made = judged(both, begin, told("appeared", "57", 106, track="u"), told("gone", "42", 107), replace(end, track="u"))
    assert (made.total, made.right, len(made.lies)) == (3, 3, 0)


def test_a_change_between_two_scenes_ends_the_one_and_begins_the_other() -> None:
    both = (spell("42", 30, 100), spell("57", 100, 160))
    made = judged(both, told("appeared", "42", 36), told("changed", "57", 106), told("gone", "57", 176))
    assert (made.total, made.right, len(made.lies)) == (4, 4, 0)


def test_what_becomes_sure_is_neither_right_nor_a_lie() -> None:
    made = judged(ONE, told("appeared", "42", 36, sure=False), told("changed", "42", 50), told("gone", "42", 115))
    assert (made.right, len(made.lies), made.confirmed) == (2, 0, 1)


def test_a_run_of_a_script_is_judged_by_its_events() -> None:
    source = ScriptSource(seed=2, easy=True)
    judge = open_judge(source)
    number = next(number for number in range(8) if source.kind(number) == "still")
    begins = source.begins(number)
    for frame in range(begins + 30):
        events: tuple[Event, ...] = ()
        if frame == begins + 5:
            events = tuple(
                told("appeared", own.text, frame, track=own.text, box=own.boxes[0]) for own in source.spells(number)
            )
        seen = Frame(pixels=np.zeros((2, 2), np.uint8), index=frame, time=frame / 15, source="script")
        judge.see(Step(frame=seen, readings=(), events=events, shown=()))
    judge.close()
    result, rest = judge.summary()
    assert result.startswith(f"{len(source.spells(number))} of ") and result.endswith(" events right")
    assert "0 false events" in rest
    with pytest.raises(UsageError, match="events make no picture"):
        open_judge(source, picture=True)


def test_what_is_due_at_the_end_of_the_run_is_left_out() -> None:
    assert judged((spell("42", 295, 300),)).total == 0
