"""The hand that digits are in: how far it leans and how wide its pen is, found out and put on other digits.

What differs first between two writers is slant and pen; a few hundred digits tell both, and then all of MNIST can be
shown as that writer would have put it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from edge.imaging.tensors import fit_digit
from edge.values import Image
from train.data import Images, Labels

Numbers: TypeAlias = npt.NDArray[np.float64]

# Digits are measured and rewritten at so many times their size: a pen is two to five pixels wide.
_ZOOM = 3
# A hand is found by steps of Newton's method; the slopes come from trying so much more of lean and of pen.
_TRY = np.array([0.3, 1.0])
_STEPS = 3
_MOST = np.array([1.2, 4.0])
# Digits of one hand differ as far as so many digits of one page leave the page's own hand open.
_DOUBT_DIGITS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """How a hand differs from that of other digits: px more to the right for each px up, and px of 28 more of pen."""

    lean: float = 0.0
    pen_px: float = 0.0


def look(digit: Image) -> tuple[float, float]:
    """Lean (px to the right for each px up) and pen (px) of a (28, 28) digit; 0, 0 of a blank one.

    The lean is that of its moments, the pen twice its area for its outline's length.
    """
    mask = (_enlarged(digit) > 127).astype(np.uint8)
    moments = cv2.moments(mask, binaryImage=True)
    outlines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    length = sum(cv2.arcLength(outline, closed=True) for outline in outlines)
    if not moments["mu02"] or not length:
        return 0.0, 0.0
    return -moments["mu11"] / moments["mu02"], 2 * moments["m00"] / length / _ZOOM


def write(digit: Image, hand: Hand) -> Image:
    """The (28, 28) digit in a hand, fitted as every digit is."""
    ink = _enlarged(digit)
    if hand.pen_px:
        mask = (ink > 127).astype(np.uint8)
        inside = cv2.distanceTransform(mask, cv2.DIST_L2, 3) - cv2.distanceTransform(1 - mask, cv2.DIST_L2, 3)
        # From full to none within a pixel of 28, as MNIST's edges are.
        ink = (255 * np.clip(inside / _ZOOM + hand.pen_px / 2 + 0.5, 0, 1)).astype(np.uint8)
    side = ink.shape[0]
    # The corners of what leans by 1 move by half a side: room for that on both sides.
    shift = hand.lean * (side - 1) / 2 + side / 2
    matrix = np.array([[1.0, -hand.lean, shift], [0.0, 1.0, 0.0]])
    return fit_digit(np.asarray(cv2.warpAffine(ink, matrix, (2 * side, side)), np.uint8))


def hands_of(images: Images, labels: Labels, pages: Labels, others: Images, kinds: Labels) -> tuple[Hand, ...]:
    """What makes `others`, labels kinds, look like the images (n, 28, 28) of each page; pages in their order.

    Labels that others do not have are passed over. Medians, so that a 1 or a 7 of its own form counts little; a page of
    few digits has nearly the hand of all. Empty if nothing can be compared.
    """
    known = np.isin(labels, kinds)
    images, labels, pages = images[known], labels[known], pages[known]
    if not len(images):
        return ()
    found = np.array([look(one) for one in others])
    usual = {kind: found[kinds == kind].mean(axis=0) for kind in np.unique(kinds)}
    apart = np.array([look(one) - usual[label] for one, label in zip(images, labels, strict=True)])
    mean = np.stack([usual[kind] for kind in kinds])
    wanted = np.median(apart, axis=0)

    def off(place: Numbers) -> Numbers:
        hand = Hand(lean=float(place[0]), pen_px=float(place[1]))
        return np.asarray(np.median([look(write(one, hand)) for one in others] - mean, axis=0) - wanted)

    at, slopes = np.zeros(2), np.eye(2)
    for _ in range(_STEPS):
        here = off(at)
        slopes = np.stack([(off(at + step) - here) / step.sum() for step in np.diag(_TRY)], axis=1)
        at = np.clip(at - np.linalg.solve(slopes, here), -_MOST, _MOST)
    hands = []
    for page in np.unique(pages):
        own = apart[pages == page]
        trust = len(own) / (len(own) + _DOUBT_DIGITS)
        lean, pen_px = np.clip(
            at + trust * np.linalg.solve(slopes, np.median(own, axis=0) - wanted), -_MOST, _MOST
        ).tolist()
        hands.append(Hand(lean=lean, pen_px=pen_px))
    return tuple(hands)


def _enlarged(digit: Image) -> Image:
    return np.asarray(cv2.resize(digit, None, fx=_ZOOM, fy=_ZOOM, interpolation=cv2.INTER_CUBIC), np.uint8)
