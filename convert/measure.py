"""Run one model on digits or strips in whatever interpreter this is; needs the edge's packages, never TensorFlow.

`python -m convert.measure` says in one line of JSON which runtime it has. With MODEL.tflite ASKED.npz ANSWER.npz, ASKED
with `tensors` (n, H, W, 1) uint8 and, of strips, their `widths` (n,), it also puts `logits` (n, labels) or (n, frames,
labels) float32, filled up with nan, and `micros` (n,) float64, the time of each, into ANSWER.npz. A model that does not
run is one line on stderr and exit code 4.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from edge.errors import EdgeError
from edge.inference.classifier import Classifier
from edge.inference.manifest import Manifest, load_model
from edge.inference.runtime import find_runtime
from edge.values import Image

Ask: TypeAlias = Callable[[Image], npt.NDArray[np.float32]]

# First calls pay for memory and caches.
_WARM_UP = 20


def measure(model: Path, inputs: Sequence[Image]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """Logits of (H, W, 1) uint8 inputs, one at a time as the edge reads them, and µs each one took.

    Raises ModelError if the model does not load.
    """
    manifest, content = load_model(model)
    ask = _strip_logits(manifest, content) if manifest.task == "strip" else _digit_logits(manifest, content)
    for one in inputs[:_WARM_UP]:
        ask(one)
    answers = []
    micros = np.empty(len(inputs), np.float64)
    for index, one in enumerate(inputs):
        start = time.perf_counter_ns()
        answers.append(ask(one))
        micros[index] = (time.perf_counter_ns() - start) / 1000
    shape = np.max([answer.shape for answer in answers], axis=0)
    logits = np.full((len(inputs), *shape), np.nan, np.float32)
    for row, answer in zip(logits, answers, strict=True):
        row[: len(answer)] = answer
    return logits, micros


def _digit_logits(manifest: Manifest, content: bytes) -> Ask:
    classifier = Classifier(manifest, content)
    return lambda one: classifier.logits(one[None])[0]


def _strip_logits(manifest: Manifest, content: bytes) -> Ask:
    from edge.inference.strip import StripReader

    return StripReader(manifest, content).logits


def main(arguments: list[str]) -> int:
    """See the module's text. Returns the exit code."""
    try:
        runtime = find_runtime()
        print(json.dumps({"name": runtime.name, "version": runtime.version}), flush=True)  # noqa: T201
        if arguments:
            model, asked, answer = (Path(argument) for argument in arguments)
            with np.load(asked, allow_pickle=False) as content:
                tensors = content["tensors"]
                widths = content["widths"].tolist() if "widths" in content else [tensors.shape[2]] * len(tensors)
            inputs = [tensor[:, :width] for tensor, width in zip(tensors, widths, strict=True)]
            logits, micros = measure(model, inputs)
            np.savez(answer, logits=logits, micros=micros)
    except EdgeError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
