"""Fitting leaves a whole run folder, the same for the same seed, and goes on after any stop."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import ModelError, SinkError, SourceError, UsageError
from edge.sources.digits import load_digits
from train import fit as fitting
from train.data import Data, as_input, load_data, one_hot
from train.fit import start, train_on
from train.interrupt import termination_is_an_exception
from train.model import load
from train.run import Record, read_history, save_model
from train.settings import FitSettings

QUICK = FitSettings(epochs=2, batch_size=32, seed=5)


def weights(run: Path, name: str = "model.keras") -> bytes:
    return b"".join(array.tobytes() for array in load(run / name).get_weights())


def test_a_run_folder_holds_everything_promised(trained: Path, small: Data) -> None:
    names = {file.name for file in trained.iterdir()}
    assert names == {"model.keras", "model.h5", "history.csv", "curves.png", "run.json", "representative.npz"}
    record = json.loads((trained / "run.json").read_text())
    assert record["format"] == 1 and record["model"] == "lecture" and record["preprocessing"] == "ink28/1"
    assert record["labels"] == list("0123456789") and record["seed"] == 5
    assert record["data"] == {"name": "custom", "sha256": small.sha256, "train": 540, "heldback": 60}
    assert (record["epochs_done"], record["interrupted"], record["parameters"]) == (2, False, 485_514)
    assert set(record["versions"]) == {"python", "keras", "tensorflow", "numpy", "inkedge"}
    rows = list(csv.DictReader((trained / "history.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert [row["mark"] for row in rows].count("best") == 1
    assert float(rows[1]["loss"]) < float(rows[0]["loss"])
    assert cv2.imread(str(trained / "curves.png")) is not None


def test_the_digits_for_the_quantizer_are_balanced_and_none_was_held_back(trained: Path, small: Data) -> None:
    with np.load(trained / "representative.npz") as content:
        images, labels = content["images"], content["labels"]
        held, held_labels = content["heldback_images"], content["heldback_labels"]
    assert images.shape == (540, 28, 28) and images.dtype == labels.dtype == np.uint8
    assert np.array_equal(held, small.x_train[540:]) and np.array_equal(held_labels, small.y_train[540:])
    trained_on = {image.tobytes() for image in small.x_train[:540]}
    assert all(image.tobytes() in trained_on for image in images)


def test_history_is_what_keras_says_of_the_stored_network(trained: Path, small: Data) -> None:
    held = as_input(small.x_train[540:]), one_hot(small.y_train[540:], 10)
    loss, accuracy = load(trained / "model.keras").evaluate(*held, verbose=0)
    last = read_history(trained)[-1]
    assert accuracy == pytest.approx(last.val_accuracy)
    assert loss == pytest.approx(last.val_loss, rel=1e-4)


def test_same_seed_same_weights_and_another_seed_others(trained: Path, small: Data, tmp_path: Path) -> None:
    start(QUICK, small, tmp_path / "again")
    assert weights(tmp_path / "again") == weights(trained)
    start(replace(QUICK, seed=6, epochs=1), small, tmp_path / "other")
    assert weights(tmp_path / "other") != weights(trained)


@pytest.mark.parametrize("missing", ["model.h5", "model.keras"])
def test_a_stopped_run_resumes_to_the_weights_of_an_unbroken_one(
    trained: Path, small: Data, tmp_path: Path, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    train_epoch = fitting.run_epoch

    def stopped(*args: object) -> object:
        if args[2] == 2:
            raise KeyboardInterrupt
        return train_epoch(*args)  # type: ignore[arg-type]

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(fitting, "run_epoch", stopped)
        start(QUICK, small, run)
    record = Record.read(run)
    assert (record.epochs_done, record.interrupted) == (1, True)
    (run / missing).unlink()
    record = train_on(run)
    assert (record.epochs_done, record.interrupted) == (2, False)
    assert weights(run) == weights(run, "model.h5") == weights(trained)
    assert [row.epoch for row in read_history(run)] == [1, 2]
    with pytest.raises(UsageError, match="has all its 2 epochs; say how many more"):
        train_on(run)


def test_more_epochs_go_on_from_the_last(trained: Path, small: Data, tmp_path: Path) -> None:
    run = tmp_path / "run"
    start(replace(QUICK, epochs=1), small, run)
    train_on(run, more=1)
    assert weights(run) == weights(trained)
    assert [row.epoch for row in read_history(run)] == [1, 2]


def test_keep_best_stores_the_best_epoch_and_resumes_behind_it(
    small: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_epoch = fitting.run_epoch

    def judged(*args: object) -> object:
        done = train_epoch(*args)  # type: ignore[arg-type]
        return replace(done, val_accuracy=(0.5, 0.9, 0.7)[args[2] - 1])  # type: ignore[operator]

    monkeypatch.setattr(fitting, "run_epoch", judged)
    start(replace(QUICK, epochs=2), small, tmp_path / "two")
    record = start(replace(QUICK, epochs=3, keep="best"), small, tmp_path / "three")
    assert (record.epochs_done, record.stored_epoch) == (3, 2)
    assert weights(tmp_path / "three") == weights(tmp_path / "two")
    assert (tmp_path / "three/history.csv").read_text().splitlines()[2].endswith(",best")
    monkeypatch.setattr(fitting, "run_epoch", train_epoch)
    record = train_on(tmp_path / "three", more=1)
    assert [row.epoch for row in read_history(tmp_path / "three")] == [1, 2, 3, 4]
    assert record.epochs_done == 4


def test_a_model_is_not_overwritten_unasked(trained: Path, small: Data, tmp_path: Path) -> None:
    before = weights(trained)
    with pytest.raises(UsageError, match=r"already holds a model; --resume .* --force"):
        start(QUICK, small, trained)
    assert weights(trained) == before
    run = tmp_path / "run"
    run.mkdir()
    (run / "model.h5").write_bytes(b"old")
    start(replace(QUICK, epochs=1), small, run, force=True)
    assert load(run / "model.h5").count_params() == 485_514


def test_what_cannot_be_resumed_says_why(trained: Path, small: Data, tmp_path: Path, mnist_file: Path) -> None:
    with pytest.raises(UsageError, match="no such run folder"):
        train_on(tmp_path / "nothing")
    with pytest.raises(ModelError, match=r"run.json"):
        train_on(tmp_path)
    with pytest.raises(SourceError, match="was trained on other data"):
        train_on(trained, data=mnist_file, more=1)
    stateless = tmp_path / "stateless"
    stateless.mkdir()
    for name in ("run.json", "history.csv"):
        (stateless / name).write_bytes((trained / name).read_bytes())
    network = load(trained / "model.keras")
    network.compile(loss="categorical_crossentropy")
    network.save(stateless / "model.keras")
    with pytest.raises(ModelError, match="no optimizer state"):
        train_on(stateless, more=1)


def test_no_place_for_the_run_is_said_before_training(small: Data, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="cannot be written"):
        start(QUICK, small, tmp_path / "file" / "run")


def test_a_full_disk_leaves_the_last_whole_model(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    network = load(trained / "model.keras")
    save_model(run, network)
    before = {name: (run / name).read_bytes() for name in ("model.keras", "model.h5")}
    whole = type(network).save

    def full(self: object, path: Path, **options: object) -> None:
        if path.suffix == ".h5":
            raise OSError(28, "No space left on device")
        whole(self, path, **options)

    monkeypatch.setattr(type(network), "save", full)
    with pytest.raises(SinkError, match="No space left on device"):
        save_model(run, network)
    assert {name: (run / name).read_bytes() for name in before} == before


def letters(folder: Path, n: int = 10) -> Path:
    """Folders of images with classes of their own: twos and sevens, as MNIST has them and as photos of paper."""
    images, labels = load_digits()
    for digit, label in ((2, "swan"), (7, "flag")):
        (folder / label).mkdir(parents=True)
        for number, image in enumerate(images[labels == digit][:n]):
            paper = cv2.copyMakeBorder(255 - image, 12, 12, 12, 12, cv2.BORDER_CONSTANT, value=255)
            pixels = image if number % 2 else cv2.resize(paper, (104, 104))
            cv2.imwrite(str(folder / label / f"{number:02}.png"), pixels)
        (folder / label / "notes.txt").write_text("no image")
    return folder


def test_transfer_learns_new_classes_with_frozen_convolutions(trained: Path, tmp_path: Path) -> None:
    data = load_data(letters(tmp_path / "shapes"))
    assert data.labels == ("flag", "swan") and data.name == "folder"
    assert (len(data.x_train), len(data.x_test)) == (16, 4)
    record = start(replace(QUICK, freeze=True, epochs=6, batch_size=4), data, tmp_path / "run", base=trained)
    assert record.labels == ("flag", "swan") and record.based_on == str(trained)
    base, new = load(trained / "model.keras"), load(tmp_path / "run" / "model.keras")
    for name in ("conv1", "conv2"):
        assert np.array_equal(base.get_layer(name).get_weights()[0], new.get_layer(name).get_weights()[0])
    read = new.predict(as_input(data.x_test), verbose=0).argmax(axis=1)
    assert (read == data.y_test).mean() >= 0.75
    thawed = start(replace(QUICK, epochs=1), data, tmp_path / "thawed", base=trained)
    changed = load(tmp_path / "thawed" / "model.keras")
    assert thawed.settings.freeze is False
    assert not np.array_equal(base.get_layer("conv1").get_weights()[0], changed.get_layer("conv1").get_weights()[0])


def test_fine_tuning_on_the_same_labels_keeps_the_head(trained: Path, small: Data, tmp_path: Path) -> None:
    start(replace(QUICK, epochs=1), small, tmp_path / "run", base=trained)
    # The third epoch's training accuracy: a new head would begin near one in ten.
    assert read_history(tmp_path / "run")[0].accuracy > read_history(trained)[0].accuracy


def test_without_validation_nothing_is_held_back(small: Data, tmp_path: Path) -> None:
    run = tmp_path / "run"
    record = start(replace(QUICK, epochs=1, validation_split=0.0, limit=100, keep="best"), small, run)
    assert (record.data.train, record.data.heldback, record.stored_epoch) == (100, 0, 1)
    assert np.isnan(read_history(run)[0].val_accuracy)
    with np.load(run / "representative.npz") as content:
        assert content["heldback_images"].shape == (0, 28, 28)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_signal_keeps_the_last_finished_epoch(
    small_file: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-m", "train", "fit", "--epochs", "500", "--batch-size", "32"]
    process = subprocess.Popen(
        [*command, "--data", str(small_file), "--out", str(run)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            if (run / "history.csv").exists() and len((run / "history.csv").read_text().splitlines()) > 2:
                break
            time.sleep(0.05)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == code, err
    assert "stopped: epoch" in err and "Traceback" not in err and out == ""
    record = Record.read(run)
    assert record.interrupted and record.epochs_done == record.stored_epoch == len(read_history(run)) >= 2
    for name in ("model.keras", "model.h5"):
        steps = int(load(run / name).optimizer.iterations)
        assert steps == 17 * record.epochs_done
    assert not (run / "model.part").exists()


@pytest.mark.parametrize(("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_a_signal_whose_exception_was_lost_is_heard_again(number: signal.Signals, raised: type[BaseException]) -> None:
    with termination_is_an_exception() as stop_if_told:
        stop_if_told()
        with contextlib.suppress(raised):
            signal.raise_signal(number)
        with pytest.raises(raised):
            stop_if_told()
