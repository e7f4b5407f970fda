"""An epoch of training beside a plain Keras script, and making digits beside learning them."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from measures.compared import Compared, printed_s, turns

PLAIN_KERAS = """
import sys, time
import numpy as np, keras
from keras import layers
data = np.load({data!r})
x = data["x_train"][:{limit}].reshape(-1, 28, 28, 1).astype("float32") / 255
y = keras.utils.to_categorical(data["y_train"][:{limit}], 10)
model = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(),
    layers.Conv2D(128, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(),
    layers.Dense(128, activation="relu"), layers.Dense(10, activation="softmax")])
model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
ends = []
stamp = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: ends.append(time.perf_counter()))
model.fit(x, y, batch_size=64, epochs={epochs}, validation_split=0.1, verbose=0, callbacks=[stamp])
print(min(np.diff(ends)))
"""

OUR_FIT = """
import time
from pathlib import Path
import train.fit
from train.data import load_data
from train.settings import FitSettings
ends = []
train.fit.say_epoch = lambda *_, **__: ends.append(time.perf_counter())
train.fit.start(FitSettings(epochs={epochs}, limit={limit}), load_data(Path({data!r})), Path({out!r}))
print(min(end - begin for begin, end in zip(ends, ends[1:])))
"""


def find_mnist(named: str | None) -> Path:
    """MNIST by --data, by INKEDGE_MNIST, or in Keras' cache."""
    place = Path(named or os.environ.get("INKEDGE_MNIST") or Path.home() / ".keras" / "datasets" / "mnist.npz")
    if not place.is_file():
        sys.exit(f"bench: {place}: no MNIST there; give --data FILE.npz or leave out fit: --only start,digit,reading")
    return place.resolve()


def bench_fit(mnist: Path) -> list[Compared]:
    """An epoch of the lecture network from one line to the next, files included, beside a plain Keras script.

    The quickest of several epochs, the first left out: on shared cores some take twice as long, whoever's they are.
    """
    data, limit, epochs = str(mnist), 12_000, 5

    def ours() -> float:
        with tempfile.TemporaryDirectory() as folder:
            return printed_s(OUR_FIT.format(data=data, limit=limit, epochs=epochs, out=f"{folder}/run"))

    fits, plain = turns(ours, lambda: printed_s(PLAIN_KERAS.format(data=data, limit=limit, epochs=epochs)), 3)
    what = f"`edge-train fit`, the quickest of {epochs - 1} epochs of {limit:,} digits, files written"
    return [Compared(what, "plain Keras script, the same network and digits, its quickest", "s", fits, plain, 1.1)]
