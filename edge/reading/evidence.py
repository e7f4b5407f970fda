"""What happened on the way from pixels to a Reading, noted by the functions that read, for people who want to see it.

Reading functions take `trace: Trace | None = None`. Without one nothing is kept; with one they add an Evidence for each
Reading they give, made of the very arrays that were read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.errors import ShapeError
from edge.values import Box, Image, Prediction, Reading


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeenDigit:
    """A (28, 28) uint8 tensor as the digit network got it, and what it said."""

    tensor: Image
    prediction: Prediction

    def __post_init__(self) -> None:
        if self.tensor.ndim != 2 or self.tensor.dtype != np.uint8:
            raise ShapeError(f"a digit's tensor is (28, 28) uint8, not {self.tensor.shape} {self.tensor.dtype}")


def seen_digits(tensors: Image, predictions: Sequence[Prediction]) -> tuple[SeenDigit, ...]:
    """The tensors (n, 28, 28, 1) that Classifier.predict was given, each with what it said."""
    return tuple(
        SeenDigit(tensor=tensor[:, :, 0], prediction=said) for tensor, said in zip(tensors, predictions, strict=True)
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeenStrip:
    """A (32, W) uint8 tensor as the number network got it, and what it said.

    shares: (T, labels) probabilities, T steps evenly along the W columns. spans: for each digit of the text its first
    column and the one after its last.
    """

    tensor: Image
    labels: tuple[str, ...]
    shares: npt.NDArray[np.float32]
    spans: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        if self.tensor.ndim != 2 or self.tensor.dtype != np.uint8:
            raise ShapeError(f"a strip's tensor is (32, W) uint8, not {self.tensor.shape} {self.tensor.dtype}")
        if self.shares.ndim != 2 or self.shares.shape[1] != len(self.labels):
            raise ShapeError(f"shares are (T, {len(self.labels)}) for these labels, not {self.shares.shape}")
        if any(not 0 <= first < last <= self.tensor.shape[1] for first, last in self.spans):
            raise ShapeError(f"spans lie in the {self.tensor.shape[1]} columns of their strip, not {self.spans}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """How one Reading came about.

    ink: (h, w) uint8 soft ink it was cut from, 0 paper to 255 ink. boxes: the pieces it was cut into, in ink pixels.
    doubts: why it is `review` whatever its confidence, in a few words each.
    """

    reading: Reading
    ink: Image
    boxes: tuple[Box, ...] = ()
    digits: tuple[SeenDigit, ...] = ()
    strip: SeenStrip | None = None
    doubts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.ink.ndim != 2 or self.ink.dtype != np.uint8 or not self.ink.size:
            raise ShapeError(f"ink is (h, w) uint8 and not empty, not {self.ink.shape} {self.ink.dtype}")


class Trace:
    """Collects the Evidence of what is read while it is handed along."""

    def __init__(self) -> None:
        self._kept: list[Evidence] = []

    def add(self, evidence: Evidence) -> None:
        """Keep the Evidence of one Reading; that of a Reading that is given up later does no harm."""
        self._kept.append(evidence)

    def clear(self) -> None:
        """Forget everything, for the next page."""
        self._kept.clear()

    def of(self, reading: Reading) -> Evidence | None:
        """The Evidence of this very Reading, None if none was added."""
        return next((kept for kept in self._kept if kept.reading is reading), None)
