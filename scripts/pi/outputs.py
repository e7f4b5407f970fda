"""What the shipped models say of the shipped digits, as the bare interpreter gives it: a line a model, for comparing machines.

`RUNTIME MODEL SHA256 N`; the sum is over the raw outputs for the first digits, or for strips made of them.
"""

from __future__ import annotations

import hashlib
from importlib import import_module

import numpy as np

from edge.inference.runtime import open_interpreter
from edge.inference.shipped import find_model
from edge.sources.digits import load_digits

# An emulated board is fifty times slower, and a strip takes as long as thirty digits.
MODELS = {"paper": 400, "lecture": 400, "strip": 40}


def main() -> None:
    """Print the lines."""
    digits = load_digits()[0]
    for model, count in MODELS.items():
        interpreter = open_interpreter(find_model(model).read_bytes())
        source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
        _, height, width, _ = source["shape"]
        total = hashlib.sha256()
        for start in range(count):
            # A strip is digits side by side; what they mean does not matter, only that both machines say the same.
            row = np.hstack([digits[(start + k) % len(digits)] for k in range(-(-width // digits.shape[2]))])
            tensor = np.zeros((1, height, width, 1), source["dtype"])
            part = row[:height, :width].astype(source["dtype"])
            tensor[0, : part.shape[0], : part.shape[1], 0] = part
            interpreter.set_tensor(source["index"], tensor)
            interpreter.invoke()
            total.update(np.ascontiguousarray(interpreter.get_tensor(sink["index"])).tobytes())
        runtime = next(name for name in ("ai_edge_litert", "tflite_runtime") if _has(name))
        print(runtime, model, total.hexdigest(), count)


def _has(name: str) -> bool:
    try:
        import_module(name)
    except ModuleNotFoundError:
        return False
    return True


if __name__ == "__main__":
    main()
