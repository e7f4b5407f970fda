"""What a training run is told; each network's recipe is its defaults."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from edge.errors import UsageError

Keep: TypeAlias = Literal["last", "best"]
Schedule: TypeAlias = Literal["constant", "cosine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """How to fit; the defaults are the lecture's recipe, `for_model` knows the others.

    validation_split: the last part of the training digits, 0 up to 1 exclusive, held back and never trained on.
    schedule: the learning rate's way over the epochs, see train.rates. weight_decay: more than 0 is AdamW.
    finish: the share of the epochs, at the end, for which the rate begins again from lower, 0 up to 1 exclusive.
    keep: which epoch the run folder stores. limit: train on the first so many digits only, to try things out.
    freeze: convolution layers taken over from another run stay as they are.
    Raises UsageError for values out of range.
    """

    model: str = "lecture"
    epochs: int = 5
    batch_size: int = 64
    validation_split: float = 0.1
    learning_rate: float = 0.001
    schedule: Schedule = "constant"
    weight_decay: float = 0.0
    finish: float = 0.0
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
        _check("weight decay", self.weight_decay, 0 <= self.weight_decay < math.inf, "0 or more")
        _check("finish", self.finish, 0 <= self.finish < 1, "0 up to 1, 1 excluded")
        _check("schedule", self.schedule, self.schedule in ("constant", "cosine"), "constant or cosine")
        _check("--seed", self.seed, 0 <= self.seed < 2**32, "0 to 4294967295")
        _check("--keep", self.keep, self.keep in ("last", "best"), "last or best")
        _check("--limit", self.limit, self.limit is None or self.limit >= 1, "at least 1")

    @staticmethod
    def for_model(model: str, **told: Any) -> FitSettings:
        """The recipe of a network, with what was told instead; None is what was not told.

        An unknown network gets the lecture's: `train.model.check_name` is what refuses it.
        """
        known = RECIPES.get(model, {})
        return FitSettings(
            **{**known, **{name: value for name, value in told.items() if value is not None}}, model=model
        )

    @staticmethod
    def for_corrections(**told: Any) -> FitSettings:
        """The recipe of going on with what people corrected (train.finetune), with what was told instead of None."""
        return FitSettings(**{**_CORRECTIONS, **{name: value for name, value in told.items() if value is not None}})

    @property
    def finish_epochs(self) -> int:
        """How many epochs the finish takes."""
        return round(self.finish * self.epochs)

    @property
    def synthesised(self) -> bool:
        """Whether the network learns from digits as they come from paper, and a class for what is no digit."""
        return self.model in ("paper", "teacher")


_PAPER: dict[str, Any] = {"batch_size": 128, "learning_rate": 0.003, "schedule": "cosine", "weight_decay": 0.001}

# Found with writers simulated from MNIST's training digits: more of rate and epochs forgets.
_CORRECTIONS: dict[str, Any] = {
    "epochs": 5, "batch_size": 128, "learning_rate": 0.0004, "schedule": "cosine",
}  # fmt: skip

# Where a network's recipe differs from the lecture's.
RECIPES: dict[str, dict[str, Any]] = {
    "paper": {"epochs": 36, "finish": 16 / 36, **_PAPER},
    "teacher": {"epochs": 8, **_PAPER},
    "strip": {"epochs": 44, "learning_rate": 0.003, "schedule": "cosine", "weight_decay": 0.004},
}


def _check(name: str, value: object, good: bool, wanted: str) -> None:
    if not good:
        raise UsageError(f"{name} is {value}; it has to be {wanted}")
