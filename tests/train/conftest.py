"""A small training run that the tests of the workstation share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from train.data import Data, load_data
from train.fit import start
from train.settings import FitSettings

# Enough to learn something in two epochs, little enough for a second an epoch.
DIGITS = 600
SMALL = FitSettings(epochs=2, batch_size=32, seed=5)


@pytest.fixture(scope="session")
def small_file(mnist_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An .npz of the first 600 training and 200 test digits of MNIST."""
    file = tmp_path_factory.mktemp("data") / "small.npz"
    with np.load(mnist_file) as mnist:
        np.savez(
            file,
            x_train=mnist["x_train"][:DIGITS],
            y_train=mnist["y_train"][:DIGITS],
            x_test=mnist["x_test"][:200],
            y_test=mnist["y_test"][:200],
        )
    return file


@pytest.fixture(scope="session")
def small(small_file: Path) -> Data:
    """The same, loaded."""
    return load_data(small_file)


@pytest.fixture(scope="session")
def trained(small: Data, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run folder: two epochs on the small data. Tests do not change it."""
    run = tmp_path_factory.mktemp("runs") / "trained"
    start(SMALL, small, run)
    return run
