"""A writer whom the network misreads is learned from a few hundred corrections, and nothing old is forgotten."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edge.errors import GateError, ModelError, UsageError
from tests.train.writers import in_hand, write_folder
from train import correction_lessons
from train import finetune as tuning
from train.finetune import Gain, Score, finetune
from train.judge import ask
from train.run import Record, load_trained
from train.settings import FitSettings

PAPER = Path(__file__).parent.parent / "models" / "paper"
SETTINGS = FitSettings.for_corrections(epochs=3, limit=3000)


@pytest.fixture(scope="module")
def base(mnist_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The paper network that ships, as a run that knows where its digits were."""
    run = tmp_path_factory.mktemp("base") / "paper"
    shutil.copytree(PAPER, run)
    record = Record.read(run)
    small = run.with_name("small.npz")
    with np.load(mnist_file) as mnist:
        np.savez(
            small,
            x_train=mnist["x_train"][:4000],
            y_train=mnist["y_train"][:4000],
            x_test=mnist["x_test"][5000:7000],
            y_test=mnist["y_test"][5000:7000],
        )
    from dataclasses import replace

    replace(record, source=str(small)).write(run)
    return run


@pytest.fixture(scope="module")
def writer(mnist_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray, np.ndarray]:
    """One hand: a folder of 200 corrected digits, and 400 more with their labels."""
    with np.load(mnist_file) as mnist:
        x, y = mnist["x_test"][:600], mnist["y_test"][:600]
    images = np.stack([in_hand(one, int(label), slant=0.7, thick=9) for one, label in zip(x, y, strict=True)])
    folder = tmp_path_factory.mktemp("writer") / "crops"
    return write_folder(folder, images[:200], y[:200], pages=10), images[200:], y[200:]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, n in (("OLD_DIGITS", 2000), ("NEW_DIGITS", 800), ("IN_HAND", 800)):
        monkeypatch.setattr(correction_lessons, name, n)


def test_a_hand_is_learned_and_the_rest_stays(
    base: Path, writer: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, images, labels = writer
    run, judged, right = tmp_path / "ours", [], tuning._right
    monkeypatch.setattr(tuning, "_right", lambda network, x, y: judged.append(len(x)) or right(network, x, y))
    gain = finetune(SETTINGS, folder, run, base=base, accept_worse=True)
    before, after = (
        np.count_nonzero(ask(load_trained(one).network, images).argmax(axis=1) != labels) for one in (base, run)
    )
    assert before >= 20 and after <= 0.8 * before
    assert gain.corrected[1].right >= gain.corrected[0].right
    assert gain.mnist[1].percent >= gain.mnist[0].percent - 0.3, "of 2,000 digits six"
    assert judged.count(2000) == 2 and judged[-1] == 2000, "MNIST's test is asked before and after, and chooses nothing"
    assert judged[2:-2].count(300) >= 4, "digits held back choose, as they are and as from paper"
    record = Record.read(run)
    assert record.model == "paper" and record.based_on == str(base)
    assert record.metrics["corrections"]["way"] in tuning.WAYS
    assert record.metrics["corrections"]["pages"] == [8, 2]
    assert not run.with_name("ours.part").exists()


def test_what_became_worse_is_refused_and_kept_aside(
    base: Path, writer: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "MOST_DROP_POINTS", -101.0)  # whatever is learned costs too much
    run = tmp_path / "ours"
    with pytest.raises(GateError, match="worse") as refused:
        finetune(SETTINGS, writer[0], run, base=base)
    assert refused.value.exit_code == 20 and not run.exists()
    assert (tmp_path / "ours.part" / "model.keras").is_file(), "nothing is lost"


@pytest.mark.parametrize(
    ("corrected", "mnist", "worse"),
    [((90, 90), (9950, 9945), ""), ((90, 89), (9950, 9960), "held back"), ((90, 99), (9950, 9944), "MNIST")],
)
def test_worse_is_one_correction_or_more_than_five_in_ten_thousand(
    corrected: tuple[int, int], mnist: tuple[int, int], worse: str
) -> None:
    gain = Gain(
        corrected=(Score(right=corrected[0], n=100), Score(right=corrected[1], n=100)),
        mnist=(Score(right=mnist[0], n=10_000), Score(right=mnist[1], n=10_000)),
    )
    assert (worse in gain.worse) if worse else not gain.worse


@pytest.mark.parametrize(("n", "lost", "borne"), [(6000, 3, True), (6000, 4, False), (300, 1, True), (300, 2, False)])
def test_what_was_held_back_bears_five_of_ten_thousand_or_one(n: int, lost: int, borne: bool) -> None:
    kept = tuning._Kept(
        name="old", x=np.zeros((n, 28, 28), np.uint8), y=np.zeros(n, np.int64), most_drop_points=tuning.MOST_DROP_POINTS
    )
    assert kept.borne(Score(right=n - 9, n=n), Score(right=n - 9 - lost, n=n)) is borne


def test_without_digits_held_back_nothing_is_learned(base: Path, writer: tuple, tmp_path: Path) -> None:
    settings = FitSettings.for_corrections(validation_split=0.0, limit=3000)
    with pytest.raises(UsageError, match="held back"):
        finetune(settings, writer[0], tmp_path / "ours", base=base)


def test_a_run_that_is_there_stays(base: Path, writer: tuple, tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_text("mine")
    with pytest.raises(UsageError, match="already holds a model"):
        finetune(SETTINGS, writer[0], tmp_path, base=base)
    with pytest.raises(ModelError):
        finetune(SETTINGS, writer[0], tmp_path / "new", base=tmp_path / "nothing")


@pytest.mark.parametrize("flag", [["--model", "paper"], ["--freeze"], ["--keep", "best"]])
def test_flags_that_mean_nothing_here_are_refused(base: Path, writer: tuple, flag: list[str]) -> None:
    command = [sys.executable, "-m", "train", "fit", "--from", base, "--data", writer[0], *flag]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300)
    assert done.returncode == 2 and flag[0] in done.stderr
