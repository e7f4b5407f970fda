"""Strip models: quantized with an open width, proven text by text on both runtimes, with the same commands."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.parity import compare
from convert.recipes import RECIPES
from convert.run_folder import open_run
from convert.runtimes import runtime_at, this_runtime
from convert.strip_examples import calibration_strips, heldback_strips
from convert.strip_network import keras_frames
from edge.errors import ModelError
from edge.inference.manifest import BLANK, DIGITS, STRIP_PREPROCESSING, Manifest
from edge.inference.strip import StripReader
from edge.sources.digits import load_digits

CALIBRATION, HELDBACK = 100, 60


def strips_of_digits(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images (n, 32, W) uint8, widths and texts of MNIST test digits set side by side."""
    rng, (digits, labels) = np.random.default_rng(seed), load_digits()
    images, widths, texts = np.zeros((count, 32, 128), np.uint8), np.zeros(count, np.int64), []
    for image, place in zip(images, range(count), strict=True):
        rows = rng.integers(0, 1000, rng.integers(1, 5))
        for i, row in enumerate(rows):
            image[2:30, 4 + 26 * i : 32 + 26 * i] = np.maximum(image[2:30, 4 + 26 * i : 32 + 26 * i], digits[row])
        widths[place] = 16 * np.ceil((36 + 26 * (len(rows) - 1)) / 16)
        texts.append("".join(str(labels[row]) for row in rows))
    return images, widths, np.array(texts)


def small_network() -> Any:
    """A strip network of a few weights, drawn and not trained: what it says is the same wherever it runs."""
    import keras

    layers = keras.layers
    keras.utils.set_random_seed(2)
    strip = keras.Input((32, None, 1))
    x = layers.Conv2D(8, 5, strides=2, padding="same", use_bias=False)(strip)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.MaxPooling2D(2)(x)
    x = layers.Conv2D(12, (8, 3), activation="relu")(layers.ZeroPadding2D(((0, 0), (1, 1)))(x))
    x = layers.Conv2D(11, 1, kernel_initializer=keras.initializers.RandomNormal(stddev=3.0))(x)
    return keras.Model(strip, layers.Reshape((-1, 11))(x))


@pytest.fixture(scope="module")
def strip_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder as training leaves it, with all five recipes."""
    from convert.quantize import quantize
    from convert.recipes import recipes_named

    folder = tmp_path_factory.mktemp("strips") / "strip"
    folder.mkdir()
    small_network().save(folder / "model.keras")
    told = {"format": 1, "model": "strip", "preprocessing": STRIP_PREPROCESSING, "labels": [*DIGITS, BLANK], "seed": 2}
    (folder / "run.json").write_text(json.dumps(told))
    images, widths, _ = strips_of_digits(CALIBRATION, 0)
    held, held_widths, texts = strips_of_digits(HELDBACK, 1)
    np.savez(
        folder / "representative.npz",
        images=images,
        widths=widths,
        heldback_images=held,
        heldback_widths=held_widths,
        heldback_texts=texts,
    )
    for _ in quantize(open_run(folder), recipes_named("all"), folder):
        pass
    return folder


@pytest.mark.parametrize("recipe", list(RECIPES))
def test_every_recipe_reads_strips_of_any_width(strip_run: Path, recipe: str) -> None:
    reader = StripReader.open(strip_run / f"strip-{recipe}.tflite")
    manifest = reader.manifest
    assert (manifest.task, manifest.preprocessing, manifest.recipe) == ("strip", STRIP_PREPROCESSING, recipe)
    assert manifest.input.shape == (1, 32, -1, 1) and manifest.labels == (*DIGITS, BLANK)
    assert manifest.metrics["heldback"]["n"] == HELDBACK
    assert manifest.expected is not None and manifest.expected.n == HELDBACK
    for width in (32, 112, 48):
        assert reader.logits(np.zeros((32, width, 1), np.uint8)).shape == (width // 4, 11)


def test_float32_says_what_keras_says_in_both_runtimes(strip_run: Path, tflite_python: Path) -> None:
    runtimes = [this_runtime(), runtime_at(tflite_python)]
    parity = compare(open_run(strip_run), [strip_run / "strip-float32.tflite"], runtimes)
    assert (parity.unit, parity.n, parity.broken_gates) == ("number", HELDBACK, ())
    assert (parity.gates.max_drop, parity.gates.min_agreement) == (1.0, 98.5)
    for row in parity.rows:
        assert row.measured is not None
        assert row.measured.agreement == 100 and row.measured.largest_difference < 1e-4
        assert row.measured.top.dtype.kind == "U"


def test_a_broken_gate_is_told_and_shown(edge_convert: Callable[..., Any], strip_run: Path, tmp_path: Path) -> None:
    page, report = tmp_path / "parity.html", tmp_path / "parity.json"
    model = strip_run / "strip-int8.tflite"
    ended = edge_convert("parity", strip_run, model, "--min-agreement", 100.01, "--html", page, "--report", report)
    assert ended.code == 20 and "100.01 are needed" in ended.err
    told = json.loads(report.read_text())
    assert (told["unit"], told["n"], told["passed"]) == ("number", HELDBACK, False)
    (row,) = told["models"]
    assert page.read_text().count("<figure>") == len(row["differing"])
    assert f"{HELDBACK} numbers" in ended.out


def test_parity_by_default_asks_of_strips_what_strips_can_keep(
    edge_convert: Callable[..., Any], strip_run: Path
) -> None:
    ended = edge_convert("parity", strip_run, strip_run / "strip-float16.tflite", "--limit", 30)
    assert "drop ≤ 1, agreement ≥ 98.5 %" in ended.out


def test_a_strip_is_read_at_its_own_width(strip_run: Path) -> None:
    strips = heldback_strips(strip_run / "representative.npz")
    assert strips is not None
    network = small_network()
    frames = keras_frames(network, strips)
    for own, strip in zip(frames, strips.inputs(), strict=True):
        count = strip.shape[1] // 4
        assert np.isnan(own[count:]).all()
        assert own[:count].sum(axis=1) == pytest.approx(np.ones(count), abs=1e-5)


def test_digits_and_strips_are_not_mixed_up(
    strip_run: Path, run_folder: Path, digits_file: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(strip_run, tmp_path / "mixed")
    shutil.copy(run_folder / "model.keras", folder)
    with pytest.raises(ModelError, match=r"takes \(n, 32, any, 1\)"):
        compare(open_run(folder), [folder / "strip-int8.tflite"], [this_runtime()])
    with pytest.raises(ModelError, match="not a model of this run"):
        compare(open_run(run_folder), [folder / "strip-int8.tflite"], [this_runtime()], data=digits_file, limit=10)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.zeros((5, 28, 28), np.uint8)}, "are needed"),
        ({"widths": np.full(CALIBRATION, 500)}, "are needed"),
        ({"widths": np.ones(3, np.int64)}, "are needed"),
        ({"images": np.zeros((CALIBRATION, 32, 128), np.uint8)}, "of full ink"),
    ],
)
def test_strips_that_are_none_are_refused(
    strip_run: Path, tmp_path: Path, arrays: dict[str, np.ndarray], message: str
) -> None:
    with np.load(strip_run / "representative.npz") as content:
        good = {name: content[name] for name in content}
    np.savez(tmp_path / "representative.npz", **(good | arrays))
    with pytest.raises(ModelError, match=message):
        calibration_strips(tmp_path / "representative.npz")


def test_missing_strips_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="edge-train fit --model strip"):
        calibration_strips(tmp_path / "representative.npz")
    assert heldback_strips(tmp_path / "representative.npz") is None


def test_an_unknown_preparation_is_refused(strip_run: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(strip_run, tmp_path / "other")
    told = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(told | {"preprocessing": "strip32/999"}))
    with pytest.raises(ModelError, match="this version prepares 'ink28/1' and 'strip32/1'"):
        compare(open_run(folder), [folder / "strip-int8.tflite"], [this_runtime()])


def test_the_listing_shows_the_open_width(edge_convert: Callable[..., Any], strip_run: Path) -> None:
    ended = edge_convert("models", strip_run / "strip-int8.tflite", "--json")
    (told,) = json.loads(ended.out)
    assert told["manifest"]["input"]["shape"] == [1, 32, -1, 1] and not told["default"]
    assert Manifest.read(strip_run / "strip-int8.json").task == "strip"
