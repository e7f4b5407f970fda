"""Whether a digit was crossed out: a straight stroke passes through it from outside to outside.

The network does not know the difference: an 8 with a stroke through it looks to it more like an 8 than like anything
else it has seen. What gives the stroke away is that both of its ends stand out beyond the rest of the digit, and that
there is ink on both of its sides. A 4 has such a stroke by nature, a 0 and a 7 may: they need more.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.imaging.tensors import digit_tensors
from edge.values import Image, Prediction

Floats = npt.NDArray[np.float64]

STRUCK = "crossed out"
# The network is surer than this of hardly any digit with a stroke through it.
_SURE = 0.999
# A glyph narrower than this part of its height has no stroke across it.
_NARROW = 0.62
# Soft ink from here on is of a stroke: half of the darkest.
_INK = 110
# Strokes are looked for in these directions (2, n), and in these places along each, (m, 1) of its length.
_ANGLES = np.arange(12) * math.pi / 12
_DIRECTION = np.stack((np.cos(_ANGLES), np.sin(_ANGLES)))
_PLACE = np.linspace(0, 1, 24)[:, None]
_PAD = 8
# A stroke through a digit is at least so long, by the longer side of all ink, and inked all along.
_LONG, _INKED = 0.75, 0.95
# Ink further beside it than half its width and so many pixels is not its own; half of either end has none there.
_BESIDE_PX, _ENDS_FREE = 2.0, 0.5
# Both ends stand out beyond the rest by so much of its length; on either side lies so much of the rest.
_STANDS_OUT, _BESIDE = 0.085, 0.12
_REST = 0.2
# Of a 4 and a 7 what is left must look like one again. Bars lie within so much of level; that of a 7 is its own, that
# of a 4 does not stand out by so much of its length.
_STILL, _BESIDE_OF_4, _BAR_DEG, _BAR_OF_4 = 0.8, 0.2, 35.0, 0.22
# A digit has two holes at most; more, of so many pixels at least, are between strokes that lie across it.
_HOLES, _HOLE_PX = 3, 6.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Stroke:
    """A straight stroke through ink: rest is the ink without it, beside the part of that on its lesser side.

    out: how far its farther end stands out beyond the rest, in parts of its length.
    """

    angle_deg: float
    rest: Image
    beside: float
    out: float


def is_struck(ink: Image, said: Prediction, predict: Callable[[Image], tuple[Prediction, ...]]) -> bool:
    """Whether a glyph's soft ink (h, w), which the network takes for a digit, is a digit with a stroke through it.

    predict: what the network says of tensors; it is asked only where the digit itself may have such a stroke.
    """
    narrow = ink.shape[1] < _NARROW * ink.shape[0]
    if said.confidence >= _SURE or narrow or said.label == "0":  # many write a 0 with a stroke
        return False
    mask = cv2.copyMakeBorder((ink > _INK).astype(np.uint8), *(_PAD,) * 4, cv2.BORDER_CONSTANT, value=0)
    contours, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return False
    inner = [contour for contour, node in zip(contours, tree[0], strict=True) if node[3] >= 0]
    if len(inner) >= _HOLES and sum(cv2.contourArea(hole) >= _HOLE_PX for hole in inner) >= _HOLES:
        return True
    stroke = _through(mask, contours)
    return stroke is not None and not _is_own(stroke, said.label, predict)


def _is_own(stroke: _Stroke, label: str, predict: Callable[[Image], tuple[Prediction, ...]]) -> bool:
    """Whether the stroke may be of the digit itself: a 4's stem or bar, a 7's bar."""
    if label not in ("4", "7"):
        return False
    level = min(stroke.angle_deg, 180 - stroke.angle_deg) < _BAR_DEG
    if level:
        return label == "7" or stroke.out < _BAR_OF_4
    if label == "4" and stroke.beside < _BESIDE_OF_4:
        return True
    (left,) = predict(digit_tensors([stroke.rest]))
    return left.label != label or left.confidence < _STILL


def _through(mask: Image, contours: tuple[npt.NDArray[np.int32], ...]) -> _Stroke | None:
    """The stroke that passes through all of a mask (H, W) of 0 and 1 with these contours, if there is one."""
    area, outline = cv2.countNonZero(mask), sum(len(contour) for contour in contours)
    width = 2 * area / outline
    rim = np.concatenate(contours)
    hull = cv2.convexHull(rim)[:, 0].astype(np.float64)
    along = hull @ _DIRECTION
    # The ends of a stroke that stands out on both sides are the outermost ink in its own direction.
    ends = np.stack((along.argmin(axis=0), along.argmax(axis=0)), axis=1)
    starts, stops = hull[ends[:, 0]], hull[ends[:, 1]]
    ways = stops - starts
    lengths = np.sqrt((ways * ways).sum(axis=1))
    long = lengths >= max(1.0, _LONG * float((hull.max(axis=0) - hull.min(axis=0)).max()))
    # Several directions lead to the same ends.
    apart = {tuple(ends[i]): i for i in np.flatnonzero(long).tolist()}
    some = list(apart.values())
    starts, stops, lengths = starts[some], stops[some], lengths[some]
    ways = ways[some] / lengths[:, None]
    starts, stops = starts + ways * width / 2, stops - ways * width / 2
    places = starts[:, None] + (stops - starts)[:, None] * _PLACE
    inked = np.count_nonzero(_at(mask, places), axis=1) >= _INKED * len(_PLACE)
    if not inked.any():
        return None
    starts, ways, lengths = starts[inked], ways[inked], lengths[inked]
    alone = _ends_alone(rim[::2, 0], starts, ways, lengths, width)
    places = places[inked]
    for i in sorted(np.flatnonzero(alone).tolist(), key=lambda i: -lengths[i]):
        aside = np.array((-ways[i, 1], ways[i, 0])) * (width / 2 + _BESIDE_PX)
        free = (_at(mask, places[i] + aside) == 0) & (_at(mask, places[i] - aside) == 0)
        if min(free[1:3].mean(), free[-3:-1].mean()) < _ENDS_FREE:
            continue
        stroke = _judged(mask, starts[i], ways[i], float(lengths[i]), width)
        if stroke is not None and cv2.countNonZero(stroke.rest) >= _REST * area:
            return stroke
    return None


def _ends_alone(
    rim: npt.NDArray[np.int32], starts: Floats, ways: Floats, lengths: Floats, width: float
) -> npt.NDArray[np.bool_]:
    """Which of n strokes (n, 2) have no other ink beside their ends; rim (m, 2) is where ink ends."""
    off = rim[:, None] - starts
    along = off[..., 0] * ways[:, 0] + off[..., 1] * ways[:, 1]
    aside = np.abs(off[..., 0] * ways[:, 1] - off[..., 1] * ways[:, 0])
    out = _STANDS_OUT * lengths
    near_an_end = (along < out) | (along > lengths - out)
    return np.asarray(~(near_an_end & (aside > width / 2 + _BESIDE_PX)).any(axis=0), np.bool_)


def _judged(mask: Image, start: Floats, way: Floats, length: float, width: float) -> _Stroke | None:
    """The stroke from start along way (x, y); None if it does not pass through the rest of the ink."""
    far = [np.rint(start + way * step).astype(int).tolist() for step in (-1.5 * width, length + 0.5 * width)]
    band = cv2.line(np.zeros_like(mask), far[0], far[1], (1,), round(width + 2))
    rest = cv2.bitwise_and(mask, 1 - band)
    y, x = np.nonzero(rest)
    if not len(x):
        return None
    along = (x - start[0]) * way[0] + (y - start[1]) * way[1]
    aside = float(np.mean((x - start[0]) * way[1] > (y - start[1]) * way[0]))
    beside = min(aside, 1 - aside)
    out = sorted((float(along.min()) / length, 1 - float(along.max()) / length))
    if out[0] < _STANDS_OUT or beside < _BESIDE:
        return None
    # Where the stroke crossed others they are joined again.
    reach = round(width + 4) | 1
    closed = cv2.morphologyEx(rest, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    whole = 255 * (rest | (closed & band & mask))
    angle = math.degrees(math.atan2(way[1], way[0])) % 180
    return _Stroke(angle_deg=angle, rest=np.asarray(whole, np.uint8), beside=beside, out=out[1])


def _at(mask: Image, places: Floats) -> Image:
    """What a mask (H, W) shows at places (..., 2) x, y."""
    x, y = np.rint(places[..., 0]).astype(np.intp), np.rint(places[..., 1]).astype(np.intp)
    seen: Image = mask[np.clip(y, 0, mask.shape[0] - 1), np.clip(x, 0, mask.shape[1] - 1)]
    return seen
