"""Numbers as things that stay: one number on the desk is one track, however its readings tremble."""

from __future__ import annotations

import math
import os
import time as clock
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import count

from edge.live.track import SAME_PART, Track, alike_high, overlap, part_within, side_by_side
from edge.live.vote import Verdict, Votes, decide, part_longer
from edge.sinks.base import Event, Happening
from edge.values import Frame, Reading

__all__ = ["EACH_FRAME", "STEADY", "Steady", "SteadySettings", "overlap"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadySettings:
    """What it takes to believe something; times in s, so that slow and skipped frames change little.

    window_s: readings that vote. votes: frames that must say a text before it is told. sure: confidence of all together
    from which it is told at once, and as `read`, if the reader is sure in half of the frames. likely: confidence from
    which it is told after patience_s, and seen_part: the part of the frames since the first in which it must have been
    found. change_s: how long nothing but other texts are read before the number has changed; fragment_s: likewise,
    where they are only a part of it, for then something may lie over the rest. kept_s: how long a number that is not
    seen is still there, so that a hand passing does not make it flicker. wary: what the reader doubts in most frames is
    told only if it is no row of ones, and a single digit only if all frames agree. guess_s: how long what is not told
    must be there until it is shown nevertheless, for review: no event, but whoever looks sees what it most likely is.
    """

    window_s: float = 2.0
    votes: int = 4
    sure: float = 0.97
    likely: float = 0.8
    patience_s: float = 0.5
    seen_part: float = 0.3
    change_s: float = 0.2
    fragment_s: float = 1.0
    kept_s: float = 1.0
    wary: bool = True
    guess_s: float = 1.0


STEADY = SteadySettings()
# Pictures that have nothing to do with each other: whatever has a text is shown, sure or not.
EACH_FRAME = SteadySettings(
    window_s=0.0,
    votes=1,
    sure=0.0,
    likely=0.0,
    patience_s=0.0,
    seen_part=0.0,
    change_s=0.0,
    fragment_s=0.0,
    kept_s=0.0,
    wary=False,
)
# Fingers and the grain of wood are read as a 1, and seldom as surely as one that is written.
_SURE_STROKE = 0.995
_HALF = 0.5
_MOSTLY = 0.7
_ALWAYS = 0.8
# What stands so near to something else for so long is a number all the same: between them is a dash, or a colon.
_APART_S = 2.0
# A piece is one while what it is a piece of is seen in this part of its own frames.
_TORN = 0.2
_ROUNDING_S = 1e-6
_LONGEST_STEP_S, _SHORTEST_STEP_S = 0.5, 1e-3


class Steady:
    """Follows numbers over frames and says when one appears, changes or goes."""

    def __init__(self, settings: SteadySettings = STEADY) -> None:
        self._settings = settings
        self._tracks: list[Track] = []
        self._now = 0.0
        self._last = -math.inf
        self._numbers = count(1)
        self._events = count(1)
        # Tells the ids of all runs apart and sorts by time; boards whose clocks start anew still differ.
        self._run = f"{clock.time_ns() // 1_000_000:011x}{os.urandom(2).hex()}"

    @property
    def shown(self) -> tuple[Reading, ...]:
        """The numbers that are there now: what appeared and is not gone, and what more is a fair guess, for review."""
        known = (track.guess if track.shown is None else track.shown for track in self._tracks)
        return tuple(reading for reading in known if reading is not None)

    def update(self, frame: Frame, readings: Iterable[Reading]) -> tuple[Event, ...]:
        """Events of one frame's readings; frames come in order."""
        now = self._clock(frame.time)
        seen = [reading for reading in readings if reading.status != "empty" and reading.text]
        for reading in self._match(now, seen, frame.pixels.shape[1]):
            votes = Votes(self._settings.window_s)
            votes.add(now, reading)
            name = f"{self._run}-{next(self._numbers)}"
            self._tracks.append(Track(id=name, box=reading.box, votes=votes, born=now, seen=now, sure=now))
        events = [self._event(frame, track, "gone") for track in self._leave(now) if track.shown is not None]
        for track in list(self._tracks):
            if track.seen == now:
                happening = self._judge(track, now)
                if happening == "appeared" and (old := self._displaced(track)) is not None:
                    track.id, happening = old.id, "changed"
                    self._tracks.remove(old)
                if happening:
                    events.append(self._event(frame, track, happening))
        return tuple(events)

    def _clock(self, time: float) -> float:
        """Seconds that frames have told of, whatever the board's clock does meanwhile.

        A clock that is set, or a camera that was away, is a short step: what is there then is looked at first.
        """
        step = time - self._last
        self._now += min(step, _LONGEST_STEP_S) if step > 0 else _SHORTEST_STEP_S
        self._last = time
        return self._now

    def _match(self, now: float, seen: list[Reading], width: int) -> list[Reading]:
        """Give each reading to the track it fits best, best pairs first; the readings that fit none."""
        # A piece of one number is not another that was thrown there.
        held = [
            {
                at
                for at, track in enumerate(self._tracks)
                if track.shown is not None and part_within(reading.box, track.box) >= SAME_PART
            }
            for reading in seen
        ]
        pairs = sorted(
            (
                (fit, -at, -place)
                for at, track in enumerate(self._tracks)
                for place, reading in enumerate(seen)
                if (fit := track.fit(now, reading, 0 if held[place] - {at} else width)) > 0
            ),
            reverse=True,
        )
        given: dict[int, int] = {}
        for _, at, place in pairs:
            if -at not in given and -place not in given.values():
                given[-at] = -place
        for at, track in enumerate(self._tracks):
            track.frames += 1
            if at in given:
                track.take(now, seen[given[at]])
        return [reading for place, reading in enumerate(seen) if place not in given.values()]

    def _leave(self, now: float) -> list[Track]:
        """Take out the tracks that were not seen for too long."""
        gone = [track for track in self._tracks if now - track.sure > self._settings.kept_s + _ROUNDING_S]
        self._tracks = [track for track in self._tracks if track not in gone]
        return gone

    def _judge(self, track: Track, now: float) -> Happening | None:
        """What has become of a track that was just seen; its `shown` is set accordingly."""
        before = track.shown
        if before is None:
            readings = track.votes.readings()
            verdict = decide(readings)
            if (
                not self._believed(verdict, now - track.born, track.seen_part)
                or self._part_of_another(track)
                or self._is_torn(track, verdict, readings, now - track.born)
            ):
                guessed = self._is_guess(verdict, now - track.born, track.seen_part) and not self._others_at(track)
                track.guess = replace(verdict.reading, status="review") if guessed else None
                return None
            track.tell(self._told(verdict))
            return "appeared"
        other = self._changed(track, before, now)
        if other is not None:
            track.tell(self._told(other))
            return "changed"
        told = replace(before, box=track.box)
        if track.votes.has(before.text):
            told = replace(self._told(decide(track.votes.readings(), before.text)), box=track.box)
            if before.status == "read":
                told = replace(told, status="read")  # once sure, sure as long as the text stays
        track.shown = told
        return "changed" if told.status != before.status else None

    def _believed(self, verdict: Verdict, waited_s: float, seen_part: float = 1.0) -> bool:
        """True if what has been read for so long, and in this part of the frames, can be told."""
        own, confidence = self._settings, verdict.reading.confidence
        if verdict.votes < own.votes or seen_part < own.seen_part:
            return False
        if verdict.sure >= _HALF and confidence >= own.sure:
            return True
        return (
            waited_s >= own.patience_s - _ROUNDING_S
            and confidence >= own.likely
            and (verdict.sure >= _HALF or not own.wary or _plain(verdict, own, seen_part))
        )

    def _is_guess(self, verdict: Verdict, waited_s: float, seen_part: float) -> bool:
        """True if a number has been there for so long and in half of the frames; a single digit was mostly this one.

        One frame's doubt says little of that: what all together say is as often right as not.
        """
        if waited_s < self._settings.guess_s - _ROUNDING_S or seen_part < _HALF:
            return False
        text = verdict.reading.text
        return len(text) > 1 or (text != "1" and verdict.share >= _MOSTLY)

    def _changed(self, track: Track, before: Reading, now: float) -> Verdict | None:
        """The Verdict that another text than before stands there now, None if not."""
        own = self._settings
        since = track.votes.since(before.text)
        if len(since) < own.votes:
            return None
        readings = [reading for _, reading in since]
        verdict = decide(readings)
        waited = now - since[0][0]
        least = own.fragment_s if verdict.reading.text in before.text else own.change_s
        if waited < least - _ROUNDING_S or not self._believed(verdict, waited):
            return None
        if self._is_torn(track, verdict, readings, waited):
            return None
        track.votes.forget(time for time, _ in since)
        return verdict

    def _told(self, verdict: Verdict) -> Reading:
        sure = verdict.reading.confidence >= self._settings.sure and verdict.sure >= _HALF
        return replace(verdict.reading, status="read" if sure else "review")

    def _part_of_another(self, track: Track) -> bool:
        """True if it stands where a number that was told before it is still seen: a piece of that, not one more."""
        return any(other.seen == track.seen for other in self._others_at(track))

    def _is_torn(self, track: Track, verdict: Verdict, readings: list[Reading], waited_s: float) -> bool:
        """True if the text is likely a piece: some readings have more around it, or something stands too near to it.

        What stands beside something for long, and alike, has a dash or a colon between.
        """
        if not self._settings.wary:
            return False
        if part_longer(readings, verdict.reading.text) >= _TORN:
            return True
        if waited_s >= _APART_S and track.seen_part >= _ALWAYS:
            return False
        latest = track.votes.latest()
        return any(
            other is not track
            and other.shown is None
            and other.seen_part >= _TORN * track.seen_part
            and side_by_side(latest, other.votes.latest())
            for other in self._tracks
        )

    def _displaced(self, track: Track) -> Track | None:
        """The track, told before, in whose place this one stands now; None if there is none."""
        return next((other for other in self._others_at(track) if alike_high(other.box, track.box)), None)

    def _others_at(self, track: Track) -> list[Track]:
        return [
            other
            for other in self._tracks
            if other is not track and other.shown is not None and part_within(track.box, other.box) >= SAME_PART
        ]

    def _event(self, frame: Frame, track: Track, happening: Happening) -> Event:
        if track.shown is None:
            raise ValueError(f"track {track.id}: an event tells what is shown, and nothing is")
        return Event(
            id=f"{self._run}-e{next(self._events):08d}",
            track=track.id,
            time=frame.time,
            frame=frame.index,
            happening=happening,
            reading=track.shown,
        )


def _plain(verdict: Verdict, settings: SteadySettings, seen_part: float) -> bool:
    """True if what the reader doubts may be told for review."""
    text = verdict.reading.text
    if len(text) > 1:
        return bool(text.strip("1"))
    always = min(verdict.share, seen_part) >= _ALWAYS
    return always and verdict.reading.confidence >= (_SURE_STROKE if text == "1" else settings.sure)
