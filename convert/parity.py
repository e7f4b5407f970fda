"""Keras against every .tflite on every runtime: proof, through the edge's own Classifier, that nothing was lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from convert.examples import MNIST_TEST, MNIST_TEST_DIGITS, Examples, labelled_examples
from convert.figures import Measured, Pair, Parity, Row
from convert.gates import Gates
from convert.network import keras_probabilities, load_network
from convert.recipes import RECIPES
from convert.representative import heldback_digits
from convert.run_folder import Run
from convert.runtimes import RuntimeAt, measure_in
from edge.errors import ModelError
from edge.inference.classifier import softmax
from edge.inference.manifest import DIGITS, Manifest, load_model
from edge.inference.shipped import find_model

Chances: TypeAlias = npt.NDArray[np.float32]


def models_of(run: Run, named: Sequence[str]) -> tuple[Path, ...]:
    """The models named (files, or names that ship), or every .tflite in the run folder, recipes in their order.

    Raises ModelError if there is none, or one's manifest and file do not belong together.
    """
    found = [find_model(name) for name in named] or sorted(run.folder.glob("*.tflite"), key=_rank)
    if not found:
        raise ModelError(f"{run.folder}: no .tflite file; `edge-convert quantize {run.folder} --recipe all` makes them")
    for file in found:
        load_model(file)
    return tuple(found)


def examples_of(run: Run, labels: tuple[str, ...], data: Path | None) -> Examples:
    """The digits to measure on: data, or MNIST's test half, or what was held back of a run that knows other labels.

    Raises SourceError or ModelError if there are none.
    """
    if data is not None or set(DIGITS) <= set(labels):
        return labelled_examples(data, labels)
    heldback = heldback_digits(run.digits_file)
    if heldback is None:
        raise ModelError(
            f"{run.digits_file}: missing, and MNIST has not the labels {', '.join(labels)}; copy the run folder whole"
        )
    return heldback


def compare(
    run: Run,
    models: Sequence[Path],
    runtimes: Sequence[RuntimeAt],
    *,
    gates: Gates,
    data: Path | None = None,
    limit: int | None = None,
    slow_limit: int | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Parity:
    """Measure each model in each runtime against the run's Keras model on the same digits.

    data as in examples_of, at most limit of them, and at most slow_limit for models without fast kernels (None: all).
    progress is told what comes next. Raises ModelError if a model cannot be compared at all, SourceError for the data.
    """
    progress("Keras")
    network = load_network(run.model_file)
    labels = run.labels_for(network.output_shape[1])
    digits = examples_of(run, labels, data).part(limit)
    keras = keras_probabilities(network, digits.tensors)
    rows = []
    for model in models:
        manifest, content = load_model(model)
        columns = _columns(manifest, labels)
        slow = manifest.recipe in RECIPES and RECIPES[manifest.recipe].slow
        chosen = digits.at_most(slow_limit if slow else None)
        for runtime in runtimes:
            progress(f"{manifest.name} on {runtime}, {len(chosen):,} digits")
            row = Row(file=model, manifest=manifest, size=len(content), runtime=runtime)
            rows.append(_measured(row, digits, keras, chosen, columns))
    return Parity(
        data=digits.name,
        labels=labels,
        keras_accuracy=100 * float((keras.argmax(axis=1) == digits.labels).mean()),
        n=len(digits),
        rows=tuple(rows),
        pairs=tuple(_pairs(rows)),
        gates=gates,
    )


def _measured(row: Row, digits: Examples, keras: Chances, chosen: npt.NDArray[np.int64], columns: Sequence[int]) -> Row:
    """The row with what its model said of the chosen digits, or with the reason why it said nothing."""
    tensors = digits.tensors[chosen]
    try:
        answer = measure_in(row.runtime, row.file, tensors)
    except ModelError as error:
        return replace(row, problem=str(error))
    measured = Measured(
        indices=digits.indices[chosen],
        tensors=tensors,
        expected=digits.labels[chosen],
        keras=keras[chosen],
        tflite=softmax(answer.logits)[:, columns],
        micros=answer.micros,
    )
    return replace(row, measured=measured)


def keep_figures(parity: Parity) -> tuple[Path, ...]:
    """Write what was measured in the first runtime into the manifests, if it was the whole MNIST test set.

    Returns the manifests that could not be written, which is no failure of the measurement.
    """
    refused = []
    if parity.data != MNIST_TEST or parity.n != MNIST_TEST_DIGITS:
        return ()
    for row in parity.rows:
        if row.measured is None or row.runtime != parity.rows[0].runtime:
            continue
        figures = {
            "n": row.measured.n,
            "accuracy": round(row.measured.accuracy, 3),
            "low": round(row.measured.interval[0], 3),
            "high": round(row.measured.interval[1], 3),
            "agreement": round(row.measured.agreement, 3),
        }
        file = row.file.with_suffix(".json")
        try:
            replace(row.manifest, metrics={**row.manifest.metrics, MNIST_TEST: figures}).write(file)
        except OSError:
            refused.append(file)
    return tuple(refused)


def _columns(manifest: Manifest, labels: tuple[str, ...]) -> list[int]:
    """Where in a model's output the run's labels are. Raises ModelError if the two know different labels."""
    if set(manifest.labels) != set(labels):
        raise ModelError(
            f"{manifest.name}: knows {', '.join(manifest.labels)}, the run {', '.join(labels)}: not a model of this "
            "run; name one quantized from it"
        )
    return [manifest.labels.index(label) for label in labels]


def _pairs(rows: Sequence[Row]) -> Iterator[Pair]:
    """Each two runtimes in which the same model was measured, beside each other."""
    for first, second in combinations(rows, 2):
        if first.file == second.file and first.measured and second.measured:
            alike = int((first.measured.top == second.measured.top).sum())
            yield Pair(
                file=first.file,
                model=first.manifest.name,
                first=first.runtime,
                second=second.runtime,
                n=first.measured.n,
                alike=alike,
            )


def _rank(file: Path) -> tuple[int, str]:
    order, recipe = list(RECIPES), Manifest.read(file.with_suffix(".json")).recipe
    return (order.index(recipe) if recipe in order else len(order), file.name)
