"""What ships with the package, and what is in a model file: manifest, tensors, operators."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import ModelError
from edge.inference.manifest import Manifest, load_model
from edge.inference.runtime import open_interpreter
from edge.inference.shipped import find_model, shipped_models


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """A named array in a model: its shape, dtype, scale and zero point (0.0 and 0 where there are none, or many)."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """A model: name as `--model` takes it (a path where it does not ship), file, size in bytes, and what is in it."""

    name: str
    file: Path
    default: bool
    size: int
    manifest: Manifest
    operators: tuple[str, ...]
    tensors: tuple[Tensor, ...]

    def to_json(self) -> dict[str, Any]:
        """`name`, `file`, `default` as programs rely on them, and the rest."""
        return {
            "name": self.name,
            "file": str(self.file),
            "default": self.default,
            "bytes": self.size,
            "operators": list(self.operators),
            "tensors": [
                {"name": t.name, "shape": list(t.shape), "dtype": t.dtype, "scale": t.scale, "zero_point": t.zero_point}
                for t in self.tensors
            ],
            "manifest": self.manifest.to_json(),
        }


def contents_of(places: Sequence[str]) -> Iterator[Contents]:
    """What is in each place: a shipped model's name, a .tflite file, or a folder of them; all that ship for no place.

    Raises ModelError if a place has no model, or one that does not go with its manifest.
    """
    for file in _files(places):
        manifest, content = load_model(file)
        interpreter = open_interpreter(content)
        shipped = next((model for model in shipped_models() if model.file == file.resolve()), None)
        tensors = [_tensor(details) for details in interpreter.get_tensor_details() if details["name"]]
        yield Contents(
            name=shipped.name if shipped else str(file),
            file=file.resolve(),
            default=bool(shipped and shipped.default),
            size=len(content),
            manifest=manifest,
            operators=_operators(interpreter),
            tensors=tuple(tensors),
        )


def _files(places: Sequence[str]) -> Iterator[Path]:
    if not places:
        yield from (model.file for model in shipped_models())
    for place in places:
        folder = Path(place)
        if not folder.is_dir():
            yield find_model(place)
            continue
        found = sorted(folder.glob("*.tflite"))
        if not found:
            raise ModelError(f"{folder}: no .tflite file; `edge-convert quantize {folder} --recipe all` makes them")
        yield from found


def _tensor(details: dict[str, Any]) -> Tensor:
    scale, zero_point = details["quantization"]
    return Tensor(
        name=str(details["name"]),
        shape=tuple(int(n) for n in details["shape"]),
        dtype=details["dtype"].__name__,
        scale=float(scale),
        zero_point=int(zero_point),
    )


def _operators(interpreter: Any) -> tuple[str, ...]:
    """The operators in the order they run; both runtimes know them, though neither documents it."""
    listed: list[dict[str, Any]] = getattr(interpreter, "_get_ops_details", list)()
    # DELEGATE is how this machine computes some of them, not part of the file.
    return tuple(details["op_name"] for details in listed if details["op_name"] != "DELEGATE")


def contents_text(contents: Contents, *, details: bool) -> str:
    """One model for people: a line, and with details its manifest, operators and tensors."""
    manifest = contents.manifest
    mark = " (default)" if contents.default else ""
    recipe = manifest.recipe or "unknown recipe"
    head = f"{contents.name}{mark}: {recipe}, {contents.size:,} bytes, {len(manifest.labels)} labels"
    measured = [
        f"{name} {m['accuracy']:.2f} % (n={m['n']:,})" for name, m in manifest.metrics.items() if "accuracy" in m
    ]
    head += f"; {', '.join(measured)}" if measured else ""
    if not details:
        return f"{head}\n  {contents.file}"
    counted = ", ".join(f"{name}×{count}" if count > 1 else name for name, count in Counter(contents.operators).items())
    lines = [
        f"file           {contents.file}",
        f"task           {manifest.task}, labels {' '.join(manifest.labels)}",
        f"sha256         {manifest.sha256}",
        f"input          {_shape(manifest.input.shape)} {manifest.input.dtype}, preprocessing {manifest.preprocessing}",
        f"output         {_shape(manifest.output.shape)} {manifest.output.dtype}, {manifest.output_kind}",
        f"temperature    {manifest.temperature:g}, threshold {manifest.threshold:g}",
        f"loads in       {', '.join(manifest.runtimes) or 'not tried'}",
        f"operators      {counted}",
        *(f"tensor         {_shape(t.shape)} {t.dtype} {t.name}" for t in contents.tensors),
    ]
    return "\n".join([head, *(f"  {line}" for line in lines)])


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(str(n) for n in shape) or "scalar"
