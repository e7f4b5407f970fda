"""The reader: a model, a mode and a threshold, ready to turn pixels into Readings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from edge.errors import ModelError, UsageError
from edge.inference.classifier import Classifier
from edge.reading.evidence import Trace
from edge.values import Image, Reading

Mode: TypeAlias = Literal["digit", "number", "page"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reader:
    """Reads pixels one way: `digit` and `number` give exactly one Reading an image, `page` none to many."""

    classifier: Classifier
    mode: Mode
    threshold: float

    def __post_init__(self) -> None:
        if self.mode not in ("digit", "number", "page"):
            raise UsageError(f"mode {self.mode!r}: use digit, number or page")
        if not 0.0 <= self.threshold <= 1.0:
            raise UsageError(f"threshold {self.threshold}: a confidence lies in 0 to 1")
        if not self.classifier.manifest.reads_digits:
            raise ModelError(
                f"model {self.classifier.manifest.name}: its labels are {', '.join(self.classifier.labels)}, "
                "not the ten digits, so it cannot read numbers; use a digit model"
            )

    @classmethod
    def open(cls, *, mode: Mode = "page", model: str | Path | None = None, threshold: float | None = None) -> Reader:
        """A reader with a shipped model's name, a .tflite file or the default; threshold None is the model's own.

        Raises ModelError if the model cannot be used, UsageError for an unknown mode or threshold.
        """
        classifier = Classifier.open(model)
        own = classifier.manifest.threshold
        return cls(classifier=classifier, mode=mode, threshold=own if threshold is None else threshold)

    def read(self, pixels: Image, trace: Trace | None = None) -> tuple[Reading, ...]:
        """Readings of pixels (H, W) grey or (H, W, 3) BGR uint8, boxes in its pixels; trace keeps how they came about.

        Raises ShapeError.
        """
        # Imported where chosen: a third of the edge's own start.
        if self.mode == "page":
            from edge.reading.page import read_page

            return read_page(pixels, self.classifier, self.threshold, trace)
        if self.mode == "digit":
            from edge.reading.digit import read_digit as read_one
        else:
            from edge.reading.number import read_number as read_one
        return (read_one(pixels, self.classifier, self.threshold, trace),)
