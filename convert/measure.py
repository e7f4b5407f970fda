"""Run one model on digits in whatever interpreter this is; needs the edge's packages only, never TensorFlow.

`python -m convert.measure` says in one line of JSON which runtime it has. With MODEL.tflite DIGITS.npz ANSWER.npz it
also puts `logits` (n, labels) float32 and `micros` (n,) float64, the time of each digit, into ANSWER.npz. A model that
does not run is one line on stderr and exit code 4.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.errors import EdgeError
from edge.inference.classifier import Classifier
from edge.inference.runtime import find_runtime
from edge.values import Image

# First calls pay for memory and caches.
_WARM_UP = 20


def measure(model: Path, tensors: Image) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """Logits (n, labels) of (n, 28, 28, 1) uint8 tensors, one at a time as the edge reads them, and µs each one took.

    Raises ModelError if the model does not load.
    """
    classifier = Classifier.open(model)
    for tensor in tensors[:_WARM_UP]:
        classifier.logits(tensor[None])
    logits = np.empty((len(tensors), len(classifier.labels)), np.float32)
    micros = np.empty(len(tensors), np.float64)
    for index, tensor in enumerate(tensors):
        one = tensor[None]
        start = time.perf_counter_ns()
        scores = classifier.logits(one)
        micros[index] = (time.perf_counter_ns() - start) / 1000
        logits[index] = scores[0]
    return logits, micros


def main(arguments: list[str]) -> int:
    """See the module's text. Returns the exit code."""
    try:
        runtime = find_runtime()
        print(json.dumps({"name": runtime.name, "version": runtime.version}), flush=True)  # noqa: T201
        if arguments:
            model, digits, answer = (Path(argument) for argument in arguments)
            with np.load(digits, allow_pickle=False) as content:
                logits, micros = measure(model, content["tensors"])
            np.savez(answer, logits=logits, micros=micros)
    except EdgeError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
