"""How fast this machine reads: µs a digit, and ms a frame step by step on one fixed frame of the demo camera."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edge.errors import SourceError
from edge.inference.classifier import Classifier
from edge.inference.manifest import load_model
from edge.inference.runtime import find_runtime, open_interpreter
from edge.inference.shipped import find_model
from edge.reading.reader import Reader
from edge.sources.demo import open_demo
from edge.sources.digits import load_digits
from edge.system.steps import NAMES, time_steps
from edge.values import Image

# A scene of the easier half of the demo camera, the same pixels on every machine.
FRAME_SPEC = "demo:fast:easy:seed=1"
# Enough for a p95 that stays put; a model without fast kernels (9 ms a digit) stops at the time instead.
_DIGITS, _FRAMES = 500, 60
_MOST_S = 4.0
_WARM_UP = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """The median and the 95th percentile of n durations, all in one unit."""

    p50: float
    p95: float
    n: int

    @classmethod
    def of(cls, durations_s: list[float], *, per_s: float) -> Times:
        """Of durations in s (at least one), in the unit of which per_s make a second."""
        p50, p95 = np.percentile(durations_s, (50, 95)) * per_s
        return cls(p50=round(float(p50), 3), p95=round(float(p95), 3), n=len(durations_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of reading a frame, in ms."""

    name: str
    ms: Times


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelBench:
    """One model on this machine: µs a digit by the bare interpreter and through the Classifier; ms a frame by step."""

    model: str
    recipe: str
    file_bytes: int
    bare_us: Times
    classifier_us: Times
    digits_on_frame: int
    steps: tuple[Step, ...]
    frame_ms: Times


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Models measured one after the other on one thread of this machine."""

    machine: str
    runtime: str
    frame: str
    models: tuple[ModelBench, ...]


def bench(models: tuple[str, ...] = ()) -> Bench:
    """Measure these models (shipped names or .tflite files), the default if none is given.

    Raises ModelError for a model that cannot be used, RuntimeMissingError without a runtime.
    """
    runtime = find_runtime()
    pixels = bench_frame()
    names: tuple[str | None, ...] = models or (None,)
    return Bench(
        machine=f"{platform.machine()}, Python {platform.python_version()}, OpenCV {cv2.__version__}",
        runtime=f"{runtime.name} {runtime.version}, 1 thread",
        frame=f"{FRAME_SPEC}, frame 0, {pixels.shape[1]}×{pixels.shape[0]}",
        models=tuple(bench_model(name, pixels) for name in names),
    )


def bench_frame() -> Image:
    """The fixed frame, pixels (480, 640, 3) BGR uint8."""
    with open_demo(FRAME_SPEC) as source:
        return next(iter(source)).pixels


def bench_model(model: str | Path | None, pixels: Image) -> ModelBench:
    """One model, None for the default, on the shipped digits and on a frame (H, W, 3). Raises ModelError."""
    file = find_model(model)
    manifest, content = load_model(file)
    reader = Reader.open(model=file)
    bare, through = bench_digits(reader.classifier, content)
    steps, digits, total = bench_steps(reader, pixels)
    return ModelBench(
        model=str(model or manifest.name),
        recipe=manifest.recipe,
        file_bytes=len(content),
        bare_us=bare,
        classifier_us=through,
        digits_on_frame=digits,
        steps=steps,
        frame_ms=total,
    )


def bench_digits(classifier: Classifier, content: bytes) -> tuple[Times, Times]:
    """µs a digit: set_tensor, invoke and get_tensor of a bare interpreter, and the Classifier's tensor to Prediction.

    content is the classifier's own .tflite file. The two take turns, so that both see the same machine.
    """
    interpreter = open_interpreter(content)
    source, sink = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    tensors = load_digits()[0][:_DIGITS, :, :, None]
    # What the values are does not matter to the time, so the plain type is enough.
    values = tensors.astype(classifier.manifest.input.dtype)

    def call(index: int) -> None:
        interpreter.set_tensor(source, values[index : index + 1])
        interpreter.invoke()
        interpreter.get_tensor(sink)

    bare_s: list[float] = []
    through_s: list[float] = []
    end = time.perf_counter() + _MOST_S
    for index in range(-_WARM_UP, len(tensors)):
        at = max(index, 0)
        bare_s.append(_seconds(lambda: call(at)))  # noqa: B023
        through_s.append(_seconds(lambda: classifier.predict(tensors[at : at + 1])))  # noqa: B023
        if time.perf_counter() > end:
            break
    kept = slice(min(_WARM_UP, len(bare_s) - 1), None)
    return Times.of(bare_s[kept], per_s=1e6), Times.of(through_s[kept], per_s=1e6)


def bench_steps(reader: Reader, pixels: Image) -> tuple[tuple[Step, ...], int, Times]:
    """Each step of reading pixels (H, W, 3) in ms, how many digits were read, and reader.read undisturbed in ms.

    Raises SourceError if the frame holds no digit.
    """
    digits = sum(len(reading.digits) for reading in reader.read(pixels))
    if not digits:
        raise SourceError("bench: no digit was found on the frame; install inkedge again")
    spent: list[dict[str, float]] = []
    total_s: list[float] = []
    end = time.perf_counter() + _MOST_S
    for _ in range(_WARM_UP + _FRAMES):
        spent.append(time_steps(reader, pixels))
        total_s.append(_seconds(lambda: reader.read(pixels)))
        if time.perf_counter() > end:
            break
    kept = slice(min(_WARM_UP, len(total_s) - 1), None)
    steps = tuple(Step(name=name, ms=Times.of([one[name] for one in spent[kept]], per_s=1e3)) for name in NAMES)
    return steps, digits, Times.of(total_s[kept], per_s=1e3)


def _seconds(call: Callable[[], object]) -> float:
    """How long a call took in s."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
