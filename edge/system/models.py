"""Which models this machine uses and why; another in their place, tried before; back again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from edge.errors import ModelError
from edge.inference.installed import Store
from edge.inference.manifest import TASKS, Manifest
from edge.inference.shipped import DEFAULTS, find_model, shipped_models
from edge.system.trial import check_model

Origin: TypeAlias = Literal["installed", "shipped"]
# How a run that goes on learns of it; the service is `edge service`.
TELL = "runs that go on take it at SIGHUP: sudo systemctl reload inkedge"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """A model that is there: what --model or --strip-model takes for it is name where it ships, else its file.

    why is empty unless it is the one used unasked; trouble unless it cannot be used.
    """

    task: str
    name: str
    recipe: str
    origin: Origin
    file: Path
    used: bool
    why: str = ""
    trouble: str = ""


def known_models() -> tuple[KnownModel, ...]:
    """Installed and shipped models of every task, installed ones first, the latest of them first.

    Raises ModelError if it cannot be told which one is used.
    """
    store = Store.here()
    return tuple(model for task in TASKS for model in _known(store, task))


def install_model(model: str | Path) -> KnownModel:
    """Try a .tflite file with its manifest, or a shipped model, on this machine, and use it from now on.

    Raises ModelError for one that cannot be used or does not read, SinkError if the place cannot be written; the one
    before stays then.
    """
    file = find_model(str(model))
    if file.suffix == ".json":  # a slip of the hand with one meaning
        file = file.with_suffix(".tflite")
    task = Manifest.read(file.with_suffix(".json")).task
    Store.here().install(file, task, check_model)
    return _used(task)


def roll_back(task: str = "digit") -> KnownModel:
    """Use what was used before the installed model of a task; versions that do not read are passed over.

    Raises ModelError if none is installed or the task is unknown, SinkError if the place cannot be written.
    """
    if task not in TASKS:
        raise ModelError(f"task {task!r}: use {' or '.join(TASKS)}")
    Store.here().rollback(task, check_model)
    return _used(task)


def model_lines(models: tuple[KnownModel, ...]) -> Iterator[str]:
    """A line a model, for people; * is what is used unasked."""
    for model in models:
        what = f"{model.name} ({model.recipe})" if model.recipe else model.name
        said = model.trouble or model.why
        mark = "*" if model.used else " "
        yield f"{mark} {model.task:5}  {what:24}  {model.origin:9}  {model.file}{': ' if said else ''}{said}"


def models_json(models: tuple[KnownModel, ...]) -> str:
    """A list with an object a model."""
    return json.dumps([asdict(model) | {"file": str(model.file)} for model in models], indent=1)


def used_line(model: KnownModel) -> str:
    """What is used now, and how runs learn of it."""
    return f"{model.task} model in use: {model.name} ({model.recipe}), {model.origin}: {model.file}; {TELL}"


def _used(task: str) -> KnownModel:
    return next(model for model in _known(Store.here(), task) if model.used)


def _known(store: Store, task: str) -> Iterator[KnownModel]:
    used = store.used(task)
    for file in store.history(task):
        why = "installed here, goes before what ships" if file == used else ""
        yield _described(task, file, "installed", used=file == used, why=why)
    for shipped in shipped_models(task):
        is_used = used is None and shipped.name == DEFAULTS[task]
        why = f"ships, and none is installed in {store.folder}" if is_used else ""
        yield _described(task, shipped.file, "shipped", used=is_used, why=why)


def _described(task: str, file: Path, origin: Origin, *, used: bool, why: str) -> KnownModel:
    try:
        manifest = Manifest.read(file.with_suffix(".json"))
        name, recipe, trouble = manifest.name, manifest.recipe, ""
    except ModelError as error:
        name, recipe, trouble = file.stem, "", str(error)
    name = file.stem if origin == "shipped" else name
    return KnownModel(
        task=task, name=name, recipe=recipe, origin=origin, file=file, used=used, why=why, trouble=trouble
    )
