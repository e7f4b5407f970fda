"""Lines of handwriting: real digits redrawn with one pen, letters and marks beside them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from edge.sources.digits import load_digits
from tests.scenes.letters import Curve, curves, rounded
from train.strokes import Style, draw_digit

Soft: TypeAlias = npt.NDArray[np.float32]  # (h, w), 0 paper to 1 full ink

_FINE = 4  # a digit's 28 pixels become this many times as many before its middle line is taken
ABOVE, BELOW = 0.75, 0.85  # room over and under the digits in a line's picture, in digit heights
_STROKE = 100  # of 255, where a digit's soft edge counts as its stroke's
_BLOTTED = 4.6  # strokes wider than this, of 28 pixels, have run together
_DENSE = 3  # curves are drawn this many times as large and shrunk


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Writer:
    """One person with one pen: lengths in digit heights, slant in radians.

    color (3,) is what full ink leaves of the paper's B, G and R.
    """

    height_px: float
    pen: float
    slant: float
    gap: float
    spread: float  # how unlike in size neighbours are
    bounce: float  # how far digits stand off the baseline
    wobble: float
    joined: bool  # letters of a word are joined
    grain: float  # 0 ink to 1 pencil on rough paper
    color: npt.NDArray[np.float32]
    hand: Style | int  # drawn forms, or the number of a choice of real digits


_PENS = {  # what is left of paper's B, G, R under full ink, pen width in digit heights, grain
    "blue ball": ((0.62, 0.33, 0.24), (0.055, 0.09), 0.25),
    "black ball": ((0.26, 0.25, 0.25), (0.05, 0.09), 0.2),
    "pencil": ((0.50, 0.50, 0.51), (0.05, 0.1), 0.75),
    "felt tip": ((0.16, 0.15, 0.15), (0.1, 0.17), 0.05),
    "blue felt": ((0.55, 0.25, 0.16), (0.09, 0.16), 0.05),
    "fountain": ((0.5, 0.22, 0.14), (0.06, 0.12), 0.1),
    "red": ((0.30, 0.27, 0.78), (0.06, 0.12), 0.15),
    "green": ((0.34, 0.5, 0.2), (0.06, 0.11), 0.15),
}
_DRAWN = 0.4  # of the writers write forms that MNIST lacks
_EXAMPLES = 4  # real digits of one kind that a writer draws again and again
_LOOPS = {"0": 1, "6": 1, "8": 2, "9": 1}  # others are open or either way
_COMMON = (0.24, 0.22, 0.16, 0.1, 0.08, 0.1, 0.06, 0.04)


def pick_writer(rng: np.random.Generator, height_px: float) -> Writer:
    """A person drawn at random who writes digits of this height."""
    color, (thin, thick), grain = list(_PENS.values())[rng.choice(len(_PENS), p=_COMMON)]
    faint = rng.uniform(0.0, 0.3) if grain > 0.5 else rng.uniform(0.0, 0.12)
    left = np.array(color, np.float32)
    return Writer(
        height_px=height_px,
        pen=max(float(rng.uniform(thin, thick)), 1.3 / height_px),
        slant=float(rng.normal(0.1, 0.16)),
        gap=float(rng.uniform(0.08, 0.24)),
        spread=float(rng.uniform(0.03, 0.11)),
        bounce=float(rng.uniform(0.01, 0.07)),
        wobble=float(rng.uniform(0.01, 0.035)),
        joined=bool(rng.random() < 0.5),
        grain=grain * float(rng.uniform(0.5, 1.0)),
        color=left + np.float32(faint) * (1 - left),
        hand=Style.draw(rng) if rng.random() < _DRAWN else int(rng.integers(1 << 30)),
    )


def write_line(rng: np.random.Generator, writer: Writer, text: str) -> tuple[Soft, float]:
    """Ink of one line, (h, w) without margin left and right, and the row of its baseline.

    A blank in text is 1.3 to 2 digit heights wide, a "~" half of one; digits may touch their neighbours.
    """
    tall = writer.height_px
    line = np.zeros((round(tall * (1 + ABOVE + BELOW)), round(tall * (len(text) * 1.3 + 4))), np.float32)
    base = tall * (1 + ABOVE)
    cursor, slope = tall, float(rng.normal(0, 0.012))
    wave, phase = writer.bounce * rng.uniform(0, 2), rng.uniform(0, 6)
    last: Curve | None = None
    before = " "
    for character in text:
        if character in " ~":
            cursor += tall * (rng.uniform(1.3, 2.0) if character == " " else rng.uniform(0.5, 0.8))
            last, before = None, " "
            continue
        lift = rng.normal(0, writer.bounce) + wave * np.sin(cursor / tall / 2 + phase)
        row = base - tall * lift + slope * (cursor - tall)
        size = tall * float(np.clip(rng.normal(1, writer.spread), 0.75, 1.25))
        cursor += tall * _gap(rng, writer, before, character)
        if character.isdigit():
            cursor += _stamp(line, _digit(rng, writer, character, size), cursor, row)
            last = None
        else:
            strokes = curves(character, rng, writer.wobble)
            width = max(float(stroke[:, 0].max()) for stroke in strokes)
            placed = [_to_line(stroke, writer, size, cursor, row) for stroke in strokes]
            if last is not None and character.islower() and writer.joined:
                placed.append(rounded(np.array([last, (last + placed[0][0]) / 2 + (0, 0.06 * tall), placed[0][0]])))
            _draw(line, placed, writer.pen * tall)
            last = placed[0][-1] if character.islower() else None
            cursor += width * size
        before = character
    inked = np.flatnonzero(line.max(axis=0) > 0.05)
    return line[:, inked[0] : inked[-1] + 1], base


def _gap(rng: np.random.Generator, writer: Writer, before: str, character: str) -> float:
    """Ink to ink, in digit heights; below 0 neighbours touch."""
    if before == " ":
        return 0.0
    if before.isdigit() and character.isdigit():
        return float(max(rng.normal(writer.gap, 0.07), -0.06))
    if before.isalpha() and character.isalpha():
        return 0.02 if writer.joined else 0.1
    return float(max(rng.normal(writer.gap, 0.05), 0.06)) if character in ".,:'" else float(rng.uniform(0.15, 0.35))


def _digit(rng: np.random.Generator, writer: Writer, character: str, size: float) -> Soft:
    """Ink of one digit `size` px high, cut to the ink: a drawn form, or a real digit's middle line."""
    if not isinstance(writer.hand, int):
        pen_px = writer.pen * writer.height_px
        ink = draw_digit(rng, int(character), height_px=size, pen_px=pen_px, style=writer.hand)
        return ink.astype(np.float32) / 255
    index = int(rng.choice(_examples(writer.hand, character)))
    far = _far_from_middle(index)
    height, width = far.shape
    scale = size * (1 - writer.pen) / _tall(index)
    pad = writer.pen * writer.height_px + 2
    # The digit keeps its own slant; the writer's is added halfway, for MNIST is slanted already.
    shear = float(np.tan(0.5 * writer.slant + rng.normal(0, 0.05)))
    wide = scale * float(rng.uniform(0.88, 1.12))
    out = (round(width * wide + abs(shear) * height * scale + 2 * pad), round(height * scale + 2 * pad))
    shift = pad + max(0.0, shear) * height * scale
    to_line = np.array([[wide, -shear * scale, shift], [0, scale, pad]])
    near = cv2.warpAffine(far, to_line, out, flags=cv2.INTER_LINEAR, borderValue=(255.0,))
    ink = np.clip(writer.pen * writer.height_px / 2 - near * np.float32(scale) + 0.5, 0, 1)
    left, top, across, down = cv2.boundingRect((ink > 0.05).astype(np.uint8))
    return np.ascontiguousarray(ink[top : top + down, left : left + across], np.float32)


@cache
def _examples(hand: int, character: str) -> tuple[int, ...]:
    """Shipped digits that keep their form when their strokes become thin, as one hand might write them."""
    rng = np.random.default_rng((hand, int(character)))
    known = rng.permutation(np.flatnonzero(load_digits()[1] == int(character)))
    kept = (int(index) for index in known if _keeps_form(int(index)))
    return tuple(islice(kept, _EXAMPLES))


@cache
def _keeps_form(index: int) -> bool:
    """True if the middle line of a digit's strokes says what its strokes say: no loop lost, none blotted."""
    fine = cv2.resize(load_digits()[0][index], None, fx=_FINE, fy=_FINE, interpolation=cv2.INTER_CUBIC)
    far = _far_from_middle(index)
    line = far < 1.2
    wide = float((fine > _STROKE).sum()) / max(1, int((far < 0.8).sum()))
    holes = {_holes(fine > 60), _holes(fine > _STROKE), _holes(line)}
    expected = _LOOPS.get(str(load_digits()[1][index]))
    return wide < _BLOTTED * _FINE and len(holes) == 1 and expected in (None, *holes)


def _holes(mask: npt.NDArray[np.bool_]) -> int:
    """How many pieces of paper a (H, W) mask of ink encloses, without specks."""
    paper = np.pad(~mask, 1, constant_values=True).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(paper, connectivity=4)
    return int((stats[1:, cv2.CC_STAT_AREA] >= 8).sum()) - 1


@cache
def _far_from_middle(index: int) -> Soft:
    """For each pixel of digit `index`, enlarged, how far the middle line of its strokes is, in pixels."""
    image = load_digits()[0][index]
    fine = cv2.resize(image, None, fx=_FINE, fy=_FINE, interpolation=cv2.INTER_CUBIC)
    middle = thinned(cv2.GaussianBlur(fine, (0, 0), _FINE / 2.5) > _STROKE)
    far = cv2.distanceTransform((~middle).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(cv2.GaussianBlur(far, (0, 0), 1.0), np.float32)


@cache
def _tall(index: int) -> float:
    rows = np.flatnonzero(_far_from_middle(index).min(axis=1) < 1.0)
    return float(max(4, rows[-1] - rows[0]))


def thinned(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The one pixel wide middle lines of a (H, W) mask (Zhang and Suen 1984)."""
    thin = np.pad(mask, 1).astype(np.uint8)
    around = ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))  # from north, clockwise
    changed = True
    while changed:
        changed = False
        for first_pass in (True, False):
            ring = [np.roll(thin, shift, (0, 1)) for shift in around]
            north, east, south, west = ring[::2]
            count = np.sum(ring, axis=0)
            turns = np.sum([(ring[i] == 0) & (ring[(i + 1) % 8] == 1) for i in range(8)], axis=0)
            open_sides = (
                (north * east * south == 0) & (east * south * west == 0)
                if first_pass
                else (north * east * west == 0) & (north * south * west == 0)
            )
            gone = (thin == 1) & (count >= 2) & (count <= 6) & (turns == 1) & open_sides
            changed |= bool(gone.any())
            thin[gone] = 0
    return thin[1:-1, 1:-1] == 1


def _to_line(stroke: Curve, writer: Writer, size: float, left: float, row: float) -> Curve:
    """A stroke on the unit grid, slanted, in the line's pixels."""
    return np.stack((left + size * (stroke[:, 0] + writer.slant * stroke[:, 1]), row - size * stroke[:, 1]), axis=1)


def _draw(line: Soft, strokes: list[Curve], pen_px: float) -> None:
    """Draw curves in line pixels into the line, in place."""
    points = np.concatenate(strokes)
    margin = pen_px + 2
    left, top = np.maximum(np.floor(points.min(axis=0) - margin), 0).astype(int)
    right, bottom = np.minimum(np.ceil(points.max(axis=0) + margin), line.shape[::-1]).astype(int)
    if right <= left or bottom <= top:
        return
    canvas = np.zeros(((bottom - top) * _DENSE, (right - left) * _DENSE), np.uint8)
    thick = max(1, round(pen_px * _DENSE))
    for stroke in strokes:
        fixed = np.round((stroke - (left, top)) * _DENSE * 8).astype(np.int32)
        cv2.polylines(canvas, [fixed], False, 255, thick, cv2.LINE_AA, 3)
    ink = cv2.resize(canvas, (right - left, bottom - top), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    np.maximum(line[top:bottom, left:right], ink, out=line[top:bottom, left:right])


def _stamp(line: Soft, ink: Soft, left: float, row: float) -> int:
    """Put a digit on the baseline `row`, in place; its width in px."""
    height, width = ink.shape
    x, y = max(0, round(left)), max(0, round(row) - height)
    place = line[y : y + height, x : x + width]
    np.maximum(place, ink[: place.shape[0], : place.shape[1]], out=place)
    return width
