"""Numbers as things that stay: one number on the desk is one track, however its readings tremble."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import count

from edge.sinks.base import Event, Happening
from edge.values import Box, Frame, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadySettings:
    """How many frames it takes to believe something.

    window: readings that vote, about half a second at 15 frames a second. agree: sure readings of one text before it
    is shown; what the reader is sure of in some frames and not in others is seldom right. persist, doubt: a text that
    is never sure, and yet the same in so many of them, under as many different noises, with so much confidence a digit,
    is shown too, as `review`. misses: frames without it before it is gone, a third of a second, so that one bad frame,
    or a hand passing, does not make it flicker.
    """

    window: int = 8
    agree: int = 5
    persist: int = 6
    doubt: float = 0.7
    misses: int = 5


STEADY = SteadySettings()
# Pictures that have nothing to do with each other: whatever has a text is shown, sure or not.
EACH_FRAME = SteadySettings(window=1, agree=1, persist=1, doubt=0.0, misses=1)
_SAME_OVERLAP = 0.3  # of the union
_SAME_DISTANCE = 0.5  # of the height, between centres
_DOUBTFUL_WEIGHT = 0.3  # what a `review` reading counts beside a sure one


@dataclass(slots=True, kw_only=True)
class _Track:
    id: str
    box: Box
    votes: deque[Reading]
    missed: int = 0
    shown: Reading | None = field(default=None)


class Steady:
    """Follows numbers over frames and says when one appears, changes or goes."""

    def __init__(self, settings: SteadySettings = STEADY) -> None:
        self._settings = settings
        self._tracks: list[_Track] = []
        self._numbers = count(1)
        self._events = count(1)
        self._run = ""

    @property
    def shown(self) -> tuple[Reading, ...]:
        """The numbers that are believed to be there now: appeared, not gone."""
        return tuple(track.shown for track in self._tracks if track.shown is not None)

    def update(self, frame: Frame, readings: Iterable[Reading]) -> tuple[Event, ...]:
        """Events of one frame's readings; frames come in order."""
        self._run = self._run or f"{round(frame.time * 1000):x}"  # tells the ids of two runs apart
        seen = [reading for reading in readings if reading.status != "empty" and reading.text]
        for reading in self._match(seen):
            votes = deque([reading], maxlen=self._settings.window)
            self._tracks.append(_Track(id=f"{self._run}-{next(self._numbers)}", box=reading.box, votes=votes))
        events: list[Event] = []
        for track in self._tracks:
            happening = self._judge(track)
            if happening and track.shown:
                event = Event(
                    id=f"{self._run}-e{next(self._events)}",
                    track=track.id,
                    time=frame.time,
                    frame=frame.index,
                    happening=happening,
                    reading=track.shown,
                )
                events.append(event)
        self._tracks = [track for track in self._tracks if track.missed < self._settings.misses]
        return tuple(events)

    def _match(self, seen: list[Reading]) -> list[Reading]:
        """Give each reading to the track it fits best, best pairs first; the readings that fit none."""
        pairs = sorted(
            (
                (fit, at, place)
                for at, track in enumerate(self._tracks)
                for place, reading in enumerate(seen)
                if (fit := _fit(track.box, reading.box)) > 0
            ),
            reverse=True,
        )
        given: dict[int, int] = {}
        for _, at, place in pairs:
            if at not in given and place not in given.values():
                given[at] = place
        for at, track in enumerate(self._tracks):
            if at in given:
                reading = seen[given[at]]
                track.votes.append(reading)
                track.box, track.missed = reading.box, 0
            else:
                track.missed += 1
        return [reading for place, reading in enumerate(seen) if place not in given.values()]

    def _judge(self, track: _Track) -> Happening | None:
        """What has become of a track with this frame; its `shown` is set accordingly."""
        if track.missed >= self._settings.misses:
            return "gone"
        if track.missed:
            return None
        winner = self._vote(track.votes)
        if winner is None:
            if track.shown is not None:  # still there; only where is new
                track.shown = replace(track.shown, box=track.box)
            return None
        before, track.shown = track.shown, replace(winner, box=track.box)
        if before is None:
            return "appeared"
        if before.text == winner.text and before.status == "read":
            track.shown = replace(track.shown, status="read")  # once sure, sure as long as the text stays
        return "changed" if (before.text, before.status) != (winner.text, track.shown.status) else None

    def _vote(self, votes: deque[Reading]) -> Reading | None:
        """The text with more than half of the weight and enough votes, as its latest reading; None if there is none.

        Its confidence is the mean of the readings that agree: the sure ones if they are enough, else all.
        """
        weights: dict[str, float] = defaultdict(float)
        for reading in votes:
            weights[reading.text] += reading.confidence * (1.0 if reading.status == "read" else _DOUBTFUL_WEIGHT)
        best = max(weights, key=weights.__getitem__)
        if weights[best] <= sum(weights.values()) / 2:
            return None
        agreed = [reading for reading in votes if reading.text == best]
        sure = [reading for reading in agreed if reading.status == "read"]
        if len(sure) >= self._settings.agree:
            return replace(sure[-1], confidence=_mean_confidence(sure))
        mean = _mean_confidence(agreed)
        if len(agreed) >= self._settings.persist and mean >= self._settings.doubt ** len(best):
            return replace(agreed[-1], confidence=mean, status="review")
        return None


def _mean_confidence(readings: list[Reading]) -> float:
    return sum(reading.confidence for reading in readings) / len(readings)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (one.width * one.height + other.width * other.height - shared)


def _fit(one: Box, other: Box) -> float:
    """How well two boxes are the same number's, 0 if not at all: by overlap, or for a moved one by nearness."""
    shared = overlap(one, other)
    if shared >= _SAME_OVERLAP:
        return shared
    (x1, y1), (x2, y2) = one.center, other.center
    reach = _SAME_DISTANCE * max(one.height, other.height)
    distance = ((x1 - x2) ** 2 + (y1 - y2) ** 2) ** 0.5
    return 0.1 * (1 - distance / reach) if distance < reach else 0.0
