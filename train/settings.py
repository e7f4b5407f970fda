"""What a training run is told; the defaults are the lecture's recipe."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from edge.errors import UsageError

Keep: TypeAlias = Literal["last", "best"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """How to fit: adam on categorical cross-entropy.

    validation_split: the last part of the training digits, 0 up to 1 exclusive, held back and never trained on.
    keep: which epoch the run folder stores. limit: train on the first so many digits only, to try things out.
    freeze: convolution layers taken over from another run stay as they are.
    Raises UsageError for values out of range.
    """

    model: str = "lecture"
    epochs: int = 5
    batch_size: int = 64
    validation_split: float = 0.1
    learning_rate: float = 0.001
    seed: int = 1
    keep: Keep = "last"
    freeze: bool = False
    limit: int | None = None

    def __post_init__(self) -> None:
        # Keras' seeds are 32 bits wide.
        _check("--epochs", self.epochs, self.epochs >= 1, "at least 1")
        _check("--batch-size", self.batch_size, self.batch_size >= 1, "at least 1")
        _check("--validation-split", self.validation_split, 0.0 <= self.validation_split < 1.0, "0 up to 1, 1 excluded")
        _check("learning rate", self.learning_rate, 0 < self.learning_rate < math.inf, "more than 0")
        _check("--seed", self.seed, 0 <= self.seed < 2**32, "0 to 4294967295")
        _check("--keep", self.keep, self.keep in ("last", "best"), "last or best")
        _check("--limit", self.limit, self.limit is None or self.limit >= 1, "at least 1")


def _check(name: str, value: object, good: bool, wanted: str) -> None:
    if not good:
        raise UsageError(f"{name} is {value}; it has to be {wanted}")
