"""A search keeps every trial, goes on where it stopped, and ends with a run folder of the best."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from edge.errors import ModelError, UsageError
from train import tune as tuning
from train.run import Record
from train.settings import FitSettings
from train.tune import TuneSettings, tune

TINY = TuneSettings(fit=FitSettings(epochs=1, batch_size=32), trials=2, trial_epochs=1, trial_digits=100)


def trials(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "trials.csv").read_text().splitlines()))


def test_a_search_stops_resumes_and_trains_the_best(
    small_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    epoch = tuning.run_epoch
    seen: list[int] = []

    def stopped(*args: object) -> object:
        seen.append(1)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return epoch(*args)  # type: ignore[arg-type]

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(tuning, "run_epoch", stopped)
        tune(TINY, small_file, tmp_path)
    assert [row["state"] for row in trials(tmp_path)] == ["complete"]
    line = tune(TINY, small_file, tmp_path)
    rows = trials(tmp_path)
    # The trial that Ctrl-C cut off is kept as failed, and another took its place.
    assert [row["state"] for row in rows] == ["complete", "fail", "complete"]
    assert len({row["learning_rate"] for row in rows}) == 3
    record = Record.read(tmp_path / "best")
    best = max((row for row in rows if row["state"] == "complete"), key=lambda row: float(row["heldback_accuracy"]))
    assert record.model == "tuned" and record.epochs_done == 1 and record.data.train == 540
    assert record.parameters == int(best["parameters"])
    assert record.settings.learning_rate == float(best["learning_rate"])
    assert record.architecture is not None and record.architecture["units"] == int(best["units"])
    assert line.startswith(f"{tmp_path / 'best'}: epoch 1 stored")
    before = (tmp_path / "best" / "model.keras").stat().st_mtime_ns
    tune(TINY, small_file, tmp_path)
    assert (tmp_path / "best" / "model.keras").stat().st_mtime_ns == before
    with pytest.raises(UsageError, match="holds a search with another trial_digits"):
        tune(replace(TINY, trial_digits=200), small_file, tmp_path)


def test_a_foreign_database_is_refused(small_file: Path, tmp_path: Path) -> None:
    (tmp_path / "tune.db").write_bytes(b"no database, but long enough to look at" * 50)
    with pytest.raises(ModelError, match=r"tune.db: not a search"):
        tune(TINY, small_file, tmp_path)


@pytest.mark.parametrize("wrong", [{"trials": 0}, {"trial_epochs": 0}, {"trial_digits": 0}])
def test_settings_out_of_range(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        replace(TINY, **wrong)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="hold digits back"):
        replace(TINY, fit=FitSettings(validation_split=0.0))
