"""One scene of the simulated desk: a sheet with numbers on a table, seen by a camera, and the truth about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import cv2
import numpy as np

from edge.sources import clutter
from edge.sources.writing import Matrix, NumberRanges, Points, WrittenNumber, project, write_numbers
from edge.values import Image

SIZE = (640, 480)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskRanges:
    """What is drawn at random, evenly, for each scene; each pair is (least, most)."""

    numbers: NumberRanges = field(default_factory=NumberRanges)
    tilt_deg: float = 25.0
    perspective_deg: float = 30.0
    contrast: tuple[float, float] = (40.0, 200.0)
    blur_px: tuple[float, float] = (0.0, 1.5)
    light: tuple[float, float] = (1.0, 3.0)
    shadow: float = 0.3
    noise: tuple[float, float] = (2.0, 10.0)
    clutter: float = 0.25

    def __str__(self) -> str:
        """The line that stands beside every figure measured on the desk."""
        n = self.numbers
        things = f"clutter in {self.clutter:.0%}" if self.clutter else "no clutter"
        return (
            f"{n.numbers[0]}-{n.numbers[1]} numbers of {n.digits[0]}-{n.digits[1]} MNIST test digits, not touching, "
            f"{n.height_px[0]:.0f}-{n.height_px[1]:.0f} px high, tilt ±{self.tilt_deg:.0f}°, "
            f"perspective to {self.perspective_deg:.0f}°, "
            f"ink contrast {self.contrast[0]:.0f}-{self.contrast[1]:.0f} of 255, "
            f"blur σ {self.blur_px[0]:g}-{self.blur_px[1]:g} px, light gradient to {self.light[1]:g}:1, "
            f"a shadow edge in {self.shadow:.0%}, noise σ {self.noise[0]:g}-{self.noise[1]:g}, {things}"
        )


FULL = DeskRanges()
EASY = DeskRanges(numbers=NumberRanges(height_px=(32.0, 80.0)), tilt_deg=12.0, contrast=(90.0, 200.0), clutter=0.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """A desk as the camera sees it: pixels (H, W, 3) BGR uint8 before sensor noise of sigma `noise`, and the truth."""

    pixels: Image
    noise: float
    numbers: tuple[WrittenNumber, ...]


def draw_scene(rng: np.random.Generator, ranges: DeskRanges = FULL, size: tuple[int, int] = SIZE) -> Scene:
    """A scene drawn at random within ranges; size is (width, height) in px. Same generator state, same scene."""
    view, half_size = look(rng, ranges, size)
    sheet = project(view, np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half_size)
    ink, numbers = write_numbers(rng, ranges.numbers, view, sheet, size)
    scene = draw_table(rng, size)
    lay_sheet(scene, sheet_mask(sheet, size), draw_paper(rng, size))
    littered = rng.random() < ranges.clutter
    things = rng.permutation(3)[: rng.integers(1, 4)] if littered else ()
    if 0 in things:
        clutter.rule_sheet(rng, scene, view, half_size)
    scene -= ink[..., None] / np.float32(255) * ink_depth(rng, ranges)
    taken = np.zeros(ink.shape, np.uint8)
    for number in numbers:
        cv2.fillConvexPoly(taken, np.array(number.quad).round().astype(np.int32), 255)
    if 1 in things:
        clutter.lay_pen(rng, scene, taken)
    if 2 in things:
        clutter.lay_hand(rng, scene, taken)
    scene *= draw_light(rng, ranges, size)[..., None]
    blur = rng.uniform(*ranges.blur_px)
    blurred = cv2.GaussianBlur(scene, (0, 0), blur) if blur > 0.1 else scene
    return Scene(
        pixels=cast(Image, cv2.convertScaleAbs(np.clip(blurred, 0, 255))),
        noise=rng.uniform(*ranges.noise),
        numbers=numbers,
    )


def look(rng: np.random.Generator, ranges: DeskRanges, size: tuple[int, int]) -> tuple[Matrix, tuple[float, float]]:
    """Sheet coordinates to picture pixels by a pinhole camera of 53° across, and half the sheet's size."""
    width, height = size
    focal = float(width)
    tilt_limit = ranges.tilt_deg - 3.0  # a line leans up to 3° more on its own
    roll = np.deg2rad(rng.uniform(-tilt_limit, tilt_limit))
    lean = np.deg2rad(rng.uniform(0, ranges.perspective_deg))
    toward = rng.uniform(0, 2 * np.pi)
    axis = np.array([np.cos(toward), np.sin(toward), 0.0])
    rotation = cv2.Rodrigues(axis * lean)[0] @ cv2.Rodrigues(np.array([0.0, 0.0, roll]))[0]
    camera = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    shift = rng.uniform(-0.05, 0.05, 2) * size
    # Points of the sheet have z = 0, so the third column falls away; at the centre one sheet unit is one pixel.
    view = camera @ np.c_[rotation[:, 0], rotation[:, 1], [shift[0], shift[1], focal]]
    half_width = rng.uniform(0.46, 0.62) * width
    return view, (half_width, half_width / np.sqrt(2))  # a sheet of the A series, lying across


def draw_table(rng: np.random.Generator, size: tuple[int, int]) -> clutter.Scene:
    """A wooden or plain table top, darker than paper."""
    width, height = size
    woods = ((58, 84, 120), (40, 55, 80), (95, 105, 112), (70, 72, 76))
    color = np.array(woods[rng.integers(len(woods))], np.float32) * rng.uniform(0.8, 1.25)
    grain = rng.normal(0, 1, (height // 3, 4)).astype(np.float32)
    fine = rng.normal(0, 0.5, (height, 12)).astype(np.float32)
    wood = sum(cv2.resize(part, size, interpolation=cv2.INTER_CUBIC) for part in (grain, fine))
    angle = rng.uniform(-40, 40)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.6)
    wood = cv2.warpAffine(np.asarray(wood, np.float32), turn, size, borderMode=cv2.BORDER_REFLECT)
    return cast(clutter.Scene, color * (1 + 0.06 * wood[..., None]))


def sheet_mask(sheet: Points, size: tuple[int, int]) -> Image:
    """Where the sheet with these corners (4, 2) lies: (H, W) uint8, 255 within."""
    mask = np.zeros(size[::-1], np.uint8)
    cv2.fillConvexPoly(mask, np.round(sheet * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
    return mask


def draw_paper(rng: np.random.Generator, size: tuple[int, int]) -> clutter.Scene:
    """Paper all over the picture, with a little of its own unevenness."""
    width, height = size
    tint = np.array([rng.uniform(0.95, 1.0), 0.99, 1.0], np.float32)
    fibres = cv2.resize(rng.normal(0, 1, (height // 8, width // 8)).astype(np.float32), (width, height))
    return cast(clutter.Scene, tint * np.float32(rng.uniform(228, 250)) + 1.2 * fibres[..., None])


def lay_sheet(scene: clutter.Scene, mask: Image, paper: clutter.Scene) -> None:
    """Lay paper (H, W, 3) where mask says on the table, with its shadow, in place."""
    shadow = cv2.GaussianBlur(np.roll(mask, (5, 4), (0, 1)), (0, 0), 6).astype(np.float32) / 255
    scene *= 1 - 0.4 * shadow[..., None]
    scene += mask[..., None] / np.float32(255) * (paper - scene)


def ink_depth(rng: np.random.Generator, ranges: DeskRanges) -> np.ndarray:
    """How much darker than paper the ink is in B, G and R, so that its grey is `contrast` darker in full light."""
    hues = ((1.0, 1.0, 1.0), (0.55, 1.0, 1.17), (1.25, 1.06, 0.79))  # black, blue, red
    hue = hues[rng.choice(3, p=(0.45, 0.45, 0.1))]
    return np.array(hue, np.float32) * np.float32(rng.uniform(*ranges.contrast))


def draw_light(rng: np.random.Generator, ranges: DeskRanges, size: tuple[int, int]) -> clutter.Scene:
    """Light (H, W) float32, at most 1: a gradient across the picture, and in some scenes the edge of a shadow."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    ramp = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))
    ramp = (ramp - ramp.min()) / (ramp.max() - ramp.min())
    light = 1 - (1 - 1 / np.float32(rng.uniform(*ranges.light))) * ramp
    if rng.random() < ranges.shadow:
        angle = rng.uniform(0, 2 * np.pi)
        far = (x - width * rng.uniform(0.3, 0.7)) * np.cos(angle) + (y - height * rng.uniform(0.3, 0.7)) * np.sin(angle)
        soft = rng.uniform(2, 14)  # px over which the edge fades
        light = light * (1 - rng.uniform(0.25, 0.5) / (1 + np.exp(-np.clip(far / soft, -30, 30))))
    return cast(clutter.Scene, light.astype(np.float32))
