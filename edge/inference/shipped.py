"""The models that come with the package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge.errors import ModelError

# The digit model that `edge` uses unasked.
DEFAULT = "lecture"
FOLDER = Path(__file__).parent / "models"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedModel:
    """A model in the package: its name as `--model` takes it, its file, and whether it is used unasked."""

    name: str
    file: Path
    default: bool


def shipped_models() -> tuple[ShippedModel, ...]:
    """Every model in the package, by name."""
    files = sorted(FOLDER.glob("*.tflite"))
    return tuple(ShippedModel(name=file.stem, file=file.resolve(), default=file.stem == DEFAULT) for file in files)


def find_model(model: str | Path | None = None) -> Path:
    """The .tflite file of a shipped model's name, of a path, or the default for None; ModelError if there is none."""
    name = DEFAULT if model is None else str(model)
    for shipped in shipped_models():
        if shipped.name == name:
            return shipped.file
    path = Path(name)
    if path.suffix or path.exists():
        return path
    known = ", ".join(shipped.name for shipped in shipped_models()) or "none"
    raise ModelError(
        f"model {name!r}: neither a shipped model ({known}) nor a file; name one of them or a .tflite file"
    )
