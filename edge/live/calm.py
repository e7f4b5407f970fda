"""Frames with less noise: where nothing moves, the mean of the last ones.

A sensor's noise differs from frame to frame, and the desk does not: the mean of n frames has it divided by the square
root of n (temporal noise reduction, as in Brailean et al., 1995). Where a patch has changed by more than the noise
explains, the mean begins anew, so that what moves does not leave a trail.

A reader that is misled by a calm picture is misled by all of them, and noise shows each frame in another way: every
second frame is given as it is, and the votes of both kinds are counted together.
"""

from __future__ import annotations

from typing import TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt

from edge.imaging.ink import to_grey
from edge.values import Image, check_pixels

Floats: TypeAlias = npt.NDArray[np.float32]

FRAMES = 8
_PATCH_PX = 7  # about the width of a stroke and its surroundings: changes are looked for in patches of this size
# A patch has changed if it differs by so many times what patches usually do, and by so many of 255.
_UNUSUAL, _LEAST = 4.5, 1.0
_MEDIAN = 0.67  # of the size of normal noise, in sigmas
_MUCH = 3.0  # a sensor's noise is not quite independent from pixel to pixel, and a patch's larger by this at most
_GROWN_PX = 9  # what is around a change has likely changed too
_MOST_CHANGED = 0.5  # of the picture: light or camera, and nothing of the mean is true any more


class Calm:
    """Takes frames in their order and gives every second one as the mean of the last FRAMES, where they agree."""

    def __init__(self) -> None:
        self._taken = 0
        self._mean: Floats | None = None
        self._count: Floats | None = None
        self._most_usual = 0.0

    def __call__(self, pixels: Image) -> Image:
        """The grey (H, W) uint8 picture of a frame (H, W) or (H, W, 3) BGR uint8. Raises ShapeError."""
        check_pixels(pixels)
        grey = to_grey(pixels)
        frame = grey.astype(np.float32)
        if self._mean is None or self._count is None or self._mean.shape != frame.shape:
            return self._begin(frame, grey)
        difference = frame - self._mean
        patches = np.abs(cv2.blur(difference, (_PATCH_PX, _PATCH_PX)))
        # Where most has changed the usual difference says nothing of the noise.
        usual = min(float(np.median(patches[::4, ::4])), self._most_usual)
        changed = (patches > _UNUSUAL * usual + _LEAST).view(np.uint8)
        changed = cast(Image, cv2.dilate(changed, np.ones((_GROWN_PX, _GROWN_PX), np.uint8)))
        if cv2.countNonZero(changed) > _MOST_CHANGED * changed.size:
            return self._begin(frame, grey)
        self._count[changed.view(np.bool_)] = 0
        cv2.min(self._count + 1, FRAMES, dst=self._count)
        self._mean += difference / self._count
        self._taken += 1
        return cast(Image, cv2.convertScaleAbs(self._mean)) if self._taken % 2 else grey

    def _begin(self, frame: Floats, grey: Image) -> Image:
        self._mean, self._count = frame, np.ones_like(frame)
        self._most_usual = _MUCH * _MEDIAN * 2**0.5 * _noise(frame) / _PATCH_PX
        return grey


def _noise(frame: Floats) -> float:
    """Sigma of a picture's noise (Immerkær, Fast noise variance estimation, 1996), too high where there is texture."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    return float(np.sqrt(np.pi / 2) / 6 * np.abs(cv2.filter2D(frame, -1, kernel)).mean())
