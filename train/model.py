"""The networks, and the one door to Keras: nothing else in train/ imports it at the top."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from edge.errors import ModelError, RuntimeMissingError, UsageError

# A keras.Model; Keras ships no types.
Model: TypeAlias = Any


@cache
def open_keras() -> Any:
    """The keras module on TensorFlow, without TensorFlow's banners; RuntimeMissingError if it is not installed."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    try:
        with _banners_away():
            import keras
    except ModuleNotFoundError as error:
        if error.name not in ("keras", "tensorflow"):
            raise
        raise RuntimeMissingError(
            f"{error.name} is not installed; on the workstation: pip install 'inkedge[train]'"
        ) from error
    # Keras warns through absl that .h5 is an old format; both formats are wanted here.
    logging.getLogger("absl").setLevel(logging.ERROR)
    return keras


@contextmanager
def _banners_away() -> Iterator[None]:
    """While TensorFlow loads it writes about oneDNN to file descriptor 2, before any setting of its log is heard."""
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """A convnet after the lecture's pattern: Conv 3×3 ReLU and max pool 2×2 for each of `filters`, then two Dense.

    dropout is the share of `units` dropped while training, 0 for none.
    """

    filters: tuple[int, ...] = (64, 128)
    units: int = 128
    dropout: float = 0.0


LECTURE = Architecture()


def convnet(architecture: Architecture, classes: int) -> Model:
    """An uncompiled network: float32 (n, 28, 28, 1) in 0 to 1 -> softmax (n, classes).

    Convolutions are valid as in the lecture; from the third stage on they are padded, for the 5×5 left of the
    picture would shrink to nothing.
    """
    keras = open_keras()
    layers = [keras.Input((28, 28, 1), name="digit")]
    for stage, filters in enumerate(architecture.filters, start=1):
        padding = "valid" if stage <= 2 else "same"
        layers.append(keras.layers.Conv2D(filters, 3, activation="relu", padding=padding, name=f"conv{stage}"))
        layers.append(keras.layers.MaxPooling2D(2, name=f"pool{stage}"))
    layers.append(keras.layers.Flatten(name="flatten"))
    return keras.Sequential([*layers, *_head(architecture.units, architecture.dropout, classes)], name="convnet")


def _head(units: int, dropout: float, classes: int) -> list[Any]:
    layers = open_keras().layers
    middle = [layers.Dropout(dropout, name="dropout")] if dropout else []
    return [
        layers.Dense(units, activation="relu", name="dense"),
        *middle,
        layers.Dense(classes, activation="softmax", name="probabilities"),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Convolutions `filters` wide, each with batch normalisation and ReLU; the first with this kernel and stride."""

    filters: tuple[int, ...]
    kernel: int = 3
    stride: int = 1


# At half the picture's size from the first layer on: a 5x5 stem sees a stroke's width, and time goes where it pays.
PAPER = (Stage(filters=(24,), kernel=5, stride=2), Stage(filters=(32, 32)), Stage(filters=(32, 44)))
# Learns what it can, so that the paper network can learn from it; never converted.
TEACHER = (Stage(filters=(48,), kernel=5, stride=2), Stage(filters=(64, 64)), Stage(filters=(96, 128)))


def pooled_convnet(stages: tuple[Stage, ...], classes: int, name: str) -> Model:
    """An uncompiled network: float32 (n, 28, 28, 1) in 0 to 1 -> softmax (n, classes).

    A stem, two stages with a max pool 2×2 between them, and the mean over the picture: what is left of it knows what
    was seen and not where. Batch normalisation (Ioffe, Szegedy, 2015) folds into the convolutions when converted.
    """
    keras = open_keras()
    layers = [keras.Input((28, 28, 1), name="digit")]
    for number, stage in enumerate(stages):
        if number == len(stages) - 1:
            layers.append(keras.layers.MaxPooling2D(2, name="pool"))
        for place, filters in enumerate(stage.filters):
            own = f"{number}{'abc'[place]}"
            kernel, stride = (stage.kernel, stage.stride) if place == 0 else (3, 1)
            layers += [
                keras.layers.Conv2D(filters, kernel, strides=stride, padding="same", use_bias=False, name=f"conv{own}"),
                keras.layers.BatchNormalization(name=f"norm{own}"),
                keras.layers.ReLU(name=f"relu{own}"),
            ]
    layers.append(keras.layers.GlobalAveragePooling2D(name="mean"))
    return keras.Sequential(
        [*layers, keras.layers.Dense(classes, activation="softmax", name="probabilities")], name=name
    )


def _strip(classes: int) -> Model:
    from train.strip_model import strip_network

    return strip_network(classes)


BUILDERS: dict[str, Callable[[int], Model]] = {
    "lecture": lambda classes: convnet(LECTURE, classes),
    "paper": lambda classes: pooled_convnet(PAPER, classes, "paper"),
    "teacher": lambda classes: pooled_convnet(TEACHER, classes, "teacher"),
    "strip": _strip,
}


def check_name(name: str) -> None:
    """Raise UsageError unless `build` knows the network."""
    if name not in BUILDERS:
        raise UsageError(f"--model {name}: no such network; there is {', '.join(BUILDERS)}")


def build(name: str, classes: int) -> Model:
    """The named network, uncompiled, for so many classes; "lecture" with 10 classes has 485,514 parameters."""
    check_name(name)
    return BUILDERS[name](classes)


def compile_model(model: Model, learning_rate: float, *, weight_decay: float = 0.0) -> None:
    """Make it ready to fit: adam (AdamW where weights decay), categorical cross-entropy, accuracy."""
    optimizers = open_keras().optimizers
    decays = {"weight_decay": weight_decay} if weight_decay else {}
    optimizer = (optimizers.AdamW if weight_decay else optimizers.Adam)(learning_rate, **decays)
    model.compile(optimizer=optimizer, loss="categorical_crossentropy", metrics=["accuracy"])


def transfer(base: Model, classes: int, *, freeze: bool) -> Model:
    """A network that keeps what `base` has learned up to its Flatten or global mean, under a new head.

    The head is Dense 128 and softmax, on a mean the softmax alone. freeze: the layers taken over are not trained.
    Uncompiled; base must not be used on. Raises ModelError if base has neither layer.
    """
    keras = open_keras()
    names = [type(layer).__name__ for layer in base.layers]
    ends = [at for at, name in enumerate(names) if name in ("Flatten", "GlobalAveragePooling2D")]
    if not ends:
        raise ModelError(
            f"--from: {base.name} has no Flatten or global mean, so where its head begins is unknown; use a convnet"
        )
    taken = base.layers[: ends[0] + 1]
    for layer in taken:
        layer.trainable = not freeze
    head = _head(LECTURE.units, 0.0, classes)
    if names[ends[0]] != "Flatten":
        head = head[-1:]
    return keras.Sequential([keras.Input((28, 28, 1), name="digit"), *taken, *head], name="convnet")


def load(path: Path) -> Model:
    """The digit network in a .keras or .h5 file, as `open_network`; ModelError if not (n, 28, 28, 1) -> softmax."""
    model = open_network(path)
    _check_shape(model, path)
    return model


def open_network(path: Path) -> Model:
    """The network in a .keras or .h5 file, compiled if it was, optimizer state included.

    Unsafe deserialisation (Lambda layers: code in a file) stays off. Raises ModelError for a file that is missing,
    broken or foreign.
    """
    if path.suffix not in (".keras", ".h5"):
        raise ModelError(f"{path}: not a run folder, .keras or .h5 file")
    if not path.is_file():
        raise ModelError(f"{path}: no such file; `edge-train fit` makes one")
    try:
        with warnings.catch_warnings(action="ignore"):  # of an optimizer without state; who needs it looks for itself
            # safe_mode is the default; it is named because the safety of opening a foreign file hangs on it.
            model = open_keras().saving.load_model(path, safe_mode=True)
            if path.suffix == ".h5":
                _restore_optimizer(model, path)
    except RuntimeMissingError:
        raise
    except Exception as error:  # whatever Keras, h5py and zipfile raise for a file that is not theirs
        if "lambda" in str(error).lower():
            cause = "it holds a Lambda layer, which is code, and code from a file is not run; rebuild it without"
        else:
            cause = f"broken, or not a Keras model ({_first_line(error)}); train again or use another copy"
        raise ModelError(f"{path}: {cause}") from error
    return model


def _restore_optimizer(model: Model, path: Path) -> None:
    """Give a model read from .h5 its optimizer state back, if it has any.

    Keras 3.15 builds the optimizer of a Sequential for its own variables without those of its layers, that is for
    none, and then has no place for the state.
    """
    import h5py

    with h5py.File(path) as file:
        if getattr(model, "optimizer", None) is None or "optimizer_weights" not in file:
            return
        group = file["optimizer_weights"]
        values = [group[name][()] for name in group.attrs["weight_names"]]
    optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
    optimizer.build(model.trainable_variables)
    for variable, value in zip(optimizer.variables, values, strict=True):
        variable.assign(value)
    model.compile(optimizer=optimizer, loss=model.loss, metrics=["accuracy"] if model.loss else None)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:150]


def _check_shape(model: Model, path: Path) -> None:
    if getattr(model, "input_shape", None) != (None, 28, 28, 1):
        shape = getattr(model, "input_shape", "something else")
        raise ModelError(f"{path}: takes {shape}, not (None, 28, 28, 1); a digit network is wanted")
    last = model.layers[-1]
    softmax = (
        getattr(getattr(last, "activation", None), "__name__", "") == "softmax" or type(last).__name__ == "Softmax"
    )
    if not softmax or len(model.output_shape) != 2:
        raise ModelError(f"{path}: does not end in softmax over classes; a digit network is wanted")
