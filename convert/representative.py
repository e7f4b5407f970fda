"""Which real digits the quantizer sees, and which judge it: both from the run folder, none from the test set."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from convert.examples import SIDE, Examples
from edge.errors import ModelError
from edge.values import Image

# Below this the ranges of activations depend on which digits were drawn; 100 is ten of each.
MIN_DIGITS = 100
_MAX_DIGITS = 100_000


def calibration_digits(file: Path) -> Image:
    """The digits in a run's representative.npz from which activation ranges are learnt: (n, 28, 28, 1) uint8.

    They span 0 to 255, so that an int8 model's input step is 1/255 and tensors pass into it unchanged.
    Raises ModelError if the file is missing or broken, or holds too few digits or nothing but one shade.
    """
    tensors = _read(file, "").tensors
    if len(tensors) < MIN_DIGITS:
        raise ModelError(f"{file}: {len(tensors)} digits, the quantizer needs at least {MIN_DIGITS}; train again")
    flat = tensors.reshape(len(tensors), -1)
    blank = int((flat.min(axis=1) == flat.max(axis=1)).sum())
    if blank > len(tensors) // 10 or not (flat != flat[0]).any():
        raise ModelError(
            f"{file}: {blank} of {len(tensors)} images are blank or all are alike: not real digits; train again"
        )
    return _spanning(tensors)


def heldback_digits(file: Path) -> Examples | None:
    """The held-back digits of a run's representative.npz, never trained on; None if there is no such file.

    Raises ModelError if the file is broken.
    """
    return _read(file, "heldback_") if file.is_file() else None


def _spanning(tensors: Image) -> Image:
    """The same digits, the one of widest range stretched to 0–255 if none spans that already."""
    if tensors.min() == 0 and tensors.max() == 255:
        return tensors
    widest = int(np.ptp(tensors.reshape(len(tensors), -1), axis=1).argmax())
    digit = tensors[widest].astype(np.float32)
    stretched = tensors.copy()
    stretched[widest] = np.round((digit - digit.min()) * (255 / np.ptp(digit))).astype(np.uint8)
    return stretched


def _read(file: Path, prefix: str) -> Examples:
    """The images and labels called prefix + `images`, prefix + `labels` in an npz. Raises ModelError."""
    remedy = "give a run folder of `edge-train fit`, which keeps digits for this"
    if not file.is_file():
        raise ModelError(f"{file}: missing; quantizing needs real digits: {remedy}")
    try:
        with np.load(file, allow_pickle=False) as content:
            images, labels = content[prefix + "images"], content[prefix + "labels"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{file}: not usable: {error}; {remedy}") from error
    shaped = images.ndim == 3 and images.shape[1:] == (SIDE, SIDE) and images.dtype == np.uint8
    if not shaped or labels.shape != images.shape[:1] or labels.dtype.kind not in "iu" or len(images) > _MAX_DIGITS:
        raise ModelError(
            f"{file}: {prefix}images are {images.shape} {images.dtype}, {prefix}labels {labels.shape} {labels.dtype}; "
            f"(n, 28, 28) uint8 and (n,) integers are needed; {remedy}"
        )
    return Examples.of(images, labels, prefix.rstrip("_") or "representative")
