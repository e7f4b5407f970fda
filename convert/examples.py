"""Digits with known labels on which Keras and TFLite are compared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.errors import ShapeError, SourceError
from edge.sources.labelled import from_arrays, read_labelled
from edge.values import Image

SIDE = 28
MNIST_TEST = "mnist-test"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Examples:
    """Digits as tensors (n, 28, 28, 1) uint8, 0 paper to 255 ink, and the index of each one's label (n,) int64.

    name tells where they are from; `mnist-test` is MNIST's test half, recognised by checksum, and whole.
    """

    tensors: Image
    labels: npt.NDArray[np.int64]
    name: str

    def __post_init__(self) -> None:
        if self.tensors.shape != (len(self.labels), SIDE, SIDE, 1) or self.tensors.dtype != np.uint8:
            raise ShapeError(f"examples are (n, 28, 28, 1) uint8, not {self.tensors.shape} {self.tensors.dtype}")

    def __len__(self) -> int:
        return len(self.labels)

    def spread(self, count: int) -> Examples:
        """At most count of them, evenly spread: the halves of the MNIST test set are not equally hard."""
        if count >= len(self):
            return self
        chosen = np.linspace(0, len(self) - 1, count).round().astype(np.int64)
        return Examples(tensors=self.tensors[chosen], labels=self.labels[chosen], name=f"{self.name}, {count} of {len(self)}")


def test_digits(data: Path | None, labels: tuple[str, ...]) -> Examples:
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
    return Examples(tensors=found.x_test[..., None], labels=index[found.y_test], name=name)


def _mnist_of_keras() -> dict[str, npt.NDArray[np.uint8]]:
    """MNIST's four arrays from Keras' cache, downloaded into it the first time."""
    import keras

    try:
        (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    except Exception as error:  # urllib, sockets and checksums raise without a common root
        reason = " ".join(str(error).split())[:200]
        raise SourceError(
            f"MNIST: not in Keras' cache and cannot be downloaded: {reason}; give --data mnist.npz, or a folder of IDX files"
        ) from error
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
