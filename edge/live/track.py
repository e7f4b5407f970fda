"""One number as a thing that has a place, moves, and is read again and again."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge.live.vote import Votes
from edge.values import Box, Reading

_SAME_OVERLAP = 0.3  # of the union
_SAME_PART = 0.6  # of the smaller one
_SAME_DISTANCE = 0.5  # of the height, between centres
# How far a number may get in a second while it cannot be read, in widths of the picture: thrown, not pushed. A single
# digit is too easily another one.
_REACH = 2.0
_REACH_ALONE = 0.3
_ALIKE_HEIGHT = 1.6
# How long a movement goes on by itself.
_PREDICTED_S = 0.3


@dataclass(slots=True, kw_only=True)
class Track:
    """A number on camera; times in s.

    speed: of its centre, px/s (x, y). shown: as it was told last, None before; whole: where all of that was read last.
    """

    id: str
    box: Box
    votes: Votes
    born: float
    seen: float
    speed: tuple[float, float] = (0.0, 0.0)
    seen_frames: int = 1
    frames: int = 1
    shown: Reading | None = None
    whole: Box | None = None

    def tell(self, told: Reading) -> None:
        """It is told as this reading now."""
        self.shown, self.whole = told, told.box

    def take(self, time: float, reading: Reading) -> None:
        """It was seen again."""
        apart = time - self.seen
        if apart > 0:
            (x1, y1), (x2, y2) = self.box.center, reading.box.center
            new = ((x2 - x1) / apart, (y2 - y1) / apart)
            self.speed = (0.5 * (self.speed[0] + new[0]), 0.5 * (self.speed[1] + new[1]))
        self.box, self.seen = reading.box, time
        self.seen_frames += 1
        self.votes.add(time, reading)
        if self.shown is not None and self.shown.text == reading.text:
            self.whole = reading.box

    def fit(self, time: float, reading: Reading, width: int) -> float:
        """How well a reading at a time is this number's, 0 if not at all, in a picture so many px wide.

        Best by overlap where it is or would be by now; else by nearness, which for the same text reaches as far as a
        number is moved between two looks.
        """
        apart = max(time - self.seen, 0.0)
        same = self.votes.has(reading.text) or (self.shown is not None and self.shown.text == reading.text)
        places = [self.box]
        if apart <= _PREDICTED_S:
            places.append(self.box.moved(round(self.speed[0] * apart), round(self.speed[1] * apart)))
        shared = max(overlap(place, reading.box) for place in places)
        if shared >= _SAME_OVERLAP and (same or self.shown is not None):
            return 1 + shared + same
        distance = min(math.dist(place.center, reading.box.center) for place in places)
        height = max(self.box.height, reading.box.height)
        part = max(part_within(reading.box, place) for place in places)
        if shared >= _SAME_OVERLAP or distance < _SAME_DISTANCE * height or part >= _SAME_PART:
            return 0.5 + 0.1 * shared + same
        alike = height < _ALIKE_HEIGHT * min(self.box.height, reading.box.height)
        if same and alike:
            reach = height + width * apart * (_REACH if len(reading.text) > 1 else _REACH_ALONE)
            near = max(0.0, 1 - distance / reach)
            return near and near + (len(reading.text) > 1)
        return 0.0


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    shared = _shared(one, other)
    return shared / (one.width * one.height + other.width * other.height - shared)


def part_within(one: Box, other: Box) -> float:
    """Which part of the smaller of two boxes lies within the other, 0 to 1."""
    return _shared(one, other) / min(one.width * one.height, other.width * other.height)


def _shared(one: Box, other: Box) -> int:
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    return width * height if width > 0 and height > 0 else 0
