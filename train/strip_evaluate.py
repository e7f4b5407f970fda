"""Judging a strip network: whole numbers read right, digits wrong by edits, and how far its confidence holds."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge.errors import ModelError, UsageError
from edge.inference.certainty import Certainty
from edge.inference.ctc import frames_of, rank
from edge.inference.interval import wilson
from train.evaluate import Calibration, find_calibration
from train.model import Model
from train.plots import draw_certainty
from train.run import REPRESENTATIVE, Record, find_model, make_folder, write_file
from train.strip_model import load_strip

DATA = "held-back strips"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StripEvaluation:
    """What a strip network makes of synthetic numbers of digits held back: the texts that are there, and its own."""

    texts: tuple[str, ...]
    read: tuple[str, ...]
    certainty: Certainty

    @property
    def right(self) -> int:
        """Texts read right as a whole."""
        return sum(a == b for a, b in zip(self.texts, self.read, strict=True))

    @property
    def edits(self) -> int:
        """Digits to change, leave out or put in to make all texts right."""
        return sum(edit_distance(a, b) for a, b in zip(self.texts, self.read, strict=True))

    def by_length(self) -> tuple[tuple[int, int, int], ...]:
        """(digits in the text, how many such texts, how many of them right), shortest first; 0 digits is no number."""
        there = Counter(len(text) for text in self.texts)
        hits = Counter(len(a) for a, b in zip(self.texts, self.read, strict=True) if a == b)
        return tuple((length, there[length], hits[length]) for length in sorted(there))

    def summary(self) -> dict[str, float | int | str]:
        """The figures of one line, as run.json and evaluation.json carry them."""
        n = len(self.texts)
        low, high = wilson(self.right, n)
        figures = {"n": n, "accuracy": self.right / n, "low": low, "high": high, "edits": self.edits}
        return {"data": DATA, "digits": sum(map(len, self.texts)), **figures}

    def as_text(self) -> str:
        """The figures for people."""
        n, digits = len(self.texts), sum(map(len, self.texts))
        low, high = wilson(self.right, n)
        lines = [
            f"whole numbers  {self.right / n:.2%}  ({self.right:,} of {n:,}; 95 % interval {low:.2%} to {high:.2%})",
            f"digits         {self.edits:,} edits in {digits:,} digits ({self.edits / max(digits, 1):.2%})",
            "",
            "length      n    right",
        ]
        lines += [f"{length:6} {n:6} {right / n:8.2%}" for length, n, right in self.by_length()]
        return "\n".join([*lines, "", self.certainty.as_text()])

    def as_json(self) -> str:
        """The same, for programs."""
        rows = [{"length": length, "n": n, "right": right} for length, n, right in self.by_length()]
        content = {**self.summary(), "lengths": rows, "certainty": [self.certainty.as_json()]}
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def edit_distance(a: str, b: str) -> int:
    """The least number of characters to change, leave out or put in that makes a of b (Levenshtein, 1966)."""
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (left != right))
    return row[-1]


def evaluate_strips(run: Path, *, out: Path | None = None) -> StripEvaluation:
    """Judge the strip network of a run folder by its held-back strips; leaves evaluation.json and certainty.png.

    They are written to `out` or the run folder; the figures go into run.json too. Raises UsageError for a run without
    such strips, ModelError if it is damaged.
    """
    record, calibration = Record.read(run), find_calibration(run)
    strips, texts = _heldback(run / REPRESENTATIVE)
    found = judge_strips(load_strip(find_model(run)), strips, texts, calibration)
    folder = out or run
    make_folder(folder)
    write_file(folder / "evaluation.json", found.as_json().encode())
    share = found.right / len(texts)
    title = f"{share:.2%} of {len(texts):,} {DATA} read right; confidence of the whole text {calibration.source}"
    write_file(folder / "certainty.png", draw_certainty((found.certainty,), title, calibration.threshold))
    replace(record, metrics={**record.metrics, DATA: found.summary()}).write(run)
    return found


def judge_strips(
    network: Model, strips: list[np.ndarray], texts: tuple[str, ...], calibration: Calibration
) -> StripEvaluation:
    """What a network says of strips (32, W) uint8 with these texts, each at its own width and in one view."""
    read: list[str] = [""] * len(strips)
    confidence = np.zeros(len(strips))
    widths = np.array([strip.shape[1] for strip in strips])
    for width in np.unique(widths):
        rows = np.flatnonzero(widths == width)
        x = np.stack([strips[row] for row in rows])[..., None].astype(np.float32) / np.float32(255)
        for row, logits in zip(rows, network.predict(x, batch_size=128, verbose=0), strict=True):
            ranked = rank([frames_of(logits)])
            read[row], confidence[row] = ranked.texts[0], ranked.shares(calibration.temperature)[0]
    right = np.array([a == b for a, b in zip(texts, read, strict=True)])
    certainty = Certainty(name=DATA, confidence=confidence, right=right)
    return StripEvaluation(texts=texts, read=tuple(read), certainty=certainty)


def _heldback(place: Path) -> tuple[list[np.ndarray], tuple[str, ...]]:
    try:
        with np.load(place, allow_pickle=False) as content:
            images, widths, texts = (content[f"heldback_{name}"] for name in ("images", "widths", "texts"))
        strips = [image[:, :width] for image, width in zip(images, widths, strict=True)]
    except FileNotFoundError as error:
        raise UsageError(f"{place}: missing; strips are judged by those that their run folder holds back") from error
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{place}: damaged ({error}); train again") from error
    if not strips:
        raise UsageError(f"{place}: holds no strips back; train with --validation-split above 0")
    return strips, tuple(texts.tolist())
