"""The reader: models, a mode and a threshold, ready to turn pixels into Readings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from edge.errors import ModelError, UsageError
from edge.inference.classifier import Classifier
from edge.reading.evidence import Trace
from edge.values import Image, Reading, check_pixels

if TYPE_CHECKING:
    from edge.inference.strip import StripReader

Mode: TypeAlias = Literal["digit", "number", "page"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reader:
    """Reads pixels one way: `digit` and `number` give exactly one Reading an image, `page` none to many.

    open_strips gives the reader of whole numbers, opened the first time that it is wanted. named_threshold is the
    confidence from which a Reading is sure; None is each model's own.
    """

    classifier: Classifier
    open_strips: Callable[[], StripReader]
    mode: Mode
    named_threshold: float | None = None

    def __post_init__(self) -> None:
        if self.mode not in ("digit", "number", "page"):
            raise UsageError(f"mode {self.mode!r}: use digit, number or page")
        if self.named_threshold is not None and not 0.0 <= self.named_threshold <= 1.0:
            raise UsageError(f"threshold {self.named_threshold}: a confidence lies in 0 to 1")
        if not self.classifier.manifest.reads_digits:
            raise ModelError(
                f"model {self.classifier.manifest.name}: its labels are {', '.join(self.classifier.labels)}, "
                "not the ten digits, so it cannot read numbers; use a digit model"
            )

    @classmethod
    def open(
        cls,
        *,
        mode: Mode = "page",
        model: str | Path | None = None,
        strip_model: str | Path | None = None,
        threshold: float | None = None,
    ) -> Reader:
        """A reader with models by their shipped names, as .tflite files, or the defaults.

        A strip model that is named is opened at once, so that a mistake shows before anything is read; the one that
        ships is opened when a number is first read. Raises ModelError if a model cannot be used, UsageError for an
        unknown mode or threshold.
        """
        open_strips = cache(partial(_open_strips, strip_model))
        if strip_model is not None:
            open_strips()
        return cls(classifier=Classifier.open(model), open_strips=open_strips, mode=mode, named_threshold=threshold)

    @property
    def threshold(self) -> float:
        """The confidence from which a Reading is sure: the one named, or that of the model that reads in this mode."""
        if self.named_threshold is not None:
            return self.named_threshold
        return (self.open_strips() if self.mode == "number" else self.classifier).manifest.threshold

    def read(
        self, pixels: Image, trace: Trace | None = None, *, size: tuple[int, int] | None = None
    ) -> tuple[Reading, ...]:
        """Readings of pixels (H, W) grey or (H, W, 3) BGR uint8, boxes in its pixels; trace keeps how they came about.

        size: for a page, the (width, height) of what pixels are a smaller picture of; boxes are in its pixels then.
        Raises ShapeError.
        """
        check_pixels(pixels)
        # Imported where chosen: a third of the edge's own start.
        if self.mode == "page":
            from edge.reading.page import read_page

            return read_page(pixels, self.classifier, self.threshold, trace, size=size, open_strips=self.open_strips)
        if self.mode == "digit":
            from edge.reading.digit import read_digit

            return (read_digit(pixels, self.classifier, self.threshold, trace),)
        from edge.reading.line import read_number

        return (read_number(pixels, self.open_strips(), self.threshold, trace),)


def _open_strips(model: str | Path | None) -> StripReader:
    from edge.inference.strip import StripReader  # only who reads whole numbers pays for it

    return StripReader.open(model)
