"""Searching hyperparameters: Optuna tries networks on part of the data, the best is trained on all of it."""

from __future__ import annotations

import csv
import io
import json
import math
import warnings
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from edge.errors import EdgeError, ModelError, UsageError
from train.data import Data, as_input, load_data, one_hot, split
from train.fit import holds_model, run_epoch, start, train_on
from train.model import Architecture, compile_model, convnet, open_keras
from train.progress import say
from train.run import Record, describe, make_folder, write_file
from train.settings import FitSettings

DATABASE, TRIALS, BEST = "tune.db", "trials.csv", "best"
STUDY = "tune"


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneSettings:
    """A search: `trials` networks, each for `trial_epochs` on the first `trial_digits`; the winner as `fit` says.

    Raises UsageError for values out of range.
    """

    fit: FitSettings
    trials: int = 20
    trial_epochs: int = 2
    trial_digits: int = 12_000

    def __post_init__(self) -> None:
        for flag, value in (("trials", self.trials), ("trial-epochs", self.trial_epochs), ("limit", self.trial_digits)):
            if value < 1:
                raise UsageError(f"--{flag} is {value}; it has to be at least 1")
        if not self.fit.validation_split:
            raise UsageError("--validation-split is 0; a search has to hold digits back to judge by")


def tune(settings: TuneSettings, data_path: Path | None, folder: Path) -> str:
    """Search in `folder`: tune.db (every trial), trials.csv, and the run folder `best`; one line on the best.

    A search that was stopped goes on: trials are counted over all runs, an unfinished `best` is resumed.
    Raises UsageError if the folder holds another search, ModelError if its database is damaged.
    """
    data = load_data(data_path)
    make_folder(folder)
    study = _open_study(folder, settings, data)
    _drop_unfinished(study)
    missing = settings.trials - len(_finished(study))
    for number in range(settings.trials - missing, settings.trials):
        _try_one(study, settings, data, f"{number + 1} of {settings.trials}")
        _write_trials(study, folder)
    return _train_best(study, settings, data, folder / BEST)


def _open_study(folder: Path, settings: TuneSettings, data: Data) -> Any:
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    # The sampler's state is not kept; a seed that moves with the trials keeps a resumed search from trying them twice.
    database = folder / DATABASE
    try:
        with warnings.catch_warnings(action="ignore", category=optuna.exceptions.ExperimentalWarning):
            storage = optuna.storages.RDBStorage(f"sqlite:///{database.resolve()}")
            study = optuna.create_study(
                study_name=STUDY,
                storage=storage,
                direction="maximize",
                load_if_exists=True,
                pruner=optuna.pruners.MedianPruner(n_startup_trials=5),
            )
        study.sampler = optuna.samplers.TPESampler(seed=settings.fit.seed + len(study.trials))
    except (SQLAlchemyError, ValueError, KeyError) as error:
        cause = str(error).splitlines()[0][:150]
        raise ModelError(f"{database}: not a search of `edge-train tune` ({cause}); use another --out") from error
    judged_by = {
        "data": data.sha256,
        "trial_epochs": settings.trial_epochs,
        "trial_digits": settings.trial_digits,
        "batch_size": settings.fit.batch_size,
        "validation_split": settings.fit.validation_split,
    }
    before = study.user_attrs.get("judged_by", judged_by)
    if before != judged_by:
        other = ", ".join(name for name, value in judged_by.items() if before.get(name) != value)
        raise UsageError(f"{database}: holds a search with another {other}; use the same, or another --out")
    study.set_user_attr("judged_by", judged_by)
    return study


def _finished(study: Any) -> list[Any]:
    from optuna.trial import TrialState

    return list(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)))


def _drop_unfinished(study: Any) -> None:
    """Mark as failed what a killed search left running, so that it is not waited for."""
    from optuna.trial import TrialState

    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)


def _suggest(trial: Any) -> tuple[Architecture, float]:
    layers = trial.suggest_int("layers", 1, 3)
    filters = tuple(trial.suggest_categorical(f"filters{stage}", (16, 32, 64, 128)) for stage in range(1, layers + 1))
    units = trial.suggest_categorical("units", (32, 64, 128, 256))
    dropout = trial.suggest_float("dropout", 0.0, 0.5, step=0.1)
    learning_rate = trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True)
    return Architecture(filters=filters, units=units, dropout=dropout), learning_rate


def _try_one(study: Any, settings: TuneSettings, data: Data, place: str) -> None:
    from optuna.trial import TrialState

    keras = open_keras()
    trial = study.ask()
    architecture, learning_rate = _suggest(trial)
    fit = replace(settings.fit, epochs=settings.trial_epochs, limit=settings.trial_digits, learning_rate=learning_rate)
    parts = split(data, fit.validation_split, fit.limit)
    classes = len(data.labels)
    x, y = as_input(parts.x_train), one_hot(parts.y_train, classes)
    held = as_input(parts.x_heldback), one_hot(parts.y_heldback, classes)
    keras.backend.clear_session()
    keras.utils.set_random_seed(fit.seed)
    network = convnet(architecture, classes)
    compile_model(network, learning_rate)
    trial.set_user_attr("parameters", int(network.count_params()))
    accuracy, state = 0.0, TrialState.COMPLETE
    try:
        for epoch in range(1, fit.epochs + 1):
            done = run_epoch(network, fit, epoch, x, y, held)
            accuracy = done.val_accuracy
            trial.report(accuracy, epoch)
            # A loss that is no number any more will not recover.
            if not math.isfinite(done.loss) or (epoch < fit.epochs and trial.should_prune()):
                state = TrialState.PRUNED
                break
    except BaseException:
        study.tell(trial, state=TrialState.FAIL)
        raise
    study.tell(trial, accuracy if state is TrialState.COMPLETE else None, state=state)
    judged = f"held back {accuracy:.2%}{'' if state is TrialState.COMPLETE else ', given up'}"
    say(f"trial {trial.number} ({place}): {_name(architecture)}, learning rate {learning_rate:.1e}: {judged}")


def _name(architecture: Architecture) -> str:
    filters = "-".join(str(n) for n in architecture.filters)
    return f"conv {filters}, dense {architecture.units}, dropout {architecture.dropout:.1f}"


def _write_trials(study: Any, folder: Path) -> None:
    names = ("layers", "filters1", "filters2", "filters3", "units", "dropout", "learning_rate")
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["trial", "state", "heldback_accuracy", "parameters", *names, "seconds"])
    for trial in study.get_trials(deepcopy=False):
        last = trial.value if trial.value is not None else trial.intermediate_values.get(trial.last_step, "")
        took = round(trial.duration.total_seconds(), 2) if trial.duration else ""
        values = [trial.params.get(name, "") for name in names]
        parameters = trial.user_attrs.get("parameters", "")
        rows.writerow([trial.number, trial.state.name.lower(), last, parameters, *values, took])
    write_file(folder / TRIALS, text.getvalue().encode())


def _train_best(study: Any, settings: TuneSettings, data: Data, run: Path) -> str:
    if not any(trial.value is not None for trial in _finished(study)):
        raise EdgeError("every trial was given up; search longer with --trials N")
    best = study.best_trial
    filters = tuple(best.params[f"filters{stage}"] for stage in range(1, best.params["layers"] + 1))
    architecture = Architecture(filters=filters, units=best.params["units"], dropout=best.params["dropout"])
    fit = replace(settings.fit, model="tuned", learning_rate=best.params["learning_rate"])
    say(f"best is trial {best.number}: {_name(architecture)}, held back {best.value:.2%}; now on all digits")
    if holds_model(run) and _is_begun(run, architecture, fit):
        if Record.read(run).stored_epoch < fit.epochs:
            train_on(run, data=Path(data.source) if data.source else None)
    else:
        open_keras().utils.set_random_seed(fit.seed)
        network = convnet(architecture, len(data.labels))
        start(fit, data, run, network=network, architecture=architecture, force=True)
    return describe(run)


def _is_begun(run: Path, architecture: Architecture, fit: FitSettings) -> bool:
    record = Record.read(run)
    same = json.dumps(record.architecture) == json.dumps(asdict(architecture))
    return same and record.settings == fit
