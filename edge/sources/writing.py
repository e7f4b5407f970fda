"""Numbers written on the simulated sheet: real digits set side by side, scaled, tilted, seen in perspective."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt

from edge.sources.digits import load_digits
from edge.values import Box, Image

Points: TypeAlias = npt.NDArray[np.float64]  # (n, 2) as x, y
Matrix: TypeAlias = npt.NDArray[np.float64]  # (3, 3)

GAP_OF_HEIGHT = (0.14, 0.4)  # ink to ink inside a number, so that its digits never touch
GAP_MIN_PX = 3.0
OWN_TILT_DEG = 3.0  # how much a line may lean away from its sheet
_CLEAR_ACROSS, _CLEAR_DOWN = 1.5, 0.7  # free space around a number, in heights: two numbers are never one
_MARGIN_PX = 8  # to the edge of sheet and picture
_FINE = 6  # digits are smoothed at this many times their 28 pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenNumber:
    """The truth about one number: text, corners (top left first, clockwise) and box in picture pixels, height."""

    text: str
    quad: tuple[tuple[float, float], ...]
    box: Box
    height_px: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRanges:
    """What is drawn at random about numbers; each pair is (least, most)."""

    numbers: tuple[int, int] = (1, 4)
    digits: tuple[int, int] = (1, 6)
    height_px: tuple[float, float] = (18.0, 80.0)


def write_numbers(
    rng: np.random.Generator, ranges: NumberRanges, view: Matrix, sheet: Points, size: tuple[int, int]
) -> tuple[Image, tuple[WrittenNumber, ...]]:
    """Ink (H, W) uint8 of 1 to n numbers on a sheet, and the truth about them, top to bottom.

    view maps sheet coordinates to picture pixels, sheet (4, 2) are the sheet's corners in the picture, size (width,
    height) is the picture's. A number that finds no room is drawn anew, smaller and shorter with every try.
    """
    width, height = size
    ink = np.zeros((height, width), np.uint8)
    taken: list[Points] = []
    written: list[WrittenNumber] = []
    for _ in range(rng.integers(ranges.numbers[0], ranges.numbers[1] + 1)):
        for attempt in range(30):
            crowded = attempt / 30
            most = round(ranges.digits[1] - crowded * (ranges.digits[1] - 1))
            tallest = ranges.height_px[1] - crowded * (ranges.height_px[1] - ranges.height_px[0])
            count, height_px = int(rng.integers(ranges.digits[0], most + 1)), rng.uniform(ranges.height_px[0], tallest)
            strip, text = _strip(rng, count, height_px, ranges.height_px[0])
            to_picture = _place(rng, strip.shape, view, size)
            quad, room = _outline(strip.shape, to_picture), _outline(strip.shape, to_picture, clear=True)
            if not _inside(quad, sheet, size) or any(_overlap(room, other) or _overlap(quad, other) for other in taken):
                continue
            layer = cv2.warpPerspective(strip, to_picture, size, flags=cv2.INTER_CUBIC)
            ink = cast(Image, np.maximum(ink, layer))
            taken.append(room)
            written.append(_truth(text, quad))
            break
    if not written:  # a sheet too small for any of it; cannot happen with the desk's own ranges
        raise ValueError("no number fits on the sheet")
    return ink, tuple(sorted(written, key=lambda number: (number.box.top, number.box.left)))


def rewrite_number(
    rng: np.random.Generator,
    ranges: NumberRanges,
    number: WrittenNumber,
    others: Sequence[WrittenNumber],
    sheet: Points,
    size: tuple[int, int],
) -> tuple[Image, WrittenNumber] | None:
    """Ink (H, W) uint8 and truth of another number in the place of this one, as high as it; None if there is no room.

    Mostly of as many digits. Clear of the others as write_numbers keeps them.
    """
    rooms = [_around(np.array(other.quad), other.height_px) for other in others]
    corners = np.array(number.quad)
    height = number.height_px
    width = float(np.linalg.norm(corners[1] - corners[0]) + np.linalg.norm(corners[2] - corners[3])) / 2
    rectangle = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    to_place = cv2.getPerspectiveTransform(rectangle, corners.astype(np.float32))
    for _ in range(30):
        count = len(number.text) if rng.random() < 0.7 else int(rng.integers(ranges.digits[0], ranges.digits[1] + 1))
        strip, text = _strip(rng, count, height, ranges.height_px[0])
        if text == number.text:
            continue
        shift = np.array([[1, 0, (width - strip.shape[1]) / 2], [0, 1, (height - strip.shape[0]) / 2], [0, 0, 1]])
        to_picture = to_place @ shift
        quad, room = _outline(strip.shape, to_picture), _outline(strip.shape, to_picture, clear=True)
        if _inside(quad, sheet, size) and not any(_overlap(room, other) for other in rooms):
            ink = cast(Image, cv2.warpPerspective(strip, to_picture, size, flags=cv2.INTER_CUBIC))
            return ink, _truth(text, quad)
    return None


def _strip(rng: np.random.Generator, count: int, height: float, least_px: float) -> tuple[Image, str]:
    """Ink of `count` digits in a row, (h, w) uint8 without margin, the tallest digit as high as h; and their text.

    No digit is less high than least_px.
    """
    images, labels = load_digits()
    picked = rng.integers(0, len(images), count)
    inks: list[Image] = []
    for index in picked:
        part = max(least_px / height, rng.uniform(0.88, 1.0)) if inks else 1.0
        inks.append(_pen_stroke(images[index], round(height * part)))
    gaps = [round(max(GAP_MIN_PX, height * rng.uniform(*GAP_OF_HEIGHT))) for _ in inks]
    strip = np.zeros((round(height), sum(ink.shape[1] for ink in inks) + sum(gaps[1:])), np.uint8)
    left = 0
    for place, (ink, gap) in enumerate(zip(inks, gaps, strict=True)):
        left += gap if place else 0
        top = int(rng.integers(0, strip.shape[0] - ink.shape[0] + 1))
        strip[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
        left += ink.shape[1]
    return strip, "".join(str(labels[index]) for index in picked)


def _pen_stroke(image: Image, height: int) -> Image:
    """A 28×28 digit cut to its ink and scaled to `height`, with the crisp edges of a pen instead of 28 pixels' blur."""
    fine = cv2.resize(image, None, fx=_FINE, fy=_FINE, interpolation=cv2.INTER_CUBIC)
    fine = cv2.GaussianBlur(fine, (0, 0), _FINE / 2.5)
    edge = np.clip((fine.astype(np.float32) - 70) / 70, 0, 1)  # 70 to 140 of 255: strokes keep their MNIST width
    ink = (255 * edge * edge * (3 - 2 * edge)).astype(np.uint8)
    left, top, width, tall = cv2.boundingRect(ink)
    size = (max(2, round(width * height / tall)), height)
    return cast(Image, cv2.resize(ink[top : top + tall, left : left + width], size, interpolation=cv2.INTER_AREA))


def _place(rng: np.random.Generator, shape: tuple[int, ...], view: Matrix, size: tuple[int, int]) -> Matrix:
    """Strip pixels to picture pixels: somewhere in the picture, leaning a little, as large there as the strip is."""
    center = np.array([rng.uniform(0, size[0]), rng.uniform(0, size[1])])
    on_sheet = project(cast(Matrix, np.linalg.inv(view)), center[None])[0]
    # How much larger the view makes things right here: the square root of its Jacobian's determinant.
    around = on_sheet + np.array([[0.5, 0], [-0.5, 0], [0, 0.5], [0, -0.5]])
    step = project(view, around.astype(np.float64))
    across, down = step[0] - step[1], step[2] - step[3]
    scale = 1 / np.sqrt(abs(across[0] * down[1] - across[1] * down[0]))
    lean = np.deg2rad(rng.uniform(-OWN_TILT_DEG, OWN_TILT_DEG))
    cos, sin = scale * np.cos(lean), scale * np.sin(lean)
    height, width = shape
    turn = np.array([[cos, -sin, on_sheet[0]], [sin, cos, on_sheet[1]], [0, 0, 1]])
    return cast(Matrix, view @ turn @ np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]]))


def _outline(shape: tuple[int, ...], to_picture: Matrix, *, clear: bool = False) -> Points:
    height, width = shape
    across, down = (_CLEAR_ACROSS * height, _CLEAR_DOWN * height) if clear else (0.0, 0.0)
    left, top, right, bottom = -across, -down, width + across, height + down
    return project(to_picture, np.array([[left, top], [right, top], [right, bottom], [left, bottom]]))


def project(matrix: Matrix, points: Points) -> Points:
    """Points (n, 2) through a homography (3, 3)."""
    mapped = np.c_[points, np.ones(len(points))] @ matrix.T
    return cast(Points, mapped[:, :2] / mapped[:, 2:])


def _inside(quad: Points, sheet: Points, size: tuple[int, int]) -> bool:
    limit = np.array(size) - _MARGIN_PX
    if (quad < _MARGIN_PX).any() or (quad > limit).any():
        return False
    corners = sheet.astype(np.float32)
    return all(cv2.pointPolygonTest(corners, (float(x), float(y)), True) > _MARGIN_PX for x, y in quad)


def _around(quad: Points, height_px: float) -> Points:
    """The quad of a number with half of the clear space around it."""
    middle = quad.mean(axis=0)
    reach = np.abs(quad - middle).max(axis=0)
    larger = 1 + np.array([_CLEAR_ACROSS, _CLEAR_DOWN]) / 2 * height_px / reach
    return cast(Points, middle + (quad - middle) * larger)


def _overlap(one: Points, other: Points) -> bool:
    area, _ = cv2.intersectConvexConvex(one.astype(np.float32), other.astype(np.float32))
    return area > 0


def _truth(text: str, quad: Points) -> WrittenNumber:
    (left, top), (right, bottom) = np.floor(quad.min(axis=0)), np.ceil(quad.max(axis=0))
    return WrittenNumber(
        text=text,
        quad=tuple((float(x), float(y)) for x, y in quad),
        box=Box(left=int(left), top=int(top), right=int(right), bottom=int(bottom)),
        height_px=float(np.linalg.norm(quad[3] - quad[0]) + np.linalg.norm(quad[2] - quad[1])) / 2,
    )
