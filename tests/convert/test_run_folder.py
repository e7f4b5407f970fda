"""Run folders and their digits: what is broken is named, with the remedy."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.network import load_network
from convert.representative import calibration_digits, heldback_digits
from convert.run_folder import open_run
from edge.errors import ModelError


@pytest.fixture
def own_run(run_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run_folder, tmp_path / "run", ignore=shutil.ignore_patterns("*.tflite", "lecture-*")))


def test_a_folder_without_a_model_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model.keras or model.h5 .* `edge-train fit"):
        open_run(tmp_path)


def test_h5_is_taken_where_keras_is_missing(own_run: Path) -> None:
    load_network(own_run / "model.keras").save(own_run / "model.h5")
    (own_run / "model.keras").unlink()
    run = open_run(own_run)
    assert run.model_file.name == "model.h5"
    assert load_network(run.model_file).output_shape == (None, 10)


def test_a_file_in_a_run_folder_keeps_the_labels_of_the_run(own_run: Path) -> None:
    assert open_run(own_run / "model.keras").labels == tuple("0123456789")


@pytest.mark.parametrize("name", ["nothing.keras", "nothing.txt", "nothing"])
def test_what_is_not_there_is_said(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match="nothing"):
        open_run(tmp_path / name)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', '{"format": 2}', '{"format": 1, "model": "../x"}'])
def test_a_broken_run_json_is_said(own_run: Path, content: str) -> None:
    (own_run / "run.json").write_text(content)
    with pytest.raises(ModelError, match=r"not a usable run\.json"):
        open_run(own_run)


def test_a_name_cannot_lead_out_of_the_folder(own_run: Path) -> None:
    told = json.loads((own_run / "run.json").read_text()) | {"model": "../../model"}
    (own_run / "run.json").write_text(json.dumps(told))
    with pytest.raises(ModelError, match="not letters, digits"):
        open_run(own_run)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 not a zip"])
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_foreign_file_is_not_a_model(tmp_path: Path, suffix: str, content: bytes) -> None:
    (tmp_path / f"x{suffix}").write_bytes(content)
    with pytest.raises(ModelError, match="not a Keras model that can be loaded safely"):
        load_network(tmp_path / f"x{suffix}")


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_code_in_a_model_file_is_never_run(tmp_path: Path, suffix: str) -> None:
    import keras

    body = [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Lambda(lambda x: x), keras.layers.Dense(10)]
    keras.Sequential(body).save(tmp_path / f"lambda{suffix}")
    with pytest.raises(ModelError, match="loaded safely"):
        load_network(tmp_path / f"lambda{suffix}")


def save_digits(run: Path, **arrays: np.ndarray) -> Path:
    """Write representative.npz anew; arrays not given are good."""
    noise = np.random.default_rng(1).integers(0, 256, (200, 28, 28), dtype=np.uint8)
    kept = {
        "images": noise,
        "labels": np.arange(200) % 10,
        "heldback_images": noise,
        "heldback_labels": np.arange(200) % 10,
    }
    np.savez(run / "representative.npz", **(kept | arrays))
    return run / "representative.npz"


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"images": np.zeros((0, 28, 28), np.uint8), "labels": np.zeros(0, int)}, "0 digits, .* at least 100"),
        ({"images": np.zeros((99, 28, 28), np.uint8), "labels": np.zeros(99, int)}, "99 digits, .* at least 100"),
        ({"images": np.zeros((200, 28, 28), np.uint8)}, "200 of 200 images are blank"),
        ({"images": np.full((200, 28, 28), 7, np.uint8)}, "200 of 200 images are blank"),
        ({"images": np.tile(np.arange(28, dtype=np.uint8), (200, 28, 1))}, "all are alike"),
        ({"images": np.zeros((200, 28, 28))}, r"\(n, 28, 28\) uint8"),
        ({"images": np.zeros((200, 28), np.uint8)}, r"\(n, 28, 28\) uint8"),
        ({"labels": np.zeros(3, int)}, r"\(n,\) integers"),
    ],
)
def test_the_quantizer_is_not_calibrated_on_nothing(own_run: Path, arrays: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        calibration_digits(save_digits(own_run, **arrays))


def test_missing_digits_are_an_error_for_calibration_and_none_for_judging(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"missing; quantizing needs real digits: .*edge-train fit"):
        calibration_digits(tmp_path / "representative.npz")
    assert heldback_digits(tmp_path / "representative.npz") is None


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x05\x06" + bytes(18)])
def test_a_file_that_is_no_npz_is_an_error_for_both(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "representative.npz").write_bytes(content)
    for reader in (calibration_digits, heldback_digits):
        with pytest.raises(ModelError, match="not usable"):
            reader(tmp_path / "representative.npz")


def test_pickled_objects_are_refused(own_run: Path) -> None:
    with pytest.raises(ModelError, match="not usable"):
        calibration_digits(save_digits(own_run, images=np.array([{}] * 200, dtype=object)))


def test_faint_digits_are_stretched_so_that_ink_passes_unchanged(own_run: Path) -> None:
    faint = np.random.default_rng(1).integers(10, 180, (200, 28, 28), dtype=np.uint8)
    tensors = calibration_digits(save_digits(own_run, images=faint))
    assert (tensors.min(), tensors.max(), tensors.shape) == (0, 255, (200, 28, 28, 1))
    assert (tensors[..., 0] == faint).all(axis=(1, 2)).sum() == 199


def test_refusing_ends_with_the_code_for_models(edge_convert: Callable[..., Any], own_run: Path) -> None:
    save_digits(own_run, images=np.zeros((200, 28, 28), np.uint8))
    ended = edge_convert("quantize", own_run, "--recipe", "int8")
    assert ended.code == 4 and "blank" in ended.err and not list(own_run.glob("*.tflite"))
