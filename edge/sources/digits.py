"""The digits that ship with the edge: real handwriting for the demo camera, the bench and the tests."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from edge.errors import SourceError


@cache
def load_digits() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """The first 2,500 MNIST test digits, in order: images (n, 28, 28) uint8, 0 paper to 255 ink, and labels (n,) uint8.

    Loaded once; the arrays are read-only. Source and licence: demo_digits.txt.
    Raises SourceError if the installation lacks them.
    """
    place = files("edge.sources") / "demo_digits.npz"
    try:
        with place.open("rb") as stream, np.load(stream, allow_pickle=False) as content:
            images, labels = content["images"], content["labels"]
    except (OSError, ValueError, KeyError) as error:
        raise SourceError(f"{place}: {error}; install inkedge again") from error
    images.setflags(write=False)
    labels.setflags(write=False)
    return images, labels
