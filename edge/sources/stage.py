"""The simulated desk in layers, so that its sheet, its hand and its light can move from frame to frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from edge.sources import clutter
from edge.sources.desk import (
    SIZE,
    DeskRanges,
    draw_light,
    draw_paper,
    draw_table,
    ink_depth,
    lay_sheet,
    look,
    sheet_mask,
)
from edge.sources.writing import Points, WrittenNumber, project, rewrite_number, write_numbers
from edge.values import Box, Image

_SHADE_DEPTH = 0.4
_SHADE_SOFT_PX = 8.0
_LEAST_STREAK_PX = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """How far the sheet has been pushed from where it was laid, px, and turned about the picture's middle, degrees."""

    x: float = 0.0
    y: float = 0.0
    turn_deg: float = 0.0

    def matrix(self, size: tuple[int, int]) -> npt.NDArray[np.float64]:
        """(2, 3), from pixels as laid to pixels as they are now."""
        turn = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), self.turn_deg, 1.0)
        turn[:, 2] += (self.x, self.y)
        return cast("npt.NDArray[np.float64]", turn)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What one frame shows of a stage.

    written: which of the stage's numbers are on the sheet, None without a sheet. streak: px (x, y) that the sheet
    moves while the shutter is open. hand: how far it is pushed from its rest, None without it. lamp: which light, and
    level its strength, 1 as drawn. shade: px along the picture where a passing shadow's edge is, None without it.
    """

    written: tuple[int, ...] | None = None
    pose: Pose = Pose()
    streak: tuple[float, float] = (0.0, 0.0)
    hand: tuple[int, int] | None = None
    lamp: int = 0
    level: float = 1.0
    shade: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stage:
    """A desk drawn at random: layers (H, W) or (H, W, 3), float32 0 to 255 where they are colours.

    numbers, inks: what may be written, with its ink; rewritten: for numbers beyond those first written, which one's
    place each takes. noise: sigma of the sensor's.
    """

    table: clutter.Scene
    sheet: Image
    paper: clutter.Scene
    depth: npt.NDArray[np.float32]
    numbers: tuple[WrittenNumber, ...]
    inks: tuple[Image, ...]
    rewritten: dict[int, int]
    lamps: tuple[clutter.Scene, clutter.Scene]
    hand: clutter.Hand
    blur: float
    noise: float
    size: tuple[int, int] = SIZE

    @classmethod
    def draw(cls, rng: np.random.Generator, ranges: DeskRanges, *, rewrite: int = 0) -> Stage:
        """A stage at random within ranges, with up to so many numbers that can be written in another's place."""
        size = SIZE
        view, half_size = look(rng, ranges, size)
        corners = project(view, np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half_size)
        ink, written = write_numbers(rng, ranges.numbers, view, corners, size)
        numbers, inks = list(written), [_own_ink(ink, number) for number in written]
        rewritten: dict[int, int] = {}
        place = int(rng.integers(len(numbers)))
        for _ in range(rewrite):
            others = [number for at, number in enumerate(written) if at != place]
            made = rewrite_number(rng, ranges.numbers, numbers[-1 if rewritten else place], others, corners, size)
            if made is None:
                break
            rewritten[len(numbers)] = place
            inks.append(made[0])
            numbers.append(made[1])
        paper = draw_paper(rng, size)
        if rng.random() < ranges.clutter:
            clutter.rule_sheet(rng, paper, view, half_size)
        return cls(
            table=draw_table(rng, size),
            sheet=sheet_mask(corners, size),
            paper=paper,
            depth=ink_depth(rng, ranges).astype(np.float32),
            numbers=tuple(numbers),
            inks=tuple(inks),
            rewritten=rewritten,
            lamps=(draw_light(rng, ranges, size), draw_light(rng, ranges, size)),
            hand=clutter.Hand.draw(rng, size),
            blur=rng.uniform(*ranges.blur_px),
            noise=rng.uniform(*ranges.noise),
        )

    def picture(self, moment: Moment) -> Image:
        """The picture (H, W, 3) BGR uint8 of a moment, before the sensor's noise."""
        scene = self.table.copy()
        if moment.written is not None:
            self._lay(scene, moment)
        if moment.hand is not None:
            self.hand.paint(scene, moment.hand)
        scene *= (self.lamps[moment.lamp] * np.float32(moment.level))[..., None]
        if moment.shade is not None:
            far = (np.arange(self.size[0], dtype=np.float32) - moment.shade) / _SHADE_SOFT_PX
            scene *= (1 - _SHADE_DEPTH / (1 + np.exp(np.clip(far, -30, 30))))[None, :, None].astype(np.float32)
        if self.blur > 0.1:
            scene = cast(clutter.Scene, cv2.GaussianBlur(scene, (0, 0), self.blur))
        return cast(Image, cv2.convertScaleAbs(np.clip(scene, 0, 255)))

    def quad(self, number: int, pose: Pose) -> Points:
        """Corners (4, 2) of a number on the sheet in this pose, px."""
        corners = np.array(self.numbers[number].quad)
        return cast(Points, np.c_[corners, np.ones(4)] @ pose.matrix(self.size).T)

    def box(self, number: int, pose: Pose) -> Box:
        """The box around quad()."""
        corners = self.quad(number, pose)
        (left, top), (right, bottom) = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0))
        return Box(left=int(left), top=int(top), right=int(right), bottom=int(bottom))

    def covered(self, number: int, moment: Moment) -> float:
        """Which part of a number, 0 to 1, the hand covers; a little of what is around it counts."""
        if moment.hand is None:
            return 0.0
        mask = np.zeros(self.size[::-1], np.uint8)
        cv2.fillConvexPoly(mask, np.round(self.quad(number, moment.pose)).astype(np.int32), 255)
        mask = cast(Image, cv2.dilate(mask, np.ones((9, 9), np.uint8)))
        both = int(np.count_nonzero(mask & self.hand.mask(moment.hand)))
        return both / max(1, int(np.count_nonzero(mask)))

    def _lay(self, scene: clutter.Scene, moment: Moment) -> None:
        """Lay the sheet with what is written on it, pushed and blurred as the moment says, in place."""
        paper, mask = self.paper.copy(), self.sheet
        for at in moment.written or ():
            paper -= self.inks[at][..., None] / np.float32(255) * self.depth
        if moment.pose != Pose():
            matrix = moment.pose.matrix(self.size)
            paper = cv2.warpAffine(paper, matrix, self.size, borderMode=cv2.BORDER_REPLICATE)
            mask = cv2.warpAffine(mask, matrix, self.size)
        if np.hypot(*moment.streak) >= _LEAST_STREAK_PX:
            kernel = _streak_kernel(moment.streak)
            paper, mask = cv2.filter2D(paper, -1, kernel), cv2.filter2D(mask, -1, kernel)
        lay_sheet(scene, mask, paper)


def _own_ink(ink: Image, number: WrittenNumber) -> Image:
    """The ink (H, W) of one number alone: what is near it is its own, for numbers stand clear of each other."""
    mask = np.zeros(ink.shape, np.uint8)
    cv2.fillConvexPoly(mask, np.round(np.array(number.quad)).astype(np.int32), 255)
    return cast(Image, ink & cv2.dilate(mask, np.ones((7, 7), np.uint8)))


def _streak_kernel(streak: tuple[float, float]) -> npt.NDArray[np.float32]:
    """An evenly open shutter's smear along (x, y) px: a line through the middle of a square that sums to 1."""
    reach = int(np.ceil(max(map(abs, streak)) / 2))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    middle = np.array([reach, reach])
    start, end = (np.round((middle + part * np.array(streak)) * 16).astype(int) for part in (-0.5, 0.5))
    cv2.line(kernel, tuple(map(int, start)), tuple(map(int, end)), 1.0, 1, cv2.LINE_8, 4)
    return cast("npt.NDArray[np.float32]", kernel / kernel.sum())
