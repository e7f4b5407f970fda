"""Training data: MNIST from Keras' download, labelled arrays, or a folder of labelled images."""

from __future__ import annotations

import contextlib
import math
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from edge.errors import SourceError
from edge.inference.manifest import DIGITS
from edge.sources.labelled import Labelled, from_arrays, is_idx_folder, read_labelled
from train.model import open_keras
from train.pictures import has_pictures, read_label_folder

Images: TypeAlias = npt.NDArray[np.uint8]
Labels: TypeAlias = npt.NDArray[np.int64]
Tensors: TypeAlias = npt.NDArray[np.float32]

MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Data:
    """Labelled digits: images (n, 28, 28) uint8, 0 paper to 255 ink; y are indices into `labels`.

    name: "mnist", "custom" or "folder"; source: the path it was read from, None for Keras' own MNIST.
    """

    x_train: Images
    y_train: Labels
    x_test: Images
    y_test: Labels
    labels: tuple[str, ...]
    name: str
    sha256: str
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """The training digits in two: those trained on, and those held back to validate."""

    x_train: Images
    y_train: Labels
    x_heldback: Images
    y_heldback: Labels


def load_data(path: Path | None = None) -> Data:
    """The data at `path` (npz, IDX folder, or folder of `LABEL/*.png`), or MNIST from Keras' cache or download.

    Raises SourceError, with the remedy, if there are none or they are damaged.
    """
    if path is None:
        return _as_data(_download(), None)
    if path.is_dir() and not is_idx_folder(path) and has_pictures(path):
        return _read_folder(path)
    return _as_data(read_labelled(path), str(path.resolve()))


def split(data: Data, validation_split: float, limit: int | None = None) -> Split:
    """Hold back the last part of the (first `limit`) training digits, exactly as Keras' validation_split does.

    Raises SourceError if that leaves nothing to train on.
    """
    x, y = data.x_train[:limit], data.y_train[:limit]
    at = math.floor(len(x) * (1.0 - validation_split))
    if not at:
        raise SourceError(f"{data.source or data.name}: of {len(x)} digits none is left to train on; give more")
    return Split(x_train=x[:at], y_train=y[:at], x_heldback=x[at:], y_heldback=y[at:])


def digits_to_judge(data: Data, seen: str | None, labels: tuple[str, ...]) -> tuple[Images, Labels]:
    """The digits to judge a network by that was trained on data with the sha256 `seen`; indices are into its `labels`.

    Those kept for testing; of a folder it has never seen, all. Raises SourceError if it does not know a label.
    """
    unknown = [label for label in data.labels if label not in labels]
    if unknown:
        raise SourceError(f"{data.source}: label {unknown[0]!r} is none of the network's ({', '.join(labels)})")
    x, y = data.x_test, data.y_test
    if data.name == "folder" and data.sha256 != seen:
        x, y = np.concatenate((data.x_train, x)), np.concatenate((data.y_train, y))
    return x, np.array([labels.index(label) for label in data.labels])[y]


def as_input(images: Images) -> Tensors:
    """Images (n, 28, 28) uint8 as the network takes them: (n, 28, 28, 1) float32 in 0 to 1."""
    return images.astype(np.float32)[..., None] / np.float32(255)


def one_hot(y: Labels, classes: int) -> Tensors:
    """Label indices (n,) as rows (n, classes) of one 1 each."""
    return np.eye(classes, dtype=np.float32)[y]


def representative(x: Images, y: Labels, *, classes: int, n: int, seed: int) -> tuple[Images, npt.NDArray[np.uint8]]:
    """Up to n digits drawn at random, as even over the labels as the data allow, in mixed order; images and labels."""
    rng = np.random.default_rng(seed)
    shuffled = [rng.permutation(np.flatnonzero(y == label)) for label in range(classes)]
    # The first of every label, then the second of every label, ...: cutting this anywhere is balanced.
    rank = np.concatenate([np.arange(len(indices)) for indices in shuffled])
    chosen = rng.permutation(np.concatenate(shuffled)[np.argsort(rank, kind="stable")][:n])
    return x[chosen], y[chosen].astype(np.uint8)


def _as_data(found: Labelled, source: str | None) -> Data:
    return Data(
        x_train=found.x_train,
        y_train=found.y_train.astype(np.int64),
        x_test=found.x_test,
        y_test=found.y_test.astype(np.int64),
        labels=DIGITS,
        name=found.name,
        sha256=found.sha256,
        source=source,
    )


def _download() -> Labelled:
    keras = open_keras()
    patience, told_s = socket.getdefaulttimeout(), 10.0  # without it a silent server would be waited for for ever
    socket.setdefaulttimeout(told_s)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # Keras shows its download on stdout, where only data belongs
            (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    except Exception as error:  # urllib's, socket's, zipfile's and Keras' own for a wrong checksum
        cache = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "datasets" / "mnist.npz"
        cause = (str(error).splitlines() or [type(error).__name__])[0][:150]
        raise SourceError(
            f"MNIST: not in Keras' cache, and the download failed ({cause}); "
            f"download {MNIST_URL} to {cache}, or name the file with --data"
        ) from error
    finally:
        socket.setdefaulttimeout(patience)
    arrays: dict[str, npt.NDArray[Any]] = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    return from_arrays(arrays, "Keras' MNIST")


def _read_folder(folder: Path) -> Data:
    found = read_label_folder(folder)
    # Every fifth of a label tests; the others are mixed, for files come label by label and the end is held back.
    place = np.concatenate([np.arange(np.count_nonzero(found.y == label)) for label in range(len(found.labels))])
    tests = place % 5 == 4
    order = np.random.default_rng(0).permutation(np.flatnonzero(~tests))
    return Data(
        x_train=found.images[order],
        y_train=found.y[order],
        x_test=found.images[tests],
        y_test=found.y[tests],
        labels=found.labels,
        name="folder",
        sha256=found.sha256,
        source=str(folder.resolve()),
    )
