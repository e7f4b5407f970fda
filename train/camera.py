"""What pen, paper, camera and the edge's extraction do to a digit's soft ink before it is fitted.

Soft ink is (h, w) uint8, 0 paper to 255 ink, of a digit some 40 px high: large enough that effects look as on paper.
"""

from __future__ import annotations

import math
from functools import cache

import cv2
import numpy as np

from edge.values import Image

# Ink below this share of the extraction's level is paper to it; see edge.reading.digit.
_LOW = 0.6
# What a speck of noise must reach to be seen as ink, of 255.
_FAINTEST = 10
# Writing thinned to less of its ink than this is not thinned.
_LEFT = 0.4


@cache
def _ellipse(side: int) -> Image:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def thicken(rng: np.random.Generator, ink: Image) -> Image:
    """The same writing with another pen: in half the cases finer or broader by a pixel or two."""
    draw = rng.random()
    if draw < 0.20:
        fine = cv2.erode(ink, _ellipse(3))
        # A hair stroke would vanish, and only noise be left to call a digit.
        return np.asarray(fine if fine.sum(dtype=np.int64) > _LEFT * ink.sum(dtype=np.int64) else ink, np.uint8)
    if draw < 0.40:
        return np.asarray(cv2.dilate(ink, _ellipse(3)), np.uint8)
    if draw < 0.50:
        return np.asarray(cv2.dilate(ink, _ellipse(5)), np.uint8)
    return ink


def press(rng: np.random.Generator, ink: Image) -> Image:
    """Uneven pressure: the ink pales along a random direction to 25 to 90 %."""
    height, width = ink.shape
    angle, least = rng.uniform(0, 2 * math.pi), rng.uniform(0.25, 0.9)
    across = np.linspace(-0.7, 0.7, width, dtype=np.float32) * math.cos(angle)
    down = np.linspace(-0.7, 0.7, height, dtype=np.float32) * math.sin(angle)
    ramp = np.clip(0.5 + across[None] + down[:, None], 0, 1) * (1 - least) + least
    return (ink * ramp).astype(np.uint8)


def cut_gap(rng: np.random.Generator, ink: Image) -> Image:
    """A straight gap of 1 to 3 px: a removed printed line, or a pen that skipped."""
    height, width = ink.shape
    angle = rng.choice((0.0, math.pi / 2, rng.uniform(0, math.pi)))
    x, y = width / 2 + rng.normal(0, width / 8), height / 2 + rng.normal(0, height / 6)
    dx, dy = width * math.cos(angle), height * math.sin(angle)
    gapped = ink.copy()
    cv2.line(gapped, (int(x - dx), int(y - dy)), (int(x + dx), int(y + dy)), 0, int(rng.integers(1, 4)), cv2.LINE_AA)
    return gapped


def leave_pieces(rng: np.random.Generator, ink: Image) -> Image:
    """Short pieces of printed lines left beside the digit, or lying on its edge."""
    left, top, width, height = cv2.boundingRect(ink)
    marked = ink.copy()
    for _ in range(int(rng.integers(1, 3))):
        length = rng.uniform(0.1, 0.6) * max(width, height)
        off = rng.uniform(-3, 5)
        tone, thick = int(rng.integers(90, 256)), int(rng.integers(1, 4))
        if rng.random() < 0.5:
            x = left - off if rng.random() < 0.5 else left + width + off
            y = top + rng.uniform(0, max(1.0, height - length))
            ends = (int(x), int(y)), (int(x + rng.normal(0, 1)), int(y + length))
        else:
            y = top - off if rng.random() < 0.5 else top + height + off
            x = left + rng.uniform(-0.2 * length, max(1.0, width - 0.8 * length))
            ends = (int(x), int(y)), (int(x + length), int(y + rng.normal(0, 1)))
        cv2.line(marked, *ends, tone, thick, cv2.LINE_AA)
    return marked


def photograph(rng: np.random.Generator, ink: Image) -> Image:
    """Blur, gamma, gain and noise of a camera."""
    seen = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.4, 1.8)) if rng.random() < 0.7 else ink
    gamma, gain = math.exp(rng.uniform(-0.6, 0.6)), rng.uniform(0.35, 1.0)
    seen = cv2.LUT(seen, (255 * gain * (np.arange(256) / 255) ** gamma).astype(np.uint8))
    if rng.random() < 0.5:
        noise = np.empty(seen.shape, np.int16)
        cv2.setRNGSeed(int(rng.integers(1 << 31)))  # numpy's normal numbers take ten times as long
        cv2.randn(noise, 0, rng.uniform(1, 0.12 * 255 * gain))
        if rng.random() < 0.5:  # a JPEG's or a scaled photo's noise is coarser than a pixel
            noise = cv2.GaussianBlur(noise, (3, 3), 0)
        seen = np.clip(seen + noise, 0, 255).astype(np.uint8)
    return np.asarray(seen, np.uint8)


def extract(rng: np.random.Generator, seen: Image) -> Image:
    """As the edge cuts a glyph out: a level by Otsu, a pixel of soft edge around, the darkest tenth stretched to 255.

    The level wanders as it does on real photos; specks smaller than a stroke is wide are dropped.
    """
    level, _ = cv2.threshold(seen, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    low = max(_FAINTEST, _LOW * level * rng.uniform(0.75, 1.25))
    mask = (seen > low).view(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count > 2:
        areas = stats[:, cv2.CC_STAT_AREA]
        keep = areas >= 0.06 * areas[1:].max()
        keep[0] = False
        mask = keep[labels].view(np.uint8)
    values = seen[mask > 0]
    if not values.size:
        return seen
    place = int(0.9 * (values.size - 1))
    full = float(np.partition(values, place)[place])
    soft = cv2.bitwise_and(seen, seen, mask=cv2.dilate(mask, np.ones((3, 3), np.uint8)))
    return np.asarray(cv2.convertScaleAbs(soft, alpha=255 / max(full, 1.0)), np.uint8)


def shrink(rng: np.random.Generator, ink: Image) -> Image:
    """As scanned small: the tight digit 8 to 22 px high, now and then black and white, or out of its proportions."""
    left, top, width, height = cv2.boundingRect(ink)
    if not width:
        return ink
    tall = int(rng.integers(8, 23))
    aspect = width / height
    if rng.random() < 0.35:  # collections that fill a fixed square
        aspect = aspect ** rng.uniform(0.0, 0.8)
    wide = max(2, round(tall * aspect))
    small = cv2.resize(ink[top : top + height, left : left + width], (wide, tall), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5 and tall >= 12:
        cut = rng.uniform(0.3, 0.6) * float(small.max())
        small = ((small > cut) * np.uint8(255)).astype(np.uint8)
    return np.asarray(small, np.uint8)
