"""Every recipe gives a file that the edge opens, and a manifest that says how."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.quantize import quantize
from convert.recipes import RECIPES, recipes_named
from convert.run_folder import open_run
from edge.errors import ModelError, SinkError, UsageError
from edge.inference.classifier import Classifier
from edge.inference.manifest import DIGITS, Manifest


@pytest.mark.parametrize("recipe", RECIPES)
def test_each_recipe_makes_a_file_and_a_manifest_that_the_edge_opens(all_recipes: Path, recipe: str) -> None:
    file = all_recipes / f"lecture-{recipe}.tflite"
    classifier = Classifier.open(file)
    manifest = classifier.manifest
    assert manifest.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (manifest.name, manifest.recipe, manifest.task) == (f"lecture-{recipe}", recipe, "digit")
    assert (manifest.labels, manifest.output_kind) == (DIGITS, "logits")
    assert manifest.metrics["heldback"]["n"] == 800 and manifest.metrics["heldback"]["accuracy"] > 98
    assert 0.5 < manifest.temperature < 3 and 0.9 <= manifest.threshold < 1
    assert manifest.expected is not None and manifest.expected.n == manifest.metrics["heldback"]["n"]
    assert manifest.runtimes == ("litert", "tflite")
    assert manifest.training["seed"] == json.loads((all_recipes / "run.json").read_text())["seed"]
    assert not list(all_recipes.glob("*.part"))


def test_manifest_keeps_no_path_of_the_machine_that_trained(all_recipes: Path) -> None:
    for file in all_recipes.glob("lecture-*.json"):
        assert not [value for value in _values(json.loads(file.read_text())) if "/" in value and value != "ink28/1"]


def _values(tree: Any) -> list[str]:
    if isinstance(tree, dict):
        return [text for value in tree.values() for text in _values(value)]
    if isinstance(tree, list):
        return [text for value in tree for text in _values(value)]
    return [tree] if isinstance(tree, str) else []


def test_int8_takes_a_tensor_as_it_is_and_gives_uint8(all_recipes: Path) -> None:
    manifest = Manifest.read(all_recipes / "lecture-int8.json")
    assert (manifest.input.dtype, manifest.input.zero_point, manifest.output.dtype) == ("uint8", 0, "uint8")
    assert manifest.input.scale == pytest.approx(1 / 255, rel=1e-6)
    assert manifest.input.shape == (1, 28, 28, 1)


@pytest.mark.parametrize("recipe", ["float32", "float16", "dynamic", "int16x8"])
def test_the_other_recipes_have_float_boundaries(all_recipes: Path, recipe: str) -> None:
    manifest = Manifest.read(all_recipes / f"lecture-{recipe}.json")
    assert (manifest.input.dtype, manifest.output.dtype, manifest.input.scale) == ("float32", "float32", 0.0)


def test_files_shrink_as_the_recipes_promise(all_recipes: Path) -> None:
    size = {name: (all_recipes / f"lecture-{name}.tflite").stat().st_size for name in RECIPES}
    assert size["float16"] < 0.55 * size["float32"]
    assert max(size[name] for name in ("dynamic", "int8", "int16x8")) < 0.27 * size["float32"]


def test_same_run_same_bytes(all_recipes: Path, tmp_path: Path) -> None:
    (again,) = quantize(open_run(all_recipes), recipes_named("dynamic"), tmp_path)
    assert again.file.read_bytes() == (all_recipes / "lecture-dynamic.tflite").read_bytes()


def test_a_threshold_lets_through_at_most_one_wrong_digit_in_a_thousand(all_recipes: Path) -> None:
    classifier = Classifier.open(all_recipes / "lecture-int8.tflite")
    with np.load(all_recipes / "representative.npz") as content:
        tensors, labels = content["heldback_images"][..., None], content["heldback_labels"]
    chances = classifier.probabilities(tensors)
    sure = chances.max(axis=1) >= classifier.manifest.threshold
    assert sure.mean() > 0.9
    assert (chances.argmax(axis=1) != labels)[sure].sum() <= 0.001 * sure.sum()


def test_float_recipes_need_no_digits_and_say_that_nothing_is_calibrated(run_folder: Path, tmp_path: Path) -> None:
    alone = tmp_path / "mine.keras"
    alone.write_bytes((run_folder / "model.keras").read_bytes())
    (made,) = quantize(open_run(alone), recipes_named("float16"), tmp_path)
    assert made.file == tmp_path / "mine-float16.tflite"
    assert (made.manifest.temperature, made.manifest.threshold, made.manifest.metrics) == (1.0, 0.9, {})
    assert Classifier.open(made.file).labels == DIGITS


def test_int8_of_a_bare_file_is_refused_before_anything_is_written(run_folder: Path, tmp_path: Path) -> None:
    alone = tmp_path / "mine.keras"
    alone.write_bytes((run_folder / "model.keras").read_bytes())
    with pytest.raises(ModelError, match=r"representative.npz: missing; quantizing needs real digits"):
        next(quantize(open_run(alone), recipes_named("all"), tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_labels_of_the_run_are_the_labels_of_the_model(run_folder: Path, tmp_path: Path) -> None:
    letters = tuple("ABCDEFGHIJ")
    run = replace(open_run(run_folder), labels=letters)
    (made,) = quantize(run, recipes_named("dynamic"), tmp_path)
    assert Manifest.read(tmp_path / "lecture-dynamic.json").labels == letters == made.manifest.labels


def test_labels_that_do_not_fit_the_network_are_refused(run_folder: Path, tmp_path: Path) -> None:
    run = replace(open_run(run_folder), labels=("cat", "dog"))
    with pytest.raises(ModelError, match=r"10 outputs, but run\.json has 2 labels"):
        next(quantize(run, recipes_named("float32"), tmp_path))


def test_a_run_for_other_preprocessing_is_refused(run_folder: Path, tmp_path: Path) -> None:
    run = replace(open_run(run_folder), preprocessing="ink28/0")
    with pytest.raises(ModelError, match="'ink28/0'"):
        next(quantize(run, recipes_named("float32"), tmp_path))


def test_an_out_below_a_file_is_an_error_of_the_output(run_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="Not a directory"):
        next(quantize(open_run(run_folder), recipes_named("float32"), tmp_path / "file" / "out"))


def test_a_full_disk_leaves_no_model_without_its_manifest(run_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "lecture-dynamic.tflite.part").symlink_to("/dev/full")
    with pytest.raises(SinkError, match="No space left"):
        next(quantize(open_run(run_folder), recipes_named("dynamic"), tmp_path))
    assert not (tmp_path / "lecture-dynamic.tflite").exists()


def test_an_unknown_recipe_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="float32, float16, dynamic, int8, int16x8 or all"):
        recipes_named("int4")


@pytest.mark.parametrize("ending", ["Softmax", "Activation"])
def test_a_softmax_in_a_layer_of_its_own_becomes_logits_too(ending: str, run_folder: Path, tmp_path: Path) -> None:
    import keras

    last = keras.layers.Softmax() if ending == "Softmax" else keras.layers.Activation("softmax")
    body = [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10), last]
    network = keras.Sequential(body)
    network.save(tmp_path / "small.keras")
    (made,) = quantize(open_run(tmp_path / "small.keras"), recipes_named("float32"), tmp_path)
    digits = np.random.default_rng(1).integers(0, 256, (20, 28, 28, 1), dtype=np.uint8)
    expected = np.asarray(network(digits.astype(np.float32) / 255))
    np.testing.assert_allclose(Classifier.open(made.file).probabilities(digits), expected, atol=1e-5)


def test_a_network_without_softmax_is_refused(tmp_path: Path) -> None:
    import keras

    keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]).save(
        tmp_path / "n.keras"
    )
    with pytest.raises(ModelError, match="without softmax"):
        next(quantize(open_run(tmp_path / "n.keras"), recipes_named("float32"), tmp_path))


def test_a_network_for_other_pictures_is_refused(tmp_path: Path) -> None:
    import keras

    keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")]).save(
        tmp_path / "n.keras"
    )
    with pytest.raises(ModelError, match=r"takes \(None, 32, 32, 3\)"):
        next(quantize(open_run(tmp_path / "n.keras"), recipes_named("float32"), tmp_path))


def test_the_command_prints_a_line_a_recipe(edge_convert: Callable[..., Any], run_folder: Path, tmp_path: Path) -> None:
    ended = edge_convert("quantize", run_folder, "--recipe", "float16", "--out", tmp_path)
    assert ended.code == 0
    head, line = ended.out.splitlines()
    assert head.split()[:4] == ["recipe", "bytes", "temperature", "threshold"]
    assert line.split()[0] == "float16" and f"{(tmp_path / 'lecture-float16.tflite').stat().st_size:,}" in line
    assert "wrote" in ended.err


def test_runtimes_are_tried_in_the_interpreters_named(
    edge_convert: Callable[..., Any], run_folder: Path, tmp_path: Path, tflite_python: Path
) -> None:
    ended = edge_convert(
        "quantize", run_folder, "--recipe", "dynamic", "--out", tmp_path, "--runtime-python", tflite_python
    )
    assert ended.code == 0
    assert Manifest.read(tmp_path / "lecture-dynamic.json").runtimes == ("litert", "tflite")


def test_a_file_that_a_runtime_refuses_is_not_said_to_load_there(
    run_folder: Path, tmp_path: Path, tflite_python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tensorflow as tf

    from convert import quantize as module
    from convert.runtimes import runtime_at

    def as_tensorflow_likes_it(saved: Path, recipe: object, digits: object, **_: object) -> bytes:
        converter = tf.lite.TFLiteConverter.from_saved_model(str(saved))
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        return bytes(converter.convert())

    monkeypatch.setattr(module, "to_tflite", as_tensorflow_likes_it)
    (made,) = quantize(open_run(run_folder), recipes_named("dynamic"), tmp_path, others=[runtime_at(tflite_python)])
    assert made.manifest.runtimes == ("litert",)
