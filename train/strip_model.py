"""The network that reads a whole number: a strip of ink in, a digit or blank for every four columns out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.errors import ModelError
from edge.imaging.strips import ROWS
from edge.inference.manifest import BLANK, DIGITS
from train.model import Model, open_keras, open_network

LABELS = (*DIGITS, BLANK)
# Columns of a strip to a step of the output.
STRIDE = 4


def strip_network(classes: int) -> Model:
    """An uncompiled network: float32 (n, 32, W, 1) in 0 to 1, W any multiple of 4 -> logits (n, W / 4, classes).

    Convolutions, max pooling and padding only, so that it converts with builtin operators and a width that can be
    changed. The last of the classes is the blank of connectionist temporal classification (CTC, Graves et al., 2006).
    """
    keras = open_keras()
    layers = keras.layers
    strip = keras.Input((ROWS, None, 1), name="strip")

    def conv(x: Any, filters: int, kernel: int | tuple[int, int], *, name: str, **how: Any) -> Any:
        x = layers.Conv2D(filters, kernel, use_bias=False, name=name, **({"padding": "same"} | how))(x)
        x = layers.BatchNormalization(momentum=0.99, name=f"{name}_norm")(x)
        return layers.ReLU(name=f"{name}_relu")(x)

    x = conv(strip, 16, 5, strides=2, name="conv1")  # (16, W/2, 16)
    x = conv(x, 24, 3, name="conv2")
    x = layers.MaxPooling2D(2, name="pool2")(x)  # (8, W/4, 24)
    x = conv(x, 48, 3, name="conv3")
    x = conv(x, 56, 3, name="conv4")
    x = layers.MaxPooling2D((2, 1), name="pool4")(x)  # (4, W/4, 56)
    x = conv(x, 80, 3, name="conv5")
    x = layers.MaxPooling2D((2, 1), name="pool5")(x)  # (2, W/4, 80)
    x = layers.ZeroPadding2D(((0, 0), (1, 1)), name="pad6")(x)
    x = conv(x, 104, (2, 3), padding="valid", name="conv6")  # (1, W/4, 104)
    x = conv(x, 96, (1, 3), name="conv7")
    x = layers.Conv2D(classes, 1, name="logits")(x)
    return keras.Model(strip, layers.Reshape((-1, classes), name="steps")(x), name="strip")


def load_strip(path: Path) -> Model:
    """The strip network in a .keras or .h5 file, as `train.model.open_network`.

    Raises ModelError if it is not (n, 32, W, 1) -> (n, T, 11).
    """
    network = open_network(path)
    taken, given = getattr(network, "input_shape", None), getattr(network, "output_shape", None)
    if taken != (None, ROWS, None, 1) or given != (None, None, len(LABELS)):
        raise ModelError(f"{path}: is no strip network; `edge-train fit --model strip` makes one")
    return network


def spell(logits: npt.NDArray[np.floating[Any]]) -> list[str]:
    """Greedy texts of logits (n, T, classes), the last class blank: repeats are joined, blanks dropped."""
    best = logits.argmax(axis=-1)
    blank = logits.shape[-1] - 1
    new = np.ones_like(best, dtype=np.bool_)
    new[:, 1:] = best[:, 1:] != best[:, :-1]
    return ["".join(map(str, row[keep & (row != blank)])) for row, keep in zip(best, new, strict=True)]
