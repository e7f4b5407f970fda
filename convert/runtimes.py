"""TFLite runtimes in interpreters: each model runs in a process of its own, so that a crash is a result."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

import convert
import edge
from convert.examples import Examples
from edge.errors import ModelError, RuntimeMissingError
from edge.inference.manifest import Manifest
from edge.inference.runtime import VARIABLE, find_runtime

_WHO_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeAt:
    """A runtime (`litert` or `tflite`) with its version, in the interpreter at python."""

    python: Path
    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """What a model said in a runtime: logits (n, labels), of strips (n, frames, labels), float32, and µs each (n,).

    nan fills up the frames of strips shorter than the longest.
    """

    logits: npt.NDArray[np.float32]
    micros: npt.NDArray[np.float64]


@cache
def this_runtime() -> RuntimeAt:
    """The runtime of this very interpreter. Raises RuntimeMissingError if it has none."""
    found = find_runtime()
    return RuntimeAt(python=Path(sys.executable), name=found.name, version=found.version)


def runtime_at(python: Path) -> RuntimeAt:
    """The runtime of the interpreter at python. Raises RuntimeMissingError if it, or its runtime, is not there."""
    try:
        done = _run(python.absolute(), [], timeout_s=_WHO_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RuntimeMissingError(f"--runtime-python {python}: does not run: {error}") from error
    if done.returncode:
        raise RuntimeMissingError(f"--runtime-python {python}: {_last_line(done.stderr)}")
    said = json.loads(done.stdout)
    return RuntimeAt(python=python.absolute(), name=said["name"], version=said["version"])


def measure_in(runtime: RuntimeAt, model: Path, examples: Examples) -> Answer:
    """Run a model with manifest on examples in another process.

    Raises ModelError if it does not load there, or brings the runtime down.
    """
    with tempfile.TemporaryDirectory() as folder:
        asked, answer = Path(folder) / "asked.npz", Path(folder) / "answer.npz"
        if examples.widths is None:
            np.savez(asked, tensors=examples.tensors)
        else:
            np.savez(asked, tensors=examples.tensors, widths=examples.widths)
        done = _run(runtime.python, [str(model.absolute()), str(asked), str(answer)])
        if done.returncode < 0:
            name = signal.Signals(-done.returncode).name
            raise ModelError(f"{model}: brought {runtime} down ({name}): the file is damaged; convert it again")
        if done.returncode:
            raise ModelError(f"{model}: {_last_line(done.stderr)}")
        with np.load(answer, allow_pickle=False) as content:
            return Answer(logits=content["logits"], micros=content["micros"])


def loads_in(runtime: RuntimeAt, file: Path, manifest: Manifest, probe: tuple[int, int, int]) -> bool:
    """True if a model, whose manifest need not be written yet, runs in a runtime on an input of the probe's shape."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / file.name
        copy.symlink_to(file.absolute())
        manifest.write(copy.with_suffix(".json"))
        try:
            measure_in(runtime, copy, Examples.of(np.zeros((1, *probe[:2]), np.uint8), np.zeros(1, np.int64), "probe"))
        except ModelError:
            return False
    return True


def _run(python: Path, arguments: Sequence[str], timeout_s: float | None = None) -> subprocess.CompletedProcess[str]:
    """Run convert.measure in an interpreter that knows only its own packages beside ours.

    `-m` looks into the working directory first: links there lend edge and convert, but not this environment's numpy.
    """
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    if python != Path(sys.executable):
        clean.pop(VARIABLE, None)  # the choice of a runtime was made for this interpreter
    with tempfile.TemporaryDirectory() as folder:
        for package in (edge, convert):
            home = Path(str(package.__file__)).parent
            (Path(folder) / home.name).symlink_to(home)
        return subprocess.run(
            [str(python), "-m", "convert.measure", *arguments],
            cwd=folder,
            env=clean,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )


def _last_line(talk: str) -> str:
    lines = [line for line in talk.strip().splitlines() if line.strip()]
    return lines[-1] if lines else "ended without a word"
