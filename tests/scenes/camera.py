"""The camera: where it stands, and what lens, sensor and file make of the scene."""

from __future__ import annotations

import cv2
import numpy as np

from edge.sources.writing import Matrix
from edge.values import Image
from tests.scenes.surfaces import Photo


def look(rng: np.random.Generator, size: tuple[int, int], aim: tuple[float, float], steep: bool) -> Matrix:
    """Sheet pixels to picture pixels: a pinhole camera over the sheet point `aim`, there one to one.

    The sheet lies turned by up to 15°, up to 45° if steep; the camera leans by up to 35°.
    """
    width, height = size
    focal = 1.15 * max(size)
    roll = np.deg2rad(rng.uniform(-45, 45) if steep else rng.normal(0, 6))
    lean = np.deg2rad(min(abs(rng.normal(0, 14)), 35))
    toward = rng.uniform(0, 2 * np.pi)
    axis = np.array([np.cos(toward), np.sin(toward), 0.0])
    rotation = cv2.Rodrigues(axis * lean)[0] @ cv2.Rodrigues(np.array([0.0, 0.0, roll]))[0]
    camera = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    shift = rng.uniform(-0.06, 0.06, 2) * size
    view = camera @ np.c_[rotation[:, 0], rotation[:, 1], [shift[0], shift[1], focal]]
    return np.asarray(view @ np.array([[1, 0, -aim[0]], [0, 1, -aim[1]], [0, 0, 1]]), np.float64)


def photograph(rng: np.random.Generator, scene: Photo, digit_px: float) -> Image:
    """The picture (H, W, 3) BGR uint8 that a camera takes of a scene: exposure, colour, blur, noise, JPEG.

    digit_px, the height of the digits, bounds the blur: what nobody can read is not asked for.
    """
    height, width = scene.shape[:2]
    sample = scene[::8, ::8].max(axis=2)
    # As phones do: a middling mean, with little burnt out; some pictures are taken in the dark.
    gain = min(rng.uniform(130, 200) / max(float(sample.mean()), 1.0), 250 / max(float(np.percentile(sample, 99)), 1.0))
    dark = rng.random() < 0.15
    photo = scene * np.float32(gain * (rng.uniform(0.35, 0.6) if dark else rng.uniform(0.85, 1.0)))
    warm = rng.normal(0, 0.06)
    photo *= np.array((1 - warm, 1 + rng.normal(0, 0.015), 1 + warm), np.float32)
    if rng.random() < 0.7:
        photo *= _vignette(rng, (height, width))[..., None]
    blur = min(rng.gamma(2.0, 0.35) * max(1.0, width / 1200), digit_px / 14)
    if blur > 0.25:
        photo = cv2.GaussianBlur(photo, (0, 0), blur)
    if rng.random() < 0.12:
        photo = cv2.filter2D(photo, -1, _shake(rng, min(digit_px / 6, 0.006 * width)))
    photo += _grain(rng, (height, width), rng.uniform(3, 9) if dark else rng.gamma(2.0, 1.2))
    curved = 255 * np.power(np.clip(photo, 0, 255) / 255, np.float32(np.exp(rng.normal(0, 0.15))))
    if rng.random() < 0.5:  # phones sharpen
        curved += rng.uniform(0.2, 0.8) * (curved - cv2.GaussianBlur(curved, (0, 0), 1.2))
    picture = np.clip(curved, 0, 255).astype(np.uint8)
    _, file = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(45, 96))))
    return np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR), np.uint8)


def _vignette(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    height, width = shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    return 1 - np.float32(rng.uniform(0.03, 0.3)) * (x * x + y * y) / 2


def _shake(rng: np.random.Generator, length_px: float) -> np.ndarray:
    """The path of a hand that moved, as a filter that sums to 1."""
    size = 2 * int(np.ceil(length_px)) + 1
    path = np.zeros((size, size), np.float32)
    angle = rng.uniform(0, np.pi)
    step = np.array([np.cos(angle), np.sin(angle)]) * length_px / 2
    start, end = (np.round((size // 2 + sign * step) * 16).astype(int).tolist() for sign in (-1, 1))
    cv2.line(path, tuple(start), tuple(end), 1.0, 1, cv2.LINE_AA, 4)
    path[size // 2, size // 2] = max(path[size // 2, size // 2], 0.5)
    return path / path.sum()


def _grain(rng: np.random.Generator, shape: tuple[int, int], sigma: float) -> np.ndarray:
    """Sensor noise (H, W, 3): brightness by pixel, colour in larger spots."""
    height, width = shape
    grey = rng.standard_normal(shape, np.float32)
    color = rng.standard_normal((max(2, height // 2), max(2, width // 2), 3), np.float32)
    spots = cv2.resize(color, (width, height), interpolation=cv2.INTER_LINEAR)
    noise = np.float32(sigma) * (grey[..., None] + 0.6 * spots)
    return noise if rng.random() < 0.6 else cv2.GaussianBlur(noise, (0, 0), 0.8) * 1.6
