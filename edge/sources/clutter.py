"""What lies about on the simulated desk: ruled lines on the sheet, a pen, a hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt

from edge.sources.writing import Matrix, Points, project
from edge.values import Image

Scene: TypeAlias = npt.NDArray[np.float32]  # (H, W, 3) BGR, 0 to 255
_TRIES = 40  # to find room
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
    for _ in range(_TRIES):
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
    for _ in range(_TRIES):
        arm = _reach(rng, taken.shape)
        mask = _hand_mask(arm, taken.shape)
        if _covers(mask, taken):
            continue
        _Skin.of(mask, arm.size, _tone(rng)).paint(scene)
        return


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hand:
    """A hand that can be pushed about: drawn once where it rests, on a canvas wider than the picture by its margin.

    along: unit vector (x, y) of the way it came in.
    """

    along: Points
    skin: _Skin
    margin: tuple[int, int]
    size: tuple[int, int]

    @classmethod
    def draw(cls, rng: np.random.Generator, size: tuple[int, int]) -> Hand:
        """A hand at random over a picture of size (width, height)."""
        width, height = size
        arm = _reach(rng, (height, width))
        mask = _hand_mask(arm, (height, width), margin=size)
        return cls(along=arm.along, skin=_Skin.of(mask, arm.size, _tone(rng)), margin=size, size=size)

    def mask(self, offset: tuple[int, int]) -> Image:
        """Where it covers the picture (H, W) uint8, 255 all, when pushed by offset (x, y) px from its rest."""
        return self.skin.mask[self._window(offset)]

    def paint(self, scene: Scene, offset: tuple[int, int]) -> None:
        """Paint it and its shadow into a picture, in place, pushed by offset."""
        self.skin.paint(scene, self._window(offset))

    def _window(self, offset: tuple[int, int]) -> tuple[slice, slice]:
        """The part of the canvas that is the picture; an offset beyond the margin stays at it."""
        left, top = (min(max(m - o, 0), 2 * m) for m, o in zip(self.margin, offset, strict=True))
        return slice(top, top + self.size[1]), slice(left, left + self.size[0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Skin:
    """A hand's layers: where it is, how round it looks, its shadow; all (h, w)."""

    mask: Image
    inner: Image
    shadow: Image
    color: npt.NDArray[np.float32]

    @classmethod
    def of(cls, mask: Image, size: float, color: npt.NDArray[np.float32]) -> _Skin:
        inner = cast(Image, cv2.GaussianBlur(mask, (0, 0), size / 12))
        return cls(mask=mask, inner=inner, shadow=_soft_shadow(mask, (8, 10)), color=color)

    def paint(self, scene: Scene, part: tuple[slice, slice] = (slice(None), slice(None))) -> None:
        scene *= 1 - 0.5 * self.shadow[part][..., None].astype(np.float32) / 255
        # Round: the middle of a finger is lighter than its sides.
        inner = self.inner[part].astype(np.float32)[..., None] / 255
        weight = self.mask[part][..., None] / np.float32(255)
        scene += weight * (self.color * (0.62 + 0.42 * inner) - scene)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Arm:
    start: Points
    palm: Points
    along: Points
    across: Points
    size: float


def _reach(rng: np.random.Generator, shape: tuple[int, ...]) -> _Arm:
    """An arm from an edge of the picture into its middle."""
    height, width = shape
    side = rng.integers(3)  # from the right, the bottom or the left
    x, y = rng.uniform((0.2, 0.4), (0.9, 1.0))
    start = np.array(((1.02, y), (x, 1.02), (-0.02, y))[side]) * (width, height)
    aim = rng.uniform((0.35 * width, 0.2 * height), (0.65 * width, 0.6 * height)) - start
    along = aim / np.linalg.norm(aim)
    across = np.array([-along[1], along[0]])
    size = rng.uniform(60, 95)
    palm = start + along * size * rng.uniform(0.2, 0.9)
    return _Arm(start=start, palm=palm, along=along, across=across, size=size)


def _hand_mask(arm: _Arm, shape: tuple[int, ...], margin: tuple[int, int] = (0, 0)) -> Image:
    """The hand at the arm's end (h, w) uint8, on a canvas so much wider on all sides (x, y)."""
    height, width = shape
    size, along, across = arm.size, arm.along, arm.across
    palm, start = arm.palm + margin, arm.start + margin
    mask = np.zeros((height + 2 * margin[1], width + 2 * margin[0]), np.uint8)
    _limb(mask, start - along * (size * 2 + sum(margin)), palm, size * 0.75)
    cv2.circle(mask, _whole(palm), round(size * 0.62), 255, cv2.FILLED, cv2.LINE_AA)
    for place, (reach, spread) in enumerate(((1.35, -0.55), (1.75, -0.2), (1.8, 0.14), (1.55, 0.45))):
        root = palm + across * size * (place - 1.5) * 0.3
        _limb(mask, root, palm + along * size * reach + across * size * spread, size * 0.24)
    _limb(mask, palm - across * size * 0.4, palm + along * size * 0.5 - across * size * 1.1, size * 0.27)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 1.2), np.uint8)


def _tone(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    tones = ((150, 175, 220), (110, 140, 190), (70, 95, 145), (50, 65, 100))
    return np.array(tones[rng.integers(4)], np.float32)


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
    scene *= 1 - depth * _soft_shadow(mask, offset)[..., None].astype(np.float32) / 255


def _soft_shadow(mask: Image, offset: tuple[int, int]) -> Image:
    """The mask's shadow, 255 the deepest, moved by offset (x, y)."""
    return cast(Image, cv2.GaussianBlur(np.roll(mask, offset[::-1], (0, 1)), (0, 0), 5))
