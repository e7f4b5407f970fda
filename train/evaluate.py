"""Judging a network: accuracy with its interval, what is taken for what, and the digits it gets wrong."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from edge.errors import UsageError
from train.data import Images, Labels, as_input, digits_to_judge, load_data
from train.model import Model
from train.plots import draw_confusion, draw_digits
from train.run import Trained, load_trained, make_folder, write_file

Probabilities: TypeAlias = npt.NDArray[np.float32]

SHOWN = 24  # a picture holds 4 rows of 6
BATCH = 256
# The two-sided 95 % quantile of the normal distribution.
Z95 = 1.959964
# Keras clips probabilities here before the logarithm.
SMALLEST = 1e-7


def wilson(right: int, n: int, z: float = Z95) -> tuple[float, float]:
    """The 95 % interval (low, high) of a share of which `right` of `n` were seen; (0, 1) for n = 0.

    Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    if not n:
        return 0.0, 1.0
    share, square = right / n, z * z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = z / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """A network, the digits it is judged by, and what it says: probabilities (n, L)."""

    trained: Trained
    x: Images
    y: Labels
    probabilities: Probabilities
    data: str
    sha256: str

    @property
    def wrong(self) -> npt.NDArray[np.int64]:
        """Indices of the digits it misreads."""
        return np.flatnonzero(self.probabilities.argmax(axis=1) != self.y)


def judge(run: Path, data: Path | None = None) -> Judged:
    """What the network of RUN says of the test digits of `data`, or of the data it was trained on.

    Raises ModelError or SourceError if either cannot be used.
    """
    trained = load_trained(run)
    x, y, name, sha256 = _digits(trained, data)
    probabilities = ask(trained.network, x)
    return Judged(trained=trained, x=x, y=y, probabilities=probabilities, data=name, sha256=sha256)


def ask(network: Model, images: Images) -> Probabilities:
    """Probabilities (n, L) of images (n, 28, 28) uint8."""
    said: Probabilities = network.predict(as_input(images), batch_size=BATCH, verbose=0)
    return said


def _digits(trained: Trained, data: Path | None) -> tuple[Images, Labels, str, str]:
    record = trained.record
    place = data or (Path(record.source) if record and record.source else None)
    found = load_data(place)
    x, y = digits_to_judge(found, record.data.sha256 if record else None, trained.labels)
    return x, y, found.name, found.sha256


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


def probabilities_text(labels: tuple[str, ...], probabilities: Probabilities) -> str:
    """A line for each label in their order: `7: 99.9999940395%`; as many decimals as float32 can mean."""
    return "\n".join(f"{label}: {float(p) * 100:.10f}%" for label, p in zip(labels, probabilities, strict=True))


def predict(run: Path, *, picture: Path | None = None, index: int | None = None, data: Path | None = None) -> str:
    """The probabilities for one picture, or for the test digit with that index, a line for each label.

    Raises UsageError unless exactly one of them is given, or if there is no such index.
    """
    if (picture is None) == (index is None):
        raise UsageError("name either a picture or --index N, the number of a test digit")
    trained = load_trained(run)
    if picture is not None:
        from train.pictures import read_picture

        image = read_picture(picture)
    else:
        x = _digits(trained, data)[0]
        image = x[_checked((index or 0,), len(x))[0]]
    return probabilities_text(trained.labels, ask(trained.network, image[None])[0])


def mistakes(
    run: Path,
    *,
    data: Path | None = None,
    seed: int | None = None,
    show: tuple[int, ...] = (),
    output: Path | None = None,
) -> str:
    """How many digits RUN misreads and which, the probabilities of those in `show`; draws 24 of them.

    The picture is `output`, or mistakes.png in the run folder; seed None shows the first, a seed a random choice.
    """
    judged = judge(run, data)
    shown = _checked(show, len(judged.x))
    wrong, labels = judged.wrong, judged.trained.labels
    chosen = wrong[:SHOWN]
    if seed is not None and len(wrong) > SHOWN:
        chosen = np.sort(np.random.default_rng(seed).choice(wrong, SHOWN, replace=False))
    read = judged.probabilities.argmax(axis=1)
    place = output or judged.trained.folder / "mistakes.png"
    make_folder(place.parent)
    captions = [f"#{i}: {labels[read[i]]}, is {labels[judged.y[i]]}" for i in chosen]
    count = f"{len(wrong):,} of {len(judged.x):,} digits misread ({len(wrong) / len(judged.x):.2%})"
    title = f"{count}; index, read as, is"
    write_file(place, draw_digits(judged.x[chosen], captions, title, wrong=True))
    lines = [count, f"{len(chosen)} of them in {place}:", "", " index  read as  is  confidence"]
    lines += [
        f"{i:6}  {labels[read[i]]:>7} {labels[judged.y[i]]:>3} {judged.probabilities[i].max():11.2%}" for i in chosen
    ]
    for i in shown:
        lines += ["", f"#{i}, is {labels[judged.y[i]]}", probabilities_text(labels, judged.probabilities[i])]
    return "\n".join(lines)


def _checked(indices: tuple[int, ...], n: int) -> tuple[int, ...]:
    for index in indices:
        if not 0 <= index < n:
            raise UsageError(f"there is no test digit {index}; they count from 0 to {n - 1}")
    return indices


def _share(part: int, whole: int) -> float:
    return float(part / whole) if whole else math.nan


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
