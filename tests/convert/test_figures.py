"""Intervals, gates and the verdict."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convert.figures import Measured, Pair, Parity, Row
from convert.gates import Gates
from convert.judges import LabelJudge
from convert.runtimes import RuntimeAt
from edge.inference.manifest import Manifest, TensorSpec

HERE = RuntimeAt(python=Path("python"), name="litert", version="2.3.0")
JUDGE = LabelJudge(labels=("0", "1"))
THERE = RuntimeAt(python=Path("other"), name="tflite", version="2.14.0")


def manifest(name: str, runtimes: tuple[str, ...] = ("litert", "tflite")) -> Manifest:
    spec = TensorSpec(shape=(1, 28, 28, 1), dtype="uint8", scale=1 / 255)
    return Manifest(
        name=name,
        task="digit",
        sha256="0" * 64,
        input=spec,
        output=spec,
        output_kind="logits",
        labels=("0", "1"),
        runtimes=runtimes,
    )


def measured(wrong: int, *, n: int = 1000, micros: float = 80.0) -> Measured:
    """Keras is right on all n digits, the model on all but the last `wrong`."""
    expected = np.arange(n) % 2
    keras = np.eye(2, dtype=np.float32)[expected]
    tflite = keras.copy()
    tflite[n - wrong :] = tflite[n - wrong :, ::-1]
    return Measured(
        indices=np.arange(n),
        tensors=np.zeros((n, 28, 28, 1), np.uint8),
        expected=expected,
        keras=keras,
        tflite=tflite,
        micros=np.full(n, micros),
        judge=JUDGE,
    )


def row(name: str, found: Measured | None, runtime: RuntimeAt = HERE, **told: object) -> Row:
    runtimes = told.pop("runtimes", ("litert", "tflite"))
    return Row(
        file=Path(f"{name}.tflite"),
        manifest=manifest(name, runtimes),  # type: ignore[arg-type]
        size=1,
        runtime=runtime,
        measured=found,
        problem="" if found else "does not load",
    )


def parity(*rows: Row, pairs: tuple[Pair, ...] = (), gates: Gates | None = None) -> Parity:
    return Parity(
        data="x",
        unit="digit",
        judge=JUDGE,
        keras_accuracy=100.0,
        n=1000,
        rows=rows,
        pairs=pairs,
        gates=gates or Gates(),
    )


def test_figures_are_those_of_the_digits() -> None:
    found = measured(5)
    assert (found.accuracy, found.keras_accuracy, found.agreement) == (99.5, 100.0, 99.5)
    assert found.drop == pytest.approx(0.5)
    assert found.differing.tolist() == [995, 996, 997, 998, 999]
    assert (found.largest_difference, found.mean_difference) == (1.0, pytest.approx(0.005))


def test_a_drop_and_an_agreement_just_met_are_met() -> None:
    assert parity(row("a", measured(1))).broken_gates == ()  # 0.1 points, 99.9 %
    assert parity(row("a", measured(5)), gates=Gates(max_drop=1)).broken_gates == ()  # 99.5 %


def test_a_drop_or_an_agreement_beyond_is_named() -> None:
    words = [broken.words for broken in parity(row("a", measured(6))).broken_gates]
    assert len(words) == 2
    assert "0.60 points below Keras" in words[0] and "99.40 %" in words[1]


def test_runtimes_that_disagree_break_the_gate() -> None:
    pair = Pair(file=Path("a.tflite"), model="a", first=HERE, second=THERE, n=10_000, alike=9_994)
    (broken,) = parity(row("a", measured(0)), pairs=(pair,)).broken_gates
    assert "litert 2.3.0 and tflite 2.14.0 agree on 99.94 %" in broken.words


def test_a_runtime_that_the_manifest_does_not_name_is_excused() -> None:
    rows = [row("a", measured(0), runtimes=("litert",)), row("a", None, THERE, runtimes=("litert",))]
    assert rows[1].excused and parity(*rows).broken_gates == ()


def test_a_runtime_that_the_manifest_names_is_not_excused() -> None:
    assert parity(row("a", measured(0)), row("a", None, THERE)).broken_gates


def test_a_model_that_runs_nowhere_fails_whatever_its_manifest_says() -> None:
    (broken,) = parity(row("a", None, runtimes=())).broken_gates
    assert "none of the runtimes" in broken.words


def test_the_fastest_that_passes_is_recommended() -> None:
    rows = (
        row("slow", measured(0, micros=200)),
        row("good", measured(1, micros=90)),
        row("bad", measured(50, micros=10)),
    )
    best = parity(*rows).recommended
    assert best is not None and best.manifest.name == "good"


def test_failing_in_the_other_runtime_costs_the_recommendation() -> None:
    rows = (
        row("a", measured(0, micros=10)),
        row("a", measured(50), THERE),
        row("b", measured(0, micros=90)),
        row("b", measured(0), THERE),
    )
    best = parity(*rows).recommended
    assert best is not None and best.manifest.name == "b"


def test_nothing_is_recommended_when_nothing_passes() -> None:
    assert parity(row("a", measured(50))).recommended is None
