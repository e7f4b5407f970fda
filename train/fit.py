"""Fitting: data and settings -> a run folder that is whole after every epoch."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from edge.errors import ModelError, SourceError, UsageError
from edge.inference.manifest import DIGITS
from train import lessons
from train.data import Data, Split, Tensors, load_data, representative, split
from train.interrupt import interrupts_wait, termination_is_an_exception
from train.lessons import Lessons, PaperLessons, Teacher, lessons_for
from train.model import Architecture, Model, build, check_name, compile_model, load, open_keras, transfer
from train.progress import live_callbacks, say, say_epoch
from train.rates import rate_callbacks
from train.run import (
    CURVES,
    MODELS,
    REPRESENTATIVE,
    Epoch,
    Record,
    begin,
    best_epoch,
    data_record,
    find_model,
    load_trained,
    read_history,
    save_model,
    versions,
    write_file,
    write_history,
)
from train.settings import FitSettings
from train.strip_model import load_strip

# The quantizer calibrates on so many digits; confidence is fitted on so many held back.
REPRESENTATIVE_DIGITS = 1000
HELDBACK_DIGITS = 2000


def holds_model(run: Path) -> bool:
    """Whether a folder holds a stored network."""
    return any((run / name).exists() for name in MODELS)


def check_free(run: Path, *, force: bool = False) -> None:
    """Raise UsageError if the folder already holds a model and may not be replaced."""
    if not force and holds_model(run):
        raise UsageError(f"{run}: already holds a model; --resume {run} trains it on, --force replaces it")


def start_at(
    settings: FitSettings, data: Path | None, run: Path, *, base: Path | None, force: bool, teacher: Path | None = None
) -> Record:
    """As `start`, with data where `load_data` finds them; what can be refused without them is refused before."""
    check_name(settings.model)
    check_free(run, force=force)
    for other in (base, teacher):
        if other is not None:
            find_model(other)
    if settings.model == "strip":
        from train.strip_fit import start as start_strip

        return start_strip(settings, load_data(data), run, base=base)
    return start(settings, load_data(data), run, base=base, force=force, teacher=teacher)


def start(
    settings: FitSettings,
    data: Data,
    run: Path,
    *,
    base: Path | None = None,
    network: Model | None = None,
    architecture: Architecture | None = None,
    force: bool = False,
    teacher: Path | None = None,
) -> Record:
    """Train a new network into `run` and give its record.

    base: a RUN whose network is taken over (transfer learning). network: an uncompiled network to fit instead of
    the named one, and its architecture for the record. teacher: a RUN whose probabilities the paper network learns.
    Same settings, data and machine: same weights, bit for bit.
    Raises UsageError if run holds a model and not force, or if the network cannot be had for these data; SinkError if
    run cannot be written; KeyboardInterrupt after everything finished so far is safe.
    """
    if network is None:
        check_name(settings.model)
    check_free(run, force=force)
    labels = _labels(settings, data)
    if teacher is not None and settings.model != "paper":
        raise UsageError(f"--teacher: the {settings.model} network learns from labels alone; leave it out")
    parts = split(data, settings.validation_split, settings.limit)
    open_keras().utils.set_random_seed(settings.seed)
    if base is not None:
        network = take_over(base, labels, freeze=settings.freeze)
    elif network is None:
        network = build(settings.model, len(labels))
    compile_model(network, settings.learning_rate, weight_decay=settings.weight_decay)
    record = Record(
        model=settings.model,
        labels=labels,
        settings=settings,
        data=data_record(data, len(parts.x_train), len(parts.x_heldback)),
        parameters=int(network.count_params()),
        source=data.source,
        based_on=str(base) if base else None,
        teacher=str(teacher.resolve()) if teacher else None,
        architecture=asdict(architecture) if architecture else None,
        versions=versions(),
    )
    begin(run, record)
    with _open_lessons(record, data, parts) as shown:
        _write_representative(run, record, parts, shown)
        return _train(network, record, shown, run, ())


def _labels(settings: FitSettings, data: Data) -> tuple[str, ...]:
    """What the network's outputs mean. Raises UsageError for data that digits from paper cannot be made of."""
    if not settings.synthesised:
        return data.labels
    if data.labels != DIGITS:
        raise UsageError(f"--model {settings.model}: reads the ten digits; {data.source} has other labels: use lecture")
    return lessons.LABELS


@contextmanager
def _open_lessons(record: Record, data: Data, parts: Split) -> Iterator[Lessons]:
    teacher = None
    if record.teacher:
        trained = load_trained(Path(record.teacher))
        if trained.labels != record.labels:
            raise ModelError(f"--teacher {record.teacher}: knows other labels; use a run of `fit --model teacher`")
        teacher = Teacher(network=trained.network, folder=trained.folder)
    with lessons_for(data, parts, record.settings, teacher) as shown:
        yield shown


def take_over(base: Path, labels: tuple[str, ...], *, freeze: bool) -> Model:
    """The network of the RUN `base`: whole if labels are the same and nothing is frozen, else with a new head."""
    trained = load_trained(base)
    if not freeze and trained.labels == labels:
        return trained.network
    return transfer(trained.network, len(labels), freeze=freeze)


def train_on(run: Path, *, data: Path | None = None, more: int | None = None) -> Record:
    """Train a run on from its stored epoch, optimizer state and all, to the same weights as without a stop.

    more: epochs beyond those done; None runs those an interrupted run still owes. data: None means where they were.
    Raises UsageError if nothing is owed, ModelError if the run cannot be gone on with, SourceError for other data.
    """
    if not run.is_dir():
        raise UsageError(f"--resume {run}: no such run folder; to start from a model file use --from")
    record = Record.read(run)
    file = find_model(run)
    epochs = record.epochs_done + more if more is not None else record.settings.epochs
    if epochs <= record.stored_epoch:
        raise UsageError(f"{run}: has all its {epochs} epochs; say how many more with --epochs N")
    found = load_data(data or (Path(record.source) if record.source else None))
    if found.sha256 != record.data.sha256:
        raise SourceError(f"{run}: was trained on other data than these; --from {run} trains on new ones")
    network = load_strip(file) if record.model == "strip" else load(file)
    if getattr(network, "optimizer", None) is None or not int(network.optimizer.iterations):
        raise ModelError(f"{file}: holds no optimizer state to go on with; use --from {run} instead")
    history = read_history(run)[: record.stored_epoch]
    # Always saved with the epochs it was asked for, so that a second stop knows what is owed.
    record = replace(record, settings=replace(record.settings, epochs=epochs), epochs_done=len(history))
    say(f"{run}: going on after epoch {record.stored_epoch}")
    parts = split(found, record.settings.validation_split, record.settings.limit)
    if record.model == "strip":
        from train.strip_fit import train as train_strip

        return train_strip(network, record, parts, run, history)
    with _open_lessons(record, found, parts) as shown:
        return _train(network, record, shown, run, history)


def _train(network: Model, record: Record, shown: Lessons, run: Path, history: tuple[Epoch, ...]) -> Record:
    def one_epoch(epoch: int) -> Epoch:
        return run_epoch(network, record.settings, epoch, *shown.epoch(epoch), shown.held)

    return train_epochs(network, record, run, history, one_epoch)


def train_epochs(
    network: Model, record: Record, run: Path, history: tuple[Epoch, ...], one_epoch: Callable[[int], Epoch]
) -> Record:
    """Train the epochs that the record's settings ask for beyond history, each by one_epoch, and store each in run."""
    network.summary(print_fn=say)
    try:
        with termination_is_an_exception() as stop_if_told:
            for epoch in range(len(history) + 1, record.settings.epochs + 1):
                done = one_epoch(epoch)
                history = (*history, done)
                with interrupts_wait():  # so that the model files, history and record never disagree
                    record = _store(network, record, run, history)
                say_epoch(done, record.settings.epochs, best=best_epoch(history) == epoch)
                stop_if_told()
        record = replace(record, interrupted=False)
    except (KeyboardInterrupt, SystemExit):
        record = replace(record, interrupted=True)
        kept = f"epoch {record.stored_epoch} is kept in {run}; --resume {run} goes on" if history else "nothing is kept"
        say(f"\nstopped: {kept}")
        raise
    finally:
        record.write(run)
        if history:
            _draw_curves(run, history)
    return record


def run_epoch(
    network: Model, settings: FitSettings, epoch: int, x: Tensors, y: Tensors, held: tuple[Tensors, Tensors] | None
) -> Epoch:
    """Train a compiled network for one epoch (from 1) on x, y and judge it on the held-back pair, if there is one.

    Its random numbers hang on seed and epoch alone: a resumed run shuffles as the uninterrupted one would have.
    """
    seed = int(np.random.SeedSequence((settings.seed, epoch)).generate_state(1)[0])
    open_keras().utils.set_random_seed(seed)
    steps = math.ceil(len(x) / settings.batch_size)
    begin = time.perf_counter()
    logs = network.fit(
        x,
        y,
        batch_size=settings.batch_size,
        validation_data=held,
        verbose=0,
        callbacks=[
            *live_callbacks(epoch, settings.epochs, steps),
            *rate_callbacks(network, settings, epoch, steps),
        ],
    ).history
    last = {name: float(values[-1]) for name, values in logs.items()}
    return Epoch(
        epoch=epoch,
        loss=last["loss"],
        accuracy=last["accuracy"],
        val_loss=last.get("val_loss", math.nan),
        val_accuracy=last.get("val_accuracy", math.nan),
        seconds=round(time.perf_counter() - begin, 3),
    )


def _store(network: Model, record: Record, run: Path, history: tuple[Epoch, ...]) -> Record:
    epoch = history[-1].epoch
    stored = record.stored_epoch
    if record.settings.keep == "last" or best_epoch(history) == epoch:
        save_model(run, network)
        stored = epoch
    write_history(run, history)
    record = replace(record, epochs_done=epoch, stored_epoch=stored)
    record.write(run)
    return record


def _write_representative(run: Path, record: Record, parts: Split, shown: Lessons) -> None:
    """What the quantizer sees: real digits as the network sees them, and held-back ones."""
    x, y, held, held_y = parts.x_train, parts.y_train, parts.x_heldback, parts.y_heldback
    if isinstance(shown, PaperLessons):
        x, y = shown.pictures()
        held, held_y = lessons.held_back(parts, lessons.HELDBACK)
    else:
        held, held_y = held[:HELDBACK_DIGITS], held_y[:HELDBACK_DIGITS]
    images, labels = representative(
        x, y, classes=len(record.labels), n=REPRESENTATIVE_DIGITS, seed=record.settings.seed
    )
    content = io.BytesIO()
    np.savez_compressed(
        content,
        images=images,
        labels=labels,
        heldback_images=held,
        heldback_labels=held_y.astype(np.uint8),
    )
    write_file(run / REPRESENTATIVE, content.getvalue())


def _draw_curves(run: Path, history: tuple[Epoch, ...]) -> None:
    from train.plots import draw_curves

    write_file(run / CURVES, draw_curves(history))
