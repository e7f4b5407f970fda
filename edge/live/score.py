"""Events of a scripted run against what was there: right, late, missed and false ones, and how long each took."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from edge.live.steady import overlap
from edge.sinks.base import Event
from edge.sources.script import Spell
from edge.sources.scripted import ScriptSource

Due: TypeAlias = Literal["appeared", "changed", "gone"]

# How long after it is due an event still counts as right, in s. What has left is told when it has been away for longer
# than a hand passes.
IN_TIME_S: dict[Due, float] = {"appeared": 0.7, "changed": 0.7, "gone": 1.5}
_SAME_PLACE = 0.3  # of the union
_LATE_GONE_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DueEvent:
    """An event that ought to be told: kind, text, the frame from which it is due, and in which kind of scene."""

    due: Due
    spell: Spell
    frame: int
    scene: str


@dataclass(slots=True, kw_only=True)
class Score:
    """What became of the events due, and what was told besides. delays: of the right ones, by kind, in s.

    false: events that tell what was not so; false_sure: those of them with status `read`. confirmed: right numbers told
    for review that became sure, told as changed.
    """

    frames: int
    total: int = 0
    right: int = 0
    late: int = 0
    false: int = 0
    false_sure: int = 0
    confirmed: int = 0
    delays: dict[Due, list[float]] = field(default_factory=lambda: {"appeared": [], "changed": [], "gone": []})
    missed: list[DueEvent] = field(default_factory=list)
    lies: list[tuple[Event, str]] = field(default_factory=list)


def score(source: ScriptSource, frames: int, events: Iterable[Event], frames_per_s: float = 15.0) -> Score:
    """The Score of the events of a run over the first so many frames of a script, in their order.

    An event is right if it tells the right text at the right place within IN_TIME_S of when it was due. A text that
    takes another's place may be told as a change or as one that goes and one that comes. What is due in the run's last
    seconds is left out, for its time is not over.
    """
    dues = list(_dues(source, frames))
    left = list(dues)
    made = Score(frames=frames)
    texts: dict[str, tuple[str, bool]] = {}  # by track: what it showed last, and whether that was true
    for event in events:
        before = texts.get(event.track)
        kind = source.kind(source.play_number(event.frame))
        text = event.reading.text
        if event.happening == "changed" and before and before[0] == text:
            made.confirmed += before[1]
            texts[event.track] = (text, before[1])
            continue
        hit = _hit(event, left, frames_per_s, ends=event.happening == "gone")
        true = hit is not None
        if hit is not None:
            _count(made, hit, event.frame, frames_per_s)
            left.remove(hit)
        elif event.happening == "gone":
            # Of what was never there the end is no second lie; of what is still there it is one.
            true = (before is not None and not before[1]) or _was_replaced(event, source)
        if not true:
            made.false += 1
            made.false_sure += event.reading.status == "read"
            made.lies.append((event, kind))
        # A change is also the end of what was there before.
        if event.happening == "changed" and before and before[1]:
            old = replace(event, happening="gone", reading=replace(event.reading, text=before[0]))
            ended = _hit(old, left, frames_per_s, ends=True)
            if ended is not None:
                _count(made, ended, event.frame, frames_per_s)
                left.remove(ended)
        texts[event.track] = (text, true)
    over = [due for due in left if due.frame + IN_TIME_S[due.due] * frames_per_s >= frames]
    made.total = len(dues) - len(over)
    made.missed = [due for due in left if due not in over]
    return made


def _dues(source: ScriptSource, frames: int) -> Iterator[DueEvent]:
    number = 0
    while source.begins(number) < frames:
        begins, kind = source.begins(number), source.kind(number)
        for spell in source.spells(number):
            own = replace(spell, there=begins + spell.there, first=begins + spell.first, end=begins + spell.end)
            if own.first < frames:
                yield DueEvent(due="changed" if own.replaces else "appeared", spell=own, frame=own.first, scene=kind)
            if own.end < frames and not own.replaced:
                yield DueEvent(due="gone", spell=own, frame=own.end, scene=kind)
        number += 1


def _hit(event: Event, left: list[DueEvent], frames_per_s: float, *, ends: bool) -> DueEvent | None:
    """The event due that this one tells, if any; late ones too."""
    for due in left:
        spell = due.spell
        if (due.due == "gone") != ends or spell.text != event.reading.text:
            continue
        latest = spell.end + IN_TIME_S["gone"] * frames_per_s
        if ends:
            latest = spell.end + _LATE_GONE_S * frames_per_s
        earliest = spell.end if ends else spell.there
        if earliest <= event.frame <= latest and _at(event, spell):
            return due
    return None


def _at(event: Event, spell: Spell) -> bool:
    """True if the event is where the number is, or was when it was last seen."""
    return any(overlap(event.reading.box, spell.box(at)) >= _SAME_PLACE for at in (event.frame, spell.end - 1))


def _was_replaced(event: Event, source: ScriptSource) -> bool:
    """True if the number that is told to be gone was there, and another has taken its place."""
    number = source.play_number(event.frame)
    at = event.frame - source.begins(number)
    return any(
        spell.replaced and spell.text == event.reading.text and spell.end <= at and _at(event, spell)
        for spell in source.spells(number)
    )


def _count(made: Score, due: DueEvent, frame: int, frames_per_s: float) -> None:
    delay = (frame - due.frame) / frames_per_s
    in_time = delay <= IN_TIME_S[due.due]
    made.right += in_time
    made.late += not in_time
    made.delays[due.due].append(delay)
