"""The learning rate's way over a run: as it is, or down by a cosine, and once more from lower for the finish.

Loshchilov, Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, ICLR 2017.
"""

from __future__ import annotations

import math
from typing import Any

from train.model import Model, open_keras
from train.settings import FitSettings

# What a cosine leaves of the rate it began with: more epochs than planned still teach a little.
_LEAST = 0.01
# The finish begins at this share of the rate: enough to learn on, too little to forget.
_AGAIN = 1 / 3


def rate_at(settings: FitSettings, epochs: float) -> float:
    """The learning rate after so many epochs, from 0, whole and part."""
    main, rate = settings.epochs - settings.finish_epochs, settings.learning_rate
    if settings.schedule == "constant":
        return rate
    if epochs < main:
        return rate * _fallen(epochs / main)
    return (
        rate * _AGAIN * _fallen((epochs - main) / settings.finish_epochs) if settings.finish_epochs else rate * _LEAST
    )


def _fallen(share: float) -> float:
    return _LEAST + (1 - _LEAST) * (1 + math.cos(math.pi * min(1.0, share))) / 2


def rate_callbacks(network: Model, settings: FitSettings, epoch: int, steps: int) -> list[Any]:
    """Keras callbacks that set the rate before each of an epoch's steps (epochs from 1); none where it stays."""
    if settings.schedule == "constant":
        return []

    class Rate(open_keras().callbacks.Callback):  # type: ignore[misc]
        """Hangs on epoch and step alone, so that a resumed run goes on where it was."""

        def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
            network.optimizer.learning_rate.assign(rate_at(settings, epoch - 1 + batch / steps))

    return [Rate()]
