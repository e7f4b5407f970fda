"""What the shipped models say of the shipped digits, as the bare interpreter gives it, for comparing machines.

scripts/pi/outputs.py FILE.npz: an array of raw outputs a model; for `strip`, of strips made of digits side by side. The
strip model's last layer computes in floats; `strip, before its last layer` is the 8-bit tensor that goes into it.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.inference.runtime import Interpreter, find_runtime, open_interpreter
from edge.inference.shipped import find_model
from edge.sources.digits import load_digits

# An emulated board is fifty times slower, and a strip takes as long as thirty digits.
MODELS = {"paper": 400, "lecture": 400, "strip": 40}


def inputs(interpreter: Interpreter, count: int) -> list[npt.NDArray[Any]]:
    """So many tensors made of digits. What the strips mean does not matter, only that machines say the same of them."""
    digits = load_digits()[0]
    source = interpreter.get_input_details()[0]
    _, height, width, _ = source["shape"]
    tensors = []
    for start in range(count):
        row = np.hstack([digits[(start + k) % len(digits)] for k in range(-(-width // digits.shape[2]))])
        tensor = np.zeros((1, height, width, 1), source["dtype"])
        part = row[:height, :width].astype(source["dtype"])
        tensor[0, : part.shape[0], : part.shape[1], 0] = part
        tensors.append(tensor)
    return tensors


def outputs(interpreter: Interpreter, tensors: list[npt.NDArray[Any]], index: int) -> npt.NDArray[Any]:
    """The tensor of that index after each of the inputs."""
    found = []
    for tensor in tensors:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], tensor)
        interpreter.invoke()
        found.append(interpreter.get_tensor(index)[0].copy())
    return np.stack(found)


def main(file: Path) -> None:
    """Write the arrays."""
    said = {}
    for model, count in MODELS.items():
        content = find_model(model).read_bytes()
        interpreter = open_interpreter(content)
        tensors = inputs(interpreter, count)
        sink = interpreter.get_output_details()[0]
        said[model] = outputs(interpreter, tensors, sink["index"])
        if np.issubdtype(sink["dtype"], np.floating):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it warns of what it is asked for
                keeping = find_runtime().interpreter_class(
                    model_content=content, num_threads=1, experimental_preserve_all_tensors=True
                )
            keeping.resize_tensor_input(keeping.get_input_details()[0]["index"], tensors[0].shape)
            keeping.allocate_tensors()
            # Tensors are numbered as they are computed.
            last = max(one["index"] for one in keeping.get_tensor_details() if one["dtype"] == np.int8)
            said[f"{model}, before its last layer"] = outputs(keeping, tensors, last)
    np.savez(file, **said)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
