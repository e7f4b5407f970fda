"""Events of a scripted run against what was there: right, late, missed and false ones, and how long each took."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, Protocol, TypeAlias

from edge.live.track import overlap
from edge.sinks.base import Event
from edge.sources.script import Spell

Due: TypeAlias = Literal["appeared", "changed", "gone"]

# How long after it is due an event still counts as right, in s. What has left is told when it has been away for longer
# than a hand passes.
IN_TIME_S: dict[Due, float] = {"appeared": 0.7, "changed": 0.7, "gone": 1.5}
_SAME_PLACE = 0.3  # of the union
_LATE_GONE_S = 3.0
_ROUNDING_S = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class DueEvent:
    """An event that ought to be told: kind, text, the frame from which it is due, and in which kind of scene."""

    due: Due
    spell: Spell
    frame: int
    scene: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an event that was due: how long it took, in s, None if it was never told."""

    due: DueEvent
    delay_s: float | None

    @property
    def right(self) -> bool:
        """True if it was told in time."""
        return self.delay_s is not None and self.delay_s <= IN_TIME_S[self.due.due] + _ROUNDING_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Lie:
    """An event that tells what was not so, and in which kind of scene."""

    event: Event
    scene: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What became of the events due in so many frames, and what was told that was not so.

    confirmed: how many right numbers told for review became sure later, which is told as a change.
    """

    frames: int
    outcomes: tuple[Outcome, ...]
    lies: tuple[Lie, ...]
    confirmed: int

    @property
    def total(self) -> int:
        """Events that were due."""
        return len(self.outcomes)

    @property
    def right(self) -> int:
        """Those told in time."""
        return sum(outcome.right for outcome in self.outcomes)

    @property
    def late(self) -> int:
        """Those told, too late."""
        return sum(outcome.delay_s is not None and not outcome.right for outcome in self.outcomes)

    @property
    def missed(self) -> tuple[DueEvent, ...]:
        """Those never told."""
        return tuple(outcome.due for outcome in self.outcomes if outcome.delay_s is None)

    @property
    def sure_lies(self) -> int:
        """Lies told with status `read`."""
        return sum(lie.event.reading.status == "read" for lie in self.lies)

    def delays(self, *kinds: Due) -> list[float]:
        """How long the events of these kinds took that were told, in s."""
        return [o.delay_s for o in self.outcomes if o.delay_s is not None and o.due.due in kinds]


class Script(Protocol):
    """What a ScriptSource knows of its plays."""

    def begins(self, number: int) -> int:
        """The first frame of play `number`, from 0."""

    def play_number(self, frame_index: int) -> int:
        """Which play the frame belongs to."""

    def kind(self, number: int) -> str:
        """What happens in play `number`."""

    def spells(self, number: int) -> tuple[Spell, ...]:
        """What is there to be read in play `number`; frames count from its first."""


def score(script: Script, frames: int, events: Iterable[Event], frames_per_s: float = 15.0) -> Score:
    """The Score of the events of a run over the first so many frames of a script, in their order.

    An event is right if it tells the right text at the right place within IN_TIME_S of when it was due. A text that
    takes another's place may be told as a change, or as one that goes and one that comes. What is due in the run's last
    seconds is left out, for its time is not over.
    """
    left = list(_dues(script, frames))
    outcomes: list[Outcome] = []
    lies: list[Lie] = []
    confirmed = 0
    told: dict[str, tuple[str, bool]] = {}  # by track: its text, and whether that was true

    def settle(event: Event, *, end: bool) -> bool:
        due = _due_told(event, left, frames_per_s, end=end)
        if due is None:
            return False
        left.remove(due)
        outcomes.append(Outcome(due=due, delay_s=(event.frame - due.frame) / frames_per_s))
        return True

    for event in events:
        text, (before, was_true) = event.reading.text, told.get(event.track, ("", False))
        if event.happening == "changed" and before == text:
            confirmed += was_true
            continue
        true = settle(event, end=event.happening == "gone")
        if event.happening == "gone":
            # Of what was never there the end is no second lie; of what is still there it is one.
            true = true or not was_true or _was_replaced(event, script)
        elif event.happening == "changed" and was_true:
            settle(replace(event, reading=replace(event.reading, text=before)), end=True)
        if not true:
            lies.append(Lie(event=event, scene=script.kind(script.play_number(event.frame))))
        told[event.track] = (text, true)
    over = [due for due in left if due.frame + IN_TIME_S[due.due] * frames_per_s < frames]
    outcomes += [Outcome(due=due, delay_s=None) for due in over]
    return Score(frames=frames, outcomes=tuple(outcomes), lies=tuple(lies), confirmed=confirmed)


def _dues(script: Script, frames: int) -> Iterator[DueEvent]:
    number = 0
    while script.begins(number) < frames:
        begins, kind = script.begins(number), script.kind(number)
        for spell in script.spells(number):
            own = replace(spell, there=begins + spell.there, first=begins + spell.first, end=begins + spell.end)
            if own.first < frames:
                yield DueEvent(due="changed" if own.replaces else "appeared", spell=own, frame=own.first, scene=kind)
            if own.end < frames and not own.replaced:
                yield DueEvent(due="gone", spell=own, frame=own.end, scene=kind)
        number += 1


def _due_told(event: Event, left: list[DueEvent], frames_per_s: float, *, end: bool) -> DueEvent | None:
    """The event due that this one tells, as the end of its text or its beginning, late ones too; None if none."""
    for due in left:
        spell = due.spell
        if (due.due == "gone") == end and spell.text == event.reading.text and _at(event, spell):
            earliest = spell.end if end else spell.there
            latest = spell.end + (_LATE_GONE_S if end else IN_TIME_S["gone"]) * frames_per_s
            if earliest <= event.frame <= latest:
                return due
    return None


def _at(event: Event, spell: Spell) -> bool:
    """True if the event is where the number is, or was when it was last seen."""
    return any(overlap(event.reading.box, spell.box(at)) >= _SAME_PLACE for at in (event.frame, spell.end - 1))


def _was_replaced(event: Event, script: Script) -> bool:
    """True if the number that is told to be gone was there, and another has taken its place."""
    number = script.play_number(event.frame)
    at = event.frame - script.begins(number)
    return any(
        spell.replaced and spell.text == event.reading.text and spell.end <= at and _at(event, spell)
        for spell in script.spells(number)
    )
