"""Which pieces of a level strip make one number: divided at wide gaps, at what is no digit, and before units."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from edge.imaging.segments import DIVIDING_GAP, Cut
from edge.values import NOT_A_DIGIT, Prediction

# From this probability on, what the network calls no digit divides; below, it is one that it does not know well.
_SURELY_NONE = 0.6
# Digits that touch are no digit to the network. They are about as high as others and, together, at least so wide.
_JOINED_WIDE, _JOINED_LOW, _JOINED_HIGH = 0.8, 0.75, 1.6
# A unit stands apart from its number: by so much of a digit's height, so many times as far as digits from each other.
_APART, _TIMES_AS_FAR = 0.4, 1.5
# Its letters are half taken for digits; what is surer than this is a digit.
_HALF_TAKEN = 0.9
# ... and it has so many letters at most, as a rule.
_UNIT = 2
# A single digit does not tell how far digits stand from each other.
_USUAL_GAP = 0.3
# Brackets are so much higher than the digits between them.
_BRACKET = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Pieces from start to end (exclusive) that may be one number.

    complete: the probability, at least a half, that they are all of it. joined: which may be several digits
    each. apart: they stand beside a number like its unit.
    """

    start: int
    end: int
    complete: float = 1.0
    joined: tuple[int, ...] = ()
    apart: bool = False

    @property
    def places(self) -> range:
        """The places of its pieces."""
        return range(self.start, self.end)


def is_none(prediction: Prediction) -> bool:
    """True if the network takes it for no digit, and is not in doubt."""
    return prediction.label == NOT_A_DIGIT and prediction.confidence >= _SURELY_NONE


def divide(cut: Cut, predictions: Sequence[Prediction], taken: Collection[int] = ()) -> list[Run]:
    """The runs of pieces that may be digits; what stands apart at their ends, like a unit, is a run of its own.

    taken: the places of pieces that are passed over.
    """
    none = [is_none(said) or place in taken for place, said in enumerate(predictions)]
    return [run for start, end in _between(cut, none) for run in _without_units(start, end, cut, predictions)]


def divide_joined(cut: Cut, predictions: Sequence[Prediction]) -> list[Run]:
    """The runs with a piece that may be digits which touch, and with the digits that stand close beside it."""
    joined = [is_none(said) and _may_be_joined(cut, place) for place, said in enumerate(predictions)]
    none = [is_none(said) and not may for said, may in zip(predictions, joined, strict=True)]
    runs = [
        Run(start=start, end=end, joined=tuple(place for place in range(start, end) if joined[place]))
        for start, end in _between(cut, none, _APART)
    ]
    return [run for run in runs if run.joined]


def _may_be_joined(cut: Cut, place: int) -> bool:
    box = cut.glyphs[place].box
    alike = _JOINED_LOW * cut.digit_px <= box.height <= _JOINED_HIGH * cut.digit_px
    return alike and box.width >= _JOINED_WIDE * cut.digit_px


def _between(cut: Cut, none: Sequence[bool], gap: float = DIVIDING_GAP) -> list[tuple[int, int]]:
    """Start and end (exclusive) of each run of pieces that are not none and less than this gap apart."""
    runs: list[tuple[int, int]] = []
    for place, divides in enumerate(none):
        if divides:
            continue
        if runs and runs[-1][1] == place and cut.gap(place) < gap:
            runs[-1] = (runs[-1][0], place + 1)
        else:
            runs.append((place, place + 1))
    return runs


def _without_units(start: int, end: int, cut: Cut, predictions: Sequence[Prediction]) -> Iterator[Run]:
    """The run without brackets, and without a piece that stands apart at an end, which becomes a run of its own."""
    first, last, complete = start, end, 1.0
    if _are_brackets(cut, predictions, start, end - 1):
        first, last = start + 1, end - 1
    for place, own in ((last - 1, last - 1), (first, first + 1)):
        share = _taken(predictions[place])
        others = [gap for gap in range(first + 1, last) if gap != own]
        if others and share < _HALF_TAKEN and _is_apart(cut, own, others):
            first, last = (first, place) if place > first else (place + 1, last)
            complete *= max(0.5, 1 - share)
    yield Run(start=first, end=last, complete=complete)
    if first > start:
        yield Run(start=start, end=first)
    if last < end:
        yield Run(start=last, end=end)


def cut_weak(run: Run, cut: Cut, predictions: Sequence[Prediction]) -> tuple[Run, Run] | None:
    """A run that reads badly, cut before the first piece that stands apart, and what that begins.

    None if there is no such piece, or what it begins is sure.
    """
    for place in run.places[1:][-_UNIT:]:
        share = math.prod(_taken(said) for said in predictions[place : run.end])
        if share < _HALF_TAKEN ** (run.end - place) and _is_apart(cut, place, range(run.start + 1, place)):
            return (
                Run(start=run.start, end=place, complete=max(0.5, 1 - share)),
                Run(start=place, end=run.end, apart=True),
            )
    return None


def _are_brackets(cut: Cut, predictions: Sequence[Prediction], first: int, last: int) -> bool:
    """True if these two pieces are strokes that overtop what is between them."""
    inner = sorted(glyph.box.height for glyph in cut.glyphs[first + 1 : last])
    if not inner:
        return False
    least = _BRACKET * inner[len(inner) // 2]
    return all(predictions[at].label == "1" and cut.glyphs[at].box.height >= least for at in (first, last))


def _is_apart(cut: Cut, place: int, others: Iterable[int]) -> bool:
    """True if the gap before a piece is wider than those before the others, digits of one number."""
    usual = max((cut.gap(other) for other in others), default=_USUAL_GAP)
    return cut.gap(place) >= max(_APART, _TIMES_AS_FAR * usual)


def _taken(said: Prediction) -> float:
    """How far the network takes a piece for a digit, 0 to 1."""
    return 0.0 if said.label == NOT_A_DIGIT else said.confidence
