"""Which finds on a page are likely writing: what stands on the paper that the sure numbers stand on, and looks alike.

A network calls many things a digit that are none: a finger's edge is a 1, a ring of coffee a 0. What is sure by itself,
a number of several digits, tells where paper is and how its writer's pen and hand look; the rest is measured by it.
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
from edge.reading.written import Written
from edge.values import Image

Floats: TypeAlias = npt.NDArray[np.float64]

# From this confidence on a number, or a single digit that is no mere stroke or ring, speaks for the page.
_SURE = 0.9
_SURE_ALONE = 0.99
# What there are doubts about may be passed over as no writing up to this confidence where it has several digits.
_SURE_OF_SEVERAL = 0.83
# A single digit less sure than this, beside other numbers or without any, is most likely none; where there is nothing
# but numbers and its pen is theirs, specks are rare.
_LIKELY, _LIKELY_ALONE, _LIKELY_AMONG_NUMBERS = 0.85, 0.7, 0.6
# Light on one sheet changes by less than this part within three pixels of the small picture, at its edge by more.
_STEP = 0.2
_LOG_SCALE = 60.0
_LOGARITHM = (_LOG_SCALE * np.log2(np.maximum(np.arange(256), 16) / 16)).astype(np.uint8)
_STROKES_PX = 7
# Beyond an edge as sharp as a shadow's the sheet goes on where a large part is lighter, or not much darker than this
# share of its light; tables are darker still.
_SHADOW = 0.52
_LARGE_PART = 0.02
# Writing of one hand: heights, strokes and ink differ by less than this factor; mere strokes and rings by still less.
_ALIKE = 2.5
_ALIKE_MERE = 1.5
# With one pen heights differ by more than strokes and ink do; where there is nothing but numbers, all may differ more.
_FAR_FROM_IT, _ALIKE_PEN = 2.5, 1.6
_LOWER_AMONG_NUMBERS, _HIGHER_AMONG_NUMBERS, _ALIKE_PEN_AMONG_NUMBERS = 3.0, 4.0, 2.2
# Of the very same pen.
_SAME_PEN = 1.42
# A stroke much lower than they are is a speck nevertheless.
_LOWEST_STROKE = 0.6
# A single digit among more than so many finds that are none does not tell where the paper is.
_OF_MANY = 4
# Letters that are no candidates, an m for one, stand so near to the next, in parts of its height, and about as high.
_LETTER_GAP, _LETTER_LOW, _LETTER_HIGH = 0.12, 0.6, 1.6
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


def paper_of(numbers: Sequence[Written], page: PageInk) -> Paper | None:
    """The Paper that the sure ones of these numbers stand on; None if none is sure."""
    return _paper_around(_speakers([_measured(number, page) for number in numbers]), page)


def doubts_of(
    numbers: Sequence[Written],
    page: PageInk,
    strange: Sequence[tuple[float, float]] = (),
    known: Paper | None = None,
) -> tuple[Doubt, ...]:
    """The Doubt about each number found on a page.

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
    pure = not beside
    if all(speaker.length == 1 for speaker in speakers):  # a speck among many looks like a digit
        drowned |= _OF_MANY * said < len(strange) + len(finds) - len(speakers)
    return tuple(_doubt(find, paper, typical, spoke=find in speakers, drowned=drowned, pure=pure) for find in finds)


def _speakers(finds: Sequence[_Find]) -> list[_Find]:
    """The finds that tell how writing looks on this page: numbers of several digits, or, without any, single digits."""
    sure = [find for find in finds if find.speaks]
    return [find for find in sure if find.length > 1] or sure


def _doubt(
    find: _Find, paper: Paper | None, typical: Sequence[float], *, spoke: bool, drowned: bool, pure: bool
) -> Doubt:
    """The Doubt about a find, beside the paper that numbers stand on and their typical size, stroke and ink.

    drowned: there is more on that paper that is no number than there are sure digits; pure: there is nothing on
    it that is no number.
    """
    reasons: list[str] = []
    if drowned:
        reasons.append("most of what is on this paper is no number")
    no_writing = among_numbers = same_pen = False
    if find.in_word:
        reasons.append("stands in a word")
        no_writing = True
    if find.letters:
        reasons.append("other writing stands as close as in a word")
    if find.size[1] > _THICKEST:
        reasons.append("too thick for a pen")
    if paper is None:
        if find.mere:
            reasons.append("mere strokes or rings, and no other number to compare them with")
        elif find.length == 1:
            reasons.append("a single digit, and no other number to compare it with")
        no_writing |= find.length == 1 and find.confidence < _LIKELY_ALONE
    elif not spoke:
        if not paper.holds(find.place):
            reasons.append("not on the paper that the others are on")
            no_writing = True
        height, stroke, strength = (math.log(max(a, 1e-3) / b) for a, b in zip(find.size, typical, strict=True))
        # One may write larger and smaller, with the same pen or, in a photo, nearer to it.
        pen = max(min(abs(stroke), abs(height + stroke)), abs(strength))
        same_pen = pen <= math.log(_SAME_PEN)
        if max(abs(height), abs(stroke), abs(strength)) > math.log(_ALIKE_MERE if find.mere else _ALIKE):
            reasons.append("not like the other writing")
            among_numbers = pure and len(reasons) == 1 and _may_be_of_another_size(find, height, pen)
            far = abs(height) > math.log(_FAR_FROM_IT) or pen > math.log(_ALIKE_PEN)
            # Strokes side by side are marks, or, among nothing but numbers, ones of the same pen.
            far |= find.length > 1 and (not pure or not same_pen or height < math.log(_LOWEST_STROKE))
            no_writing |= not among_numbers and ((find.mere and (far or drowned)) or find.confidence < _SURE_ALONE)
    no_writing &= find.length == 1 or find.mere or find.confidence < _SURE_OF_SEVERAL
    # Beside other numbers a single digit has to look like one.
    if paper is not None and find.length == 1:
        strange = find.mere or (reasons and not among_numbers)
        likely = _LIKELY_AMONG_NUMBERS if pure and same_pen and not reasons else _LIKELY
        no_writing |= find.confidence < (_SURE if strange else likely)
    # Two reasons of its own are enough for several digits too, but for sure ones that stand free: another pen's, on
    # another sheet.
    no_writing |= len(reasons) - drowned > 1 and (bool(find.in_word) or find.confidence < _SURE_OF_SEVERAL)
    return Doubt(reasons=tuple(reasons), no_writing=no_writing)


def _may_be_of_another_size(find: _Find, height: float, pen: float) -> bool:
    """True if a find, with the logarithms of how it differs from the numbers around it, may be one of them."""
    if find.text.strip("1") == "" and (find.length > 1 or height < math.log(_LOWEST_STROKE)):
        return False
    alike = -math.log(_LOWER_AMONG_NUMBERS) <= height <= math.log(_HIGHER_AMONG_NUMBERS)
    alike &= pen <= math.log(_ALIKE_PEN_AMONG_NUMBERS)
    return alike and find.confidence >= (_SURE_ALONE if find.mere else _LIKELY)


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
