"""The values that rooms hand to each other: frozen, and refusing nonsense at birth."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from edge.errors import ShapeError

Image: TypeAlias = npt.NDArray[np.uint8]
Mask: TypeAlias = npt.NDArray[np.bool_]
Status: TypeAlias = Literal["read", "review", "empty"]

NOT_A_DIGIT = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Left, top, right, bottom in pixels, half-open: right and bottom are the first pixel outside."""

    left: int
    top: int
    right: int
    bottom: int

    def __post_init__(self) -> None:
        if self.right <= self.left or self.bottom <= self.top:
            raise ShapeError(f"a box needs right > left and bottom > top, not {self.as_list()}")

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.bottom - self.top

    @property
    def center(self) -> tuple[float, float]:
        """Centre as (x, y) in pixels."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def as_list(self) -> list[int]:
        """[left, top, right, bottom], as outputs carry it."""
        return [self.left, self.top, self.right, self.bottom]

    def moved(self, dx: int, dy: int) -> Box:
        """This box moved by (dx, dy) pixels."""
        return Box(left=self.left + dx, top=self.top + dy, right=self.right + dx, bottom=self.bottom + dy)

    @staticmethod
    def around(boxes: list[Box] | tuple[Box, ...]) -> Box:
        """The smallest box that holds all boxes (at least one)."""
        return Box(
            left=min(b.left for b in boxes),
            top=min(b.top for b in boxes),
            right=max(b.right for b in boxes),
            bottom=max(b.bottom for b in boxes),
        )


def check_pixels(pixels: Image) -> None:
    """Raise ShapeError unless pixels are (H, W) grey or (H, W, 3) BGR, uint8 and not empty."""
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] != 3):
        raise ShapeError(f"pixels are (H, W) or (H, W, 3) uint8, not {pixels.shape} {pixels.dtype}")
    if not pixels.size:
        raise ShapeError(f"pixels are empty: {pixels.shape}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """One camera image: pixels (H, W, 3) BGR or (H, W) grey uint8, index from 0, capture time in s since the epoch."""

    pixels: Image
    index: int
    time: float
    source: str

    def __post_init__(self) -> None:
        check_pixels(self.pixels)
        if self.index < 0:
            raise ShapeError(f"frames count from 0, not {self.index}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Page:
    """One sheet of a file: pixels (H, W, 3) BGR or (H, W) grey uint8; page_number counts from 1.

    size: (width, height) of the sheet in the file where pixels are only a lean picture of it, grey and perhaps
    smaller; None where they are the sheet itself.
    """

    pixels: Image
    source: str
    page_number: int = 1
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        check_pixels(self.pixels)
        if self.page_number < 1:
            raise ShapeError(f"pages count from 1, not {self.page_number}")

    @property
    def width(self) -> int:
        """Pixels across, in the file."""
        return self.pixels.shape[1] if self.size is None else self.size[0]

    @property
    def height(self) -> int:
        """Pixels down, in the file."""
        return self.pixels.shape[0] if self.size is None else self.size[1]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Glyph:
    """One blob of ink not yet read: its box on the page and its soft ink (height, width) uint8, 0 paper to 255 ink."""

    box: Box
    ink: Image

    def __post_init__(self) -> None:
        if self.ink.ndim != 2 or self.ink.dtype != np.uint8 or not self.ink.size:
            raise ShapeError(f"a glyph's ink is (h, w) uint8 and not empty, not {self.ink.shape} {self.ink.dtype}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What the network says of one tensor: the best label, its calibrated probability, the other labels, best first."""

    label: str
    confidence: float
    alternatives: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        if not 0.0 <= self.confidence <= 1.0:
            raise ShapeError(f"a confidence lies in 0 to 1, not {self.confidence}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Digit:
    """One digit of a Reading; alternatives are (digit, probability), most probable first."""

    digit: int
    confidence: float
    box: Box
    alternatives: tuple[tuple[int, float], ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.digit <= 9 or not 0.0 <= self.confidence <= 1.0:
            raise ShapeError(f"a digit is 0 to 9 with a confidence in 0 to 1, not {self.digit}, {self.confidence}")

    def share(self, wanted: int) -> float:
        """The probability of a digit, 0 to 1: its own, an alternative's, or an equal part of what these leave."""
        named = {self.digit: self.confidence, **dict(self.alternatives)}
        return named.get(wanted, max(0.0, 1 - sum(named.values())) / max(1, 10 - len(named)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One number or digit as sinks get it.

    text holds digits only; confidence is the calibrated probability that the whole text is right. status: `read` sure,
    `review` ink that is not sure or not a digit (text is the best guess, "" if none), `empty` no ink (text is "").
    """

    text: str
    confidence: float
    status: Status
    box: Box
    digits: tuple[Digit, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.text and not (self.text.isascii() and self.text.isdigit()):
            raise ShapeError(f"a reading's text is digits only, not {self.text!r}")
        if self.status not in ("read", "review", "empty") or not 0.0 <= self.confidence <= 1.0:
            raise ShapeError(f"not a status or confidence: {self.status!r}, {self.confidence}")
        if (self.status == "empty" and self.text) or (self.status == "read" and not self.text):
            raise ShapeError(f"status {self.status!r} does not go with text {self.text!r}")
