"""From a page's grey to the blobs that a pen left on it: even light, the pen told from paper, wood and rules."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.imaging.glyphs import Blobs, find_blobs
from edge.imaging.ink import noise_map, smaller
from edge.imaging.ruling import drop_rules
from edge.values import Box, Image

# The writing is looked for on a picture whose longer side is at most this; it is read from the page itself.
_WORKING_PX = 1300
# Strokes to be lifted are at most this part of the page wide; in a fine look only those of small writing, so that
# narrower shadows, as of a blind, are not lifted with them.
_REACH, _FINE_REACH = 18, 45
# The paper's own light changes slowly: it is looked for on a picture this many times smaller.
_PAPER_SHRINK = 4
_BACK_LINEAR = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
# Darker than this the sensor gives noise, and dividing by it makes ink of nothing.
_DARKEST_PAPER = 24
# Whether the writing is lighter or darker than its ground shows on a small picture as well.
_THUMBNAIL_PX = 214
# Its ground is looked for on one still smaller, for a median over more than 5 pixels takes fifty times as long.
_GROUND_SHRINK, _GROUND_PX = 2, 5
# From here on it is not told: keys and cloth beside a sheet may outweigh its dark writing, so both are read.
_EITHER = 0.7
# Wood grain, creases and cloth absorb less of the light, of 255, than a pen somewhere in its stroke.
_PEN = 28
# A stroke reaches this many times the noise floor somewhere.
_STRONG = 1.6
# Noise is judged in so many tiles along the page.
_TILES = 7
# Near a stroke only what has this part of its ink is of the pen: printed rules and shadows are paler.
_PART_OF_PEN = 0.36
# "Near" is some digits' strokes away: so many squares along the page, each and its neighbours.
_PEN_TILES = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PageInk:
    """A page's writing, looked for on a picture `shrink` times smaller than the page.

    ink: (H, W) soft ink of the small picture; blobs, pen (n,): what stands out in it, and which of that is dark enough
    for a pen. sharp: the page as given, (H', W') grey; light: whether its writing is, either: the other is nearly
    as likely; paper: its light, on a still
    smaller picture. shrunk: how much smaller sharp is than the page it is a picture of.
    """

    ink: Image
    blobs: Blobs
    pen: npt.NDArray[np.bool_]
    shrink: int
    sharp: Image
    light: bool
    either: bool
    shrunk: float
    paper: Image

    def sharp_ink(self, box: Box) -> Image:
        """Soft ink, shrink times as large as this box of the small picture, lifted from the page itself."""
        height, width = self.ink.shape
        rows, columns = self.paper.shape
        f = self.shrink
        crop = self.sharp[f * box.top : f * box.bottom, f * box.left : f * box.right]
        if self.light:
            crop = cv2.bitwise_not(crop)
        # The paper's light at each pixel of the crop: light changes slowly, so nearly the same place will do.
        scale_x, scale_y = columns / width, rows / height
        to_paper = np.array([[scale_x / f, 0, box.left * scale_x - 0.5], [0, scale_y / f, box.top * scale_y - 0.5]])
        paper = cv2.warpAffine(
            self.paper, to_paper, crop.shape[::-1], flags=_BACK_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return _absorbed(crop, paper)


def lift_page(grey: Image, *, shrunk: float = 1.0, light: bool | None = None, fine: bool = False) -> PageInk:
    """The PageInk of a (H, W) grey page, or of a picture of it so much smaller.

    light: whether its writing is light on dark; None looks.

    The paper's own brightness is estimated by a closing that swallows strokes up to an eighteenth of the page wide, if
    fine up to a forty-fifth; dividing by it takes out shadows and gradients.
    """
    shrink = max(1, math.ceil(max(grey.shape) / _WORKING_PX))
    small = smaller(grey, shrink)
    either = False
    if light is None:
        balance = _light_balance(small)
        light, either = balance > 1.0, balance > _EITHER
    if light:
        small = cv2.bitwise_not(small)
    height, width = small.shape
    paper = smaller(small, _PAPER_SHRINK)
    reach = max(small.shape) // (_FINE_REACH if fine else _REACH)
    side = max(3, (reach // _PAPER_SHRINK) | 1)
    paper = cv2.morphologyEx(paper, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    paper = np.asarray(cv2.max(cv2.blur(paper, (3, 3)), _DARKEST_PAPER), np.uint8)
    ink = _absorbed(small, np.asarray(cv2.resize(paper, (width, height)), np.uint8))
    blobs, pen = _find_pen_blobs(ink)
    return PageInk(
        ink=ink, blobs=blobs, pen=pen, shrink=shrink, sharp=grey, light=light, either=either, shrunk=shrunk, paper=paper
    )


def _absorbed(grey: Image, paper: Image) -> Image:
    """The share of the paper's light, 0 to 255, that is missing in grey (both (H, W)), smoothed against noise."""
    return np.asarray(cv2.GaussianBlur(cv2.bitwise_not(cv2.divide(grey, paper, scale=255)), (3, 3), 0), np.uint8)


def _light_balance(grey: Image) -> float:
    """How much what is lighter than its surroundings on (H, W) grey outweighs what is darker: above 1 on a blackboard.

    The median of a place is its paper, table or shadow; writing is the smaller part of it.
    """
    small = smaller(grey, max(1, round(max(grey.shape) / _THUMBNAIL_PX)))
    ground = cv2.medianBlur(smaller(small, _GROUND_SHRINK), _GROUND_PX)
    ground = cv2.resize(ground, small.shape[::-1], interpolation=cv2.INTER_LINEAR)
    light = cv2.norm(cv2.subtract(small, ground), cv2.NORM_L2SQR)
    dark = cv2.norm(cv2.subtract(ground, small), cv2.NORM_L2SQR)
    return float((light + 1) / (dark + 1))


def _find_pen_blobs(ink: Image) -> tuple[Blobs, npt.NDArray[np.bool_]]:
    """The Blobs of a page's (H, W) soft ink above the noise of their place, and which are dark enough for a pen.

    Hysteresis (Canny, 1986), its low level raised beside strong strokes so that paler rules fall away from them.
    """
    floor = noise_map(ink, tile_px=max(24, max(ink.shape) // _TILES))
    weak = cv2.compare(ink, cv2.max(floor, _beside_pen(ink)), cv2.CMP_GT)
    blobs = find_blobs(drop_rules(np.asarray(weak, np.uint8), ink).view(np.bool_))
    strong = cv2.compare(ink, cv2.max(cv2.convertScaleAbs(floor, alpha=_STRONG), _PEN), cv2.CMP_GT)
    pen = np.zeros(len(blobs) + 1, np.bool_)
    pen[blobs.labels[strong.view(np.bool_)]] = True
    return blobs, pen[1:]


def _beside_pen(ink: Image) -> Image:
    """(H, W) uint8: the least ink that is of the pen by place, a part of the darkest ink near."""
    height, width = ink.shape
    tile = max(4, max(height, width) // _PEN_TILES)
    darkest = cv2.dilate(ink, np.ones((tile, tile), np.uint8))
    darkest = darkest[min(tile, height) // 2 :: tile, min(tile, width) // 2 :: tile]
    near = cv2.dilate(np.ascontiguousarray(darkest), np.ones((3, 3), np.uint8))
    return np.asarray(cv2.resize(cv2.convertScaleAbs(near, alpha=_PART_OF_PEN), (width, height)), np.uint8)
