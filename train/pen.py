"""A pen: paths of strokes as soft ink, with the width and blackness of what people write with."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Literal, TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt

from edge.values import Image
from train.paths import Points

Pen: TypeAlias = Literal["ball", "felt", "fountain", "pencil"]
PENS: tuple[Pen, ...] = ("ball", "felt", "fountain", "pencil")

_SHIFT = 4  # fractional bits of OpenCV's coordinates
_FINE_PX = 160  # digits are drawn about this high and averaged down
_WIDTH_VARIES: dict[Pen, float] = {"ball": 0.10, "felt": 0.06, "fountain": 0.12, "pencil": 0.14}
_GRAIN = 256


def ink_of(rng: np.random.Generator, strokes: Sequence[Points], *, pen: Pen, pen_px: float) -> Image:
    """Soft ink (h, w) uint8, tight, 0 paper to 255 ink, of paths (n, 2) in pixels drawn with a pen pen_px wide."""
    low = np.min([path.min(axis=0) for path in strokes], axis=0)
    high = np.max([path.max(axis=0) for path in strokes], axis=0)
    fine = float(np.clip(round(_FINE_PX / (max(high[1] - low[1], high[0] - low[0]) + pen_px)), 2, 8))
    margin = 0.9 * pen_px + 1  # pressure makes strokes wider than the pen
    width, height = np.ceil(high - low + 2 * margin).astype(int)
    canvas = np.zeros((int(height * fine), int(width * fine)), np.uint8)
    for path in strokes:
        wide = np.maximum(np.round(pen_px * fine * _widths(rng, path, pen)), 1).astype(int)
        at = np.round((path - low + margin) * (fine * 2**_SHIFT)).astype(np.int32)
        _draw(canvas, at, wide)
    ink = cv2.resize(canvas, (int(width), int(height)), interpolation=cv2.INTER_AREA)
    if pen == "pencil":
        ink = cv2.multiply(ink, _grain_for(rng, ink.shape), scale=1 / 255)
    left, top, wide_px, high_px = cv2.boundingRect(ink)
    return cast(Image, np.ascontiguousarray(ink[top : top + high_px, left : left + wide_px]))


def _draw(canvas: Image, at: npt.NDArray[np.int32], wide: npt.NDArray[np.int64]) -> None:
    """The path in runs of equal width: OpenCV's lines have one width each."""
    if len(at) == 1:
        at, wide = np.repeat(at, 2, axis=0), np.repeat(wide, 2)
    ends = [*np.flatnonzero(np.diff(wide[:-1])), len(wide) - 2]
    first = 0
    for end in ends:
        cv2.polylines(canvas, [at[first : end + 2]], False, 255, int(wide[first]), cv2.LINE_8, _SHIFT)
        first = int(end) + 1


def _widths(rng: np.random.Generator, path: Points, pen: Pen) -> npt.NDArray[np.float64]:
    """Width at each sample of a path, 1 is the pen's own."""
    count = len(path)
    knots = np.linspace(0, count - 1, 4)
    widths = 1 + np.interp(np.arange(count), knots, rng.normal(0, _WIDTH_VARIES[pen], 4))
    if pen == "fountain" and count > 1:  # a broad nib: strokes along it are thin
        along = np.gradient(path, axis=0)
        angle = np.arctan2(along[:, 1], along[:, 0])
        widths *= 0.65 + 0.5 * np.abs(np.sin(angle + 0.6))
    if pen != "felt" and count > 8 and rng.random() < 0.5:  # the pen leaves the paper while it moves
        tail = min(count // 3, 10)
        widths[-tail:] *= np.linspace(1, rng.uniform(0.3, 0.9), tail)
    return cast("npt.NDArray[np.float64]", np.clip(widths, 0.3, 1.5))


def _grain_for(rng: np.random.Generator, shape: tuple[int, ...]) -> Image:
    grain = _grain()
    rows = (rng.integers(_GRAIN) + np.arange(shape[0])) % _GRAIN
    columns = (rng.integers(_GRAIN) + np.arange(shape[1])) % _GRAIN
    return cast(Image, grain[np.ix_(rows, columns)])


@functools.cache
def _grain() -> Image:
    """Paper's tooth under a pencil, (256, 256) uint8 from about 120 to 255: fine dots on slow change."""
    rng = np.random.default_rng(0)
    fine = cv2.GaussianBlur(
        rng.normal(0, 1, (_GRAIN, _GRAIN)).astype(np.float32), (0, 0), 0.7, borderType=cv2.BORDER_REFLECT
    )
    slow = cv2.GaussianBlur(
        rng.normal(0, 1, (_GRAIN, _GRAIN)).astype(np.float32), (0, 0), 5, borderType=cv2.BORDER_REFLECT
    )
    return cast(Image, np.clip(215 + 22 * fine / fine.std() + 22 * slow / slow.std(), 110, 255).astype(np.uint8))
