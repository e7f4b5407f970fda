"""What every test room shares: where MNIST is, which tests an environment is meant to run, and quiet TensorFlow."""

from __future__ import annotations

import importlib.util
import os
import signal
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HERE = Path(__file__).parent
HAS_TENSORFLOW = importlib.util.find_spec("tensorflow") is not None

# Under nohup SIGHUP is ignored by all that is started, in the background of a script SIGINT is; the tests send both.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")
# Tests read with the models that ship, whatever is installed on the machine, and leave nothing of runs in a home.
os.environ["XDG_STATE_HOME"] = str(Path(tempfile.gettempdir()) / f"no-state-{os.getpid()}")
os.environ["INKEDGE_MODELS"] = str(Path(tempfile.gettempdir()) / f"no-models-{os.getpid()}")

# The edge's own environment has no TensorFlow and no developer's tools: what needs them is not collected there at all,
# but for the tests that carry the marker `edge_only`, which any environment of the edge can run.
WORKSTATION = ("train", "convert", "test_architecture.py", "test_wheel.py")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out, where there is no TensorFlow, files of the workstation that hold no test for every environment."""
    if HAS_TENSORFLOW or collection_path.suffix != ".py":
        return None
    place = collection_path.relative_to(HERE).parts if collection_path.is_relative_to(HERE) else ()
    if place and place[0] in WORKSTATION and "pytest.mark.edge_only" not in collection_path.read_text():
        return True
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect, where there is no TensorFlow, the tests of the workstation that are not marked `edge_only`."""
    if HAS_TENSORFLOW:
        return
    kept: list[pytest.Item] = []
    away: list[pytest.Item] = []
    for item in items:
        (kept if _is_meant_for_edge(item) else away).append(item)
    config.hook.pytest_deselected(items=away)
    items[:] = kept


def _is_meant_for_edge(item: pytest.Item) -> bool:
    place = item.path.relative_to(HERE).parts if item.path.is_relative_to(HERE) else ("",)
    return place[0] not in WORKSTATION or item.get_closest_marker("edge_only") is not None


@pytest.fixture(scope="session")
def mnist_file() -> Path:
    """MNIST as an .npz of x_train, y_train, x_test, y_test (uint8).

    `INKEDGE_MNIST` names it; else `data/mnist.npz` in a folder beside the repository; else Keras' cache or download.
    """
    named = os.environ.get("INKEDGE_MNIST")
    if named:
        return Path(named)
    for file in sorted(ROOT.parent.glob("*/data/mnist.npz")):
        return file
    cached = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "datasets" / "mnist.npz"
    if not cached.is_file() and HAS_TENSORFLOW:
        import keras

        try:
            keras.datasets.mnist.load_data()
        except Exception as error:  # whatever a download may end with: no network, a broken file, a full disk
            pytest.skip(f"no MNIST here ({error}); name an .npz of it with INKEDGE_MNIST=FILE")
    if not cached.is_file():
        pytest.skip("no MNIST here; name an .npz of it with INKEDGE_MNIST=FILE")
    return cached
