"""What a sheet lies on: wood, leather, cloth, stone, carpet, keys, tiles, a dark shining table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from edge.values import Image

Photo: TypeAlias = npt.NDArray[np.float32]  # (H, W, 3) BGR, 0 to 255
Field: TypeAlias = npt.NDArray[np.float32]  # (H, W)
Surface: TypeAlias = Callable[[np.random.Generator, tuple[int, int]], Photo]


def cloud(rng: np.random.Generator, shape: tuple[int, int], coarse_px: float, octaves: int = 4) -> Field:
    """Fractal noise (H, W), mean about 0, deviation about 1: normals at `coarse_px` and finer, each half as strong."""
    height, width = shape
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        step = max(1.0, coarse_px / 2**octave)
        cells = (max(2, round(height / step) + 1), max(2, round(width / step) + 1))
        grid = rng.normal(0, 0.5**octave, cells).astype(np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    return total


def _tinted(value: Field, color: tuple[float, float, float], rng: np.random.Generator) -> Photo:
    shade = np.array(color, np.float32) * np.float32(rng.uniform(0.75, 1.25))
    return np.asarray(np.clip(shade * value[..., None], 0, 255), np.float32)


def wood(rng: np.random.Generator, shape: tuple[int, int]) -> Photo:
    """Planks with grain along them."""
    height, width = shape
    color = ((62, 92, 135), (45, 62, 92), (88, 128, 172), (110, 150, 185), (30, 38, 56))[rng.integers(5)]
    along = cloud(rng, (height, max(2, width // 24)), 6, 3)
    grain = cv2.resize(along, (width, height), interpolation=cv2.INTER_CUBIC)
    rows = np.arange(height, dtype=np.float32)[:, None] + 8 * cloud(rng, shape, width / 3, 2)
    rings = np.sin(rows / np.float32(rng.uniform(3, 9)) + 2 * cloud(rng, shape, width / 2, 2))
    value = 1 + 0.07 * grain + 0.06 * rings + 0.02 * rng.normal(0, 1, shape).astype(np.float32)
    if rng.random() < 0.5:
        plank = rng.uniform(0.15, 0.4) * height
        for y in np.arange(rng.uniform(0, plank), height, plank):
            value[int(y) : int(y) + max(1, height // 300)] *= 0.45
            value[int(y) :] *= np.float32(rng.uniform(0.9, 1.1))
    return _turned(_tinted(value.astype(np.float32), color, rng), rng)


def leather(rng: np.random.Generator, shape: tuple[int, int]) -> Photo:
    """Grained leather: cells with dark creases and a soft shine."""
    height, width = shape
    pitch = rng.uniform(5, 12) * width / 900
    seeds = np.full(shape, 255, np.uint8)
    count = int(height * width / pitch**2)
    seeds[rng.integers(0, height, count), rng.integers(0, width, count)] = 0
    far = cv2.distanceTransform(seeds, cv2.DIST_L2, 5)
    relief = cv2.GaussianBlur(np.minimum(far / pitch, 1.2).astype(np.float32), (0, 0), 0.8)
    lit = cv2.Sobel(relief, cv2.CV_32F, 1, 1, ksize=3)
    value = 1.05 - 0.45 * relief**2 + 0.35 * lit + 0.08 * cloud(rng, shape, width / 4)
    color = ((38, 44, 62), (30, 30, 34), (36, 58, 98), (60, 66, 78))[rng.integers(4)]
    return _tinted(np.maximum(value, 0.2).astype(np.float32), color, rng)


def cloth(rng: np.random.Generator, shape: tuple[int, int]) -> Photo:
    """A weave with folds, plain or in checks."""
    height, width = shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    thread = np.float32(rng.uniform(1.6, 4.0) * max(1.0, width / 900))
    x, y = x + 3 * cloud(rng, shape, width / 6, 2), y + 3 * cloud(rng, shape, width / 6, 2)
    weave = np.sin(2 * np.pi * x / thread / 2) * np.sin(2 * np.pi * y / thread / 2)
    value = 1 + 0.12 * weave + 0.16 * cloud(rng, shape, width / 2.5, 3)
    color = ((90, 70, 60), (60, 60, 140), (120, 125, 130), (70, 105, 70), (180, 185, 190))[rng.integers(5)]
    photo = _tinted(np.maximum(value, 0.1).astype(np.float32), color, rng)
    if rng.random() < 0.4:
        check = np.float32(rng.uniform(0.06, 0.16) * width)
        stripes = (np.mod(x, check) < check * 0.35).astype(np.float32) + (np.mod(y, check) < check * 0.35)
        photo *= (1 - 0.25 * stripes)[..., None]
    return _turned(photo, rng)


def carpet(rng: np.random.Generator, shape: tuple[int, int]) -> Photo:
    """Short rough pile, in two colours that mix."""
    pile = cv2.GaussianBlur(rng.normal(0, 1, shape).astype(np.float32), (0, 0), 1.1 * max(1.0, shape[1] / 900)) * 3
    value = 1 + 0.16 * pile + 0.12 * cloud(rng, shape, shape[1] / 5)
    photo = _tinted(
        np.maximum(value, 0.1).astype(np.float32), ((80, 84, 92), (70, 62, 58), (60, 78, 110))[rng.integers(3)], rng
    )
    photo *= 1 + 0.15 * np.sign(cloud(rng, shape, shape[1] / 14, 3))[..., None]
    return photo


def stone(rng: np.random.Generator, shape: tuple[int, int]) -> Photo:
    """Marble with veins, or a speckled worktop."""
    veins = np.abs(cloud(rng, shape, shape[1] / 2.5, 5))
    value = 1 - 0.3 * np.exp(-(veins**2) / 0.006) + 0.05 * cloud(rng, shape, shape[1] / 3)
    if rng.random() < 0.5:
        value += 0.18 * (cloud(rng, shape, 5, 2) > 1.3) - 0.22 * (cloud(rng, shape, 5, 2) > 1.4)
    color = ((205, 208, 210), (95, 98, 100), (150, 160, 170))[rng.integers(3)]
    return _tinted(np.maximum(value, 0.1).astype(np.float32), color, rng)


def table(rng: np.random.Generator, shape: tuple[int, int]) -> Photo:
    """A plain table top, often dark, with a blurred reflection of a window or lamp."""
    height, width = shape
    color = ((32, 32, 34), (60, 52, 46), (190, 192, 195), (120, 118, 116), (50, 60, 80))[rng.integers(5)]
    photo = _tinted(1 + 0.03 * cloud(rng, shape, width / 3), color, rng)
    shine = np.zeros(shape, np.float32)
    center = rng.uniform((0, 0), (width, height))
    half = rng.uniform(0.08, 0.3, 2) * width
    cv2.ellipse(shine, (tuple(center), tuple(2 * half), float(rng.uniform(0, 180))), 1.0, -1)
    shine = cv2.GaussianBlur(shine, (0, 0), width / 22)
    return np.asarray(photo + rng.uniform(10, 90) * shine[..., None], np.float32)


def keys(rng: np.random.Generator, shape: tuple[int, int]) -> Photo:
    """The keys of a keyboard, some with a letter on them."""
    height, width = shape
    photo = np.full((height, width, 3), rng.integers(18, 60), np.uint8)
    pitch = rng.uniform(0.07, 0.12) * width
    dark = rng.random() < 0.6
    face = rng.uniform(35, 60) if dark else rng.uniform(170, 220)
    for row, top in enumerate(np.arange(-pitch, height, pitch)):
        for left in np.arange(-pitch * (1 + 0.3 * (row % 4)), width, pitch):
            x, y = left + 0.06 * pitch, top + 0.06 * pitch
            _key(photo, (x, y), 0.86 * pitch, face)
            letter = "ABEFHKLMNPRTWXYVCDGQJU"[rng.integers(22)]
            spot = (round(x + 0.2 * pitch), round(y + 0.5 * pitch))
            paint, thick = (215.0,) * 3 if dark else (40.0,) * 3, max(1, int(pitch / 50))
            cv2.putText(photo, letter, spot, cv2.FONT_HERSHEY_SIMPLEX, pitch / 90, paint, thick, cv2.LINE_AA)
    return _turned(photo.astype(np.float32), rng)


def _key(photo: Image, corner: tuple[float, float], size: float, face: float) -> None:
    left, top = round(corner[0]), round(corner[1])
    right, bottom = left + round(size), top + round(size)
    cv2.rectangle(photo, (left, top), (right, bottom), (face * 0.6,) * 3, -1, cv2.LINE_AA)
    side, low = round(size * 0.07), round(size * 0.14)
    cv2.rectangle(photo, (left + side, top + side // 2), (right - side, bottom - low), (face,) * 3, -1, cv2.LINE_AA)


def tiles(rng: np.random.Generator, shape: tuple[int, int]) -> Photo:
    """Tiles with joints, each a little different."""
    height, width = shape
    value = 1 + 0.03 * cloud(rng, shape, width / 3)
    pitch = int(rng.uniform(0.12, 0.3) * width)
    for top in range(0, height, pitch):
        for left in range(0, width, pitch):
            value[top : top + pitch, left : left + pitch] *= np.float32(rng.normal(1, 0.04))
    joint = max(2, width // 160)
    for offset in range(joint):
        value[offset::pitch] *= 0.6
        value[:, offset::pitch] *= 0.6
    return _turned(_tinted(value, ((185, 190, 195), (90, 105, 130), (140, 150, 150))[rng.integers(3)], rng), rng)


def _turned(photo: Photo, rng: np.random.Generator) -> Photo:
    """The surface turned at random about its middle."""
    height, width = photo.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), float(rng.uniform(0, 180)), float(rng.uniform(1.0, 1.6)))
    return np.asarray(cv2.warpAffine(photo, turn, (width, height), borderMode=cv2.BORDER_REFLECT), np.float32)


SURFACES: tuple[Surface, ...] = (wood, wood, leather, cloth, carpet, stone, table, table, keys, tiles)


def background(rng: np.random.Generator, shape: tuple[int, int]) -> Photo:
    """A surface, in some pictures with its edge and another one beyond."""
    photo = SURFACES[rng.integers(len(SURFACES))](rng, shape)
    if rng.random() < 0.3:
        other = SURFACES[rng.integers(len(SURFACES))](rng, shape)
        height, width = shape
        angle = rng.uniform(0, 2 * np.pi)
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        reach = rng.uniform(0.25, 0.45) * max(height, width)
        far = (x - width / 2) * np.cos(angle) + (y - height / 2) * np.sin(angle) - reach
        beyond = np.clip(far + 0.5, 0, 1)[..., None].astype(np.float32)
        photo = photo * (1 - beyond) + other * 0.6 * beyond
        photo *= (1 - 0.35 * np.exp(-np.abs(far - 6) / 9))[..., None].astype(np.float32)
    return np.asarray(photo, np.float32)
