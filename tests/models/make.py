"""Make the tests' run folder from a real one: `python tests/models/make.py RUN`; the network without its optimizer.

Beside it goes reference.npz: what Keras says of the digits that ship with the edge, for environments without Keras.
The tests convert the lecture's, and go on training the paper's.
"""

import json
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np

from edge.sources.digits import load_digits

FOLDER = Path(__file__).parent
# Enough to calibrate on, and small enough for a repository.
REPRESENTATIVE, HELDBACK = 300, 800


def main(run: Path) -> None:
    network = keras.saving.load_model(run / "model.keras", compile=False)
    told = json.loads((run / "run.json").read_text())
    folder = FOLDER / told["model"]
    folder.mkdir(exist_ok=True)
    make_run(run, network, told, folder)
    images, _ = load_digits()
    said = network.predict(images[..., None].astype(np.float32) / 255, verbose=0)
    np.savez_compressed(folder / "reference.npz", probabilities=said.astype(np.float16))


def make_run(run: Path, network: Any, told: dict[str, Any], folder: Path) -> None:
    network.save(folder / "model.keras", include_optimizer=False)
    for name in ("source", "teacher"):  # paths on the machine that trained
        told.pop(name, None)
    (folder / "run.json").write_text(json.dumps(told, indent=1) + "\n")
    with np.load(run / "representative.npz") as content:
        np.savez_compressed(
            folder / "representative.npz",
            images=content["images"][:REPRESENTATIVE],
            labels=content["labels"][:REPRESENTATIVE],
            heldback_images=content["heldback_images"][:HELDBACK],
            heldback_labels=content["heldback_labels"][:HELDBACK],
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
