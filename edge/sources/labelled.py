"""Labelled digits in the two shapes MNIST comes in: an .npz of four arrays, or a folder of IDX files."""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.errors import SourceError

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
# Canonical IDX names (LeCun); unpackers turn the '-' before the type into '.', and `.gz` may follow.
IDX_NAMES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
# sha256 over the four arrays of MNIST as `arrays_sha256` takes it, whatever file they came in.
MNIST_SHA256 = "2f6dc9b6c10f51819a845a7b909d9fe67f369d4207aa05ba0be846a5651a00e8"
# Five times EMNIST's 280,000 digits; more in one file is a mistake or a decompression bomb.
MAX_BYTES = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labelled:
    """Digits with what they are: images (n, 28, 28) uint8, 0 paper to 255 ink, and labels (n,) uint8 in 0-9.

    name is "mnist" when the arrays are exactly MNIST's, otherwise "custom"; sha256 is that of the arrays.
    """

    x_train: npt.NDArray[np.uint8]
    y_train: npt.NDArray[np.uint8]
    x_test: npt.NDArray[np.uint8]
    y_test: npt.NDArray[np.uint8]
    name: str
    sha256: str


def read_labelled(path: Path) -> Labelled:
    """The digits of an .npz file, or of a folder with the four IDX files (gzipped or not).

    Raises SourceError, naming file, array and cause, for anything missing, damaged or of another shape or type.
    """
    if path.is_dir():
        return from_arrays(_read_idx_folder(path), str(path))
    if not path.exists():
        raise SourceError(f"{path}: no such file or folder; give an .npz file or a folder of the four IDX files")
    return from_arrays(_read_npz(path), str(path))


def from_arrays(arrays: dict[str, npt.NDArray[Any]], place: str) -> Labelled:
    """Check the four arrays named in ARRAYS and recognise MNIST; SourceError names `place` and the array at fault."""
    checked: dict[str, npt.NDArray[np.uint8]] = {}
    for part in ("train", "test"):
        images, labels = arrays[f"x_{part}"], arrays[f"y_{part}"]
        if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (28, 28) or not len(images):
            raise SourceError(
                f"{place}: x_{part} is {images.shape} {images.dtype}; wanted are (n, 28, 28) uint8 images"
            )
        if labels.dtype.kind not in "iu" or labels.ndim != 1:
            raise SourceError(f"{place}: y_{part} is {labels.shape} {labels.dtype}; wanted are (n,) whole numbers")
        if len(labels) != len(images):
            raise SourceError(f"{place}: {len(images)} images in x_{part}, but {len(labels)} labels in y_{part}")
        wrong = np.flatnonzero((labels < 0) | (labels > 9))
        if wrong.size:
            raise SourceError(f"{place}: y_{part}[{wrong[0]}] is {labels[wrong[0]]}; labels are the digits 0 to 9")
        checked[f"x_{part}"] = np.ascontiguousarray(images)
        checked[f"y_{part}"] = np.ascontiguousarray(labels.astype(np.uint8))
    sha256 = arrays_sha256(checked)
    return Labelled(**checked, name="mnist" if sha256 == MNIST_SHA256 else "custom", sha256=sha256)


def arrays_sha256(arrays: dict[str, npt.NDArray[np.uint8]]) -> str:
    """Hex sha256 over name, shape and bytes of the four arrays in the order of ARRAYS: the same for .npz and IDX."""
    digest = hashlib.sha256()
    for name in ARRAYS:
        digest.update(f"{name}{arrays[name].shape}".encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()


def is_idx_folder(path: Path) -> bool:
    """Whether a folder holds at least one file with an IDX name."""
    return path.is_dir() and any(_find_idx(path, name) for name in IDX_NAMES.values())


def _read_npz(path: Path) -> dict[str, npt.NDArray[Any]]:
    try:
        with zipfile.ZipFile(path) as archive:
            present = {Path(name).stem for name in archive.namelist()}
            missing = [name for name in ARRAYS if name not in present]
            if missing:
                raise SourceError(f"{path}: no array {', '.join(missing)}; an .npz needs {', '.join(ARRAYS)}")
            return {name: _read_npy(archive, name, path) for name in ARRAYS}
    except zipfile.BadZipFile as error:
        raise SourceError(f"{path}: damaged, or not an .npz file ({error}); download it again") from error
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror or error}; give an .npz file or a folder of IDX files") from error


def _read_npy(archive: zipfile.ZipFile, name: str, path: Path) -> npt.NDArray[Any]:
    place = f"{path}: array {name}"
    try:
        info = archive.getinfo(f"{name}.npy")
        if info.file_size > MAX_BYTES:
            raise SourceError(f"{place} has {info.file_size:,} bytes; at most {MAX_BYTES:,} are read")
        content = io.BytesIO(archive.read(info))
        version = np.lib.format.read_magic(content)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = header(content)
        # numpy allocates what the header promises, so a header that lies is caught before.
        if dtype.hasobject or math.prod(shape) * dtype.itemsize != info.file_size - content.tell():
            raise SourceError(f"{place} is damaged or holds Python objects; download the file again")
        content.seek(0)
        array: npt.NDArray[Any] = np.lib.format.read_array(content, allow_pickle=False)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, RuntimeError, NotImplementedError) as error:
        raise SourceError(f"{place} is damaged ({error}); download the file again") from error
    return array


def _read_idx_folder(folder: Path) -> dict[str, npt.NDArray[Any]]:
    found = {array: _find_idx(folder, name) for array, name in IDX_NAMES.items()}
    missing = [IDX_NAMES[array] for array, file in found.items() if file is None]
    if missing:
        raise SourceError(f"{folder}: no {', '.join(missing)} (nor .gz); a folder of IDX files needs all four")
    return {array: _read_idx(file, images=array.startswith("x")) for array, file in found.items() if file}


def _find_idx(folder: Path, name: str) -> Path | None:
    stems = (name, name.replace("-idx", ".idx"))
    return next((p for stem in stems for p in (folder / stem, folder / f"{stem}.gz") if p.is_file()), None)


def _read_idx(file: Path, *, images: bool) -> npt.NDArray[np.uint8]:
    opener: Callable[..., Any] = gzip.open if file.suffix == ".gz" else open
    dimensions = 3 if images else 1
    try:
        with opener(file, "rb") as stream:
            header = stream.read(4 + 4 * dimensions)
            # 8 is IDX's code for uint8, the last byte counts the dimensions.
            if header[:4] != bytes((0, 0, 8, dimensions)) or len(header) != 4 + 4 * dimensions:
                kind = "images" if images else "labels"
                raise SourceError(f"{file}: not an IDX file of uint8 {kind} (starts with {header[:4].hex(' ')})")
            shape = tuple(int(n) for n in np.frombuffer(header, ">u4", offset=4))
            size = math.prod(shape)
            if size > MAX_BYTES:
                raise SourceError(f"{file}: promises {size:,} bytes; at most {MAX_BYTES:,} are read")
            content = stream.read(size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{file}: damaged or unreadable ({error}); download it again") from error
    if len(content) != size:
        what = "too short" if len(content) < size else "too long"
        raise SourceError(f"{file}: {what}, {shape} promises {size:,} bytes; download it again")
    return np.frombuffer(content, np.uint8).reshape(shape)
