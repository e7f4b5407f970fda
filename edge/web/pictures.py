"""The live picture as JPEG: readings drawn in, or the ink that the reader sees; grey when the camera is lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, cast

import cv2
import numpy as np

from edge.imaging.annotate import annotate, draw_label
from edge.imaging.ink import to_grey
from edge.imaging.page_ink import lift_page
from edge.imaging.typeset import on_paper
from edge.live.loop import Step
from edge.values import Box, Image

_WIDEST_PX = 1280  # of what is sent: a screen shows no more, and the network has better things to do
_QUALITY = 80
_LOST_S = 1.0  # how often the lost picture counts on
_DIM = 0.35
_GREY = (90, 90, 90)
_STRONGER = 2.0  # faint ink is to be seen on a screen


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A JPEG; silent_s: for how long no frame has come when it was made, None while they come."""

    jpeg: bytes
    silent_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """The newest step, and when the preview got it (monotonic, s)."""

    step: Step
    at: float


Draw: TypeAlias = Callable[[Step, Box | None], Image]


def draw_step(step: Step, roi: Box | None) -> Image:
    """The frame (H, W, 3) BGR with the numbers that are believed to be there; what is not read is dimmed."""
    picture = annotate(step.frame.pixels, step.shown)
    return picture if roi is None else _outside_dimmed(picture, roi)


def draw_ink(step: Step, roi: Box | None) -> Image:
    """What the frame has of ink, dark on white (h, w, 3), the boxes of the numbers in it."""
    grey = to_grey(step.frame.pixels)
    ink = cv2.convertScaleAbs(lift_page(grey).ink, alpha=_STRONGER)
    paper = cv2.resize(on_paper(np.asarray(ink, np.uint8)), grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    picture = annotate(np.asarray(paper, np.uint8), step.shown)
    return picture if roi is None else _outside_dimmed(picture, roi)


class PictureMaker:
    """Makes the Picture of the newest step by draw; call it again and again, None is nothing newer."""

    def __init__(
        self,
        newest: Callable[[], Seen | None],
        draw: Draw,
        *,
        roi: Box | None,
        lost_s: float,
    ) -> None:
        self._newest = newest
        self._draw = draw
        self._roi = roi
        self._lost_s = lost_s
        self._made_of: Seen | None = None
        self._made_at = 0.0

    def __call__(self) -> Picture | None:
        """The picture of a step not yet drawn, or of the last one, grey, once a second while no other comes."""
        seen, now = self._newest(), time.monotonic()
        if seen is None:
            return None
        silent_s = now - seen.at
        lost = silent_s > self._lost_s
        if seen is self._made_of and not (lost and now - self._made_at >= _LOST_S):
            return None
        self._made_of, self._made_at = seen, now
        picture = _fitted(self._draw(seen.step, self._roi))
        if lost:
            picture = _greyed(picture, f"no picture for {silent_s:.0f} s")
        return Picture(jpeg=_jpeg(picture), silent_s=silent_s if lost else None)


def _fitted(picture: Image) -> Image:
    height, width = picture.shape[:2]
    if width <= _WIDEST_PX:
        return picture
    size = (_WIDEST_PX, max(1, round(height * _WIDEST_PX / width)))
    return cast(Image, cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def _jpeg(picture: Image) -> bytes:
    good, content = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))
    if not good:
        raise ValueError(f"OpenCV makes no JPEG of {picture.shape}")
    return content.tobytes()


def _outside_dimmed(picture: Image, roi: Box) -> Image:
    dim = _dimmed(picture)
    dim[roi.top : roi.bottom, roi.left : roi.right] = picture[roi.top : roi.bottom, roi.left : roi.right]
    return dim


def _greyed(picture: Image, words: str) -> Image:
    grey = _dimmed(cast(Image, cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)))
    height, width = grey.shape[:2]
    scale = max(0.5, width / 640)
    (across, _), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, scale, max(1, round(scale * 2)))
    draw_label(grey, words, (max(0, (width - across) // 2), height // 2, height // 2), _GREY, scale)
    return grey


def _dimmed(picture: Image) -> Image:
    return cast(Image, cv2.convertScaleAbs(picture, alpha=_DIM, beta=20))
