"""From one line of writing to the strip tensor: the one place that makes what the number network reads.

Preparation "strip32/1": the line is made level and upright, its digits 23 of 32 rows high, its ink 0 paper to 255 ink;
the number network was trained on strips that went through this very code.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.errors import ShapeError
from edge.imaging.glyphs import find_blobs
from edge.imaging.ink import FAINTEST, ink_mask, is_light_on_dark, lift_ink, otsu, quantile
from edge.imaging.rules import drop_ruled_lines
from edge.values import Box, Image, Mask

# The tensor: so many rows, digits so high in them; columns come in multiples of a bucket, for a new width costs time.
ROWS = 32
BUCKET = 16
_DIGIT_ROWS = 23.0
PAD = 4
_MOST_COLUMNS = 2048
# Deviation, in rows, of the blur that ends it: a line's ragged edges say much of its paper and little of its digits,
# and the network is trained on strips that were stretched and bent, which softens them.
_SOFTNESS = 0.8
# Less is what the blur spreads beyond the ink.
_FAINT = 64
# The height that a line is brought to before its ink is found, and the most it may be wide then.
_LINE_PX = 64
_MOST_PX = 4096
# Low blobs on the border are rests of a ruled line or of writing above and below.
_BORDER_PART = 0.35
# Blobs smaller than this part of a digit are specks; those higher than this part of the tallest may be digits.
_SPECK_PART = 0.1
_DIGIT_PART = 0.36
# Lower ones that begin further than this above or below the middle of the line, in digits, are rests of what is printed
# or written there; a comma begins above that, and the loose bar of a 5 ends below it.
_ABOVE, _BELOW = 0.6, 0.5
# Handwriting leans between these, in columns a row, to the right if positive.
_SLANTS = np.arange(-0.3, 0.91, 0.075)
_STEEPEST = 0.35


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StripInk:
    """The ink of one line of writing, and how it lies: what every view of it is made from.

    ink: (h, w) uint8 soft ink, 0 paper to 255 ink, nothing but the writing. digit_px: the height of a digit in it.
    level: 2×3, from ink pixels (x, y) to upright ones, whose row 0 is the middle of the line and column 0 its left
    end; width_px: where it ends. scale: rows of the tensor per pixel. to_image: 2×3, from ink pixels to those of the
    image given, which is (height, width).
    """

    ink: Image
    digit_px: float
    width_px: float
    scale: float
    level: npt.NDArray[np.float64]
    to_image: npt.NDArray[np.float64]
    height: int
    width: int

    @property
    def empty(self) -> bool:
        """True if nothing is written."""
        return self.width_px <= 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StripTensor:
    """What the number network reads: values (32, W, 1) uint8, 0 paper to 255 ink, W a multiple of 16.

    to_image: 2×3, from its pixels (column, row) to pixels (x, y) of the image given, which is (height, width).
    """

    values: Image
    to_image: npt.NDArray[np.float64]
    height: int
    width: int

    def box(self, left: float, right: float) -> Box:
        """The upright box, in pixels of the image given, around the ink in columns left to right (exclusive)."""
        first = min(max(0, int(left)), self.values.shape[1] - 1)
        last = min(max(first + 1, int(np.ceil(right))), self.values.shape[1])
        x, y, wide, high = cv2.boundingRect(cv2.inRange(self.values[:, first:last, 0], _FAINT, 255))
        if not wide:
            x, y, wide, high = 0, 0, last - first, ROWS
        x += first
        # The corners of the writing's parallelogram; one pixel's middle lies half a pixel from its edge.
        corners = np.array([[u - 0.5, v - 0.5, 1.0] for u in (x, x + wide) for v in (y, y + high)])
        across, down = self.to_image @ corners.T + 0.5
        x0, y0 = max(0, int(across.min())), max(0, int(down.min()))
        x0, y0 = min(x0, self.width - 1), min(y0, self.height - 1)
        x1 = min(self.width, int(np.ceil(across.max())))
        y1 = min(self.height, int(np.ceil(down.max())))
        return Box(left=x0, top=y0, right=max(x0 + 1, x1), bottom=max(y0 + 1, y1))


def strip_ink(grey: Image, *, light_on_dark: bool | None = None) -> StripInk:
    """The StripInk of an image (H, W) grey uint8 that holds one line of writing.

    light_on_dark: whether the writing is the lighter; None looks. Raises ShapeError if grey is not such an image.
    """
    _check(grey)
    if is_light_on_dark(grey) if light_on_dark is None else light_on_dark:
        grey = cv2.bitwise_not(grey)
    ink = lift_ink(cv2.GaussianBlur(_resized(grey), (3, 3), 0), reach_px=_LINE_PX // 3)
    # Not the noise floor of a page: between the lines of a cheque's or a note's print lies little paper.
    level = max(otsu(ink), FAINTEST)
    mask = ink_mask(ink, low=0.85 * level, high=1.25 * level)
    mask = drop_ruled_lines(mask, writing_px=_LINE_PX / 2)
    return _placed(ink, mask, grey.shape, border=True)


def strip_of_ink(ink: Image) -> StripInk:
    """The StripInk of soft ink (h, w) uint8 that was lifted before, of one line and nothing else. Raises ShapeError."""
    _check(ink)
    soft = _resized(ink)
    level = max(otsu(soft), 1.0)
    return _placed(soft, ink_mask(soft, low=0.7 * level, high=level), ink.shape, border=False)


def strip_tensor(strip: StripInk, *, width: float = 1.0, height: float = 1.0) -> StripTensor:
    """The strip as the network reads it; width and height stretch it, for another view of the same ink."""
    across, down = strip.scale * width, strip.scale * height
    columns = strip.width_px * across + 2 * PAD
    if columns > _MOST_COLUMNS:
        across *= (_MOST_COLUMNS - 2 * PAD) / (strip.width_px * across)
        columns = _MOST_COLUMNS
    columns = BUCKET * max(2, int(np.ceil(columns / BUCKET)))
    matrix = np.diag((across, down)) @ strip.level
    matrix[:, 2] += (PAD, (ROWS - 1) / 2)
    values = cv2.warpAffine(strip.ink, matrix, (columns, ROWS), flags=cv2.INTER_LINEAR)
    values = cv2.GaussianBlur(values, (5, 5), _SOFTNESS)
    back = np.vstack((cv2.invertAffineTransform(matrix), (0.0, 0.0, 1.0)))
    return StripTensor(
        values=values[:, :, None], to_image=strip.to_image @ back, height=strip.height, width=strip.width
    )


def _check(pixels: Image) -> None:
    if pixels.ndim != 2 or pixels.dtype != np.uint8 or not pixels.size:
        raise ShapeError(f"a line is (H, W) uint8 and not empty, not {pixels.shape} {pixels.dtype}")


def _resized(pixels: Image) -> Image:
    """The line 64 pixels high; a very long one is squeezed."""
    height, width = pixels.shape
    scale = _LINE_PX / height
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, (max(1, min(round(width * scale), _MOST_PX)), _LINE_PX), interpolation=how))


def _placed(ink: Image, mask: Mask, shape: tuple[int, ...], *, border: bool) -> StripInk:
    """The StripInk of the ink under a mask, both (64, w); border: low blobs that touch the border go."""
    rows, columns = mask.shape
    down, across = shape[0] / rows, shape[1] / columns
    to_image = np.array([[across, 0.0, (across - 1) / 2], [0.0, down, (down - 1) / 2]])
    blobs = find_blobs(mask)
    left, top, right, bottom = blobs.boxes.T.astype(np.float64)
    wide, high = right - left, bottom - top
    keep = np.ones(len(left), np.bool_)
    if border:
        touches = (left == 0) | (top == 0) | (left + wide >= columns) | (top + high >= rows)
        keep = ~(touches & (high < _BORDER_PART * rows))
    if keep.any():
        keep &= np.maximum(wide, high) >= _SPECK_PART * high[keep].max()
        keep &= blobs.areas > 4
    if not keep.any():
        nothing = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, -rows / 2]])
        return StripInk(
            ink=np.zeros(ink.shape, np.uint8),
            digit_px=float(rows),
            width_px=0.0,
            scale=_DIGIT_ROWS / rows,
            level=nothing,
            to_image=to_image,
            height=shape[0],
            width=shape[1],
        )
    digit = keep & (high >= _DIGIT_PART * high[keep].max())
    digit_px = _weighted_median(high[digit], wide[digit])
    slope, offset = _line(blobs.centers[digit], wide[digit], digit_px)
    from_line = top - (offset + slope * (left + wide / 2))
    keep &= digit | ((from_line + high >= -_ABOVE * digit_px) & (from_line <= _BELOW * digit_px))
    mask = _of(blobs.labels, keep)
    found_y, found_x = np.nonzero(mask)
    x = found_x.astype(np.float64)
    y = found_y - (offset + slope * x)
    slant = _slant(x, y)
    x = x + slant * y
    scale, shift = _fitted(y[_of(blobs.labels, digit)[found_y, found_x]], digit_px)
    start, end = float(x.min()), float(x.max())
    soft = np.where(cv2.dilate(mask.view(np.uint8), np.ones((3, 3), np.uint8)), ink, 0).astype(np.uint8)
    full = quantile(soft[mask], 0.85)
    level = np.array(
        [[1.0 - slant * slope, slant, -slant * offset - start], [-slope, 1.0, -offset - shift]], dtype=np.float64
    )
    return StripInk(
        ink=cv2.convertScaleAbs(soft, alpha=255 / max(full, 1.0)),
        digit_px=digit_px,
        width_px=end - start + 1.0,
        scale=scale,
        level=level,
        to_image=to_image,
        height=shape[0],
        width=shape[1],
    )


def _of(labels: npt.NDArray[np.int32], which: Mask) -> Mask:
    """(h, w) bool: the pixels of those components, numbered from 1, that are chosen in which (n,)."""
    mask: Mask = np.concatenate(((False,), which))[labels]
    return mask


def _fitted(y: npt.NDArray[np.float64], digit_px: float) -> tuple[float, float]:
    """Rows of the tensor per pixel, and the y that becomes its middle row, for digits with ink at rows y of the line.

    A tall first digit over small zeros: all must fit, at the price of still smaller zeros.
    """
    above, below = quantile(y, 0.003), quantile(y, 0.997)
    scale = _DIGIT_ROWS / digit_px
    scale = max(min(scale, (ROWS - 2) / (below - above + 1)), 0.7 * scale)
    room = (ROWS - 1) / 2 / scale
    if below > room:
        return scale, min(max(0.0, below - room), max(above + room, below - room))
    return scale, min(0.0, above + room)


def _weighted_median(values: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> float:
    """The value that half the weight lies below: joined digits are one wide blob and count as several."""
    order = np.argsort(values, kind="stable")
    heap = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(heap, 0.5 * heap[-1])])


def _line(centers: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], digit_px: float) -> tuple[float, float]:
    """Slope, in rows a column, and row at column 0 of the line through blobs' centres (n, 2), n at least 1.

    Least squares with the slope held towards level (ridge), for two or three digits of unlike height say little.
    """
    x, y = centers.T
    middle, height = float(x @ weights / weights.sum()), float(y @ weights / weights.sum())
    x, y, weights = x - middle, y - height, weights / digit_px
    slope = float((x * y) @ weights) / (float((x * x) @ weights) + 2.0 * digit_px**2)
    slope = min(max(slope, -_STEEPEST), _STEEPEST)
    return slope, height - slope * middle


def _slant(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> float:
    """Columns a row that the ink at (x, y) leans: where its projection on columns, squared, is greatest.

    After Vinciarelli and Luettin (2001), on a sample of the pixels.
    """
    step = max(1, len(x) // 2000)
    x, y = x[::step], y[::step]
    places = np.rint(x + _SLANTS[:, None] * y).astype(np.int64)
    places -= places.min()
    width = int(places.max()) + 1
    places += width * np.arange(len(_SLANTS))[:, None]
    counts = np.bincount(places.ravel(), minlength=width * len(_SLANTS)).reshape(len(_SLANTS), width)
    # Upright writing keeps its slant: a small pull to 0 decides where the profile is flat, as for a 0 alone.
    score = (counts.astype(np.float64) ** 2).sum(axis=1) * (1.0 - 0.04 * np.abs(_SLANTS))
    return float(_SLANTS[int(score.argmax())])
