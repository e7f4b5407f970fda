"""Which finds on a page are likely writing: what stands on the paper that the sure numbers stand on, and looks alike.

A network calls many things a digit that are none: a finger's edge is a 1, a ring of coffee a 0. What is sure by itself,
a number of several digits, tells where paper is and how its writer's pen and hand look; the rest is measured by it, and
what the measures together say is learned from drawn scenes (edge.reading.odds).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from edge.imaging.ink import quantile
from edge.imaging.page_ink import PageInk
from edge.reading.odds import probability_of_writing
from edge.reading.written import Written
from edge.values import Image

Floats: TypeAlias = npt.NDArray[np.float64]

# From this confidence on a number, or a single digit that is no mere stroke or ring, speaks for the page.
_SURE = 0.9
_SURE_ALONE = 0.99
# What is less probably writing than this is passed over; what is less probably than that has to be looked at.
_NO_WRITING, _PLAIN = 0.2, 0.7
# Light on one sheet changes by less than this part within three pixels of the small picture, at its edge by more.
_STEP = 0.2
_LOG_SCALE = 60.0
_LOGARITHM = (_LOG_SCALE * np.log2(np.maximum(np.arange(256), 16) / 16)).astype(np.uint8)
_STROKES_PX = 7
# Beyond an edge as sharp as a shadow's the sheet goes on where a large part is lighter, or not much darker than this
# share of its light; tables are darker still.
_SHADOW = 0.52
_LARGE_PART = 0.02
# Writing of one hand: heights, strokes and ink differ by less than this factor.
_ALIKE = 1.5
# Beyond these logarithms a difference says no more.
_MOST_UNLIKE = 1.5
# A single digit among more than so many finds that are none does not tell where the paper is.
_OF_MANY = 4
# Letters that are no candidates, an m for one, stand so near to the next, in parts of its height, and about as high.
_LETTER_GAP, _LETTER_LOW, _LETTER_HIGH = 0.12, 0.6, 1.6
# With more digits than this a number is no surer to be one.
_MANY = 5
# A pen's stroke is thinner than this part of a digit's height.
_THICKEST = 0.42


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Why a find may be no number: in a few words; and whether it is most likely no writing at all."""

    reasons: tuple[str, ...] = ()
    no_writing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Find:
    """A find measured in pixels of the page's small picture: where its middle is, how high, how its pen looks."""

    place: tuple[float, float]
    size: tuple[float, float, float]  # height, stroke to height, strength
    text: str
    confidence: float  # of a digit, the geometric mean
    in_word: int
    letters: bool

    @property
    def length(self) -> int:
        """How many digits."""
        return len(self.text)

    @property
    def mere(self) -> bool:
        """True if it is nothing but strokes or rings."""
        return self.text.strip("1") == "" or self.text.strip("0") == ""

    @property
    def speaks(self) -> bool:
        """True if it is sure by itself."""
        if self.in_word or self.mere or self.size[1] > _THICKEST:
            return False
        return self.confidence >= (_SURE if self.length > 1 else _SURE_ALONE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measures:
    """What tells whether a find, of several digits or one, is writing: values by name; in words, what is against it.

    strange: whether somebody has to look at it, however probable it is: scenes are drawn of few kinds of print.
    """

    values: dict[str, float]
    several: bool
    against: tuple[str, ...]
    strange: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Paper:
    """Where the paper is that sure numbers stand on: (h, w) uint8, not 0 there, on a picture so much smaller.

    stood_on_at: the middles (x, y) of those numbers, on the page's small picture.
    """

    mask: Image
    across: float
    down: float
    stood_on_at: tuple[tuple[float, float], ...]

    def holds(self, place: tuple[float, float]) -> bool:
        """True if a place (x, y) on the page's small picture is on the paper."""
        rows, columns = self.mask.shape
        x, y = _pixel(place, (self.across, self.down), (columns, rows))
        return bool(self.mask[y, x])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Surroundings:
    """What a find is measured by: the paper, if known, and the typical height, stroke and ink of the writing on it.

    pure: nothing on that paper is no number; drowned: there is more that is none than there are sure digits. strange,
    speakers: how many finds on the page are no number, and how many are sure ones.
    """

    paper: Paper | None
    typical: tuple[float, ...]
    pure: bool
    drowned: bool
    strange: int
    speakers: int


def paper_of(numbers: Sequence[Written], page: PageInk) -> Paper | None:
    """The Paper that the sure ones of these numbers stand on; None if none is sure."""
    return _paper_around(_speakers([_measured(number, page) for number in numbers]), page)


def doubts_of(
    numbers: Sequence[Written],
    page: PageInk,
    strange: Sequence[tuple[float, float]] = (),
    known: Paper | None = None,
) -> tuple[Doubt, ...]:
    """The Doubt about each number found on a page; strange and known as in `measures_of`."""
    return tuple(_doubt(measures) for measures in measures_of(numbers, page, strange, known))


def measures_of(
    numbers: Sequence[Written],
    page: PageInk,
    strange: Sequence[tuple[float, float]] = (),
    known: Paper | None = None,
) -> tuple[Measures, ...]:
    """What tells of each number found on a page whether it is writing.

    strange: the middles (x, y), on the page's small picture, of what was looked at and is no number. known: the paper
    of some of these numbers; it is looked for again only if there are others that tell where it is.
    """
    finds = [_measured(number, page) for number in numbers]
    speakers = _speakers(finds)
    same = known is not None and known.stood_on_at == tuple(speaker.place for speaker in speakers)
    paper = known if same else _paper_around(speakers, page)
    typical: list[float] = []
    if speakers:
        weights = [speaker for speaker in speakers for _ in range(speaker.length)]
        typical = [quantile(np.array([speaker.size[i] for speaker in weights]), 0.5) for i in range(3)]
    beside = 0 if paper is None else sum(paper.holds(place) for place in strange)
    said = sum(speaker.length for speaker in speakers)
    drowned = said < beside
    if all(speaker.length == 1 for speaker in speakers):  # a speck among many looks like a digit
        drowned |= _OF_MANY * said < len(strange) + len(finds) - len(speakers)
    surroundings = _Surroundings(
        paper=paper,
        typical=tuple(typical),
        pure=not beside,
        drowned=drowned,
        strange=len(strange),
        speakers=len(speakers),
    )
    return tuple(_measures(find, surroundings, spoke=find in speakers) for find in finds)


def _speakers(finds: Sequence[_Find]) -> list[_Find]:
    """The finds that tell how writing looks on this page: numbers of several digits, or, without any, single digits."""
    sure = [find for find in finds if find.speaks]
    return [find for find in sure if find.length > 1] or sure


def _doubt(measures: Measures) -> Doubt:
    """What measures say: the more probable writing is, the less of a Doubt; of what is strange there always is some."""
    writing = probability_of_writing(measures.values, several=measures.several)
    if writing >= _PLAIN and not measures.strange:
        return Doubt()
    return Doubt(reasons=measures.against or ("little about it looks like writing",), no_writing=writing < _NO_WRITING)


def _measures(find: _Find, around: _Surroundings, *, spoke: bool) -> Measures:
    """The Measures of a find; spoke: it is one of those by which the others are measured."""
    on_paper = around.paper is not None and around.paper.holds(find.place)
    height = stroke = strength = 0.0
    if around.typical:
        pairs = zip(find.size, around.typical, strict=True)
        height, stroke, strength = (math.log(max(own, 1e-3) / usual) for own, usual in pairs)
    # One may write larger and smaller, with the same pen or, in a photo, nearer to it.
    pen = min(max(min(abs(stroke), abs(height + stroke)), abs(strength)), _MOST_UNLIKE)
    values = {
        "sure": -math.log(1 - min(find.confidence, 0.9999) + 1e-4),
        "strokes": float(find.text.strip("1") == ""),
        "rings": float(find.text.strip("0") == ""),
        "lower": max(-height, 0.0),
        "higher": max(height, 0.0),
        "other pen": pen,
        "other stroke": min(abs(stroke), _MOST_UNLIKE),
        "other ink": min(abs(strength), _MOST_UNLIKE),
        "paper known": float(around.paper is not None),
        "off the paper": float(around.paper is not None and not on_paper),
        "speaks": float(spoke),
        "nothing strange": float(around.paper is not None and around.pure),
        "mostly strange": float(around.drowned),
        "strange": math.log1p(around.strange),
        "speakers": math.log1p(around.speakers),
        "beside letters": float(find.letters),
        "in a word": float(bool(find.in_word)),
        "too thick": float(find.size[1] > _THICKEST),
        "thickness": min(find.size[1], 1.0),
        "darkness": math.log(find.size[2] + 0.01),
        "mere and lower": find.mere * max(-height, 0.0),
        "mere and other pen": find.mere * pen,
        "mere and alone": float(find.mere and around.paper is None),
    }
    if find.length > 1:
        digits = float(min(find.length, _MANY))
        values |= {"digits": digits, "sure digits": digits * values["sure"]}
    unlike = not spoke and max(abs(height), abs(stroke), abs(strength)) > math.log(_ALIKE)
    against = {
        "most of what is on this paper is no number": around.drowned,
        "stands in a word": bool(find.in_word),
        "other writing stands as close as in a word": find.letters,
        "too thick for a pen": find.size[1] > _THICKEST,
        "no other number to compare it with": around.paper is None,
        "not on the paper that the others are on": around.paper is not None and not on_paper,
    }
    strange = any(against.values()) or (unlike and find.mere)
    against["not like the other writing"] = unlike
    return Measures(
        values=values,
        several=find.length > 1,
        against=tuple(name for name, on in against.items() if on),
        strange=strange,
    )


def _measured(number: Written, page: PageInk) -> _Find:
    middle = [sum(digit.box.center[i] for digit in number.digits) / len(number.digits) for i in (0, 1)]
    to_small = number.strip.to_page / (page.shrink * page.shrunk)
    x, y = to_small @ np.array([*middle, 1.0])
    zoom = math.hypot(*to_small[:, 0])  # it turns and scales alike in both directions
    return _Find(
        place=(float(x), float(y)),
        size=(number.height_px * zoom, number.stroke_px / number.height_px, number.strength),
        text=number.text,
        confidence=number.confidence ** (1 / len(number.digits)),
        in_word=number.in_word,
        letters=_is_beside_letters(number, to_small, page),
    )


def _is_beside_letters(number: Written, to_small: Floats, page: PageInk) -> bool:
    """Whether ink about as high as the number's digits, and none of them, stands as near to it as letters of a word."""
    boxes = number.boxes
    left, right = min(box.left for box in boxes), max(box.right for box in boxes)
    top, bottom = min(box.top for box in boxes), max(box.bottom for box in boxes)
    corners = np.array([[left, top, 1], [right, top, 1], [left, bottom, 1], [right, bottom, 1]], np.float64)
    x, y = to_small @ corners.T
    height = number.height_px * math.hypot(*to_small[:, 0])
    blobs = page.blobs.boxes.astype(np.float64)
    high = blobs[:, 3] - blobs[:, 1]
    level = (np.minimum(blobs[:, 3], y.max()) - np.maximum(blobs[:, 1], y.min())) >= _LETTER_LOW * high
    alike = (high >= _LETTER_LOW * height) & (high <= _LETTER_HIGH * height)
    gap = np.maximum(blobs[:, 0] - x.max(), x.min() - blobs[:, 2])
    return bool((level & alike & (gap > -_LETTER_GAP * height) & (gap < _LETTER_GAP * height) & page.pen).any())


def _pixel(place: tuple[float, float], shrink: tuple[float, float], size: tuple[int, int]) -> tuple[int, int]:
    """The pixel (x, y) of a picture of this size, so much smaller, where a place lies."""
    x, y = (min(max(int(at / less), 0), most - 1) for at, less, most in zip(place, shrink, size, strict=True))
    return x, y


def _paper_around(speakers: Sequence[_Find], page: PageInk) -> Paper | None:
    """The Paper that goes on from the speakers to its edge, where its light changes of a sudden; None without any.

    What lies beyond such an edge and is about as light is the same sheet, out of the shadow or in it.
    """
    if not speakers:
        return None
    rows, columns = page.paper.shape
    shrink = (page.ink.shape[1] / columns, page.ink.shape[0] / rows)
    level = cv2.LUT(page.paper, _LOGARITHM)
    square = np.ones((3, 3), np.uint8)
    step = cv2.subtract(cv2.dilate(level, square), cv2.erode(level, square))
    smooth = cv2.threshold(step, _LOG_SCALE * math.log2(1 + _STEP), 1, cv2.THRESH_BINARY_INV)[1]
    _, parts, stats, _ = cv2.connectedComponentsWithStats(smooth, connectivity=4)
    held = {int(parts[y, x]) for x, y in (_pixel(speaker.place, shrink, (columns, rows)) for speaker in speakers)}
    held.discard(0)
    if held:
        large = np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] >= _LARGE_PART * rows * columns) + 1
        light = {part: cv2.mean(page.paper, (parts == part).view(np.uint8))[0] for part in {*held, *large.tolist()}}
        darkest = _SHADOW * min(light[part] for part in held)
        held |= {part for part, level in light.items() if level >= darkest}
    mask = np.zeros(len(stats), np.uint8)
    mask[list(held)] = 1
    mask = mask[parts]
    # Strokes and their surroundings are no edge of the paper.
    mask = cv2.dilate(mask, np.ones((_STROKES_PX, _STROKES_PX), np.uint8))
    places = tuple(speaker.place for speaker in speakers)
    return Paper(mask=mask, across=shrink[0], down=shrink[1], stood_on_at=places)
