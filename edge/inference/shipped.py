"""The models that come with the package: digit models, and the strip model for whole numbers beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from edge.errors import ModelError
from edge.inference.installed import installed_model

# What `edge` uses unasked where no other model is installed, by task: a strip model's name begins with its task, and no
# digit model's does.
DEFAULTS: Mapping[str, str] = MappingProxyType({"digit": "paper", "strip": "strip"})
DEFAULT = DEFAULTS["digit"]
FOLDER = Path(__file__).parent / "models"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedModel:
    """A model in the package: its name as `--model` or `--strip-model` takes it, its task, its file.

    default is true for the one digit model that is used unasked.
    """

    name: str
    task: str
    file: Path
    default: bool


def shipped_models(task: str | None = None) -> tuple[ShippedModel, ...]:
    """Every model in the package, or every one for a task, by name."""
    models = [
        ShippedModel(
            name=file.stem,
            task="strip" if file.stem.startswith("strip") else "digit",
            file=file.resolve(),
            default=file.stem == DEFAULT,
        )
        for file in sorted(FOLDER.glob("*.tflite"))
    ]
    return tuple(model for model in models if task in (None, model.task))


def find_model(model: str | Path | None = None, *, task: str = "digit") -> Path:
    """The .tflite file of a shipped model's name, of a path, or what this machine uses for the task for None.

    That is the installed model, else the one that ships. Raises ModelError if there is none; whether a file is of the
    task shows when it is opened.
    """
    if model is None and (installed := installed_model(task)) is not None:
        return installed
    name = DEFAULTS[task] if model is None else str(model)
    for shipped in shipped_models():
        if shipped.name == name:
            return shipped.file
    path = Path(name)
    if path.suffix or path.exists():
        return path
    known = ", ".join(shipped.name for shipped in shipped_models(task)) or "none"
    raise ModelError(
        f"model {name!r}: neither a shipped model ({known}) nor a file; name one of them or a .tflite file"
    )
