"""Keras against every recipe, in both environments, on 2,500 MNIST test digits."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.examples import labelled_examples
from convert.figures import Parity
from convert.gates import DIGIT_GATES
from convert.parity import compare, keep_figures, models_of
from convert.recipes import RECIPES
from convert.run_folder import open_run
from convert.runtimes import runtime_at, this_runtime
from convert.tasks import TASKS
from edge.errors import ModelError, RuntimeMissingError, SourceError
from edge.inference.manifest import Manifest

# int16x8 takes 4 to 9 ms a digit and runtime, so it is not judged on all.
SLOW_LIMIT = 2000
# The lecture network may lose so much: two digits in ten thousand for float weights, two in a thousand for int8.
AGREEMENT = {"float32": 99.98, "float16": 99.98, "dynamic": 99.96, "int8": 99.8, "int16x8": 99.5}


@pytest.fixture(scope="module")
def measured(all_recipes: Path, digits_file: Path, tflite_python: Path) -> Parity:
    """All recipes in both runtimes."""
    run = open_run(all_recipes)
    return compare(
        run,
        models_of(run, ()),
        [this_runtime(), runtime_at(tflite_python)],
        gates=DIGIT_GATES,
        data=digits_file,
        slow_limit=SLOW_LIMIT,
    )


@pytest.mark.parametrize("runtime", ["litert", "tflite"])
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_decides_as_keras_does(measured: Parity, recipe: str, runtime: str) -> None:
    (row,) = [row for row in measured.rows if row.manifest.recipe == recipe and row.runtime.name == runtime]
    assert row.measured is not None, row.problem
    assert row.measured.n == (SLOW_LIMIT if RECIPES[recipe].slow else 2500)
    assert row.measured.accuracy > 98 and row.measured.keras_accuracy > 98
    assert row.measured.agreement >= AGREEMENT[recipe]
    assert row.measured.drop <= 0.1
    assert row.measured.largest_difference < (0.001 if recipe == "float32" else 0.1)
    assert row.measured.percentile_us(95) >= row.measured.percentile_us(50) > 0
    assert row.broken_gates(DIGIT_GATES) == ()


def test_the_two_runtimes_decide_alike(measured: Parity) -> None:
    assert {pair.model for pair in measured.pairs} == {f"lecture-{recipe}" for recipe in RECIPES}
    assert all(pair.agreement >= 99.95 for pair in measured.pairs)


def test_the_recommended_file_is_one_with_fast_kernels(measured: Parity) -> None:
    assert not measured.broken_gates
    assert measured.recommended is not None and not RECIPES[measured.recommended.manifest.recipe].slow


def test_models_come_in_the_order_of_the_recipes(all_recipes: Path) -> None:
    files = models_of(open_run(all_recipes), ())
    assert [file.stem.removeprefix("lecture-") for file in files] == list(RECIPES)


def test_the_command_prints_writes_and_recommends(
    edge_convert: Callable[..., Any], all_recipes: Path, digits_file: Path, tmp_path: Path
) -> None:
    report, page = tmp_path / "out" / "parity.json", tmp_path / "out" / "parity.html"
    model = all_recipes / "lecture-int8.tflite"
    ended = edge_convert(
        "parity", all_recipes, model, "--data", digits_file, "--limit", 300, "--report", report, "--html", page
    )
    assert ended.code == 0
    assert re.search(r"lecture-int8 +litert \S+ +300 ", ended.out)
    assert f"recommended: {model}" in ended.out and "met by all" in ended.out
    told = json.loads(report.read_text())
    assert told["passed"] and told["recommended"] == str(model) and told["n"] == 300
    (figures,) = told["models"]
    assert figures["n"] == 300 and figures["low"] < figures["accuracy"] <= figures["high"] and figures["p50_us"] > 0
    assert "lecture-int8" in page.read_text() and not list(page.parent.glob("*.part"))


def test_digits_are_numbered_as_in_the_data(digits_file: Path) -> None:
    digits = labelled_examples(digits_file, tuple("0123456789"))
    part = digits.part(7)
    assert part.indices[0] == 0 and part.indices[-1] == 2499 and len(part) == 7
    assert (part.tensors == digits.tensors[part.indices]).all() and (part.labels == digits.labels[part.indices]).all()


def test_labels_in_another_order_are_matched_by_name(digits_file: Path) -> None:
    digits = labelled_examples(digits_file, tuple("9876543210"))
    assert digits.labels[0] == 2  # the first MNIST test digit is a 7


def test_a_run_with_other_labels_is_measured_on_what_it_held_back(run_folder: Path) -> None:
    run = open_run(run_folder)
    digits = TASKS["digit"].examples(run, tuple("ABCDEFGHIJ"), None)
    assert (len(digits), digits.name) == (800, "heldback")


def test_data_with_digits_that_the_model_does_not_know_is_refused(digits_file: Path) -> None:
    with pytest.raises(SourceError, match="holds 7, 8, 9, the model knows only 0, 1"):
        labelled_examples(digits_file, tuple("0123456"))


def test_mnist_whole_is_kept_in_the_manifest(
    own_model: Callable[[str], Path], run_folder: Path, mnist_file: Path
) -> None:
    run, model = open_run(run_folder), own_model("int8")
    parity = compare(run, [model], [this_runtime()], gates=DIGIT_GATES, data=mnist_file)
    assert keep_figures(parity) == ()
    kept = Manifest.read(model.with_suffix(".json")).metrics
    assert kept["mnist-test"]["n"] == 10_000 and kept["heldback"]["n"] == 800
    assert 98.5 < kept["mnist-test"]["low"] < kept["mnist-test"]["accuracy"] < kept["mnist-test"]["high"] < 100
    assert kept["mnist-test"]["agreement"] >= 99.8
    assert models_of(run, [str(model)]) == (model,)  # the sha256 still holds


def test_a_part_of_mnist_is_not_kept_as_if_it_were_all(
    own_model: Callable[[str], Path], run_folder: Path, digits_file: Path
) -> None:
    run, model = open_run(run_folder), own_model("dynamic")
    before = model.with_suffix(".json").read_bytes()
    keep_figures(compare(run, [model], [this_runtime()], gates=DIGIT_GATES, data=digits_file, limit=50))
    assert model.with_suffix(".json").read_bytes() == before


def test_a_shipped_model_is_measured_by_its_name(run_folder: Path) -> None:
    (file,) = models_of(open_run(run_folder), ["lecture"])
    assert file.name == "lecture.tflite"


def test_a_run_without_models_says_how_to_make_them(tmp_path: Path, run_folder: Path) -> None:
    (tmp_path / "model.keras").write_bytes((run_folder / "model.keras").read_bytes())
    with pytest.raises(ModelError, match=r"no .tflite file; `edge-convert quantize"):
        models_of(open_run(tmp_path / "model.keras"), ())


@pytest.mark.parametrize("python", ["/nowhere/python", "/bin/false"])
def test_an_interpreter_that_is_none_is_said(python: str) -> None:
    with pytest.raises(RuntimeMissingError, match=f"--runtime-python {python}"):
        runtime_at(Path(python))


def test_a_report_that_cannot_be_written_is_an_error_of_the_output(
    edge_convert: Callable[..., Any], all_recipes: Path, digits_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    model = all_recipes / "lecture-dynamic.tflite"
    ended = edge_convert(
        "parity", all_recipes, model, "--data", digits_file, "--limit", 20, "--report", tmp_path / "file" / "x.json"
    )
    assert ended.code == 6 and "lecture-dynamic" in ended.out and "cannot be written" in ended.err


def test_the_other_interpreter_gets_our_packages_and_not_our_numpy(tflite_python: Path) -> None:
    there = runtime_at(tflite_python)
    assert (there.name, there.version) == ("tflite", "2.14.0")
    assert np.__version__.startswith("2.")  # with which tflite-runtime would not load
