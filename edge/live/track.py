"""One number as a thing that has a place, moves, and is read again and again."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge.live.vote import Votes
from edge.values import Box, Reading

_SAME_OVERLAP = 0.3  # of the union
_STILL_OVERLAP = 0.5
SAME_PART = 0.6  # of the smaller one
_SAME_DISTANCE = 0.5  # of the height, between centres
# How far a number may get in a second while it cannot be read, in widths of the picture: thrown, not pushed. A doubted
# 1 is too easily another one.
_REACH = 2.0
_REACH_DOUBTED = 0.3
_ALIKE_HEIGHT, _SAME_TEXT_HEIGHT = 1.6, 2.2
_LEVEL = 0.3  # of the height that two boxes share on one line
# How long a movement goes on by itself.
_PREDICTED_S = 0.3


@dataclass(slots=True, kw_only=True)
class Track:
    """A number on camera; times in s.

    box, speed: where it was last, and how fast its centre moves, px/s (x, y). shown: as it was told last, None before.
    guess: what it most likely is, for review, while that is not sure enough to be told.
    seen: when it was last read, as whatever; sure: when it was last read as what is told, or plainly is still there.
    """

    id: str
    box: Box
    votes: Votes
    born: float
    seen: float
    sure: float
    speed: tuple[float, float] = (0.0, 0.0)
    seen_frames: int = 1
    frames: int = 1
    shown: Reading | None = None
    guess: Reading | None = None

    @property
    def seen_part(self) -> float:
        """In which part of the frames since the first it was seen."""
        return self.seen_frames / self.frames

    def tell(self, told: Reading) -> None:
        """It is told as this reading now."""
        self.shown, self.box, self.sure = told, told.box, self.seen

    def take(self, time: float, reading: Reading) -> None:
        """It was seen again. What is told moves only with readings of the same text: others may be of a part of it."""
        if self.shown is None or self.shown.text == reading.text:
            apart = time - self.sure
            if apart > 0:
                (x1, y1), (x2, y2) = self.box.center, reading.box.center
                new = ((x2 - x1) / apart, (y2 - y1) / apart)
                self.speed = (0.5 * (self.speed[0] + new[0]), 0.5 * (self.speed[1] + new[1]))
            self.box, self.sure = reading.box, time
        elif overlap(self.box, reading.box) >= _STILL_OVERLAP:
            self.sure = time
        self.seen = time
        self.seen_frames += 1
        self.votes.add(time, reading)

    def fit(self, time: float, reading: Reading, width: int) -> float:
        """How well a reading at a time is this number's, 0 if not at all.

        Best by overlap where it is or would be by now; else by nearness, which for the same text reaches as far as a
        number is moved between two looks, in a picture so many px wide; width 0: it can only be where it was.
        """
        told = self.shown is not None
        same = self.shown.text == reading.text if self.shown is not None else self.votes.has(reading.text)
        # Specks within a number, or what holds it; of the same text one look may have lost a half.
        if not alike_high(self.box, reading.box, _SAME_TEXT_HEIGHT if same else _ALIKE_HEIGHT):
            return 0.0
        apart = max(time - self.sure, 0.0)
        places = [self.box]
        if apart <= _PREDICTED_S:
            places.append(self.box.moved(round(self.speed[0] * apart), round(self.speed[1] * apart)))
        shared = max(overlap(place, reading.box) for place in places)
        if shared >= _SAME_OVERLAP:
            return 0.5 + 0.5 * told + 0.5 * shared + same
        height = max(self.box.height, reading.box.height)
        distance = min(math.dist(place.center, reading.box.center) for place in places)
        part = max(part_within(reading.box, place) for place in places)
        if distance < _SAME_DISTANCE * height or part >= SAME_PART:
            return 0.5 + same
        if same and width and alike_high(self.box, reading.box):
            far = reading.status == "read" or reading.text.strip("1") != ""
            near = max(0.0, 1 - distance / (height + width * apart * (_REACH if far else _REACH_DOUBTED)))
            return near and near + far
        return 0.0


def alike_high(one: Box, other: Box, most: float = _ALIKE_HEIGHT) -> bool:
    """True if what is in two boxes may be written equally high: one is less than `most` times as high as the other."""
    return max(one.height, other.height) < most * min(one.height, other.height)


def side_by_side(one: Reading, other: Reading) -> bool:
    """True if some of the digits of two readings stand on a line, nearer to each other than two numbers do."""
    return any(_beside(digit.box, neighbour.box) for digit in one.digits for neighbour in other.digits)


def _beside(one: Box, other: Box) -> bool:
    height = min(one.height, other.height)
    level = min(one.bottom, other.bottom) - max(one.top, other.top)
    gap = max(one.left, other.left) - min(one.right, other.right)
    return alike_high(one, other) and level > _LEVEL * height and -_LEVEL * height < gap < height


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
