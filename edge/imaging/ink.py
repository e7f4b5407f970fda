"""From pixels to ink: even out the light, tell pen from paper, whichever of the two is the darker."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.errors import ShapeError
from edge.values import Image, Mask

# Darker than this the sensor gives noise, and dividing by it makes ink of nothing.
_DARKEST_PAPER = 24
# Ink absorbs at least this much of the light (of 255): paper's own fibres and creases take nearly as much.
FAINTEST = 10.0
# Noise is told from ink by its spread over the paper: of Gaussian noise 1 pixel in 4,000 lies beyond 3.5 deviations.
_NOISE_SIGMAS = 3.5
# However loud a place is, ink above this, of 255, is taken for a pen's.
LOUDEST = 60
# A tile's spread is judged by so many pixels across and down.
_TILE_SAMPLES = 24
# Which half is the writing shows as well on a small picture as on a large one.
_POLARITY_SIDE = 32
# Printed lines lie in the outer eighth of such a picture.
_PRINTED_MARGIN = 4
# Ink and paper lie this many deviations apart; light and shadow blend.
_TWO_TONES = 1.8
# Light writing stands out by at least this part of the mean brightness, or it is the unrest of a blank sheet.
_FAINT_LIGHT = 0.035


def to_grey(pixels: Image) -> Image:
    """(H, W) uint8 of (H, W) grey or (H, W, 3) BGR pixels. Raises ShapeError for anything else."""
    if pixels.dtype != np.uint8 or not pixels.size:
        raise ShapeError(f"pixels are uint8 and not empty, not {pixels.shape} {pixels.dtype}")
    if pixels.ndim == 2:
        return pixels
    if pixels.ndim == 3 and pixels.shape[2] == 3:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    raise ShapeError(f"pixels are (H, W) or (H, W, 3), not {pixels.shape}")


def lift_ink(grey: Image, *, reach_px: int) -> Image:
    """Soft ink (H, W) uint8: the share of light, 0 to 255, that dark marks on (H, W) grey paper absorb.

    The paper's own brightness is estimated by a closing that swallows strokes up to reach_px wide, done on a reduced
    picture, for light changes slowly; dividing by it takes out shadows and gradients.
    """
    height, width = grey.shape
    factor = max(1, min(reach_px // 6, min(height, width) // 8))
    small = grey
    if factor > 1:  # four times as quick where the picture is a multiple of it
        small = cv2.resize(grey, (max(1, width // factor), max(1, height // factor)), interpolation=cv2.INTER_AREA)
    side = max(3, (reach_px // factor) | 1)
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    paper = cv2.max(cv2.blur(paper, (3, 3)), _DARKEST_PAPER)
    if factor > 1:
        paper = cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.bitwise_not(cv2.divide(grey, paper, scale=255)), dtype=np.uint8)


def smaller(grey: Image, factor: int) -> Image:
    """The picture so many times smaller; what is left over at its right and bottom is cut off.

    Averaging whole squares is several times as fast as any other factor.
    """
    rows, columns = max(1, grey.shape[0] // factor), max(1, grey.shape[1] // factor)
    if factor == 1:
        return grey
    whole = grey[: rows * factor, : columns * factor]
    return np.asarray(cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)


def noise_floor(ink: Image) -> float:
    """The soft ink (0 to 255) above which a pixel of (H, W) ink is hardly noise; at least FAINTEST.

    Spread by the median of absolute deviations, which a page that is mostly paper leaves to the paper.
    """
    sample = ink[:: max(1, ink.shape[0] // 200), :: max(1, ink.shape[1] // 200)]
    middle = quantile(sample, 0.5)
    spread = 1.4826 * quantile(cv2.absdiff(sample, middle), 0.5)
    return max(FAINTEST, middle + _NOISE_SIGMAS * spread)


def noise_map(ink: Image, *, tile_px: int) -> Image:
    """The noise floor (H, W) uint8 of soft ink (H, W) by place: paper is calm where the wood beside it is not.

    As noise_floor, for tiles of about tile_px and smooth between them. At most LOUDEST, so that writing survives in a
    tile that is half table.
    """
    height, width = ink.shape
    rows, columns = max(1, round(height / tile_px)), max(1, round(width / tile_px))
    sample = cv2.resize(ink, (columns * _TILE_SAMPLES, rows * _TILE_SAMPLES), interpolation=cv2.INTER_NEAREST)
    tiles = sample.reshape(rows, _TILE_SAMPLES, columns, _TILE_SAMPLES).swapaxes(1, 2)
    values = tiles.reshape(rows * columns, -1).astype(np.intp)
    half = values.shape[1] // 2
    middle = (running_counts(values) > half).argmax(axis=1)
    spread = 1.4826 * (running_counts(np.abs(values - middle[:, None])) > half).argmax(axis=1)
    floor = np.clip(middle + _NOISE_SIGMAS * spread, FAINTEST, LOUDEST).astype(np.uint8)
    smooth: Image = cv2.resize(floor.reshape(rows, columns), (width, height), interpolation=cv2.INTER_LINEAR)
    return smooth


def running_counts(values: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.intp]:
    """How many of each row of (n, m) whole values 0 to 255 are at most 0, 1, ... 255: (n, 256).

    The value with so many others below it is the first whose count is larger; ranking takes twice as long or more.
    """
    rows = len(values)
    counts = np.bincount((values + 256 * np.arange(rows)[:, None]).ravel(), minlength=256 * rows)
    return np.asarray(np.cumsum(counts.reshape(rows, 256), axis=1), np.intp)


def quantile(values: npt.NDArray[Any], share: float) -> float:
    """The value below which this share, 0 to 1, of values lies (at least one).

    numpy's own takes ten times as long, and its median pulls in a package that costs a start 15 ms.
    """
    flat = values.ravel()
    place = int(share * (flat.size - 1))
    return float(np.partition(flat, place)[place])


def otsu(values: Image) -> float:
    """Otsu's threshold (1979) of uint8 values of any shape."""
    level, _ = cv2.threshold(values.reshape(1, -1), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return float(level)


def ink_mask(ink: Image, *, low: float | Image, high: float | Image) -> Mask:
    """(H, W) bool: blobs of soft ink above low that reach high somewhere (hysteresis, Canny 1986).

    low and high, 0 to 255, are the same everywhere or given by place, (H, W).
    """
    weak = (ink > low).view(np.uint8)
    count, labels = cv2.connectedComponents(weak, connectivity=8)
    if count <= 1:
        return np.zeros(ink.shape, np.bool_)
    strong = np.zeros(count, np.bool_)
    strong[labels[ink > high]] = True
    strong[0] = False
    mask: Mask = strong[labels]
    return mask


def is_light_on_dark(grey: Image) -> bool:
    """True if the writing on (H, W) grey, one digit or number, is lighter than its ground.

    Brightness alone cannot tell: a photo in the dusk is dark all over. Of the two halves (Otsu) the ground is the one
    in which a wider circle fits and which runs along the border. Where the halves blend, by a shadow or dirt, the
    middle is judged by itself, without the printed lines of the border; what hardly stands out is the unrest
    of paper, unless all is black.
    """
    shrink = _POLARITY_SIDE / min(grey.shape)
    if shrink != 1:
        shape = (max(1, round(grey.shape[1] * shrink)), max(1, round(grey.shape[0] * shrink)))
        grey = cv2.resize(grey, shape, interpolation=cv2.INTER_AREA if shrink < 1 else cv2.INTER_CUBIC)
    light, step, two_tones = _halves(grey)
    if not two_tones:
        light, step, _ = _halves(grey[_PRINTED_MARGIN:-_PRINTED_MARGIN, _PRINTED_MARGIN:-_PRINTED_MARGIN])
    mean = float(cv2.mean(grey)[0])
    if step <= _FAINT_LIGHT * mean:
        return mean < _DARKEST_PAPER
    widest = [cv2.minMaxLoc(cv2.distanceTransform(half.view(np.uint8), cv2.DIST_L2, 3))[1] for half in (light, ~light)]
    border = sum(np.count_nonzero(side) for side in (light[0], light[-1], light[:, 0], light[:, -1]))
    return math.log2(widest[0] / widest[1]) + 2 * border / (2 * sum(light.shape)) < 1.0


@lru_cache(maxsize=64)
def _places(length: int) -> tuple[npt.NDArray[np.float32], float]:
    """Places (length,) counted from their middle, and the sum of their squares, at least 1."""
    place = np.arange(length, dtype=np.float32) - np.float32((length - 1) / 2)
    return place, max(float(place @ place), 1.0)


def _halves(grey: Image) -> tuple[Mask, float, bool]:
    """The lighter half (Otsu) of (H, W) grey without its slope of light; by how much; whether each is of one tone."""
    level = grey.astype(np.float32)
    for axis in (0, 1):  # the least-squares plane, an axis at a time, for the grid is regular
        place, moment = _places(level.shape[axis])
        profile = cv2.reduce(level, 1 - axis, cv2.REDUCE_AVG).ravel()
        fall = float(profile @ place) / moment * place
        level -= fall[:, None] if axis == 0 else fall
    flat = cv2.normalize(level, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    light = flat > otsu(flat)
    (upper, upper_spread), (lower, lower_spread) = (
        (float(mean[0, 0]), float(spread[0, 0]))
        for mean, spread in (cv2.meanStdDev(level, mask=half.view(np.uint8)) for half in (light, ~light))
    )
    step = upper - lower if light.any() else 0.0
    return light, step, step > _TWO_TONES * (upper_spread + lower_spread)
