"""Digits, and strips of digits, whose labels are known: on them Keras and TFLite are compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.errors import ShapeError, SourceError
from edge.sources.labelled import from_arrays, read_labelled
from edge.values import Image

SIDE = 28
MNIST_TEST, MNIST_TEST_DIGITS = "mnist-test", 10_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Examples:
    """Tensors (n, H, W, 1) uint8, 0 paper to 255 ink, and what each one is.

    Digits are 28×28, their labels (n,) int64 indices of the model's. Strips are 32 high and padded to one width, widths
    (n,) are their own, their labels (n,) str the texts. name tells where they are from; `mnist-test` is MNIST's test
    half, recognised by checksum. indices (n,) int64 are their places there, from 0.
    """

    tensors: Image
    labels: npt.NDArray[Any]
    indices: npt.NDArray[np.int64]
    name: str
    widths: npt.NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        shape = self.tensors.shape
        if len(shape) != 4 or shape[0] != len(self.labels) or shape[3] != 1 or self.tensors.dtype != np.uint8:
            raise ShapeError(f"examples are (n, H, W, 1) uint8, one a label, not {shape} {self.tensors.dtype}")

    def __len__(self) -> int:
        return len(self.labels)

    def inputs(self) -> Iterator[Image]:
        """Each tensor (H, W, 1) as a model takes it, without padding."""
        widths = np.full(len(self), self.tensors.shape[2]) if self.widths is None else self.widths
        return (tensor[:, :width] for tensor, width in zip(self.tensors, widths.tolist(), strict=True))

    def at_most(self, count: int | None) -> npt.NDArray[np.int64]:
        """Indices of count of them, or of all, evenly spread: the first MNIST test digits are easier than the last."""
        n = len(self) if count is None else min(count, len(self))
        return np.linspace(0, len(self) - 1, n).round().astype(np.int64)

    def part(self, count: int | None) -> Examples:
        """At most count of them, evenly spread; all for None."""
        return self.chosen(self.at_most(count))

    def chosen(self, rows: npt.NDArray[np.int64]) -> Examples:
        """Those in the rows."""
        return Examples(
            tensors=self.tensors[rows],
            labels=self.labels[rows],
            indices=self.indices[rows],
            name=self.name,
            widths=None if self.widths is None else self.widths[rows],
        )

    @staticmethod
    def of(images: Image, labels: npt.NDArray[Any], name: str) -> Examples:
        """All of (n, 28, 28) uint8 images with label indices (n,)."""
        return Examples(
            tensors=images[..., None], labels=labels.astype(np.int64), indices=np.arange(len(labels)), name=name
        )


def labelled_examples(data: Path | None, labels: tuple[str, ...]) -> Examples:
    """The test half of an .npz file, of a folder of IDX files, or of MNIST as Keras downloads it, for a model's labels.

    Raises SourceError if the data is not usable, or has digits that the model does not know.
    """
    found = read_labelled(data) if data else from_arrays(_mnist_of_keras(), "MNIST as Keras downloads it")
    unknown = sorted({str(label) for label in found.y_test.tolist()} - set(labels))
    if unknown:
        raise SourceError(
            f"{data or 'MNIST'}: holds {', '.join(unknown)}, the model knows only {', '.join(labels)}; "
            "give --data the digits it was trained for"
        )
    index = np.array([labels.index(str(digit)) if str(digit) in labels else -1 for digit in range(10)])
    name = MNIST_TEST if found.name == "mnist" else f"{data}, test half"
    return Examples.of(found.x_test, index[found.y_test], name)


def _mnist_of_keras() -> dict[str, npt.NDArray[np.uint8]]:
    """MNIST's four arrays from Keras' cache, downloaded into it the first time."""
    import keras

    try:
        (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    except Exception as error:  # urllib, sockets and checksums raise without a common root
        reason = " ".join(str(error).split())[:200]
        raise SourceError(
            f"MNIST: not in Keras' cache and cannot be downloaded: {reason}; "
            "give --data mnist.npz, or a folder of IDX files"
        ) from error
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
