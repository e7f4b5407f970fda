"""A form's boxes drawn over a picture of a page: where they lie, and what was read in them."""

from __future__ import annotations

from typing import TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt

from edge.forms.sheet.sheet_map import SheetMap
from edge.forms.template import BoxMm
from edge.imaging.annotate import draw_label
from edge.values import Image

Bgr: TypeAlias = tuple[int, int, int]

# Cap height of a label for so many pixels of the picture's longer side.
_LABEL_OF_SIDE = 1 / 110
# Cap height of a label inside a box, of the box's, and at least.
_LABEL_OF_BOX, _LEAST_PX = 0.12, 8.0
_FONT_PX = 22.0  # cap height of OpenCV's font at scale 1
_SHIFT = 4  # OpenCV draws to a sixteenth of a pixel


def as_color(pixels: Image) -> Image:
    """A copy (H, W, 3) BGR to draw on."""
    return cast(Image, cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)) if pixels.ndim == 2 else pixels.copy()


def outline(picture: Image, points: npt.ArrayLike, color: Bgr) -> None:
    """Draw a closed line through points (n, 2) in pixels into a BGR picture, thin enough to see what is under it."""
    corners = np.rint(np.asarray(points, np.float64).reshape(-1, 1, 2) * 2**_SHIFT).astype(np.int32)
    thick = max(1, round(max(picture.shape[:2]) / 1600))
    cv2.polylines(picture, [corners], True, color, thick, cv2.LINE_AA, _SHIFT)


def outline_mm(picture: Image, sheet: SheetMap, box: BoxMm, color: Bgr) -> None:
    """Draw a box in mm as it lies on a page, bent with the paper."""
    left, top, width, height = box
    steps = np.linspace(0, 1, 9)[:-1]
    sides = (
        (left + width * steps, np.full(8, top)),
        (np.full(8, left + width), top + height * steps),
        (left + width * (1 - steps), np.full(8, top + height)),
        (np.full(8, left), top + height * (1 - steps)),
    )
    rim = np.concatenate([np.stack(side, axis=1) for side in sides])
    outline(picture, sheet.points(rim), color)


def label(picture: Image, text: str, points: npt.ArrayLike, color: Bgr, *, inside: bool = False) -> None:
    """Write a text at the box around points (n, 2) in pixels: below it, for forms have names above; else above.

    inside: small in its upper left corner, where it hides nothing of other boxes. Letters that OpenCV's font lacks
    become question marks.
    """
    corners = np.asarray(points, np.float64).reshape(-1, 2)
    left, top, bottom = (round(float(one)) for one in (corners[:, 0].min(), corners[:, 1].min(), corners[:, 1].max()))
    high = max(picture.shape[:2]) * _LABEL_OF_SIDE
    if inside:
        high = min(high, max(_LEAST_PX, _LABEL_OF_BOX * (bottom - top)))
    # draw_label sets its strip, about 1.9 times as high as its capitals, above a place
    strip = round(1.9 * high)
    lower = top + 1 if inside else bottom + 2
    place = lower + strip if lower + strip <= picture.shape[0] else max(0, top - 2)
    text = text.encode("ascii", "replace").decode()
    draw_label(picture, text, (left + 1, place, lower), color, max(0.3, high / _FONT_PX))
