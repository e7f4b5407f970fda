"""What lies about on the simulated desk: ruled lines on the sheet, a pen, a hand."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from edge.sources.writing import Matrix, Points, project
from edge.values import Image

Scene: TypeAlias = npt.NDArray[np.float32]  # (H, W, 3) BGR, 0 to 255
_SUBPIXEL = 4  # bits of fraction OpenCV's drawing takes


def rule_sheet(rng: np.random.Generator, scene: Scene, view: Matrix, half_size: tuple[float, float]) -> None:
    """Print ruled or squared lines on the sheet, in place; 15 to 50 of 255 darker than paper, 20 to 44 px apart."""
    mask = np.zeros(scene.shape[:2], np.uint8)
    pitch = rng.uniform(20, 44)
    half_width, half_height = half_size
    ends = [((-half_width, y), (half_width, y)) for y in np.arange(-half_height + pitch, half_height, pitch)]
    if rng.random() < 0.4:
        ends += [((x, -half_height), (x, half_height)) for x in np.arange(-half_width + pitch, half_width, pitch)]
    for start, end in ends:
        _line(mask, project(view, np.array([start, end])))
    depth = rng.uniform(15, 50) * np.array([0.7, 0.95, 1.2], np.float32)  # bluish, as printed
    scene -= mask[..., None] / np.float32(255) * depth


def lay_pen(rng: np.random.Generator, scene: Scene, taken: Image) -> None:
    """Lay a pen where nothing is written (taken (H, W) uint8 is 0 there), in place; none if there is no room."""
    height, width = taken.shape
    length, thick = rng.uniform(0.35, 0.55) * width, rng.uniform(10, 16)
    for _ in range(40):
        center, angle = rng.uniform((0, 0), (width, height)), rng.uniform(0, np.pi)
        along = np.array([np.cos(angle), np.sin(angle)])
        across = np.array([-along[1], along[0]]) * thick / 2
        tip, end = center - along * length / 2, center + along * length / 2
        neck = tip + along * thick * 1.6
        body = np.array([neck - across, end - across, end + across, neck + across])
        mask = _filled(taken.shape, body)
        cv2.fillPoly(mask, [_fixed(np.array([tip, neck - across, neck + across]))], 255, cv2.LINE_AA, _SUBPIXEL)
        if _covers(mask, taken):
            continue
        color = np.array(((150, 60, 30), (40, 40, 45), (40, 40, 170), (60, 120, 40))[rng.integers(4)], np.float32)
        _drop_shadow(scene, mask, offset=(5, 6), depth=0.45)
        _paint(scene, mask, color)
        stripe = np.array([neck - across * 0.6, end - across * 0.6, end - across * 0.15, neck - across * 0.15])
        _paint(scene, _filled(taken.shape, stripe), color + 0.5 * (255 - color))
        return


def lay_hand(rng: np.random.Generator, scene: Scene, taken: Image) -> None:
    """Lay a hand in from the edge where nothing is written, in place; none if there is no room."""
    height, width = taken.shape
    for _ in range(40):
        side = rng.integers(3)  # from the right, the bottom or the left
        x, y = rng.uniform((0.2, 0.4), (0.9, 1.0))
        start = np.array(((1.02, y), (x, 1.02), (-0.02, y))[side]) * (width, height)
        aim = rng.uniform((0.35 * width, 0.2 * height), (0.65 * width, 0.6 * height)) - start
        along = aim / np.linalg.norm(aim)
        across = np.array([-along[1], along[0]])
        size = rng.uniform(60, 95)
        palm = start + along * size * rng.uniform(0.2, 0.9)
        mask = np.zeros(taken.shape, np.uint8)
        _limb(mask, start - along * size * 2, palm, size * 0.75)
        cv2.circle(mask, _whole(palm), round(size * 0.62), 255, cv2.FILLED, cv2.LINE_AA)
        for place, (reach, spread) in enumerate(((1.35, -0.55), (1.75, -0.2), (1.8, 0.14), (1.55, 0.45))):
            root = palm + across * size * (place - 1.5) * 0.3
            _limb(mask, root, palm + along * size * reach + across * size * spread, size * 0.24)
        _limb(mask, palm - across * size * 0.4, palm + along * size * 0.5 - across * size * 1.1, size * 0.27)
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), 1.2), np.uint8)
        if _covers(mask, taken):
            continue
        tones = ((150, 175, 220), (110, 140, 190), (70, 95, 145), (50, 65, 100))
        color = np.array(tones[rng.integers(4)], np.float32)
        _drop_shadow(scene, mask, offset=(8, 10), depth=0.5)
        # Round: the middle of a finger is lighter than its sides.
        inner = cv2.GaussianBlur(mask, (0, 0), size / 12).astype(np.float32)[..., None] / 255
        weight = mask[..., None] / np.float32(255)
        scene += weight * (color * (0.62 + 0.42 * inner) - scene)
        return


def _line(mask: Image, ends: Points) -> None:
    start, end = _fixed(ends)
    cv2.line(mask, tuple(map(int, start)), tuple(map(int, end)), 255, 1, cv2.LINE_AA, _SUBPIXEL)


def _limb(mask: Image, start: Points, end: Points, thick: float) -> None:
    cv2.line(mask, _whole(start), _whole(end), 255, round(thick), cv2.LINE_AA)


def _filled(shape: tuple[int, ...], corners: Points) -> Image:
    mask = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(mask, _fixed(corners), 255, cv2.LINE_AA, _SUBPIXEL)
    return mask


def _fixed(points: Points) -> npt.NDArray[np.int32]:
    return np.round(points * (1 << _SUBPIXEL)).astype(np.int32)


def _whole(point: Points) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))


def _covers(mask: Image, taken: Image) -> bool:
    near = cv2.dilate(mask, np.ones((25, 25), np.uint8))  # 12 px of air, the shadow included
    return bool(cv2.bitwise_and(near, taken).any())


def _paint(scene: Scene, mask: Image, color: npt.NDArray[np.float32]) -> None:
    scene += mask[..., None] / np.float32(255) * (color - scene)


def _drop_shadow(scene: Scene, mask: Image, *, offset: tuple[int, int], depth: float) -> None:
    moved = np.roll(mask, offset[::-1], (0, 1))
    soft = cv2.GaussianBlur(moved, (0, 0), 5).astype(np.float32)[..., None] / 255
    scene *= 1 - depth * soft
