"""Strip tensors of one written number in, its text out: with the probability that the whole text is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.errors import ModelError, ShapeError
from edge.inference.classifier import check_scales, input_table
from edge.inference.ctc import Frames, Run, align, frames_of, rank, runs_of
from edge.inference.manifest import BLANK, DIGITS, Manifest, TensorSpec, load_model
from edge.inference.runtime import invoke, open_interpreter
from edge.inference.shipped import find_model
from edge.values import Image

ROWS = 32
LABELS = (*DIGITS, BLANK)
# Other texts that a prediction tells of.
_ALTERNATIVES = 5
_DIGIT_ALTERNATIVES = 3
# More digits are a texture; time and memory grow with their cube.
_MOST_DIGITS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenDigit:
    """A digit of a predicted text: its frames start to end (half-open) in the first view, confidence, other digits.

    alternatives are (digit, probability), most probable first: what else could stand there, all else as it is.
    """

    digit: int
    confidence: float
    start: int
    end: int
    alternatives: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPrediction:
    """What the network reads in one strip: the text, the calibrated probability that all of it is right, the rest.

    text is "" where it sees no digit. margin is how much more probable the text is than the next one: a difference of
    log-probabilities, nats. alternatives are other texts with their probabilities, most probable first.
    """

    text: str
    confidence: float
    margin: float
    digits: tuple[WrittenDigit, ...] = ()
    alternatives: tuple[tuple[str, float], ...] = ()


class StripReader:
    """A strip model ready to read; not for two threads at once, for the interpreter has one set of tensors."""

    def __init__(self, manifest: Manifest, content: bytes, *, threads: int = 1) -> None:
        """Open the bytes of a .tflite file as its manifest says.

        Raises ModelError if it is no strip model, or the file's own tensors are not those of the manifest.
        """
        if manifest.task != "strip":
            raise ModelError(
                f"model {manifest.name}: its task is {manifest.task!r}, a strip model is needed to read whole numbers; "
                "one that reads single digits goes with --model"
            )
        if set(manifest.labels) != set(LABELS) or manifest.output_kind != "logits":
            raise ModelError(
                f"model {manifest.name}: gives {manifest.output_kind} of {', '.join(manifest.labels)}; a strip model "
                f"gives logits of the ten digits and {BLANK!r}; convert the right model"
            )
        self.manifest = manifest
        self._columns = np.array([manifest.labels.index(label) for label in LABELS])
        self._interpreter = open_interpreter(content, threads=threads)
        source, sink = self._interpreter.get_input_details()[0], self._interpreter.get_output_details()[0]
        found_in, found_out = TensorSpec.of(source), TensorSpec.of(sink)
        if found_in.shape != (1, ROWS, -1, 1) or found_out.shape != (1, -1, len(LABELS)):
            raise ModelError(
                f"model {manifest.name}: takes {found_in.shape} and gives {found_out.shape}; a strip model takes "
                f"(1, {ROWS}, any, 1) and gives (1, frames, {len(LABELS)}); convert the right model"
            )
        check_scales(manifest, found_in, found_out)
        self._in, self._out = source["index"], sink["index"]
        self._table = input_table(found_in)
        self._step, self._zero = (found_out.scale, found_out.zero_point) if found_out.scale else (1.0, 0)
        self._width = 0

    @classmethod
    def open(cls, model: str | Path | None = None, *, threads: int = 1) -> StripReader:
        """The reader of a shipped strip model's name, a .tflite file, or the one that ships.

        Raises ModelError if the model or its manifest cannot be used.
        """
        manifest, content = load_model(find_model(model, task="strip"))
        return cls(manifest, content, threads=threads)

    def logits(self, strip: Image) -> npt.NDArray[np.float32]:
        """(T, 11) float32 logits, digits in order and blank last, of a (32, W, 1) uint8 strip, 0 paper to 255 ink.

        T frames stand evenly over the W columns. A width other than the last one's costs time. Raises ShapeError.
        """
        if strip.ndim != 3 or strip.shape[0] != ROWS or strip.shape[2] != 1 or strip.dtype != np.uint8:
            raise ShapeError(f"a strip is ({ROWS}, W, 1) uint8, not {strip.shape} {strip.dtype}")
        width = strip.shape[1]
        if width != self._width:
            self._interpreter.resize_tensor_input(self._in, [1, ROWS, width, 1])
            self._interpreter.allocate_tensors()
            self._width = width
        self._interpreter.set_tensor(self._in, (strip if self._table is None else self._table[strip])[None])
        invoke(self._interpreter)
        raw = self._interpreter.get_tensor(self._out)[0][:, self._columns].astype(np.float32)
        logits: npt.NDArray[np.float32] = (raw - self._zero) * np.float32(self._step)
        return logits

    def frames(self, strip: Image) -> Frames:
        """(T, 11) probabilities of a strip as `logits` takes it. Raises ShapeError."""
        return frames_of(self.logits(strip))

    def read(self, views: Sequence[Image]) -> TextPrediction:
        """What is written in a strip, given as one or more (32, W, 1) uint8 views of it. Raises ShapeError."""
        return self.predict([self.frames(view) for view in views])

    def predict(self, views: Sequence[Frames]) -> TextPrediction:
        """What the frames of one or more views of the same writing say; nothing if it is more than any number has."""
        if max(len(runs_of(frames)) for frames in views) > _MOST_DIGITS:
            return TextPrediction(text="", confidence=0.0, margin=0.0)
        ranked = rank(views)
        (text, *others), (confidence, *shares) = ranked.texts, ranked.shares(self.manifest.temperature).tolist()
        alternatives = sorted(zip(others, shares, strict=True), key=lambda other: -other[1])
        rivals = [(other, share / confidence) for other, share in alternatives]
        return TextPrediction(
            text=text,
            confidence=confidence,
            margin=ranked.margin,
            digits=tuple(_digit(text, i, rivals, run) for i, run in enumerate(align(views[0], text))),
            alternatives=tuple(alternatives[:_ALTERNATIVES]),
        )


def _digit(text: str, place: int, others: list[tuple[str, float]], run: Run) -> WrittenDigit:
    """The digit at a place of the text; others are texts with their probability in units of the text's own."""
    swapped: list[tuple[int, float]] = []
    doubt = 0.0
    for other, share in others:
        if len(other) == len(text) and other[:place] == text[:place] and other[place + 1 :] == text[place + 1 :]:
            swapped.append((int(other[place]), share))
            doubt += share
        elif other == text[:place] + text[place + 1 :]:
            doubt += share
    return WrittenDigit(
        digit=int(text[place]),
        confidence=1 / (1 + doubt),
        start=run.start,
        end=run.end,
        alternatives=tuple((digit, share / (1 + doubt)) for digit, share in swapped[:_DIGIT_ALTERNATIVES]),
    )
