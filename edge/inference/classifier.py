"""28×28 tensors in, calibrated Predictions out: quantization, temperature and softmax happen here and nowhere else."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.errors import ModelError, ShapeError
from edge.inference.manifest import Manifest, TensorSpec, load_model
from edge.inference.runtime import Interpreter, invoke, open_interpreter
from edge.inference.shipped import find_model
from edge.values import Image, Prediction

log = logging.getLogger(__name__)

SIDE = 28
_INPUT = (1, SIDE, SIDE, 1)
# log(0) for models that give probabilities; float32 softmax cannot show less.
_TINY = 1e-30
# So many digits at once take a tenth less time each. From twice as many on that makes up for opening the model again.
_MANY = 8
_weight = itemgetter(0)


class Classifier:
    """A digit model ready to predict; not for two threads at once, for the interpreter has one set of tensors."""

    def __init__(self, manifest: Manifest, content: bytes, *, threads: int = 1) -> None:
        """Open the bytes of a .tflite file as its manifest says.

        Raises ModelError if the file's own tensors are not those of the manifest or not (1, 28, 28, 1) → (1, labels).
        """
        if manifest.task != "digit":
            raise ModelError(
                f"model {manifest.name}: its task is {manifest.task!r}, a digit model is needed; "
                "one that reads whole numbers goes with --strip-model"
            )
        self.manifest = manifest
        self.labels = manifest.labels
        self._content, self._threads = content, threads
        self._interpreter = open_interpreter(content, threads=threads)
        source, sink = self._interpreter.get_input_details()[0], self._interpreter.get_output_details()[0]
        found_in, found_out = TensorSpec.of(source), TensorSpec.of(sink)
        if found_in.shape != _INPUT or found_out.shape != (1, len(self.labels)):
            raise ModelError(
                f"model {manifest.name}: takes {found_in.shape} and gives {found_out.shape}; a digit model takes "
                f"{_INPUT} and gives (1, {len(self.labels)}) for its labels; convert the right model"
            )
        check_scales(manifest, found_in, found_out)
        self._in, self._out = source["index"], sink["index"]
        self._table = input_table(found_in)
        self._dequantize = (found_out.scale, found_out.zero_point) if found_out.scale else None

    @classmethod
    def open(cls, model: str | Path | None = None, *, threads: int = 1) -> Classifier:
        """The classifier of a shipped model's name, a .tflite file, or the default.

        Raises ModelError if the model or its manifest cannot be used.
        """
        manifest, content = load_model(find_model(model))
        return cls(manifest, content, threads=threads)

    @cached_property
    def _for_many(self) -> Interpreter | None:
        """The model again, for _MANY digits at once: what it says of each is the same bit for bit.

        None for models whose layers are made for one digit only, and for those that do not count in whole numbers,
        where a sum may depend on what else is summed.
        """
        if self._dequantize is None:
            return None
        interpreter = open_interpreter(self._content, threads=self._threads)
        try:
            interpreter.resize_tensor_input(self._in, [_MANY, *_INPUT[1:]])
            interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            log.debug("model %s reads one digit at a time: %s", self.manifest.name, error)
            return None
        return interpreter

    def _run(self, interpreter: Interpreter, tensors: Image) -> list[list[float]]:
        """Raw output, n lists of a number a label, for as many (n, 28, 28, 1) tensors as the interpreter takes."""
        interpreter.set_tensor(self._in, tensors if self._table is None else self._table[tensors])
        invoke(interpreter)
        raw: list[list[float]] = interpreter.get_tensor(self._out).tolist()
        return raw

    def _scores(self, tensors: Image) -> Iterator[list[float]]:
        """Logits of each tensor as Python floats: for ten numbers plain arithmetic beats array calls."""
        alone = 0
        if len(tensors) >= 2 * _MANY and self._for_many is not None:
            alone = len(tensors) - len(tensors) % _MANY
            for first in range(0, alone, _MANY):
                yield from map(self._logits_of, self._run(self._for_many, tensors[first : first + _MANY]))
        for one in range(alone, len(tensors)):
            yield self._logits_of(self._run(self._interpreter, tensors[one : one + 1])[0])

    def _logits_of(self, raw: list[float]) -> list[float]:
        if self._dequantize is not None:
            scale, zero_point = self._dequantize
            raw = [scale * (value - zero_point) for value in raw]
        if self.manifest.output_kind == "probabilities":
            raw = [math.log(max(value, _TINY)) for value in raw]
        return raw

    def logits(self, tensors: Image) -> npt.NDArray[np.float32]:
        """(n, labels) float32 before temperature and softmax, for (n, 28, 28, 1) uint8 tensors, 0 paper to 255 ink.

        log-probabilities for a model that gives probabilities. Raises ShapeError for other shapes or types.
        """
        _check(tensors)
        rows = list(self._scores(tensors))
        return np.array(rows, dtype=np.float32).reshape(len(tensors), len(self.labels))

    def probabilities(self, tensors: Image) -> npt.NDArray[np.float32]:
        """(n, labels) float32 calibrated probabilities of (n, 28, 28, 1) uint8 tensors. Raises ShapeError."""
        return softmax(self.logits(tensors) / np.float32(self.manifest.temperature))

    def predict(self, tensors: Image) -> tuple[Prediction, ...]:
        """One Prediction a tensor of (n, 28, 28, 1) uint8, labels most probable first. Raises ShapeError."""
        _check(tensors)
        return tuple([self._prediction(scores) for scores in self._scores(tensors)])

    def _prediction(self, scores: list[float]) -> Prediction:
        heat = self.manifest.temperature
        top = max(scores)
        weights = [math.exp((score - top) / heat) for score in scores]
        total = sum(weights)
        ranked = sorted(zip(weights, self.labels, strict=True), key=_weight, reverse=True)
        (best, label), rest = ranked[0][:2], ranked[1:]
        return Prediction(
            label=label,
            confidence=best / total,
            alternatives=tuple([(other, weight / total) for weight, other in rest]),
        )


def _check(tensors: Image) -> None:
    if tensors.ndim != 4 or tensors.shape[1:] != _INPUT[1:] or tensors.dtype != np.uint8:
        raise ShapeError(f"tensors are (n, 28, 28, 1) uint8, not {tensors.shape} {tensors.dtype}")


def check_scales(manifest: Manifest, found_in: TensorSpec, found_out: TensorSpec) -> None:
    """Raise ModelError unless a file's own input and output are quantized as its manifest says."""
    for what, found, told in (("input", found_in, manifest.input), ("output", found_out, manifest.output)):
        same = found.dtype == told.dtype and found.zero_point == told.zero_point
        if not same or not math.isclose(found.scale, told.scale, rel_tol=1e-5):
            raise ModelError(
                f"model {manifest.name}: its {what} is {found.dtype} × {found.scale:.6g}, its manifest says "
                f"{told.dtype} × {told.scale:.6g}; make the manifest again with `edge-convert quantize`"
            )


def input_table(spec: TensorSpec) -> npt.NDArray[Any] | None:
    """The 256 values that ink 0–255 becomes at a model's input; None where that is ink itself.

    Raises ModelError for an input type that no recipe makes.
    """
    ink = np.arange(256) / 255.0
    if spec.dtype == "float32":
        return ink.astype(np.float32)
    if spec.dtype not in ("uint8", "int8", "int16") or not spec.scale:
        raise ModelError(f"a model whose input is {spec.dtype} × {spec.scale} is not one of ours; convert it again")
    kind = np.dtype(spec.dtype)
    steps = np.round(ink / spec.scale) + spec.zero_point
    table = np.clip(steps, np.iinfo(kind).min, np.iinfo(kind).max).astype(kind)
    return None if kind == np.uint8 and bool((table == np.arange(256)).all()) else table


def softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Row-wise softmax of (n, labels), shifted by the largest so that nothing overflows."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf)) if logits.size else logits
    total: npt.NDArray[np.float32] = shifted / shifted.sum(axis=1, keepdims=True) if logits.size else shifted
    return total
