"""Readings drawn onto the picture they came from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import cv2
import numpy as np

from edge.values import Image, Reading

# BGR, dark enough for white paper and light enough for a dark table
GREEN = (60, 150, 30)
ORANGE = (0, 120, 240)
RED = (50, 40, 220)
WHITE = (255, 255, 255)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_PX = 22.0  # cap height of the font at scale 1


def annotate(pixels: Image, readings: Iterable[Reading]) -> Image:
    """A copy of pixels (H, W) or (H, W, 3), as (H, W, 3) BGR uint8, with every reading's box, text and confidence.

    `read` is green, `review` orange with a question mark; `empty` gets no mark.
    """
    picture = cast(Image, cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)) if pixels.ndim == 2 else pixels.copy()
    for reading in readings:
        if reading.status != "empty":
            sure = reading.status == "read"
            draw_reading(picture, reading, GREEN if sure else ORANGE)
    return picture


def draw_reading(picture: Image, reading: Reading, color: tuple[int, int, int], note: str = "") -> None:
    """Draw one reading into a BGR picture: its box, and a label `text confidence% note` above it or below."""
    box = reading.box
    scale, thick = _sizes(picture)
    margin = thick + 1
    left, top = max(box.left - margin, 0), max(box.top - margin, 0)
    right, bottom = min(box.right + margin, picture.shape[1] - 1), min(box.bottom + margin, picture.shape[0] - 1)
    cv2.rectangle(picture, (left, top), (right, bottom), color, thick, cv2.LINE_AA)
    doubt = "" if reading.status == "read" else "?"
    parts = (f"{reading.text}{doubt}", f"{100 * reading.confidence:.0f}%", note)
    draw_label(picture, " ".join(part for part in parts if part), (left, top, bottom), color, scale)


def draw_label(
    picture: Image, text: str, place: tuple[int, int, int], color: tuple[int, int, int], scale: float
) -> None:
    """White text on a filled strip at place (left, top, bottom) of a box: above it, or below where there is no room."""
    left, top, bottom = place
    thick = max(1, round(scale * 2))
    (width, height), base = cv2.getTextSize(text, _FONT, scale, thick)
    pad = max(2, round(height * 0.3))
    full = height + base + pad
    left = max(0, min(left, picture.shape[1] - width - 2 * pad))
    top = top - full if top >= full else min(bottom, picture.shape[0] - full)
    corners = (left, top), (left + width + 2 * pad, top + full)
    cv2.rectangle(picture, *corners, color, cv2.FILLED)
    cv2.putText(picture, text, (left + pad, top + height + pad // 2 + 1), _FONT, scale, WHITE, thick, cv2.LINE_AA)


def contact_sheet(pictures: list[Image], columns: int = 3, gap_px: int = 8) -> Image:
    """Equally large BGR pictures (at least one) side by side, row by row, on white, with gaps between and around."""
    height, width = pictures[0].shape[:2]
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * (height + gap_px) + gap_px, columns * (width + gap_px) + gap_px, 3), 255, np.uint8)
    for place, picture in enumerate(pictures):
        y, x = (gap_px + at * (size + gap_px) for at, size in zip(divmod(place, columns), (height, width), strict=True))
        sheet[y : y + height, x : x + width] = picture
    return sheet


def _sizes(picture: Image) -> tuple[float, int]:
    """Font scale and line width that stay legible when the whole picture is looked at on a screen."""
    side = max(picture.shape[:2])
    return max(0.5, side / 90 / _FONT_PX), max(2, round(side / 800))
