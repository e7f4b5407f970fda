"""What numbers are written on, and how a camera sees it: prints, ruled lines, noise, blur."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edge.values import Image

_HIGH, _WIDE = 112, 1024
_BANK = 160
_NOISES = 16


class Ground:
    """A seeded bank of papers, for drawing each anew would take longer than reading it.

    papers: (n, 112, 1024) uint8, the share of light (of 255) that the print absorbs; noises alike, 128 for none.
    """

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng((seed, 0x9A9E))
        self.papers = np.stack([_paper(rng, row) for row in range(_BANK)])
        self.noises = np.stack([_noise(rng, row) for row in range(_NOISES)])

    def lay(self, rng: np.random.Generator, ink: Image) -> Image:
        """A photograph (h, w) grey uint8 of soft ink (h, w) written on some paper."""
        height, width = ink.shape
        light = rng.uniform(110.0, 250.0)
        pen = rng.uniform(0.25, 0.95) if rng.random() < 0.75 else rng.uniform(0.12, 0.4)
        print_ = rng.uniform(0.05, 0.6) * pen if rng.random() < 0.75 else 0.0
        share = ink.astype(np.float32) * np.float32(pen / 255)
        if print_:
            paper = self._crop(rng, self.papers, height, width)
            share = 1.0 - (1.0 - share) * (1.0 - paper * np.float32(print_ / 255))
        if rng.random() < 0.5:
            share = _unevenly(rng, share)
        picture = np.float32(light) * (1.0 - share)
        noise = rng.uniform(0.0, 1.0) ** 2 * 0.14 * light * pen
        picture += (self._crop(rng, self.noises, height, width).astype(np.float32) - 128.0) * np.float32(noise / 40)
        if rng.random() < 0.6:
            picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 0.4 + 0.009 * height))
        grey = cv2.convertScaleAbs(np.maximum(picture, 0.0))
        if rng.random() < 0.25:
            quality = int(rng.integers(25, 90))
            _, code = cv2.imencode(".jpg", grey, (cv2.IMWRITE_JPEG_QUALITY, quality))
            grey = cv2.imdecode(code, cv2.IMREAD_GRAYSCALE)
        if rng.random() < 0.06:
            grey = cv2.bitwise_not(grey)
        return np.asarray(grey, np.uint8)

    def _crop(self, rng: np.random.Generator, bank: Image, height: int, width: int) -> Image:
        picture = bank[int(rng.integers(len(bank)))]
        if height > _HIGH or width > _WIDE:
            picture = cv2.resize(picture, (max(width, _WIDE), max(height, _HIGH)))
        top = int(rng.integers(picture.shape[0] - height + 1))
        left = int(rng.integers(picture.shape[1] - width + 1))
        return np.asarray(picture[top : top + height, left : left + width], np.uint8)


def _unevenly(rng: np.random.Generator, share: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Light that falls off across the picture, or the edge of a shadow."""
    height, width = share.shape
    slope = np.linspace(-0.5, 0.5, width, dtype=np.float32) * np.float32(rng.normal(0.0, 0.25))
    slope = slope + np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None] * np.float32(rng.normal(0.0, 0.2))
    if rng.random() < 0.1:  # soft, or what is left of its edge would stand there like a 1
        slope[:, int(rng.integers(width)) :] -= np.float32(rng.uniform(0.1, 0.4))
        slope = cv2.blur(slope, (2 * (height // 2) + 1, 3))
    lit = np.clip(1.0 + slope - slope.max(), 0.25, 1.0)
    dimmed: npt.NDArray[np.float32] = 1.0 - (1.0 - share) * lit
    return dimmed


def _paper(rng: np.random.Generator, row: int) -> Image:
    """One paper's print: guilloche of waves, hatching, dots, a texture, or nothing but fibres."""
    kind = row % 8
    picture = np.zeros((_HIGH, _WIDE), np.uint8)
    x = np.arange(-40, _WIDE + 40, 4, dtype=np.float64)
    if kind <= 3:  # waves, level or steep, one family or two that cross
        for _ in range(1 + row % 2):
            gap = rng.uniform(4.0, 14.0)
            tilt = rng.normal(0.0, 0.08 if kind < 2 else 0.5)
            wave, high = rng.uniform(40, 300), rng.uniform(0.0, 12.0)
            drift = rng.uniform(0.0, 0.4)
            reach = abs(tilt) * _WIDE + 40
            for number, start in enumerate(np.arange(-reach, _HIGH + reach, gap)):
                y = start + tilt * x + high * np.sin(x / wave * 2 * np.pi + drift * number)
                _draw(picture, x, y, 1, int(rng.uniform(140, 255)))
    elif kind == 4:  # circles of a rosette
        for _ in range(int(rng.integers(4, 12))):
            middle = rng.uniform(0, _WIDE), rng.uniform(-60, _HIGH + 60)
            for radius in np.arange(10, rng.uniform(60, 200), rng.uniform(4, 9)):
                cv2.circle(picture, (int(middle[0]), int(middle[1])), int(radius), 200, 1, cv2.LINE_AA)
    elif kind == 5:  # a fine grid of dots or squares
        step = int(rng.integers(4, 9))
        picture[::step, ::step] = 255
        picture = cv2.blur(picture, (2, 2))
    elif kind == 6:  # clouds, as of crumpled or stained paper
        small = rng.random((9, 80)).astype(np.float32)
        picture = cv2.convertScaleAbs(cv2.resize(small, (_WIDE, _HIGH), interpolation=cv2.INTER_CUBIC), alpha=160)
    fibre = cv2.GaussianBlur(rng.integers(0, 256, (_HIGH, _WIDE), dtype=np.uint8), (0, 0), rng.uniform(0.6, 1.5))
    return np.asarray(cv2.addWeighted(picture, 1.0, fibre, 0.25, -20), np.uint8)


def _noise(rng: np.random.Generator, row: int) -> Image:
    noise = rng.normal(0.0, 1.0, (_HIGH, _WIDE)).astype(np.float32)
    if row % 2:
        noise = cv2.GaussianBlur(noise, (0, 0), 0.4 + 0.05 * row)
        noise /= max(float(noise.std()), 1e-6)
    return np.asarray(np.clip(128 + 40 * noise, 0, 255), np.uint8)


def _draw(picture: Image, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], width: int, shade: int) -> None:
    points = np.rint(np.stack((x, y), axis=1) * 8).astype(np.int32)
    cv2.polylines(picture, [points[:, None]], False, shade, width, cv2.LINE_AA, 3)
