"""The manifest beside a model: everything needed to use the file right, checked before the file is opened."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from edge.errors import ModelError

# The versions of the ways from ink to tensor, of a digit (edge/imaging/tensors.py) and of a line of them
# (edge/imaging/strips.py). A model trained for another one reads nonsense.
PREPROCESSING = "ink28/1"
STRIP_PREPROCESSING = "strip32/1"
PREPROCESSINGS: Mapping[str, str] = MappingProxyType({"digit": PREPROCESSING, "strip": STRIP_PREPROCESSING})
TASKS = tuple(PREPROCESSINGS)
KINDS = ("logits", "probabilities")
DIGITS = tuple("0123456789")
# What a strip network says between digits and of ink that is none.
BLANK = "blank"
# A manifest is a few kilobytes, a model here below two megabytes: far larger files are not ours.
_MAX_MANIFEST_BYTES = 1_000_000
_MAX_MODEL_BYTES = 200_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorSpec:
    """Shape, dtype and quantization of a model's input or output; a size that is open is -1, scale 0.0 for floats."""

    shape: tuple[int, ...]
    dtype: str
    scale: float = 0.0
    zero_point: int = 0

    @staticmethod
    def of(details: Mapping[str, Any]) -> TensorSpec:
        """The spec of an interpreter's input or output details."""
        scale, zero_point = details["quantization"]
        return TensorSpec(
            shape=_open_shape(details),
            dtype=details["dtype"].__name__,
            scale=float(scale),
            zero_point=int(zero_point),
        )

    def to_json(self) -> dict[str, Any]:
        """As the manifest stores it."""
        return {"shape": list(self.shape), "dtype": self.dtype, "scale": self.scale, "zero_point": self.zero_point}


def _open_shape(details: Mapping[str, Any]) -> tuple[int, ...]:
    """The shape as the file tells it, which an interpreter may have given other sizes by now.

    Not so the batch: the edge reads one at a time, and a file that would take more takes one.
    """
    shape = details["shape"]
    signature = details.get("shape_signature", ())
    return tuple(int(n) for n in ((shape[0], *signature[1:]) if len(signature) else shape))


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a model said of n held-back digits, or of numbers for strip models: what to expect of it in use.

    confidence is their mean; unsure the share that is not read as sure, below the threshold or no digit; none the share
    that is taken for no digit.
    """

    n: int
    confidence: float
    unsure: float
    none: float = 0.0

    def __post_init__(self) -> None:
        if self.n < 1 or not all(0 <= share <= 1 for share in (self.confidence, self.unsure, self.none)):
            raise ModelError(f"manifest: what is expected needs n from 1 on and shares in 0 to 1, not {self}")

    def to_json(self) -> dict[str, float]:
        """As the manifest stores it."""
        shares = {"confidence": self.confidence, "unsure": self.unsure, "none": self.none}
        return {"n": self.n} | {name: round(share, 6) for name, share in shares.items()}

    @staticmethod
    def from_json(raw: Mapping[str, Any]) -> Expected:
        """From a manifest. Raises KeyError, TypeError, ValueError, ModelError for what is none."""
        return Expected(
            n=int(raw["n"]),
            confidence=float(raw["confidence"]),
            unsure=float(raw["unsure"]),
            none=float(raw["none"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a .tflite file is and how it is used.

    labels as trained; temperature divides, before the softmax, a digit model's logits, and the log-probabilities of
    whole texts that a strip model gives; threshold is the confidence from which a reading counts as sure; metrics maps
    a data set's name to figures with n; runtimes names where the file loads; expected is None where nobody measured it.
    """

    name: str
    task: str
    sha256: str
    input: TensorSpec
    output: TensorSpec
    output_kind: str
    labels: tuple[str, ...]
    preprocessing: str = PREPROCESSING
    temperature: float = 1.0
    threshold: float = 0.9
    runtimes: tuple[str, ...] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    recipe: str = ""
    expected: Expected | None = None

    def __post_init__(self) -> None:
        if self.task not in TASKS or self.output_kind not in KINDS:
            raise ModelError(
                f"manifest of {self.name}: task {self.task!r} or output kind {self.output_kind!r} is unknown"
            )
        if not (math.isfinite(self.temperature) and self.temperature > 0 and 0 <= self.threshold <= 1):
            raise ModelError(
                f"manifest of {self.name}: temperature {self.temperature} must be above 0, "
                f"threshold {self.threshold} in 0 to 1"
            )
        if len(set(self.labels)) != len(self.labels) or not self.labels:
            raise ModelError(f"manifest of {self.name}: labels must be present and different: {self.labels}")

    @property
    def reads_digits(self) -> bool:
        """True if the labels hold all ten digits, in whatever order."""
        return set(DIGITS) <= set(self.labels)

    def to_json(self) -> dict[str, Any]:
        """As the file stores it."""
        return {
            "name": self.name,
            "task": self.task,
            "recipe": self.recipe,
            "sha256": self.sha256,
            "input": self.input.to_json(),
            "output": self.output.to_json() | {"kind": self.output_kind},
            "labels": list(self.labels),
            "preprocessing": self.preprocessing,
            "temperature": self.temperature,
            "threshold": self.threshold,
            "runtimes": list(self.runtimes),
            "metrics": dict(self.metrics),
            "training": dict(self.training),
        } | ({} if self.expected is None else {"expected": self.expected.to_json()})

    def write(self, path: Path) -> None:
        """Write the manifest as JSON, aside first, so that a crash leaves the old one or the new one."""
        part = path.with_name(path.name + ".part")
        part.write_text(json.dumps(self.to_json(), indent=1) + "\n", encoding="utf-8")
        part.replace(path)

    @staticmethod
    def read(path: Path) -> Manifest:
        """The manifest in a JSON file. Raises ModelError if it is missing or lacks what is needed."""
        try:
            if path.stat().st_size > _MAX_MANIFEST_BYTES:
                raise ModelError(f"{path}: too large for a manifest; make it again with `edge-convert quantize`")
            raw = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ModelError(
                f"{path}: no manifest beside the model; copy it along, or make it with `edge-convert quantize`"
            ) from error
        except (OSError, ValueError, RecursionError) as error:
            raise ModelError(
                f"{path}: not a readable manifest: {error}; make it again with `edge-convert quantize`"
            ) from error
        try:
            return Manifest(
                name=str(raw["name"]),
                task=str(raw["task"]),
                sha256=str(raw["sha256"]),
                input=_spec(raw["input"]),
                output=_spec(raw["output"]),
                output_kind=str(raw["output"]["kind"]),
                labels=tuple(str(label) for label in raw["labels"]),
                preprocessing=str(raw["preprocessing"]),
                temperature=float(raw["temperature"]),
                threshold=float(raw["threshold"]),
                runtimes=tuple(str(name) for name in raw.get("runtimes", ())),
                metrics=dict(raw.get("metrics", {})),
                training=dict(raw.get("training", {})),
                recipe=str(raw.get("recipe", "")),
                expected=Expected.from_json(raw["expected"]) if "expected" in raw else None,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"{path}: the manifest lacks or garbles {error}; make it again with `edge-convert quantize`"
            ) from error


def _spec(raw: Mapping[str, Any]) -> TensorSpec:
    return TensorSpec(
        shape=tuple(int(n) for n in raw["shape"]),
        dtype=str(raw["dtype"]),
        scale=float(raw["scale"]),
        zero_point=int(raw["zero_point"]),
    )


def load_model(tflite: Path) -> tuple[Manifest, bytes]:
    """The manifest and the bytes of a model, once they belong together and this version of the edge can use them.

    Raises ModelError if a file is missing, the sha256 differs, or the preprocessing version is not this one's.
    """
    if tflite.suffix == ".json":  # a slip of the hand with one meaning
        tflite = tflite.with_suffix(".tflite")
    try:
        if tflite.stat().st_size > _MAX_MODEL_BYTES:
            raise ModelError(f"{tflite}: {tflite.stat().st_size} bytes is no model of this project")
        content = tflite.read_bytes()
    except FileNotFoundError as error:
        raise ModelError(f"{tflite}: no such model; `edge-convert models` lists what ships") from error
    except OSError as error:
        raise ModelError(f"{tflite}: cannot be read: {error.strerror}") from error
    manifest = Manifest.read(tflite.with_suffix(".json"))
    if hashlib.sha256(content).hexdigest() != manifest.sha256:
        raise ModelError(
            f"{tflite}: its sha256 is not the one in {tflite.with_suffix('.json').name}: the file is damaged or of "
            "another conversion; copy both files again"
        )
    prepared = PREPROCESSINGS[manifest.task]
    if manifest.preprocessing != prepared:
        raise ModelError(
            f"{tflite}: made for preprocessing {manifest.preprocessing!r}, this version prepares {prepared!r}; "
            "convert the model with this version of inkedge, or install the version it was made with"
        )
    return manifest, content
