"""The paper network's lessons: the same for every seed, kept with what the teacher said, gone on with after a stop."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from edge.errors import UsageError
from train import fit as fitting
from train.data import Data, Split, split
from train.fit import start, train_on
from train.lessons import (
    HELDBACK,
    LABELS,
    SOFTENING,
    TRUST,
    Lesson,
    PlainLessons,
    Teacher,
    held_back,
    lessons_for,
    surely_digits,
)
from train.model import load
from train.run import Record
from train.settings import FitSettings
from train.stream import NONE

QUICK = FitSettings.for_model("paper", epochs=4, batch_size=64, limit=200)


@dataclass(slots=True)
class Oracle:
    """Stands for a teacher's network: sure of one label or equally of two, and counts how often it was asked."""

    asked: int = 0
    sure: int | None = None

    def predict(self, x: np.ndarray, **options: object) -> np.ndarray:
        self.asked += 1
        said = np.zeros((len(x), len(LABELS)), np.float32)
        if self.sure is None:
            said[:, :2] = 0.5
        else:
            said[:, self.sure] = 1.0
        return said


@pytest.fixture(scope="module")
def parts(small: Data) -> Split:
    return split(small, 0.1, 200)


def test_a_lesson_serves_two_epochs_and_every_seed(small: Data, parts: Split) -> None:
    with lessons_for(small, parts, QUICK, None) as lessons:
        first, second, third = (lessons.epoch(number) for number in (1, 2, 3))
    assert first[0].shape == (180, 28, 28, 1) and first[0].dtype == np.float32 and first[0].max() == 1.0
    assert first[1].shape == (180, 11) and (first[1].sum(axis=1) == 1).all()
    assert (first[0] == second[0]).all() and (first[0] != third[0]).any()
    with lessons_for(small, parts, replace(QUICK, seed=9), None) as lessons:
        assert (lessons.epoch(3)[0] == third[0]).all()
        assert lessons.held is not None and len(lessons.held[0]) == 40


def test_what_a_teacher_said_is_kept_and_mixed_with_what_is_true(small: Data, parts: Split, tmp_path: Path) -> None:
    oracle = Oracle()
    teacher = Teacher(network=oracle, folder=tmp_path)
    with lessons_for(small, parts, QUICK, teacher) as lessons:
        x, y = lessons.epoch(1)
    assert oracle.asked == 1 and np.allclose(y.sum(axis=1), 1, atol=1e-5)
    kept = next((tmp_path / "lessons").glob("*.npz"))
    with lessons_for(small, parts, replace(QUICK, seed=2), teacher) as lessons:
        again = lessons.epoch(1)
    assert oracle.asked == 1 and (again[0] == x).all() and np.allclose(again[1], y)
    kept.write_bytes(kept.read_bytes()[:5000])  # as after a crash of the disk
    with lessons_for(small, parts, QUICK, teacher) as lessons:
        assert (lessons.epoch(2)[0] == x).all()
    assert oracle.asked == 2


def test_targets_trust_the_teacher_by_so_much_and_soften_it() -> None:
    said = np.zeros((1, 11), np.float32)
    said[0, 3], said[0, 5] = 0.9, 0.1
    lesson = Lesson(images=np.zeros((1, 28, 28), np.uint8), labels=np.array([3]), said=said)
    soft = np.array([0.9, 0.1]) ** (1 / SOFTENING)
    soft /= soft.sum()
    target = lesson.targets()[0]
    assert target[3] == pytest.approx(1 - TRUST + TRUST * soft[0], abs=0.01)
    assert target[5] == pytest.approx(TRUST * soft[1], abs=0.01)
    assert (Lesson(images=lesson.images, labels=lesson.labels).targets()[0] == np.eye(11)[3]).all()


def test_no_doubt_is_left_in_the_finish_that_a_digit_is_one() -> None:
    said = np.zeros((3, 11), np.float32)
    said[0, [4, NONE]], said[1, NONE], said[2, [7, NONE]] = (0.2, 0.8), 1.0, (0.4, 0.6)
    sure = surely_digits(said, np.array([4, 2, NONE]))
    assert sure[0, 4] == 1 and sure[0, NONE] == 0
    assert np.isfinite(sure).all() and sure[1, NONE] == 0, "the teacher saw nothing but what is no digit"
    assert (sure[2] == said[2]).all(), "what is no digit is doubted as before"


def test_only_the_finish_leaves_the_teachers_doubt_out(small: Data, parts: Split, tmp_path: Path) -> None:
    with lessons_for(small, parts, QUICK, Teacher(network=Oracle(sure=NONE), folder=tmp_path)) as lessons:
        main, finish = (lessons.epoch(number)[1] for number in (1, QUICK.epochs))
    assert (main[:, NONE] > TRUST / 2).all()
    digits = finish[:, NONE] < 0.1  # a teacher who sees no digit at all finds all digits as likely
    assert digits.any() and (finish[~digits, NONE] > 0.9).all(), "and what is no digit keeps it"


def test_held_back_digits_are_plain_first_then_from_paper(small: Data, parts: Split) -> None:
    images, labels = held_back(parts, HELDBACK)
    assert (images[:20] == parts.x_heldback).all() and (labels[:20] == parts.y_heldback).all()
    assert len(images) == 40 and (images[20:] != images[:20]).any() and set(labels) <= set(range(NONE + 1))
    none = replace(parts, x_heldback=parts.x_heldback[:0], y_heldback=parts.y_heldback[:0])
    assert len(held_back(none, HELDBACK)[0]) == 0


def test_the_lecture_is_shown_the_same_in_every_epoch(small: Data, parts: Split) -> None:
    with lessons_for(small, parts, FitSettings(limit=200), None) as lessons:
        assert isinstance(lessons, PlainLessons) and lessons.epoch(1)[0] is lessons.epoch(2)[0]


def test_a_paper_run_knows_none_and_resumes_to_the_weights_of_an_unbroken_one(
    small: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = replace(QUICK, epochs=3, limit=100)
    assert quick.finish_epochs == 1
    whole = start(quick, small, tmp_path / "whole")
    assert whole.labels == LABELS and whole.settings.schedule == "cosine"
    train_epoch = fitting.run_epoch

    def stopped(*args: object) -> object:
        if args[2] == 3:
            raise KeyboardInterrupt
        return train_epoch(*args)  # type: ignore[arg-type]

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(fitting, "run_epoch", stopped)
        start(quick, small, tmp_path / "broken")
    assert Record.read(tmp_path / "broken").epochs_done == 2
    train_on(tmp_path / "broken")
    one, other = (load(tmp_path / name / "model.keras").get_weights() for name in ("whole", "broken"))
    assert all((a == b).all() for a, b in zip(one, other, strict=True))
    with np.load(tmp_path / "whole" / "representative.npz") as content:
        assert NONE in content["labels"] and len(content["heldback_images"]) == 20


def test_paper_needs_digits_and_only_paper_has_a_teacher(small: Data, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="reads the ten digits"):
        start(QUICK, replace(small, labels=tuple("abcdefghij")), tmp_path / "run")
    with pytest.raises(UsageError, match="learns from labels alone"):
        start(FitSettings(), small, tmp_path / "run", teacher=tmp_path)
