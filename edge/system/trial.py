"""Whether a model reads on this machine: the shipped digits, one by one or as whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.errors import ModelError
from edge.inference.classifier import Classifier
from edge.inference.manifest import Manifest
from edge.sources.digits import load_digits
from edge.values import Image

# Shipped digits that are tried; a good model has 99 % of them right, a broken runtime 10 %.
TRIED, ENOUGH = 100, 95
# Whole numbers are of so many digits; all digits of a number count as wrong if one is.
_LONG = 4
# Columns of paper between and around the digits of a number, and rows above and below.
_GAP, _MARGIN = 2, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a model was found to be: its manifest, and how many of TRIED shipped digits it has right."""

    manifest: Manifest
    right: int

    @property
    def passed(self) -> bool:
        """Whether it may be used."""
        return self.right >= ENOUGH


def try_model(model: str | Path | None = None, *, task: str = "digit") -> Trial:
    """Open a model (a shipped name, a file, None: the one in use) and have it read. Raises ModelError if it is broken.

    Broken: a file missing, another sha256, labels, preprocessing or tensors than are needed, or it does not load here.
    """
    return _try_strips(model) if task == "strip" else _try_digits(model)


def check_model(model: Path) -> None:
    """Raise ModelError unless a model of any task can be used on this machine and reads."""
    task = Manifest.read(model.with_suffix(".json")).task
    trial = try_model(model, task=task)
    if task == "digit" and not trial.manifest.reads_digits:
        raise ModelError(
            f"model {trial.manifest.name}: its labels are {', '.join(trial.manifest.labels)}, not the ten digits, so "
            "it cannot read numbers; use a digit model"
        )
    if not trial.passed:
        raise ModelError(
            f"model {trial.manifest.name}: reads {trial.right} of {TRIED} shipped digits right, {ENOUGH} are asked; it "
            "stays out; train or convert it again"
        )


def _try_digits(model: str | Path | None) -> Trial:
    classifier = Classifier.open(model)
    images, labels = load_digits()
    predictions = classifier.predict(images[:TRIED, :, :, None])
    right = sum(p.label == str(label) for p, label in zip(predictions, labels[:TRIED], strict=True))
    return Trial(manifest=classifier.manifest, right=right)


def _try_strips(model: str | Path | None) -> Trial:
    from edge.inference.strip import StripReader
    from edge.reading.line import read_number

    reader = StripReader.open(model)
    right = 0
    for start in range(0, TRIED, _LONG):
        pixels, text = _number(start)
        right += _LONG * (read_number(pixels, reader, 0.0).text == text)
    return Trial(manifest=reader.manifest, right=right)


def _number(start: int) -> tuple[Image, str]:
    """Shipped digits from start on as one number on white paper, (h, w) uint8, and what it is."""
    images, labels = load_digits()
    cut = []
    for image in images[start : start + _LONG]:
        columns = np.flatnonzero((image > 0).any(axis=0))
        cut.append(np.pad(image[:, columns[0] : columns[-1] + 1], ((0, 0), (_GAP, _GAP))))
    ink = np.pad(np.concatenate(cut, axis=1), _MARGIN)
    pixels: Image = (255 - ink).astype(np.uint8)
    return pixels, "".join(map(str, labels[start : start + _LONG]))
