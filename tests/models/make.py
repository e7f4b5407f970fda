"""Make the tests' run folder from a real one: `python tests/models/make.py RUN`; the network without its optimizer.

Beside it goes reference.npz: what Keras says of the digits that ship with the edge, for environments without Keras.
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np

from edge.sources.digits import load_digits

FOLDER = Path(__file__).parent / "lecture"
# Enough to calibrate on, and small enough for a repository.
REPRESENTATIVE, HELDBACK = 300, 800


def main(run: Path) -> None:
    network = keras.saving.load_model(run / "model.keras", compile=False)
    network.save(FOLDER / "model.keras", include_optimizer=False)
    told = json.loads((run / "run.json").read_text())
    told.pop("source", None)  # a path on the machine that trained
    (FOLDER / "run.json").write_text(json.dumps(told, indent=1) + "\n")
    with np.load(run / "representative.npz") as content:
        np.savez_compressed(
            FOLDER / "representative.npz",
            images=content["images"][:REPRESENTATIVE],
            labels=content["labels"][:REPRESENTATIVE],
            heldback_images=content["heldback_images"][:HELDBACK],
            heldback_labels=content["heldback_labels"][:HELDBACK],
        )
    images, _ = load_digits()
    said = network.predict(images[..., None].astype(np.float32) / 255, verbose=0)
    np.savez_compressed(FOLDER / "reference.npz", probabilities=said.astype(np.float16))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
