"""Whether a digit was crossed out: a straight stroke passes through it from outside to outside.

The network does not know the difference: an 8 with a stroke through it looks to it more like an 8 than like anything
else it has seen. What gives the stroke away is that both of its ends stand out beyond the rest of the digit, and that
there is ink on both of its sides. A 0 may have such a stroke, and the stem of a 4 is one: they need more. The bar of a
7 is not: it hardly ever reaches beyond the top of the 7 on one side and beyond its foot on the other.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.imaging.tensors import digit_tensors
from edge.values import Image, Prediction

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.complex128]

STRUCK = "crossed out"
# The network is surer than this of hardly any digit with a stroke through it, but for those that may have a bar; with a
# longer one they are broad: their width is this part of their height at least.
_SURE, _BARRED, _BROAD = 0.999, frozenset("47"), 0.85
# A glyph narrower than this part of its height has no stroke across it. A 1 may have one at a slant, if it is not
# narrower than so many strokes, however it leans.
_NARROW, _NARROW_1, _NARROW_X = 0.62, 0.2, 1.3
# Soft ink from here on is of a stroke: half of the darkest.
_INK = 110
# Strokes are looked for in these directions (2, n), and in these places along each, (m, 1) of its length.
_ANGLES = np.arange(12) * math.pi / 12
_DIRECTION = np.stack((np.cos(_ANGLES), np.sin(_ANGLES)))
_PLACES = np.linspace(0, 1, 24).tolist()
_NEAR_ENDS = (_PLACES[1:3], _PLACES[-3:-1])
_PAD = 8
# A stroke through a digit is at least so long, by the longer side of all ink, and inked all along but for one place.
# The places are looked at from everywhere along it first: chords that are none are given up after a few.
_LONG, _GAPS = 0.75, 1
_SPREAD = tuple(_PLACES[i] for start in (12, 6, 18, 0, 3, 9, 15, 21) for i in range(start, start + 3))
# Ink further beside it than half its width and so many pixels is not its own; in one of two places near
# either end none is there.
_BESIDE_PX = 2.0
# Both ends stand out beyond the rest by so much of its length, by more where a digit's own strokes do; on either side
# lies so much of the rest. Of a 7 less: a stroke along its stem has nearly all of it at the left.
_STANDS_OUT, _OWN_STANDS_OUT, _OWN_LONG = 0.06, 0.085, frozenset("1478")
_BESIDE, _BESIDE_OF_7 = 0.12, 0.05
# The rest is so much of all ink; of a 1, so much on opposite sides, so far apart along the stroke, as in an X.
_REST = 0.2
_REST_OF_1, _BESIDE_OF_1, _APART_OF_1 = 0.04, 0.15, 0.2
# A 4's own strokes have less than that of it beside them; its stem stands within so much of upright, and what is left
# without the stroke must look like a 4 again.
_BESIDE_OF_4, _STEM_DEG, _STILL = 0.2, 30.0, 0.8
# A digit has two holes at most; more, of so many pixels at least, are between strokes that lie across it.
_HOLES, _HOLE_PX = 3, 6.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Stroke:
    """A straight stroke through ink: rest is the ink without it, beside the part of that on its lesser side.

    apart: how far the rest's two sides are from each other along it, in parts of its length.
    """

    angle_deg: float
    rest: Image
    beside: float
    apart: float


def is_struck(ink: Image, said: Prediction, predict: Callable[[Image], tuple[Prediction, ...]]) -> bool:
    """Whether a glyph's soft ink (h, w), which the network takes for a digit, is a digit with a stroke through it.

    predict: what the network says of tensors; it is asked only where the digit itself may have such a stroke.
    """
    if said.label == "0":  # many write one with a stroke
        return False
    if said.confidence >= _SURE:
        least = _BROAD if said.label in _BARRED else math.inf
    else:
        least = _NARROW_1 if said.label == "1" else _NARROW
    if ink.shape[1] < least * ink.shape[0]:
        return False
    _, dark = cv2.threshold(ink, _INK, 1, cv2.THRESH_BINARY)
    mask = cv2.copyMakeBorder(dark, *(_PAD,) * 4, cv2.BORDER_CONSTANT, value=0)
    contours, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return False
    inner = [contour for contour, node in zip(contours, tree[0].tolist(), strict=True) if node[3] >= 0]
    if len(inner) >= _HOLES and sum(cv2.contourArea(hole) >= _HOLE_PX for hole in inner) >= _HOLES:
        return True
    stroke = _through(mask, contours, said.label)
    return stroke is not None and not _is_own(stroke, said.label, predict)


def _is_own(stroke: _Stroke, label: str, predict: Callable[[Image], tuple[Prediction, ...]]) -> bool:
    """Whether the stroke may be of the digit itself: all of a 1, a 4's stem."""
    if label == "1":
        return stroke.beside < _BESIDE_OF_1 or stroke.apart < _APART_OF_1
    if label != "4":
        return False
    if stroke.beside < _BESIDE_OF_4:
        return True
    if abs(stroke.angle_deg - 90) > _STEM_DEG:
        return False
    (left,) = predict(digit_tensors([stroke.rest]))
    return left.label != label or left.confidence < _STILL


def _through(mask: Image, contours: tuple[npt.NDArray[np.int32], ...], label: str) -> _Stroke | None:
    """The stroke that passes through all of a mask (H, W) of 0 and 1 with these contours, if there is one.

    Places and directions are complex numbers, x + iy: multiplied by a direction's conjugate, a place is so far along
    it and, in the imaginary part, so far aside.
    """
    is_1 = label == "1"
    area, outline = cv2.countNonZero(mask), sum(len(contour) for contour in contours)
    width = 2 * area / outline
    rim = np.concatenate(contours) if len(contours) > 1 else contours[0]
    if is_1 and min(cv2.minAreaRect(rim)[1]) < _NARROW_X * width:
        return None
    seen, least = mask.tobytes(), max(width, _LONG * max(cv2.boundingRect(rim)[2:]))
    found = [
        (start, way, length)
        for start, way, length in _chords(rim, width)
        if length > least
        and _is_inked(seen, mask.shape[1], start, way * (length - width))
        and _are_ends_free(seen, mask.shape[1], start, way, length, width)
    ]
    if not found:
        return None
    out = _OWN_STANDS_OUT if label in _OWN_LONG else _STANDS_OUT
    starts, ways, lengths = (np.array(values) for values in zip(*found, strict=True))
    alone = _ends_alone(rim[::2, 0], starts, ways, lengths, width, out)
    for i in sorted(np.flatnonzero(alone).tolist(), key=lambda i: -found[i][2]):
        stroke = _judged(mask, *found[i], width, out, _BESIDE_OF_7 if label == "7" else _BESIDE)
        if stroke is not None and cv2.countNonZero(stroke.rest) >= (_REST_OF_1 if is_1 else _REST) * area:
            return stroke
    return None


def _chords(rim: npt.NDArray[np.int32], width: float) -> Iterator[tuple[complex, complex, float]]:
    """Where strokes through ink with that rim (m, 1, 2) may start, their directions of length 1, and their lengths.

    The ends of a stroke that stands out on both sides are the outermost ink in its own direction; several directions
    lead to the same ends.
    """
    hull = cv2.convexHull(rim)[:, 0].astype(np.float64)
    along = hull @ _DIRECTION
    corners = hull.view(np.complex128)[:, 0].tolist()
    for first, last in dict.fromkeys(zip(along.argmin(axis=0).tolist(), along.argmax(axis=0).tolist(), strict=True)):
        way = corners[last] - corners[first]
        length = abs(way) or 1.0
        way /= length
        yield corners[first] + way * (width / 2), way, length


def _is_inked(seen: bytes, across: int, start: complex, way: complex) -> bool:
    """Whether a mask of 0 and 1, across pixels wide, shows ink from start all along a way, but for a gap."""
    gaps, x, y, right, down = 0, start.real + 0.5, start.imag + 0.5, way.real, way.imag
    for part in _SPREAD:
        if not seen[int(y + part * down) * across + int(x + part * right)]:
            gaps += 1
            if gaps > _GAPS:
                return False
    return True


def _ends_alone(
    rim: npt.NDArray[np.int32], starts: Places, ways: Places, lengths: Floats, width: float, stands_out: float
) -> npt.NDArray[np.bool_]:
    """Which of n strokes (n,) have no other ink beside their ends; rim (m, 2) is where ink ends."""
    off = (rim.astype(np.float64).view(np.complex128) - starts) * ways.conj()
    out = stands_out * lengths
    near_an_end = (off.real < out) | (off.real > lengths - out)
    return np.asarray(~(near_an_end & (np.abs(off.imag) > width / 2 + _BESIDE_PX)).any(axis=0), np.bool_)


def _are_ends_free(seen: bytes, across: int, start: complex, way: complex, length: float, width: float) -> bool:
    """Whether a mask of 0 and 1, across pixels wide, shows paper to either side of a stroke near both of its ends."""
    whole, aside = way * (length - width), 1j * way * (width / 2 + _BESIDE_PX)
    for end in _NEAR_ENDS:
        # Beyond the mask's sides lies the padding of the other side.
        if not any(
            seen[_bound(place + aside, across, len(seen))] == seen[_bound(place - aside, across, len(seen))] == 0
            for place in (start + whole * part for part in end)
        ):
            return False
    return True


def _bound(place: complex, across: int, size: int) -> int:
    """Where a place is in a flat mask of that size, the nearest if it is beyond."""
    return min(max(round(place.imag) * across + round(place.real), 0), size - 1)


def _judged(
    mask: Image, start: complex, way: complex, length: float, width: float, stands_out: float, beside_least: float
) -> _Stroke | None:
    """The stroke from start along way; None if it does not pass through the rest of the ink."""
    far = [start - 1.5 * width * way, start + (length + 0.5 * width) * way]
    first, last = ((round(place.real), round(place.imag)) for place in far)
    band = cv2.line(np.zeros_like(mask), first, last, (1,), round(width + 2))
    rest = cv2.bitwise_and(mask, 1 - band)
    y, x = np.nonzero(rest)
    if not len(x):
        return None
    off = (x + 1j * y - start) * way.conjugate()
    along, right = off.real / length, off.imag < 0
    beside = min(float(right.mean()), 1 - float(right.mean()))
    if min(float(along.min()), 1 - float(along.max())) < stands_out or beside < beside_least:
        return None
    # Where the stroke crossed others they are joined again.
    reach = round(width + 4) | 1
    closed = cv2.morphologyEx(rest, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    return _Stroke(
        angle_deg=math.degrees(cmath.phase(way)) % 180,
        rest=np.asarray(255 * (rest | (closed & band & mask)), np.uint8),
        beside=beside,
        apart=abs(float(along[right].mean() - along[~right].mean())),
    )
