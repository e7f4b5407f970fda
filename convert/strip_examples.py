"""Strips of a run folder: those the quantizer learns ranges from, and those held back to judge it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from convert.examples import Examples
from edge.errors import ModelError
from edge.inference.strip import ROWS

# Below this the ranges of activations depend on which numbers were drawn.
MIN_STRIPS = 100
_MAX_STRIPS = 100_000
_MAX_COLUMNS = 4096


def calibration_strips(file: Path) -> Examples:
    """The strips in a run's representative.npz from which activation ranges are learnt.

    Raises ModelError if the file is missing or broken, or holds too few strips or too little ink.
    """
    strips = _read(file, "")
    if len(strips) < MIN_STRIPS or strips.tensors.max() != 255:
        raise ModelError(
            f"{file}: {len(strips)} strips, darkest {int(strips.tensors.max(initial=0))}; the quantizer needs at least "
            f"{MIN_STRIPS} of full ink; train again"
        )
    return strips


def heldback_strips(file: Path) -> Examples | None:
    """The held-back strips of a run's representative.npz with their texts; None if there is no such file.

    Raises ModelError if the file is broken.
    """
    return _read(file, "heldback_") if file.is_file() else None


def _read(file: Path, prefix: str) -> Examples:
    """The images, widths and texts called prefix + their names in an npz; texts may lack where none are held back."""
    remedy = "give a run folder of `edge-train fit --model strip`, which keeps strips for this"
    if not file.is_file():
        raise ModelError(f"{file}: missing; quantizing needs real strips: {remedy}")
    try:
        with np.load(file, allow_pickle=False) as content:
            images, widths = content[prefix + "images"], content[prefix + "widths"]
            texts = content[prefix + "texts"] if prefix + "texts" in content else np.full(len(images), "")
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{file}: not usable: {error}; {remedy}") from error
    n = len(images)
    good = images.ndim == 3 and images.shape[1] == ROWS and images.shape[2] <= _MAX_COLUMNS and n <= _MAX_STRIPS
    good &= images.dtype == np.uint8 and widths.dtype.kind in "iu" and texts.dtype.kind == "U"
    good &= widths.shape == texts.shape == (n,)
    if not good or (n and not (widths.min() > 0 and widths.max() <= images.shape[2])):
        raise ModelError(
            f"{file}: {prefix}images are {images.shape} {images.dtype}, {prefix}widths {widths.shape} {widths.dtype}; "
            f"(n, {ROWS}, W) uint8, (n,) integers up to W and (n,) texts are needed; {remedy}"
        )
    return Examples(
        tensors=images[..., None],
        labels=texts,
        indices=np.arange(n),
        name="held-back strips" if prefix else "representative",
        widths=widths.astype(np.int64),
    )
