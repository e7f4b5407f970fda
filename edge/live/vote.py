"""What many frames together say is written in one place.

Each reading is a calibrated opinion: its text has the probability that it states, texts that differ in a digit have
what its alternatives state, and the rest is something else. Opinions are put together as logarithms, as independent
ones would be (a product of experts, Hinton 2002); but frames of one scene err alike, so that many count as few.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from edge.values import Reading

# How alike the errors of two frames are: so many frames count as n / (1 + (n - 1) · this), a few at most (Kish, 1965).
_ALIKE = 0.4
# No frame makes a text less probable than this: one frame may be nonsense.
_LEAST = 2e-3
# Of what a reading leaves to other texts, the part of each that has another length.
_OTHER_LENGTH = 0.05
# A frame that reads one digit less has lost it, or the others have seen one too many; the first is so often the case.
_LOST = 0.25
_CANDIDATES = 6
_MOST = 500.0  # of an exponent


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A text as its latest reading, where it is now, with the confidence of all together; votes: how many said it.

    share: votes for it of all. sure: of them, the part whose own status was `read`.
    """

    reading: Reading
    votes: int
    share: float
    sure: float


def decide(readings: Sequence[Reading], text: str | None = None) -> Verdict:
    """The Verdict of readings of one place, at least one, in their order; on the most probable text, or on this one.

    A text that is named has been read by some of them.
    """
    counts: dict[str, float] = {}
    for reading in readings:
        counts[reading.text] = counts.get(reading.text, 0.0) + reading.confidence
    texts = sorted(counts, key=lambda one: (one == text, counts[one]), reverse=True)[:_CANDIDATES]
    counted = 1 / (1 + (len(readings) - 1) * _ALIKE)
    weights = [counted * sum(math.log(share_of(reading, one)) for reading in readings) for one in texts]
    rest = counted * sum(math.log(max(_LEAST, 1 - reading.confidence)) for reading in readings)
    best = 0 if text is not None else max(range(len(texts)), key=weights.__getitem__)
    total = sum(math.exp(min(weight - weights[best], _MOST)) for weight in (*weights, rest))
    own = [reading for reading in readings if reading.text == texts[best]]
    # It may have moved since it was last read as this; what is read with as many digits is where it is now.
    now = next(reading for reading in reversed(readings) if len(reading.text) == len(texts[best]))
    return Verdict(
        reading=replace(own[-1], confidence=1 / total, box=now.box),
        votes=len(own),
        share=len(own) / len(readings),
        sure=sum(reading.status == "read" for reading in own) / len(own),
    )


def part_longer(readings: Sequence[Reading], text: str) -> float:
    """Which part of the readings, at least one, 0 to 1, have this text with more digits around it."""
    return sum(text in reading.text and len(reading.text) > len(text) for reading in readings) / len(readings)


def share_of(reading: Reading, text: str) -> float:
    """The probability that a reading gives to a text, its own or another, 0 to 1; never none at all."""
    if text == reading.text:
        return max(_LEAST, reading.confidence)
    left = 1 - reading.confidence
    if len(text) == len(reading.text) + 1 and reading.text in text:
        return max(_LOST, left)
    if len(text) != len(reading.text) or len(reading.digits) != len(text):
        return max(_LEAST, left * _OTHER_LENGTH)
    ratio = 1.0
    for digit, wanted in zip(reading.digits, map(int, text), strict=True):
        if digit.digit != wanted:
            ratio *= max(_LEAST, digit.share(wanted)) / max(digit.confidence, _LEAST)
    return max(_LEAST, min(left, reading.confidence * ratio))


class Votes:
    """The readings of one place within the last seconds."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._cast: deque[tuple[float, Reading]] = deque()

    def __len__(self) -> int:
        return len(self._cast)

    def add(self, time: float, reading: Reading) -> None:
        """Take the reading of a frame at that time; forget what is too old."""
        self._cast.append((time, reading))
        while self._cast[0][0] < time - self._window_s:
            self._cast.popleft()

    def has(self, text: str) -> bool:
        """True if some frame read this text."""
        return any(reading.text == text for _, reading in self._cast)

    def latest(self) -> Reading:
        """The newest of them."""
        return self._cast[-1][1]

    def readings(self) -> list[Reading]:
        """All of them, the oldest first."""
        return [reading for _, reading in self._cast]

    def since(self, text: str) -> list[tuple[float, Reading]]:
        """Those after the last that read this text, each with its time."""
        kept: list[tuple[float, Reading]] = []
        for cast in reversed(self._cast):
            if cast[1].text == text:
                break
            kept.append(cast)
        return kept[::-1]

    def forget(self, times: Iterable[float]) -> None:
        """Keep only those of these times: what was before is another number's."""
        wanted = set(times)
        self._cast = deque(cast for cast in self._cast if cast[0] in wanted)
