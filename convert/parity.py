"""Keras against every .tflite on every runtime: proof, through the edge's own readers, that nothing was lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from convert.examples import MNIST_TEST, MNIST_TEST_DIGITS, Examples
from convert.figures import Measured, Pair, Parity, Row
from convert.gates import Gates
from convert.judges import Chances
from convert.network import check_shapes, load_network
from convert.recipes import RECIPES
from convert.run_folder import Run
from convert.runtimes import RuntimeAt, measure_in
from convert.tasks import TASKS, Task
from edge.errors import ModelError
from edge.inference.manifest import Manifest, load_model
from edge.inference.shipped import find_model


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


def compare(
    run: Run,
    models: Sequence[Path],
    runtimes: Sequence[RuntimeAt],
    *,
    gates: Gates | None = None,
    data: Path | None = None,
    limit: int | None = None,
    slow_limit: int | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Parity:
    """Measure each model in each runtime against the run's Keras model on the same pictures.

    gates None are those of the run's task. data as in Task.examples, at most limit of them, and at most slow_limit for
    models without fast kernels (None: all). progress is told what comes next. Raises ModelError if a model cannot be
    compared at all, SourceError for the data.
    """
    progress("Keras")
    task = TASKS[run.task]
    network = load_network(run.model_file)
    check_shapes(network, run.model_file, task.shape, task.outputs)
    labels = run.labels_for(network.output_shape[-1])
    judge = task.judge(labels)
    examples = task.examples(run, labels, data).part(limit)
    keras = task.keras(network, examples, labels)
    rows = []
    for model in models:
        manifest, content = load_model(model)
        _check_labels(manifest, labels)
        slow = manifest.recipe in RECIPES and RECIPES[manifest.recipe].slow
        chosen = examples.at_most(slow_limit if slow else None)
        for runtime in runtimes:
            progress(f"{manifest.name} on {runtime}, {len(chosen):,} {task.unit}s")
            row = Row(file=model, manifest=manifest, size=len(content), runtime=runtime)
            rows.append(_measured(row, task, labels, examples.chosen(chosen), keras[chosen]))
    return Parity(
        data=examples.name,
        unit=task.unit,
        judge=judge,
        keras_accuracy=100 * float((judge.decide(keras) == examples.labels).mean()),
        n=len(examples),
        rows=tuple(rows),
        pairs=tuple(_pairs(rows)),
        gates=gates or task.gates,
    )


def _measured(row: Row, task: Task, labels: tuple[str, ...], examples: Examples, keras: Chances) -> Row:
    """The row with what its model said of the examples, or with the reason why it said nothing."""
    try:
        answer = measure_in(row.runtime, row.file, examples)
    except ModelError as error:
        return replace(row, problem=str(error))
    measured = Measured(
        indices=examples.indices,
        tensors=examples.tensors,
        expected=examples.labels,
        keras=keras,
        tflite=task.chances(row.manifest, answer.logits, labels),
        micros=answer.micros,
        judge=task.judge(labels),
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


def _check_labels(manifest: Manifest, labels: tuple[str, ...]) -> None:
    """Raise ModelError unless a model knows the very labels of the run."""
    if set(manifest.labels) != set(labels):
        raise ModelError(
            f"{manifest.name}: knows {', '.join(manifest.labels)}, the run {', '.join(labels)}: not a model of this "
            "run; name one quantized from it"
        )


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
