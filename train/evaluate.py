"""Judging a network: loss, accuracy with its interval, what is taken for what, and how far its confidence holds."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.errors import UsageError
from edge.inference.certainty import Certainty, heated
from edge.inference.interval import wilson
from edge.inference.manifest import Manifest
from train.judge import Judged, Said, ask_heldback, judge
from train.plots import draw_certainty, draw_confusion
from train.run import RECORD, Record, make_folder, write_file

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
    """What a network makes of labelled digits: confusion[is, read as] counts (L, L).

    certainties: of the digits judged and, where the run folder has them, of those held back.
    """

    labels: tuple[str, ...]
    confusion: npt.NDArray[np.int64]
    loss: float
    data: str
    sha256: str
    certainties: tuple[Certainty, ...] = ()

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
        lines += [
            f"{row.label:>5} {row.n:6} {_percent(row.precision):>10} {_percent(row.recall):>8}" for row in self.table()
        ]
        lines += [line for one in self.certainties for line in ("", one.as_text())]
        return "\n".join(lines)

    def as_json(self) -> str:
        """The same with the confusion matrix; what cannot be divided is null."""
        rows = [
            {"label": r.label, "n": r.n, "precision": _or_none(r.precision), "recall": _or_none(r.recall)}
            for r in self.table()
        ]
        content = {**self.summary(), "labels": self.labels, "digits": rows, "confusion": self.confusion.tolist()}
        content["certainty"] = [one.as_json() for one in self.certainties]
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What makes a network's confidence calibrated: its temperature and threshold, and where they are from."""

    temperature: float = 1.0
    threshold: float | None = None
    source: str = "as the network gives it, not calibrated"


UNCALIBRATED = Calibration()


def find_calibration(run: Path) -> Calibration:
    """That of the int8 manifest in a run folder, which `edge-convert quantize` leaves; otherwise none.

    Raises ModelError if the manifest is broken.
    """
    place = next(iter(sorted(run.glob("*-int8.json"))), None)
    if place is None:
        return UNCALIBRATED
    found = Manifest.read(place)
    words = f"at temperature {found.temperature:g} ({place.name})"
    return Calibration(temperature=found.temperature, threshold=found.threshold, source=words)


def measure(judged: Judged, calibration: Calibration = UNCALIBRATED, heldback: Said | None = None) -> Evaluation:
    """Confusion and cross-entropy, as Keras' evaluate has it, and how far the calibrated confidence holds."""
    labels, y = judged.trained.labels, judged.y
    confusion = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(confusion, (y, judged.probabilities.argmax(axis=1)), 1)
    of_truth = judged.probabilities[np.arange(len(y)), y].astype(np.float64)
    loss = float(-np.log(np.clip(of_truth, SMALLEST, 1 - SMALLEST)).mean())
    said = [("test digits", judged.probabilities, y)]
    said += [] if heldback is None else [("held back", heldback.probabilities, heldback.y)]
    return Evaluation(
        labels=labels,
        confusion=confusion,
        loss=loss,
        data=judged.data,
        sha256=judged.sha256,
        certainties=tuple(
            Certainty.of(name, heated(shares, calibration.temperature), truth, labels) for name, shares, truth in said
        ),
    )


def evaluate(run: Path, *, data: Path | None = None, out: Path | None = None) -> Evaluation:
    """Judge RUN; leaves evaluation.json, confusion.png and certainty.png in `out` or the run folder.

    Confidence is calibrated as the run's int8 manifest says, where it has been quantized, and judged on the digits held
    back too, where the run folder has them. The figures go into run.json.
    """
    judged = judge(run, data)
    calibration = find_calibration(judged.trained.folder)
    found = measure(judged, calibration, ask_heldback(judged.trained))
    folder = out or judged.trained.folder
    make_folder(folder)
    write_file(folder / "evaluation.json", found.as_json().encode())
    title = f"{found.accuracy:.2%} of {found.n:,} test digits ({found.data})"
    rows = [(r.label, f"{r.n:,}", _percent(r.precision), _percent(r.recall)) for r in found.table()]
    write_file(folder / "confusion.png", draw_confusion(found.confusion, found.labels, rows, title))
    title = (
        f"ECE {found.certainties[0].ece:.2%} of {found.n:,} test digits ({found.data}); confidence {calibration.source}"
    )
    write_file(folder / "certainty.png", draw_certainty(found.certainties, title, calibration.threshold))
    if judged.trained.record and run.is_dir():
        metrics = {**judged.trained.record.metrics, f"{found.data}-test": found.summary()}
        replace(judged.trained.record, metrics=metrics).write(run)
    return found


def report(run: Path, *, data: Path | None = None, out: Path | None = None) -> str:
    """Judge the network of RUN, whichever it is: digits by `data` or what it was trained on, strips by those held back.

    Raises UsageError for data that a strip network cannot be judged by.
    """
    if not (run.is_dir() and (run / RECORD).exists() and Record.read(run).model == "strip"):
        return evaluate(run, data=data, out=out).as_text()
    if data is not None:
        raise UsageError(f"--data {data}: a strip network reads numbers, and is judged by those in {run}; leave it out")
    from train.strip_evaluate import evaluate_strips

    return evaluate_strips(run, out=out).as_text()


def _share(part: int, whole: int) -> float:
    return float(part / whole) if whole else math.nan


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value


def _percent(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2%}"
