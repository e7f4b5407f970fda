"""Judging a network: loss, accuracy with its interval, and what is taken for what."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.inference.interval import wilson
from train.judge import Judged, judge
from train.plots import draw_confusion
from train.run import make_folder, write_file

# Keras clips probabilities here before the logarithm.
SMALLEST = 1e-7


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFigures:
    """Of one label: how many there are, the share of them found, and of those read as it the share that is it.

    recall and precision are nan where there is nothing to divide by.
    """

    label: str
    n: int
    precision: float
    recall: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """What a network makes of labelled digits: confusion[is, read as] counts (L, L)."""

    labels: tuple[str, ...]
    confusion: npt.NDArray[np.int64]
    loss: float
    data: str
    sha256: str

    @property
    def n(self) -> int:
        """Digits judged."""
        return int(self.confusion.sum())

    @property
    def right(self) -> int:
        """Digits read right."""
        return int(np.trace(self.confusion))

    @property
    def accuracy(self) -> float:
        """Share read right."""
        return self.right / self.n

    def table(self) -> tuple[LabelFigures, ...]:
        """A row for each label."""
        there, read, hit = self.confusion.sum(axis=1), self.confusion.sum(axis=0), np.diag(self.confusion)
        return tuple(
            LabelFigures(label=label, n=int(n), precision=_share(h, r), recall=_share(h, n))
            for label, n, r, h in zip(self.labels, there, read, hit, strict=True)
        )

    def summary(self) -> dict[str, float | int | str]:
        """The figures of one line, as run.json and evaluation.json carry them."""
        low, high = wilson(self.right, self.n)
        figures = {"n": self.n, "accuracy": self.accuracy, "low": low, "high": high, "loss": self.loss}
        return {"data": self.data, "sha256": self.sha256, **figures}

    def as_text(self) -> str:
        """The figures and the per-digit table, for people."""
        low, high = wilson(self.right, self.n)
        lines = [
            f"loss      {self.loss:.4f}",
            f"accuracy  {self.accuracy:.2%}  ({self.right:,} of {self.n:,}; 95 % interval {low:.2%} to {high:.2%})",
            "",
            "digit      n  precision   recall",
        ]
        lines += [f"{row.label:>5} {row.n:6} {row.precision:10.2%} {row.recall:8.2%}" for row in self.table()]
        return "\n".join(lines)

    def as_json(self) -> str:
        """The same with the confusion matrix; what cannot be divided is null."""
        rows = [
            {"label": r.label, "n": r.n, "precision": _or_none(r.precision), "recall": _or_none(r.recall)}
            for r in self.table()
        ]
        content = {**self.summary(), "labels": self.labels, "digits": rows, "confusion": self.confusion.tolist()}
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def measure(judged: Judged) -> Evaluation:
    """Confusion and cross-entropy, as Keras' evaluate has it."""
    labels, y = judged.trained.labels, judged.y
    confusion = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(confusion, (y, judged.probabilities.argmax(axis=1)), 1)
    of_truth = judged.probabilities[np.arange(len(y)), y].astype(np.float64)
    loss = float(-np.log(np.clip(of_truth, SMALLEST, 1 - SMALLEST)).mean())
    return Evaluation(labels=labels, confusion=confusion, loss=loss, data=judged.data, sha256=judged.sha256)


def evaluate(run: Path, *, data: Path | None = None, out: Path | None = None) -> Evaluation:
    """Judge RUN; leaves evaluation.json and confusion.png in `out` or the run folder, and the figures in run.json."""
    judged = judge(run, data)
    found = measure(judged)
    folder = out or judged.trained.folder
    make_folder(folder)
    write_file(folder / "evaluation.json", found.as_json().encode())
    title = f"{found.accuracy:.2%} of {found.n:,} test digits ({found.data})"
    rows = [(r.label, f"{r.n:,}", f"{r.precision:.2%}", f"{r.recall:.2%}") for r in found.table()]
    write_file(folder / "confusion.png", draw_confusion(found.confusion, found.labels, rows, title))
    if judged.trained.record and run.is_dir():
        metrics = {**judged.trained.record.metrics, f"{found.data}-test": found.summary()}
        replace(judged.trained.record, metrics=metrics).write(run)
    return found


def _share(part: int, whole: int) -> float:
    return float(part / whole) if whole else math.nan


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
