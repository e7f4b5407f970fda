"""A finished training run as the converter sees it: read from files, for train and convert meet nowhere else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.errors import ModelError
from edge.inference.manifest import DIGITS, PREPROCESSING, PREPROCESSINGS

_MAX_JSON_BYTES = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run folder, or a bare Keras file.

    name is the model's (`lecture`); labels are None where no run.json tells them; training is what a manifest keeps of
    run.json; digits_file is representative.npz, present or not.
    """

    name: str
    folder: Path
    model_file: Path
    labels: tuple[str, ...] | None = None
    preprocessing: str = PREPROCESSING
    training: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digits_file(self) -> Path:
        """Where the digits for calibration are."""
        return self.folder / "representative.npz"

    @property
    def task(self) -> str:
        """`digit` or `strip`: what its network was trained to read.

        Raises ModelError if it was trained for a preprocessing that this version does not know.
        """
        for task, preprocessing in PREPROCESSINGS.items():
            if preprocessing == self.preprocessing:
                return task
        known = " and ".join(map(repr, PREPROCESSINGS.values()))
        raise ModelError(
            f"{self.model_file}: trained for preprocessing {self.preprocessing!r}, this version prepares {known}; "
            "train again"
        )

    def labels_for(self, outputs: int) -> tuple[str, ...]:
        """The labels of a network with that many outputs; a bare file with ten outputs is taken to read digits.

        Raises ModelError if labels and outputs do not go together.
        """
        if self.labels is None and outputs == len(DIGITS):
            return DIGITS
        if self.labels is None:
            raise ModelError(
                f"{self.model_file}: {outputs} outputs and no run.json beside it to name them; give the run folder"
            )
        if len(self.labels) != outputs:
            raise ModelError(
                f"{self.model_file}: {outputs} outputs, but run.json has {len(self.labels)} labels: they are of "
                "different runs; train again, or copy the run folder whole"
            )
        return self.labels


def open_run(place: Path) -> Run:
    """The run in a folder, or around a .keras or .h5 file; a run.json beside the file is used.

    Raises ModelError if there is no model, or run.json is broken.
    """
    if place.is_dir():
        model_file = next((place / name for name in ("model.keras", "model.h5") if (place / name).is_file()), None)
        if model_file is None:
            raise ModelError(
                f"{place}: no model.keras or model.h5 in this folder; `edge-train fit --out {place}` makes one"
            )
        if not (place / "run.json").is_file():
            raise ModelError(
                f"{place / 'run.json'}: missing; copy the run folder whole, or name {model_file.name} itself"
            )
    elif place.suffix not in (".keras", ".h5"):
        raise ModelError(f"{place}: neither a run folder nor a .keras or .h5 file; `edge-train fit` makes a run folder")
    elif not place.is_file():
        raise ModelError(f"{place}: no such file; `edge-train fit` makes a run folder")
    else:
        model_file = place
    described = model_file.with_name("run.json")
    if not described.is_file():
        return Run(name=model_file.stem, folder=model_file.parent, model_file=model_file)
    return _described(described, model_file)


def _described(described: Path, model_file: Path) -> Run:
    try:
        if described.stat().st_size > _MAX_JSON_BYTES:
            raise ValueError("too large")
        raw = json.loads(described.read_text(encoding="utf-8"))
        if raw["format"] != 1:
            raise ValueError(f"format {raw['format']!r}, this version reads format 1")
        keys = ("settings", "seed", "data", "versions", "epochs_done", "parameters")
        return Run(
            name=_plain_name(raw["model"]),
            folder=model_file.parent,
            model_file=model_file,
            labels=tuple(str(label) for label in raw["labels"]),
            preprocessing=str(raw["preprocessing"]),
            training={key: raw[key] for key in keys if key in raw},
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise ModelError(
            f"{described}: not a usable run.json: {reason}; copy the run folder again, or train again"
        ) from error


def _plain_name(name: object) -> str:
    """A model's name, which becomes part of file names. Raises ValueError for one that could leave the folder."""
    if not isinstance(name, str) or not name.replace("-", "").replace("_", "").isalnum():
        raise ValueError(f"the model's name is {name!r}, not letters, digits, - and _")
    return name
