"""What a network is shown in each epoch: arrays that stay, or digits from paper, new ones made while it trains."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

import numpy as np

from edge.inference.manifest import DIGITS
from edge.values import NOT_A_DIGIT
from train.data import Data, Images, Labels, Split, Tensors, as_input, one_hot
from train.judge import Probabilities, ask
from train.model import Model
from train.run import make_folder, write_file
from train.settings import FitSettings
from train.stream import FINISH, FIRST, LAST, NONE, UNSEEN, Mix, synthesise

LABELS = (*DIGITS, NOT_A_DIGIT)
# Making a picture takes about as long as learning from it: each serves the paper network two epochs, in other order.
# The teacher learns more slowly, and can have new ones every time.
REPEATS = {"paper": 2, "teacher": 1}
# The share of the epochs, at the end, that is nearer to MNIST.
LAST_SHARE = 0.25
# Held back are so many plain digits and as many synthesised from them: a threshold hangs on the few that are misread.
HELDBACK = 6000
# Enough to draw a thousand of, even over the labels.
SAMPLE = 4000
# What the teacher says counts so much, what is true the rest; the teacher's probabilities are softened by the root of
# so much (Hinton, Vinyals, Dean, Distilling the Knowledge in a Neural Network, 2015).
TRUST, SOFTENING = 0.7, 2.0
# Bump when `synthesise` makes other pictures: what was kept for other runs is then made anew.
_EDITION = 2
MIXES = {FIRST: "first", LAST: "last", FINISH: "finish"}


class Lessons(Protocol):
    """Pictures (n, 28, 28, 1) float32 and targets (n, L) for each epoch, and a pair held back to judge by, or None."""

    @property
    def held(self) -> tuple[Tensors, Tensors] | None:
        """The pair to judge by."""

    def epoch(self, number: int) -> tuple[Tensors, Tensors]:
        """What epoch `number`, from 1, trains on."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlainLessons:
    """The same arrays in every epoch."""

    x: Tensors
    y: Tensors
    held: tuple[Tensors, Tensors] | None

    @staticmethod
    def of(parts: Split, classes: int) -> PlainLessons:
        """The digits of a Split."""
        held = (as_input(parts.x_heldback), one_hot(parts.y_heldback, classes)) if len(parts.x_heldback) else None
        return PlainLessons(x=as_input(parts.x_train), y=one_hot(parts.y_train, classes), held=held)

    def epoch(self, number: int) -> tuple[Tensors, Tensors]:
        """The arrays."""
        return self.x, self.y


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lesson:
    """Pictures (n, 28, 28) uint8, labels (n,) in 0 to 10, and what a teacher, if there is one, said of them (n, 11)."""

    images: Images
    labels: Labels
    said: Probabilities | None = None

    def targets(self) -> Tensors:
        """Rows (n, 11) to learn: what is true, mixed with the teacher's softened probabilities."""
        true = one_hot(self.labels, len(LABELS))
        if self.said is None:
            return true
        soft = np.maximum(self.said.astype(np.float32), 1e-7) ** np.float32(1 / SOFTENING)
        return np.asarray((1 - TRUST) * true + TRUST * soft / soft.sum(axis=1, keepdims=True), np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Teacher:
    """A trained network that says how sure one can be of a picture, and the folder where its answers are kept."""

    network: Model
    folder: Path


@dataclass(slots=True, kw_only=True, eq=False)
class PaperLessons:
    """Digits as they come from paper: a lesson for every two epochs, the next made by another process meanwhile.

    Lessons hang on the digits and the epoch, not on the run's seed: runs that differ by seed see the same pictures and
    share what a teacher said of them.
    """

    parts: Split
    settings: FitSettings
    held: tuple[Tensors, Tensors] | None
    teacher: Teacher | None
    key: str
    maker: ProcessPoolExecutor
    now: tuple[int, Lesson] | None = None
    coming: dict[int, Future[tuple[Images, Labels]]] = field(default_factory=dict)

    def epoch(self, number: int) -> tuple[Tensors, Tensors]:
        """What epoch `number`, from 1, trains on."""
        at = self._at(number)
        if self.now is None or self.now[0] != at:
            self.now = at, self._lesson(at)
        if at < self._at(max(number, self.settings.epochs)) and not self._kept(at + 1).is_file():
            self._order(at + 1)
        lesson = self.now[1]
        return as_input(lesson.images), lesson.targets()

    def pictures(self) -> tuple[Images, Labels]:
        """Some of the pictures (n, 28, 28) uint8 of the first lesson, as the network sees them, and labels 0 to 10."""
        x, y = self.parts.x_train, self.parts.y_train
        return synthesise(x, y, self._mix(0), n=min(SAMPLE, len(x)), seed=0)

    @property
    def _main(self) -> int:
        """Epochs before the finish, which has lessons of its own."""
        return self.settings.epochs - self.settings.finish_epochs

    def _at(self, epoch: int) -> int:
        repeats = REPEATS[self.settings.model]
        if epoch <= self._main:
            return (epoch - 1) // repeats
        return -(-self._main // repeats) + (epoch - self._main - 1) // repeats

    def _mix(self, at: int) -> Mix:
        """Nearer to MNIST towards the end."""
        last = self._at(self._main)
        if at > last:
            return FINISH
        return LAST if at > last * (1 - LAST_SHARE) else FIRST

    def _order(self, at: int) -> Future[tuple[Images, Labels]]:
        if at not in self.coming:
            x, y = self.parts.x_train, self.parts.y_train
            self.coming[at] = self.maker.submit(synthesise, x, y, self._mix(at), n=len(x), seed=0, epoch=at)
        return self.coming[at]

    def _lesson(self, at: int) -> Lesson:
        kept = self._kept(at)
        if self.teacher and kept.is_file() and (lesson := _read(kept)):
            return lesson
        images, labels = self._order(at).result()
        del self.coming[at]
        if not self.teacher:
            return Lesson(images=images, labels=labels)
        said = ask(self.teacher.network, images)
        if self._mix(at) is FINISH:
            said = surely_digits(said, labels)
        lesson = Lesson(images=images, labels=labels, said=said)
        make_folder(kept.parent)
        _write(kept, lesson)
        return lesson

    def _kept(self, at: int) -> Path:
        folder = self.teacher.folder if self.teacher else Path()
        return folder / "lessons" / f"{self.key}-{at:03}-{MIXES[self._mix(at)]}.npz"


@contextmanager
def lessons_for(data: Data, parts: Split, settings: FitSettings, teacher: Teacher | None) -> Iterator[Lessons]:
    """The lessons of a run; a process that makes them ahead lives as long as they are open."""
    if not settings.synthesised:
        yield PlainLessons.of(parts, len(data.labels))
        return
    key = hashlib.sha256(repr((_EDITION, data.sha256, len(parts.x_train), *MIXES)).encode()).hexdigest()[:12]
    x, y = held_back(parts, HELDBACK)
    held = (as_input(x), one_hot(y, len(LABELS))) if len(x) else None
    # A fresh process: a fork of one that runs TensorFlow's threads may stand still for ever.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_calm) as maker:
        try:
            yield PaperLessons(parts=parts, settings=settings, held=held, teacher=teacher, key=key, maker=maker)
        finally:
            maker.shutdown(wait=False, cancel_futures=True)


def surely_digits(said: Probabilities, labels: Labels) -> Probabilities:
    """Probabilities (n, 11) without doubt, where the label (n,) is a digit, whether it is one.

    A network that learns this doubt refuses clean digits that it would otherwise read.
    """
    sure = said.copy()
    sure[labels != NONE, NONE] = 0.0
    return np.asarray(sure / np.maximum(sure.sum(axis=1, keepdims=True), 1e-7), np.float32)


def held_back(parts: Split, n: int) -> tuple[Images, Labels]:
    """The first n held-back digits as they are, then n synthesised of them as from paper, with labels 0 to 10.

    Never trained on: what confidence means, and which seed ships, is found out here.
    """
    x, y = parts.x_heldback[:n], parts.y_heldback[:n]
    if not len(x):
        return x, y
    images, labels = synthesise(x, y, UNSEEN, n=len(x), seed=1)
    return np.concatenate((x, images)), np.concatenate((y, labels))


def _calm() -> None:
    """In the process that makes lessons: one thread, and Ctrl-C is the parent's to hear."""
    import signal

    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)


def _write(place: Path, lesson: Lesson) -> None:
    if lesson.said is None:
        raise ValueError("only a lesson that the teacher has spoken to is kept")
    content = io.BytesIO()
    np.savez(content, images=lesson.images, labels=lesson.labels.astype(np.uint8), said=lesson.said.astype(np.float16))
    write_file(place, content.getvalue())


def _read(place: Path) -> Lesson | None:
    """A kept lesson; None if the file is damaged, for it can be made again."""
    try:
        # Opened here, for numpy leaves a damaged file open.
        with place.open("rb") as stream, np.load(stream, allow_pickle=False) as kept:
            return Lesson(images=kept["images"], labels=kept["labels"].astype(np.int64), said=kept["said"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
