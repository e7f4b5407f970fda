"""Labelled digits from .npz and IDX: recognised, accepted, or refused with the array at fault."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge.errors import SourceError
from edge.sources import labelled
from edge.sources.digits import load_digits
from edge.sources.labelled import IDX_NAMES, is_idx_folder, read_labelled

Arrays = dict[str, np.ndarray]


@pytest.fixture
def arrays() -> Arrays:
    images, labels = load_digits()
    return {"x_train": images[:40], "y_train": labels[:40], "x_test": images[40:60], "y_test": labels[40:60]}


def save(path: Path, arrays: Arrays) -> Path:
    np.savez(path, **arrays)
    return path


def idx_bytes(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def save_idx(folder: Path, arrays: Arrays, *, dotted: bool = False, packed: bool = False) -> Path:
    folder.mkdir()
    for name, array in arrays.items():
        stem = IDX_NAMES[name].replace("-idx", ".idx") if dotted else IDX_NAMES[name]
        content = idx_bytes(array)
        (folder / f"{stem}.gz" if packed else folder / stem).write_bytes(gzip.compress(content) if packed else content)
    return folder


def test_mnist_is_recognised_by_its_arrays(mnist_file: Path, tmp_path: Path) -> None:
    found = read_labelled(mnist_file)
    assert found.name == "mnist"
    assert found.x_train.shape == (60000, 28, 28) and found.x_test.shape == (10000, 28, 28)
    assert found.y_train.dtype == np.uint8
    arrays = {name: getattr(found, name) for name in labelled.ARRAYS}
    again = read_labelled(save_idx(tmp_path / "idx", arrays, dotted=True))
    assert (again.name, again.sha256) == ("mnist", found.sha256)
    arrays["y_test"] = arrays["y_test"].copy()
    arrays["y_test"][5] ^= 1
    assert labelled.from_arrays(arrays, "changed").name == "custom"


@pytest.mark.parametrize("dotted", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_npz_and_every_kind_of_idx_folder_give_the_same(
    arrays: Arrays, tmp_path: Path, dotted: bool, packed: bool
) -> None:
    npz = read_labelled(save(tmp_path / "a.npz", arrays))
    idx = read_labelled(save_idx(tmp_path / "idx", arrays, dotted=dotted, packed=packed))
    assert npz.name == idx.name == "custom"
    assert npz.sha256 == idx.sha256
    assert np.array_equal(npz.x_test, arrays["x_test"]) and np.array_equal(idx.y_train, arrays["y_train"])


def test_wider_label_types_and_fortran_order_do_not_matter(arrays: Arrays, tmp_path: Path) -> None:
    plain = read_labelled(save(tmp_path / "a.npz", arrays))
    arrays["y_train"] = arrays["y_train"].astype(np.int64)
    arrays["x_train"] = np.asfortranarray(arrays["x_train"])
    assert read_labelled(save(tmp_path / "b.npz", arrays)).sha256 == plain.sha256


BAD_ARRAYS: dict[str, tuple[Callable[[Arrays], object], str]] = {
    "missing": (lambda a: a.pop("y_test"), "no array y_test"),
    "float images": (lambda a: a.update(x_train=a["x_train"] / 255), "x_train is .* float64"),
    "wrong size": (lambda a: a.update(x_test=a["x_test"][:, :20]), r"x_test is \(20, 20, 28\)"),
    "flat": (lambda a: a.update(x_test=a["x_test"].reshape(20, 784)), "x_test"),
    "no digits": (lambda a: a.update(x_test=a["x_test"][:0], y_test=a["y_test"][:0]), "x_test"),
    "lengths": (lambda a: a.update(y_train=a["y_train"][:-1]), "40 images .* 39 labels"),
    "label 10": (lambda a: a.update(y_train=a["y_train"] + 10), r"y_train\[0\] is 1\d"),
    "label -1": (lambda a: a.update(y_test=a["y_test"].astype(int) - 10), r"y_test\[0\] is -"),
    "float labels": (lambda a: a.update(y_test=a["y_test"] * 1.0), "y_test .* float64"),
    "objects": (lambda a: a.update(y_test=np.array([None] * 20)), "y_test is damaged or holds Python objects"),
}


@pytest.mark.parametrize("case", BAD_ARRAYS)
def test_wrong_arrays_are_named(arrays: Arrays, tmp_path: Path, case: str) -> None:
    spoil, message = BAD_ARRAYS[case]
    spoil(arrays)
    with pytest.raises(SourceError, match=message):
        read_labelled(save(tmp_path / "a.npz", arrays))


def test_damaged_npz_is_an_error(arrays: Arrays, tmp_path: Path) -> None:
    whole = save(tmp_path / "a.npz", arrays).read_bytes()
    broken = bytearray(whole)
    broken[2000] ^= 255
    for name, content in {
        "cut": whole[: len(whole) // 2],
        "empty": b"",
        "text": b"no archive at all\n",
        "flipped": bytes(broken),
    }.items():
        file = tmp_path / f"{name}.npz"
        file.write_bytes(content)
        with pytest.raises(SourceError, match=rf"{name}.npz.*download"):
            read_labelled(file)


def test_a_header_that_promises_too_much_allocates_nothing(arrays: Arrays, tmp_path: Path) -> None:
    file = tmp_path / "liar.npz"
    with zipfile.ZipFile(save(tmp_path / "a.npz", arrays)) as good, zipfile.ZipFile(file, "w") as archive:
        for name in good.namelist():
            content = good.read(name)
            if name == "x_train.npy":
                head = io.BytesIO()
                np.lib.format.write_array_header_1_0(
                    head, {"descr": "|u1", "fortran_order": False, "shape": (10**12, 28, 28)}
                )
                content = head.getvalue() + bytes(100)
            archive.writestr(name, content)
    with pytest.raises(SourceError, match="x_train is damaged"):
        read_labelled(file)


def test_oversized_arrays_are_refused_unread(arrays: Arrays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npz, idx = save(tmp_path / "a.npz", arrays), save_idx(tmp_path / "idx", arrays, packed=True)
    monkeypatch.setattr(labelled, "MAX_BYTES", 10_000)
    for place in (npz, idx):
        with pytest.raises(SourceError, match="at most 10,000 are read"):
            read_labelled(place)


def test_damaged_idx_files_are_named(arrays: Arrays, tmp_path: Path) -> None:
    folder = save_idx(tmp_path / "idx", arrays, packed=True)
    file = folder / f"{IDX_NAMES['x_test']}.gz"
    whole = file.read_bytes()
    raw = gzip.decompress(whole)
    for content, message in (
        (whole[:-200], "damaged"),
        (b"not gzip", "damaged"),
        (gzip.compress(raw[:-1]), "too short"),
        (gzip.compress(raw + b"x"), "too long"),
        (gzip.compress(b"\0\0\x0d\3" + raw[4:]), "not an IDX file of uint8 images"),
        (gzip.compress(raw[:7]), "not an IDX file"),
    ):
        file.write_bytes(content)
        with pytest.raises(SourceError, match=rf"{file.name}.*{message}"):
            read_labelled(folder)
    file.unlink()
    with pytest.raises(SourceError, match="no t10k-images-idx3-ubyte"):
        read_labelled(folder)
    assert is_idx_folder(folder) and not is_idx_folder(tmp_path)


def test_no_such_place(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere.*no such file"):
        read_labelled(tmp_path / "nowhere")
