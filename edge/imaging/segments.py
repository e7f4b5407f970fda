"""A level strip of writing cut into digits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from edge.imaging.glyphs import Blobs, cut_glyph, find_blobs
from edge.imaging.ink import quantile
from edge.values import Box, Glyph, Image

# Ink below this part of the stroke's full ink is blur between strokes.
_EDGE = 0.42
# Marks lower than this part of the digits are points, commas and dashes.
_LOW = 0.45
# Smaller than this part of a digit's height squared is a speck.
_SPECK = 0.004
# A blob wider than this many digit heights may hold more than one digit, each about _PITCH wide.
_WIDE = 1.0
_PITCH = 0.72
# A blob that the network is so sure of as one digit is not cut.
_SURELY_ONE = 0.97
# Digits further apart than their height are two numbers.
DIVIDING_GAP = 1.0

Sureness: TypeAlias = Callable[[tuple[Glyph, ...]], float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cut:
    """A level strip cut up: what may be digits, from left to right, and the height of a digit, in strip pixels."""

    glyphs: tuple[Glyph, ...]
    digit_px: float

    def gap(self, place: int) -> float:
        """The free columns between glyph `place` and what stands left of it, in digit heights."""
        before = max(glyph.box.right for glyph in self.glyphs[:place])
        return (self.glyphs[place].box.left - before) / self.digit_px


def cut_numbers(ink: Image, sure: Sureness) -> tuple[tuple[Glyph, ...], ...]:
    """The numbers of a (h, w) uint8 strip of level writing, each a tuple of digit Glyphs from left to right.

    As cut_glyphs; a gap of a digit's height divides.
    """
    cut = cut_glyphs(ink, sure)
    numbers: list[list[Glyph]] = []
    for place, glyph in enumerate(cut.glyphs):
        if not place or cut.gap(place) >= DIVIDING_GAP:
            numbers.append([])
        numbers[-1].append(glyph)
    return tuple(tuple(number) for number in numbers)


def cut_glyphs(ink: Image, sure: Sureness) -> Cut:
    """The Cut of a (h, w) uint8 strip of level writing; points, commas and dashes are dropped.

    sure says, 0 to 1, how sure the network is of glyphs as digits, on (geometric) average: it decides whether a wide
    blob is cut.
    """
    strong = ink[ink > 0]
    if not strong.size:
        return Cut(glyphs=(), digit_px=1.0)
    mask = ink > _EDGE * quantile(strong, 0.9)
    blobs = find_blobs(mask)
    if not len(blobs):
        return Cut(glyphs=(), digit_px=1.0)
    heights = blobs.boxes[:, 3] - blobs.boxes[:, 1]
    # The digits' height is that of the ink: blobs count by their area, so specks have no say.
    order = np.argsort(heights)
    share = np.cumsum(blobs.areas[order]) / blobs.areas.sum()
    digit_px = float(heights[order][np.searchsorted(share, 0.5)])
    glyphs: list[Glyph] = []
    for rows in _gather(blobs, digit_px):
        whole = (cut_glyph(ink, blobs, rows).glyph,)
        wide = whole[0].box.width > _WIDE * digit_px
        if not wide or (sure_whole := sure(whole)) >= _SURELY_ONE:
            glyphs.extend(whole)
            continue
        pieces = _cut_wide(ink, blobs, rows, digit_px)
        glyphs.extend(pieces if pieces and sure(pieces) > sure_whole else whole)
    return Cut(glyphs=tuple(glyphs), digit_px=digit_px)


def _gather(blobs: Blobs, digit_px: float) -> list[tuple[int, ...]]:
    """Rows of blobs that make one digit each, from left to right: tall blobs with their fragments."""
    boxes = [blobs.box(row) for row in range(len(blobs))]
    groups: list[list[int]] = []
    around: list[Box] = []  # each group
    tall = [row for row, box in enumerate(boxes) if box.height >= _LOW * digit_px]
    for row in sorted(tall, key=lambda row: boxes[row].left):
        own = boxes[row]
        for place, box in enumerate(around):
            overlap = min(box.right, own.right) - max(box.left, own.left)
            stacked = max(box.bottom, own.bottom) - min(box.top, own.top) <= 1.35 * digit_px
            if stacked and overlap > 0.65 * min(box.width, own.width):
                groups[place].append(row)
                around[place] = Box.around((box, own))
                break
        else:
            groups.append([row])
            around.append(own)
    for row, mark in enumerate(boxes):
        if mark.height >= _LOW * digit_px or blobs.areas[row] < _SPECK * digit_px**2:
            continue
        owners = [place for place, box in enumerate(around) if _is_part(mark, box, digit_px)]
        if owners:
            owner = min(owners, key=lambda place: abs(around[place].center[0] - mark.center[0]))
            groups[owner].append(row)
            around[owner] = Box.around((around[owner], mark))
    order = sorted(range(len(groups)), key=lambda place: around[place].left)
    return [tuple(groups[place]) for place in order]


def _is_part(mark: Box, digit: Box, digit_px: float) -> bool:
    """True if a small mark belongs to a digit: it lies above, below or in it, or it is the bar that a 5 lost."""
    overlap = min(mark.right, digit.right) - max(mark.left, digit.left)
    apart = max(mark.top - digit.bottom, digit.top - mark.bottom, 0)
    stacked = overlap >= 0.5 * mark.width and apart < 0.2 * digit_px
    bar = overlap > -0.2 * digit_px and mark.bottom <= digit.top + 0.35 * digit.height and mark.left > digit.left
    return stacked or bar


def _cut_wide(ink: Image, blobs: Blobs, rows: tuple[int, ...], digit_px: float) -> tuple[Glyph, ...]:
    """The glyphs that joined digits fall into when cut, near even places, in the columns with the least ink."""
    box = blobs.box(*rows)
    count = max(2, round(box.width / (_PITCH * digit_px)))
    own = blobs.marked(rows, Box(left=0, top=0, right=ink.shape[1], bottom=ink.shape[0]))
    profile = own[:, box.left : box.right].sum(axis=0)
    for cut in range(1, count):
        middle, reach = cut * box.width / count, 0.3 * box.width / count
        low, high = int(middle - reach), int(middle + reach) + 1
        own[:, box.left + low + int(profile[low:high].argmin())] = False
    found = find_blobs(own)
    return tuple(cut_glyph(ink, found, group).glyph for group in _gather(found, digit_px))
