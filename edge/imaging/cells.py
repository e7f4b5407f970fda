"""One cell, one digit: its ink found among box lines, notes, smudges and shadows."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from edge.imaging.frames import Inside, drop_frame
from edge.imaging.glyphs import CutGlyph, cut_glyph, find_strong_blobs
from edge.imaging.ink import FAINTEST, is_light_on_dark, lift_ink, otsu, quantile, to_grey
from edge.imaging.members import find_members
from edge.values import Box, Glyph, Image

# A cell is looked at with its shorter side so long, its longer at most four times that: a digit needs 20 pixels.
_WORKING_PX = 64
_LONGEST_PX = 256
# One colour shows the ink if it does so this many times as clearly as grey does.
_CLEARER = 1.3
# Of Gaussian unrest 1 pixel in 4,000 is darker than its palest quarter by so many times what that quarter spans.
_UNREST = 4.2
# Writing absorbs at least this much of the light (of 255) where it is darkest; print shining through the sheet, less.
PALEST_WRITING = 18.0
PALE_WRITING = 27.0
# Parts of the cell's height: the smallest digit a cell is for; below the other, a note, unless in the middle.
_SMALLEST_DIGIT, _NOTE = 0.38, 0.6
_MIDDLE = 0.12
# A stroke is at most half as wide as the digit is long; what is wider is a blot.
_WIDEST_STROKE = 0.25
# In crops smaller than this a printed line is as wide as a stroke, and there is hardly ever one.
_PRINT_SHOWS = 24
# In a tight crop the digit comes this near, of the crop's size, to sides that have no line.
_TIGHT = 0.07
_TOUCHES = 2
# So much of a blot's box is dark and yet not ink.
_HOLLOW = 0.2
BLOT = "a blot, no stroke"
HARDLY_DARKER = "hardly darker than its paper"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cell:
    """What a cell holds: the digit's Glyph, None if blank; doubts say why the ink may not be one plain digit.

    ink: the whole cell's soft ink (h, w) as it was looked at, without its box; place: the digit's Box in it, if any.
    """

    glyph: Glyph | None
    ink: Image
    place: Box | None = None
    doubts: tuple[str, ...] = ()


def find_digit(pixels: Image) -> Cell:
    """The digit in the pixels (H, W) grey or (H, W, 3) BGR of one cell, dark on light or light on dark.

    Printed box lines, pieces of neighbours and specks are left out. The Glyph's box is in pixels of the cell as given.
    Raises ShapeError if pixels are not an image.
    """
    if pixels.ndim not in (2, 3) or not pixels.size:
        to_grey(pixels)  # raises
    height, width = pixels.shape[:2]
    scale = min(_WORKING_PX / min(height, width), _LONGEST_PX / max(height, width))
    if scale < 1.0 or scale > 1.5:
        shape = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = cv2.resize(pixels, shape, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    grey = _clearest(pixels)
    print_shows = min(height, width) >= _PRINT_SHOWS
    light = is_light_on_dark(grey)
    cell = _find(cv2.bitwise_not(grey) if light else grey, print_shows=print_shows)
    if light and (cell.glyph is None or cell.doubts):  # a heavy dark box makes paper look like the stroke
        other = _find(grey, print_shows=print_shows)
        if cell.glyph is None or (other.glyph is not None and not other.doubts):
            cell = other
    if cell.glyph is None or grey.shape == (height, width):
        return cell
    box = _scaled(cell.glyph.box, width / grey.shape[1], height / grey.shape[0], width, height)
    return replace(cell, glyph=Glyph(box=box, ink=cell.glyph.ink))


def _clearest(pixels: Image) -> Image:
    """(H, W) uint8: grey, or the colour in which ink stands out clearly better than in grey. Raises ShapeError."""
    grey = to_grey(pixels)
    if pixels.ndim == 2:
        return grey
    height, width = grey.shape
    middle = np.s_[height // 5 : height - height // 5, width // 5 : width - width // 5]
    best, most = grey, _CLEARER * _contrast(grey[middle])
    for colour in cv2.split(pixels):
        contrast = _contrast(colour[middle])
        if contrast > most:
            best, most = colour, contrast
    return best


def _contrast(values: Image) -> float:
    """How much of the light, 0 to 1, the darkest part of values absorbs."""
    few = max(1, values.size // 50)
    ranked = np.partition(values, (few - 1, values.size - few), axis=None)
    dark, light = float(ranked[few - 1]), float(ranked[-few])
    return (light - dark) / max(light, 64.0)


def _find(grey: Image, *, print_shows: bool) -> Cell:
    """The digit in dark ink on (H, W) grey, in a printed box or cut tightly."""
    reach_px = max(grey.shape) // 3
    if not print_shows:  # a foot along the side of a tight crop has paper on one side only, as if twice as wide
        reach_px = max(reach_px, min(grey.shape) // 2)
    ink: Image = cv2.GaussianBlur(lift_ink(grey, reach_px=reach_px), (3, 3), 0)
    floor = _floor(ink)
    if not print_shows:
        return _find_inside(ink, Inside.whole(ink), floor)
    clean, inside = drop_frame(ink, level=0.8 * floor)
    cell = _find_inside(clean, inside, floor)
    if any(inside.lined) and cell.glyph is not None and _is_tight(cell.glyph.box, inside):
        cell = _find_inside(ink, Inside.whole(ink), floor)
    if cell.glyph is not None and _is_hollow(grey, ink, cell.glyph.box):
        cell = replace(cell, doubts=(*cell.doubts, BLOT))
    return cell


def _is_hollow(grey: Image, ink: Image, box: Box) -> bool:
    """Whether the glyph in box is but the rim of a blot, too wide for the paper around it to be seen.

    Dark as ink and yet not ink is then a good part of the box.
    """
    place = np.s_[box.top : box.bottom, box.left : box.right]
    inner, own = grey[place], ink[place]
    middle = (quantile(grey[::2, ::2], 0.9) + quantile(inner, 0.05)) / 2
    hollow = (inner < math.ceil(middle)) & (own < math.ceil(PALEST_WRITING))
    return bool(np.count_nonzero(hollow) > _HOLLOW * inner.size)


def _floor(ink: Image) -> float:
    """The soft ink above which a pixel of (H, W) ink is hardly the paper's unrest, judged by its palest quarter.

    In a tight crop ink may cover half of it, so the median says nothing of the paper.
    """
    sample = ink[::2, ::2].ravel()
    pale, quarter = len(sample) // 20, len(sample) // 4
    ranked = np.partition(sample, (pale, quarter))
    middle = float(ranked[quarter])
    return max(FAINTEST, middle + _UNREST * (middle - float(ranked[pale])))


def _is_tight(box: Box, inside: Inside) -> bool:
    """Whether the crop follows the digit in box so closely that what looks like a printed line is one of its strokes.

    box is what is left without the line. A stroke is one with the rest; a printed line goes on beside it.
    """
    gaps = (box.left - inside.left, box.top - inside.top, inside.right - box.right, inside.bottom - box.bottom)
    near = _TIGHT * max(inside.right, inside.bottom)
    close = [gap <= (_TOUCHES if line else near) for gap, line in zip(gaps, inside.lined, strict=True)]
    left, top, right, bottom = inside.lined
    across, down = close[0] and close[2], close[1] and close[3]
    if (left or right) and (top or bottom):
        return across and down and sum(inside.lined) == 2
    return down if top or bottom else across


def _find_inside(ink: Image, inside: Inside, floor: float) -> Cell:
    """The digit in soft ink (H, W) without box lines."""
    level = max(otsu(ink[inside.top : inside.bottom, inside.left : inside.right]), floor)
    blobs, strong = find_strong_blobs(ink, low=0.6 * level, high=1.1 * level)
    rows, others = find_members(blobs, strong, inside, ink.shape[0], ink.shape[1])
    if not rows:
        return Cell(glyph=None, ink=ink)
    cut = cut_glyph(ink, blobs, rows)
    box = cut.glyph.box
    if cut.darkest < max(PALEST_WRITING, 1.5 * floor):
        return Cell(glyph=None, ink=ink)
    doubts = [*doubts_of_place(box, inside)]
    if cut.darkest < max(PALE_WRITING, 2.0 * floor):
        doubts.append(HARDLY_DARKER)
    if others:
        doubts.append("more than one piece of writing")
    if is_blot(cut):
        doubts.append(BLOT)
    return Cell(glyph=cut.glyph, ink=ink, place=box, doubts=tuple(doubts))


def doubts_of_place(box: Box, inside: Inside) -> tuple[str, ...]:
    """What the size and place of the ink inside of its cell say against its being the digit that the cell is for."""
    part = max(box.height / inside.height, 0.6 * box.width / inside.width)
    if part < _SMALLEST_DIGIT:
        return ("too small for the digit of its cell",)
    x, y = box.center
    off = max(
        abs(x - (inside.left + inside.right) / 2) / inside.width,
        abs(y - (inside.top + inside.bottom) / 2) / inside.height,
    )
    return ("small and aside, like a note",) if part < _NOTE and off > _MIDDLE else ()


def is_blot(cut: CutGlyph) -> bool:
    """Whether a digit's ink is somewhere wider than a pen's stroke in a digit of this size."""
    own, box = cut.own, cut.glyph.box
    if own.shape != (box.height + 2, box.width + 2):  # the picture ends where the digit does
        own = cv2.copyMakeBorder(own, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    widest: float = cv2.minMaxLoc(cv2.distanceTransform(own, cv2.DIST_L2, 3))[1]
    return widest > _WIDEST_STROKE * max(box.width, box.height)


def _scaled(box: Box, across: float, down: float, width: int, height: int) -> Box:
    """The box with its sides multiplied, at least a pixel in size and inside (height, width)."""
    left, top = min(int(box.left * across), width - 1), min(int(box.top * down), height - 1)
    right, bottom = min(width, round(box.right * across)), min(height, round(box.bottom * down))
    return Box(left=left, top=top, right=max(left + 1, right), bottom=max(top + 1, bottom))
