"""An epoch of training beside a plain Keras script, and making digits as from paper beside learning from them."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from measures.compared import Compared, printed, turns

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

# One thread each, for while one process trains another makes what it trains on next.
MAKE_AND_LEARN = """
import sys, time
from pathlib import Path
import cv2
import tensorflow as tf
cv2.setNumThreads(1)
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
from train.data import as_input, load_data, one_hot
from train.lessons import LABELS, REPEATS
from train.model import build, compile_model
from train.settings import FitSettings
from train.stream import FIRST, synthesise
data, settings = load_data(Path({data!r})), FitSettings.for_model("paper")
network = build("paper", len(LABELS))
compile_model(network, settings.learning_rate, weight_decay=settings.weight_decay)
for turn in range(4):
    begin = time.perf_counter()
    images, labels = synthesise(data.x_train, data.y_train, FIRST, n={n}, seed=0, epoch=turn)
    made = time.perf_counter()
    network.fit(as_input(images), one_hot(labels, len(LABELS)), batch_size=settings.batch_size, verbose=0)
    learned = time.perf_counter()
    print((made - begin) / {n} / REPEATS["paper"], (learned - made) / {n})
"""


def find_mnist(named: str | None) -> Path:
    """MNIST by --data, by INKEDGE_MNIST, or in Keras' cache."""
    place = Path(named or os.environ.get("INKEDGE_MNIST") or Path.home() / ".keras" / "datasets" / "mnist.npz")
    if not place.is_file():
        sys.exit(f"bench: {place}: no MNIST there; give --data FILE.npz, or --only start,digit,reading")
    return place.resolve()


def bench_fit(mnist: Path) -> list[Compared]:
    """An epoch of the lecture network from one line to the next, files included, beside a plain Keras script.

    The quickest of several epochs, the first left out: on shared cores some take twice as long, whoever's they are.
    """
    data, limit, epochs = str(mnist), 12_000, 5

    def ours() -> float:
        with tempfile.TemporaryDirectory() as folder:
            return printed(OUR_FIT.format(data=data, limit=limit, epochs=epochs, out=f"{folder}/run"))[-1]

    fits, plain = turns(ours, lambda: printed(PLAIN_KERAS.format(data=data, limit=limit, epochs=epochs))[-1], 3)
    what = f"`edge-train fit`, the quickest of {epochs - 1} epochs of {limit:,} digits, files written"
    return [Compared(what, "plain Keras script, the same network and digits, its quickest", "s", fits, plain, 1.1)]


def bench_make(mnist: Path) -> list[Compared]:
    """Making a digit as from paper, shared by the epochs that use it, beside one step of learning from it."""
    said = printed(MAKE_AND_LEARN.format(data=str(mnist), n=4000))[2:]  # the first turn compiles
    ours, others = ([1e6 * seconds for seconds in said[start::2]] for start in (0, 1))
    return [
        Compared("`paper`: making a digit, for each epoch that uses it", "learning from it", "µs", ours, others, 1.0)
    ]
