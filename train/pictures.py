"""Images of digits from files, made ready by the edge's own code: the network sees in training what it will read."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.counted import counted
from edge.errors import SourceError
from edge.imaging.tensors import SIDE, fit_digit
from edge.reading.digit import find_digit
from edge.sources.files import BadPage, read_pages
from edge.values import Image

# What people keep labelled digits in; TIFF and PDF hold pages, not digits.
SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".pgm"))
# MNIST's border is black; paper in a 28×28 crop of a photo is far brighter than this mean.
DARK_BORDER = 32

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelledPictures:
    """A folder of `LABEL/*.png`: images (n, 28, 28) uint8 by label and file name, y indices into the sorted labels."""

    images: npt.NDArray[np.uint8]
    y: npt.NDArray[np.int64]
    labels: tuple[str, ...]
    sha256: str


def read_picture(path: Path) -> Image:
    """The one digit in an image file as (28, 28) uint8, 0 paper to 255 ink.

    A 28×28 picture with a dark border is MNIST's look and taken as it is; from all others the digit is cut as
    `edge read --mode digit` does. Raises SourceError if the file does not open or shows no ink.
    """
    page = next(iter(read_pages(path)), None)
    if page is None or isinstance(page, BadPage):
        raise SourceError(f"{path}: {page.message if page else 'holds no picture'}")
    if page.pixels.shape == (SIDE, SIDE) and _is_tensor(page.pixels):
        return page.pixels
    glyph = find_digit(page.pixels).glyph
    if glyph is None:
        raise SourceError(f"{path}: no ink found; is it a picture of one digit, filling at least half of the height?")
    return fit_digit(glyph.ink)


def _is_tensor(grey: Image) -> bool:
    border = np.concatenate((grey[0], grey[-1], grey[:, 0], grey[:, -1]))
    return float(border.mean()) < DARK_BORDER


def has_pictures(folder: Path) -> bool:
    """Whether a folder has at least one folder with images in it."""
    return any(_pictures(child) for child in _label_folders(folder))


def read_label_folder(folder: Path) -> LabelledPictures:
    """Every image of `LABEL/*.png` (or jpg, webp, ...); the labels are the names of the folders, sorted.

    sha256 is over labels, file names and contents. Other files are skipped and counted in the log.
    Raises SourceError if there are fewer than two labels, or naming the image that does not open.
    """
    found = {child.name: _pictures(child) for child in _label_folders(folder)}
    labels = tuple(name for name, files in found.items() if files)
    if len(labels) < 2:
        raise SourceError(f"{folder}: {len(labels)} folders with images; one for each label is wanted, LABEL/*.png")
    digest = hashlib.sha256()
    images: list[Image] = []
    y: list[int] = []
    for index, label in enumerate(labels):
        for file in found[label]:
            images.append(read_picture(file))
            y.append(index)
            digest.update(f"{label}/{file.name}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    others = sum(1 for label in labels for file in (folder / label).iterdir() if file not in found[label])
    if others:
        passed = counted(others, "file that is no image was", "files that are no images were")
        log.warning("%s: %s skipped", folder, passed)
    return LabelledPictures(images=np.stack(images), y=np.array(y), labels=labels, sha256=digest.hexdigest())


def _label_folders(folder: Path) -> list[Path]:
    return sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))


def _pictures(folder: Path) -> list[Path]:
    return sorted(f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES and not f.name.startswith("."))
