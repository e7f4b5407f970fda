"""The Keras side: load a run's network, and give it logits where it had a softmax."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.errors import ModelError
from edge.values import Image

# Digits per call of the Keras model: large enough to be quick, small enough for any workstation.
_BATCH = 500


@contextlib.contextmanager
def foreign_noise_held_back() -> Iterator[None]:
    """Keep what TensorFlow's C++ code writes to stderr out of the way; it is shown if the block fails with a bug."""
    sys.stderr.flush()
    real = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except ModelError:
            raise
        except BaseException:
            held.seek(0)
            os.write(real, held.read())
            raise
        finally:
            os.dup2(real, 2)
            os.close(real)


def load_network(file: Path) -> Any:
    """The Keras model of a .keras or .h5 file, without optimizer; code stored in a file is never run.

    Raises ModelError if it is no Keras model.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with foreign_noise_held_back():
        import keras

        try:
            network = keras.saving.load_model(file, compile=False, safe_mode=True)
        except Exception as error:  # a foreign file makes Keras raise nearly anything
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise ModelError(
                f"{file}: not a Keras model that can be loaded safely: {reason}; give a run of `edge-train fit`"
            ) from error
    return network


def check_shapes(network: Any, file: Path, shape: tuple[int | None, ...], outputs: int) -> None:
    """Raise ModelError unless a network takes (n, *shape), None being any size, and gives so many dimensions."""
    takes, gives = (tuple(getattr(network, name, ())) for name in ("input_shape", "output_shape"))
    if takes[1:] != shape or len(gives) != outputs:
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        given = "(n, labels)" if outputs == 2 else "(n, frames, labels)"
        raise ModelError(
            f"{file}: takes {takes} and gives {gives}; a model for this takes (n, {wanted}) and gives {given}"
        )


def with_logits(network: Any) -> Any:
    """A copy of a network whose last softmax is left out: softmax of its output is what the network gave.

    Raises ModelError if the network's last layer is no softmax.
    """
    import keras

    last = network.layers[-1]
    softmax = keras.activations.softmax

    def linear(layer: Any) -> Any:
        config = layer.get_config()
        if layer is not last:
            return layer.__class__.from_config(config)
        if isinstance(layer, keras.layers.Softmax):
            return keras.layers.Activation("linear", name=layer.name)
        return layer.__class__.from_config(config | {"activation": "linear"})

    if not isinstance(last, keras.layers.Softmax) and getattr(last, "activation", None) is not softmax:
        raise ModelError(
            f"the network ends in {last.__class__.__name__} {last.name!r} without softmax, so its confidence would "
            "mean nothing; train with `edge-train fit`"
        )
    copy = keras.models.clone_model(network, clone_function=linear)
    copy.set_weights(network.get_weights())
    return copy


def keras_probabilities(network: Any, tensors: Image) -> npt.NDArray[np.float32]:
    """What the Keras model says of (n, 28, 28, 1) uint8 tensors: (n, labels) float32 probabilities."""
    parts = [
        np.asarray(network(tensors[start : start + _BATCH].astype(np.float32) / 255, training=False))
        for start in range(0, len(tensors), _BATCH)
    ]
    return np.concatenate(parts) if parts else np.empty((0, network.output_shape[1]), np.float32)
