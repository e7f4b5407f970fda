"""How fast an epoch of `edge-train fit` is beside a plain Keras script's; scripts/bench calls `epoch_times`."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from train.data import Data, as_input, one_hot, split
from train.fit import start
from train.model import build, compile_model, load, open_keras
from train.run import read_history, save_model
from train.settings import FitSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochTimes:
    """Seconds an epoch took, one figure a round: ours, storing the run included, and the plain script's."""

    ours_s: tuple[float, ...]
    plain_s: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Median of ours by median of plain."""
        return median(self.ours_s) / median(self.plain_s)


def epoch_times(data: Data, *, digits: int = 12_000, rounds: int = 3) -> EpochTimes:
    """Measure both in turn on the first `digits`; of two epochs the second counts, for the first traces the graph."""
    ours, plain = [], []
    for seed in range(1, rounds + 1):
        settings = FitSettings(epochs=2, limit=digits, seed=seed)
        ours.append(_ours(settings, data))
        plain.append(_plain(settings, data))
    return EpochTimes(ours_s=tuple(ours), plain_s=tuple(plain))


def _ours(settings: FitSettings, data: Data) -> float:
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        start(settings, data, run)
        network = load(run / "model.keras")
        begin = time.perf_counter()
        save_model(run, network)
        return read_history(run)[-1].seconds + time.perf_counter() - begin


def _plain(settings: FitSettings, data: Data) -> float:
    keras = open_keras()
    ends: list[float] = []
    clock = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: ends.append(time.perf_counter()))
    parts = split(data, 0.0, settings.limit)
    x, y = as_input(parts.x_train), one_hot(parts.y_train, len(data.labels))
    keras.utils.set_random_seed(settings.seed)
    network = build(settings.model, len(data.labels))
    compile_model(network, settings.learning_rate)
    network.fit(
        x,
        y,
        batch_size=settings.batch_size,
        epochs=settings.epochs,
        validation_split=settings.validation_split,
        verbose=0,
        callbacks=[clock],
    )
    return ends[1] - ends[0]
