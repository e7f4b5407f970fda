"""What parity finds out, as values: rows, gates and the verdict."""

from __future__ import annotations

import math
from dataclasses import InitVar, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from convert.gates import Gates
from convert.judges import Judge
from convert.runtimes import RuntimeAt
from edge.inference.interval import wilson
from edge.inference.manifest import Manifest

# Percentages of a few thousand digits have no meaning beyond; keeps 99.5 from failing as 99.49999.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """A model's answers in a runtime beside Keras' on the same n pictures.

    tensors are (n, H, W, 1) uint8, expected (n,) what the judge should decide, keras and tflite (n, labels), of strips
    (n, frames, labels), probabilities at temperature 1 in the run's label order, micros (n,) each picture's time in µs,
    indices (n,) its place in the data. top and keras_top (n,) are what model and Keras decided.
    """

    indices: npt.NDArray[np.int64]
    tensors: npt.NDArray[np.uint8]
    expected: npt.NDArray[Any]
    keras: npt.NDArray[np.float32]
    tflite: npt.NDArray[np.float32]
    micros: npt.NDArray[np.float64]
    judge: InitVar[Judge]
    top: npt.NDArray[Any] = field(init=False)
    keras_top: npt.NDArray[Any] = field(init=False)

    def __post_init__(self, judge: Judge) -> None:
        object.__setattr__(self, "top", judge.decide(self.tflite))
        object.__setattr__(self, "keras_top", judge.decide(self.keras))

    @property
    def n(self) -> int:
        """How many pictures were compared."""
        return len(self.expected)

    @property
    def right(self) -> int:
        """How many the model got right."""
        return int((self.top == self.expected).sum())

    @property
    def accuracy(self) -> float:
        """Of the model, in percent."""
        return 100 * self.right / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the accuracy, in percent."""
        low, high = wilson(self.right, self.n)
        return 100 * low, 100 * high

    @property
    def keras_accuracy(self) -> float:
        """Of Keras on the same pictures, in percent."""
        return 100 * float((self.keras_top == self.expected).mean())

    @property
    def drop(self) -> float:
        """Points of accuracy lost against Keras; negative if the model is better."""
        return self.keras_accuracy - self.accuracy

    @property
    def differing(self) -> npt.NDArray[np.int64]:
        """Rows of the pictures on which model and Keras decide differently."""
        return np.flatnonzero(self.top != self.keras_top)

    @property
    def agreement(self) -> float:
        """Share of pictures on which both decide alike, in percent."""
        return 100 * (1 - len(self.differing) / self.n)

    @property
    def largest_difference(self) -> float:
        """Of any probability of any picture."""
        return float(np.nanmax(np.abs(self.tflite - self.keras)))

    @property
    def mean_difference(self) -> float:
        """Over all probabilities of all pictures."""
        return float(np.nanmean(np.abs(self.tflite - self.keras)))

    def percentile_us(self, percent: float) -> float:
        """The time in µs within which that share of the pictures was done."""
        return float(np.percentile(self.micros, percent))


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A gate that a model did not meet, in words."""

    file: Path
    words: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Row:
    """One model in one runtime: measured, or why not."""

    file: Path
    manifest: Manifest
    size: int
    runtime: RuntimeAt
    measured: Measured | None = None
    problem: str = ""

    @property
    def excused(self) -> bool:
        """True if it does not run here and its manifest does not say that it would."""
        return self.measured is None and self.runtime.name not in self.manifest.runtimes

    def broken_gates(self, gates: Gates) -> tuple[Broken, ...]:
        """The gates it does not meet; none if it is excused."""
        place = f"{self.manifest.name} on {self.runtime}"
        found, words = self.measured, []
        if found is None:
            if not self.excused:
                words.append(f"{place}: {self.problem}")
        else:
            if found.drop > gates.max_drop + _ROUNDING:
                words.append(
                    f"{place}: accuracy {found.drop:.2f} points below Keras, at most {gates.max_drop:g} are allowed"
                )
            if found.agreement < gates.min_agreement - _ROUNDING:
                words.append(
                    f"{place}: agrees with Keras on {found.agreement:.2f} %, {gates.min_agreement:g} are needed"
                )
        return tuple(Broken(file=self.file, words=line) for line in words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One model in two runtimes: how many of n pictures they decide alike."""

    file: Path
    model: str
    first: RuntimeAt
    second: RuntimeAt
    n: int
    alike: int

    @property
    def agreement(self) -> float:
        """In percent."""
        return 100 * self.alike / self.n

    def broken_gates(self, gates: Gates) -> tuple[Broken, ...]:
        """The gate, if it is not met."""
        if self.agreement >= gates.min_between - _ROUNDING:
            return ()
        both = f"{self.model}: {self.first} and {self.second}"
        words = f"{both} agree on {self.agreement:.2f} %, {gates.min_between:g} are needed"
        return (Broken(file=self.file, words=words),)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parity:
    """Everything measured in one go; unit is what a picture is called, `digit` or `number`."""

    data: str
    unit: str
    judge: Judge
    keras_accuracy: float
    n: int
    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]
    gates: Gates

    @property
    def broken_gates(self) -> tuple[Broken, ...]:
        """Every gate that was not met. A model that ran nowhere met none, whatever its manifest says."""
        broken = [gate for row in self.rows for gate in row.broken_gates(self.gates)]
        broken += [gate for pair in self.pairs for gate in pair.broken_gates(self.gates)]
        for file in dict.fromkeys(row.file for row in self.rows):
            mine = [row for row in self.rows if row.file == file]
            if all(row.excused for row in mine):
                words = f"{mine[0].manifest.name}: runs in none of the runtimes measured: {mine[0].problem}"
                broken.append(Broken(file=file, words=words))
        return tuple(broken)

    @property
    def recommended(self) -> Row | None:
        """The row of the fastest model, in the first runtime, among those that meet every gate; None if none does."""
        broken = {gate.file for gate in self.broken_gates}
        here = [row for row in self.rows if row.runtime == self.rows[0].runtime and row.file not in broken]
        return min((row for row in here if row.measured), key=_median_time, default=None)


def _median_time(row: Row) -> float:
    return row.measured.percentile_us(50) if row.measured else math.inf
