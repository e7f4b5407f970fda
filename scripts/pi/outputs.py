"""What the shipped models say of the shipped digits, as the bare interpreter gives it, for comparing machines.

scripts/pi/outputs.py FILE.npz: an array of raw outputs a model; for `strip`, of strips made of digits side by side.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from edge.inference.runtime import open_interpreter
from edge.inference.shipped import find_model
from edge.sources.digits import load_digits

# An emulated board is fifty times slower, and a strip takes as long as thirty digits.
MODELS = {"paper": 400, "lecture": 400, "strip": 40}


def main(file: Path) -> None:
    """Write the arrays."""
    digits = load_digits()[0]
    said = {}
    for model, count in MODELS.items():
        interpreter = open_interpreter(find_model(model).read_bytes())
        source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
        _, height, width, _ = source["shape"]
        outputs = []
        for start in range(count):
            # What the strips mean does not matter, only that both machines say the same of them.
            row = np.hstack([digits[(start + k) % len(digits)] for k in range(-(-width // digits.shape[2]))])
            tensor = np.zeros((1, height, width, 1), source["dtype"])
            part = row[:height, :width].astype(source["dtype"])
            tensor[0, : part.shape[0], : part.shape[1], 0] = part
            interpreter.set_tensor(source["index"], tensor)
            interpreter.invoke()
            outputs.append(interpreter.get_tensor(sink["index"])[0].copy())
        said[model] = np.stack(outputs)
    np.savez(file, **said)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
