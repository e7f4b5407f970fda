"""The run folder: what training leaves behind and every other command reads."""

from __future__ import annotations

import csv
import io
import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from edge import __version__
from edge.errors import ModelError, SinkError, UsageError
from edge.inference.manifest import DIGITS, PREPROCESSINGS
from train.data import Data
from train.model import Model, load, open_keras
from train.settings import FitSettings

FORMAT = 1
MODELS = ("model.keras", "model.h5")
RECORD, HISTORY, CURVES, REPRESENTATIVE = "run.json", "history.csv", "curves.png", "representative.npz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """One finished epoch: the means over it, and the time it took in s; val_ values are nan without validation."""

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRecord:
    """Which data a run saw: their name and sha256, and how many digits were trained on and held back."""

    name: str
    sha256: str
    train: int
    heldback: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """run.json: everything needed to know, repeat or go on with a run.

    epochs_done counts finished epochs; stored_epoch is the one whose weights the model files hold, 0 for none yet.
    source is the path the data came from, None for Keras' own MNIST; based_on the RUN whose network was taken over;
    teacher the RUN whose probabilities were learned; architecture what a search chose, None for a named network.
    """

    model: str
    labels: tuple[str, ...]
    settings: FitSettings
    data: DataRecord
    parameters: int
    source: str | None = None
    based_on: str | None = None
    teacher: str | None = None
    epochs_done: int = 0
    stored_epoch: int = 0
    interrupted: bool = False
    architecture: Mapping[str, Any] | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    def write(self, run: Path) -> None:
        """Write run.json, aside and renamed; SinkError if that fails."""
        preprocessing = PREPROCESSINGS["strip" if self.model == "strip" else "digit"]
        content = {"format": FORMAT, "preprocessing": preprocessing, "seed": self.settings.seed, **asdict(self)}
        write_file(run / RECORD, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())

    @staticmethod
    def read(run: Path) -> Record:
        """run.json of a run folder; ModelError if it is missing, damaged or of another format."""
        place = run / RECORD
        try:
            content = json.loads(place.read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                raise ModelError(f"{place}: format {content['format']} is not {FORMAT}; train it with this version")
            known = {name: content[name] for name in (f.name for f in fields(Record)) if name in content}
            known |= {
                "labels": tuple(content["labels"]),
                "settings": FitSettings(**content["settings"]),
                "data": DataRecord(**content["data"]),
            }
            return Record(**known)
        except OSError as error:
            raise ModelError(f"{place}: {error.strerror}; not a run folder of `edge-train fit`?") from error
        except (ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
            raise ModelError(f"{place}: damaged ({error}); train again, or name the .keras file itself") from error


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """A network ready to be asked, its labels, the folder for findings about it, and its record if it has one."""

    network: Model
    labels: tuple[str, ...]
    folder: Path
    record: Record | None


def begin(run: Path, record: Record) -> None:
    """Make a new run's folder, take out what another run left there, write its record; SinkError if that fails."""
    make_folder(run)
    for name in (*MODELS, RECORD, HISTORY, CURVES, REPRESENTATIVE):
        (run / name).unlink(missing_ok=True)
    record.write(run)


def versions() -> dict[str, str]:
    """Of everything that shapes the weights."""
    import tensorflow

    return {
        "python": platform.python_version(),
        "keras": str(open_keras().__version__),
        "tensorflow": str(tensorflow.__version__),
        "numpy": np.__version__,
        "inkedge": __version__,
    }


def find_model(run: Path) -> Path:
    """The .keras or .h5 file that RUN (a run folder or such a file) means; ModelError if there is none."""
    if not run.is_dir():
        if not run.exists():
            raise ModelError(f"{run}: no such run folder or model file; `edge-train fit --out {run}` makes one")
        return run
    for name in MODELS:
        if (run / name).is_file():
            return run / name
    raise ModelError(f"{run}: holds neither model.keras nor model.h5; was it interrupted before its first epoch?")


def load_trained(run: Path) -> Trained:
    """The network of RUN; labels are those of run.json beside it, or the ten digits for a file with ten outputs.

    Raises ModelError if the model or its record is unusable.
    """
    file = find_model(run)
    network = load(file)
    record = Record.read(file.parent) if file.name in MODELS and (file.parent / RECORD).exists() else None
    outputs = int(network.output_shape[-1])
    labels = record.labels if record else DIGITS
    if len(labels) != outputs:
        raise ModelError(f"{file}: has {outputs} outputs for {len(labels)} labels; keep its own run.json beside it")
    return Trained(network=network, labels=labels, folder=file.parent, record=record)


def best_epoch(history: tuple[Epoch, ...]) -> int:
    """The epoch with the highest held-back accuracy, then lowest loss; training's values if nothing is held back."""

    def rank(epoch: Epoch) -> tuple[float, float]:
        if np.isnan(epoch.val_accuracy):
            return epoch.accuracy, -epoch.loss
        return epoch.val_accuracy, -epoch.val_loss

    return max(history, key=rank).epoch


def write_history(run: Path, history: tuple[Epoch, ...]) -> None:
    """history.csv: a row an epoch; the best one is marked `best`."""
    names = [f.name for f in fields(Epoch)]
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow([*names, "mark"])
    best = best_epoch(history)
    rows.writerows([*(getattr(e, name) for name in names), "best" if e.epoch == best else ""] for e in history)
    write_file(run / HISTORY, text.getvalue().encode())


def read_history(run: Path) -> tuple[Epoch, ...]:
    """The epochs of history.csv; ModelError if it is missing or damaged."""
    place = run / HISTORY
    try:
        with place.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        names = [f.name for f in fields(Epoch)]
        epochs = [Epoch(**{name: float(row[name]) for name in names}) for row in rows]  # type: ignore[arg-type]
        return tuple(replace(epoch, epoch=int(epoch.epoch)) for epoch in epochs)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{place}: missing or damaged ({error}); start a new run with --from") from error


def save_model(run: Path, network: Model) -> None:
    """model.keras and model.h5, optimizer state included; both are complete before either replaces the last one."""

    def save() -> None:
        aside = run / "model.part"
        aside.mkdir(exist_ok=True)
        network.save(aside / "model.keras", overwrite=True)
        # Saving .h5 takes the optimizer out of the live model's compile settings (keras-team/keras pull request 23475),
        # and the next .keras would come back with RMSprop. Compiling anew would cost a trace of the graph.
        settings = network._compile_config.config
        kept = dict(settings)
        network.save(aside / "model.h5", overwrite=True)
        settings.update(kept)
        for name in MODELS:
            (aside / name).replace(run / name)
        aside.rmdir()

    _guarded(run, save)


def write_file(path: Path, content: bytes) -> None:
    """Write a whole file aside as `NAME.part` and rename it; SinkError if that fails."""

    def write() -> None:
        part = path.with_name(f"{path.name}.part")
        part.write_bytes(content)
        part.replace(path)

    _guarded(path, write)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents if they are not there; SinkError if that fails."""
    _guarded(folder, lambda: folder.mkdir(parents=True, exist_ok=True))


def _guarded(place: Path, write: Callable[[], None]) -> None:
    try:
        write()
    except OSError as error:
        cause = error.strerror or str(error).splitlines()[0]
        raise SinkError(f"{place}: cannot be written ({cause}); make room, or use another place") from error


def data_record(data: Data, train: int, heldback: int) -> DataRecord:
    """What run.json says of the data."""
    return DataRecord(name=data.name, sha256=data.sha256, train=train, heldback=heldback)


def describe(run: Path) -> str:
    """One line on a finished run: its stored epoch, parameters and held-back accuracy."""
    record = Record.read(run)
    stored = read_history(run)[record.stored_epoch - 1]
    held = "" if np.isnan(stored.val_accuracy) else f", held back {stored.val_accuracy:.2%}"
    return f"{run}: epoch {record.stored_epoch} stored, {record.parameters:,} parameters{held}"
