"""A network goes on learning from digits that people corrected, and is judged before and after by pages it never saw.

What it knew is kept in four ways: most of what it is shown is MNIST and synthesis, there it learns what it said itself
before as much as what is true (Li, Hoiem, Learning without Forgetting, 2016), its batch statistics stay, and its
weights go only a part of the way.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge.errors import GateError, ModelError
from edge.inference.interval import wilson
from edge.values import NOT_A_DIGIT
from train import lessons
from train.augment import mild_digit
from train.corrections import Corrections, read_corrections
from train.data import Data, Images, Labels, Split, Tensors, as_input, load_data, one_hot, representative, split
from train.fit import REPRESENTATIVE_DIGITS, check_free, run_epoch, train_epochs
from train.judge import Probabilities, ask
from train.lessons import surely_digits
from train.model import Model, compile_model, open_keras
from train.progress import say
from train.run import REPRESENTATIVE, Record, begin, data_record, load_trained, save_model, versions, write_file
from train.settings import FitSettings
from train.stream import Mix, synthesise

# Of what each epoch shows, so many are old, and beside them this share of corrections, as they are or mildly bent.
OLD_DIGITS = 12_000
NEW_SHARE = 0.25
# Old digits mostly as MNIST has them, where forgetting is counted; the rest keeps paper and what is no digit in mind.
_OLD = Mix(plain=0.5, mild=0.2, paper=0.18, drawn=0.06, none=0.06)
# The weights go the first of these parts of the way that MNIST bears. Errors on the new hand fall faster along
# it than those on MNIST rise (Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022).
WAYS = (0.8, 0.6, 0.5, 0.4, 0.3, 0.2)
# MNIST's test has 10,000 digits: five of them more or less are what another seed does too.
MOST_DROP_POINTS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How many of n digits are read right."""

    right: int
    n: int

    @property
    def percent(self) -> float:
        """Right ones of a hundred."""
        return 100 * self.right / self.n

    def __str__(self) -> str:
        low, high = wilson(self.right, self.n)
        return f"{self.percent:.2f} % (n={self.n:,}, {100 * low:.2f}–{100 * high:.2f})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """The network before and after, on corrections held back and on MNIST's test."""

    corrected: tuple[Score, Score]
    mnist: tuple[Score, Score]

    @property
    def forgotten(self) -> bool:
        """True if MNIST became worse."""
        return self.mnist[0].percent - self.mnist[1].percent > MOST_DROP_POINTS + 1e-9

    @property
    def worse(self) -> str:
        """What became worse; empty if nothing did."""
        if self.corrected[1].right < self.corrected[0].right:
            return "on the corrections held back"
        if self.forgotten:
            return f"on MNIST, by more than {MOST_DROP_POINTS} points"
        return ""

    def __str__(self) -> str:
        rows = (("corrections held back", self.corrected), ("MNIST test", self.mnist))
        return "\n".join(f"{name}: {before} before, {after} after" for name, (before, after) in rows)


def finetune(
    settings: FitSettings, folder: Path, run: Path, *, base: Path, force: bool = False, accept_worse: bool = False
) -> Gain:
    """Train the network of the RUN `base` on with the corrections in folder, into `run`, and tell what it gained.

    The old digits are those that base was trained on, MNIST otherwise. A run that is refused stays as `run.part`.
    Raises GateError if it is worse on either set and not accept_worse; UsageError, SourceError, ModelError, SinkError.
    """
    check_free(run, force=force)
    trained = load_trained(base)
    if trained.record is not None and trained.record.model == "strip":
        raise ModelError(f"--from {base}: reads whole numbers; corrections are digits, so name a digit network")
    own = trained.record
    data = load_data(Path(own.source) if own and own.source else None)
    corrections = read_corrections(folder, trained.labels, seed=settings.seed)
    parts = split(data, settings.validation_split, settings.limit)
    open_keras().utils.set_random_seed(settings.seed)
    before = _score(trained.network, corrections, data)
    aside = run.with_name(run.name + ".part")
    model = own.model if own else ("paper" if NOT_A_DIGIT in trained.labels else "lecture")
    settings = replace(settings, model=model)
    record = Record(
        model=model,
        labels=trained.labels,
        settings=settings,
        data=replace(data_record(data, len(parts.x_train), len(parts.x_heldback)), name=f"{data.name}+corrections"),
        parameters=int(trained.network.count_params()),
        source=data.source,
        based_on=str(base),
        versions=versions(),
    )
    begin(aside, record)
    shown = _Lessons.of(trained.network, trained.labels, parts, corrections, settings)
    _write_representative(aside, record, parts, corrections)
    known = trained.network.get_weights()
    network = _unforgetting(trained.network, settings)
    record = train_epochs(
        network,
        record,
        aside,
        (),
        lambda epoch: run_epoch(network, settings, epoch, *shown.epoch(epoch), shown.held),
    )
    learned = network.get_weights()
    for way in WAYS:
        network.set_weights([(1 - way) * old + way * new for old, new in zip(known, learned, strict=True)])
        after = _score(network, corrections, data)
        gain = Gain(corrected=(before[0], after[0]), mnist=(before[1], after[1]))
        if not gain.forgotten:
            break
    say(f"{run}: {way:.0%} of the way from the weights as they were")
    save_model(aside, network)
    figures = {
        "corrections": {
            "sha256": corrections.sha256,
            "taught": len(corrections.x),
            "pages": list(corrections.pages),
            "heldback": _figures(gain.corrected),
            "mnist": _figures(gain.mnist),
        }
    }
    replace(record, metrics={**record.metrics, **figures}).write(aside)
    say(str(gain))
    if gain.worse and not accept_worse:
        raise GateError(
            f"{run}: worse {gain.worse}; what was learned is in {aside}. --accept-worse takes it all the same"
        )
    _put(aside, run)
    return gain


def _figures(pair: tuple[Score, Score]) -> dict[str, float | int]:
    before, after = pair
    return {"n": before.n, "before": round(before.percent, 3), "after": round(after.percent, 3)}


def _score(network: Model, corrections: Corrections, data: Data) -> tuple[Score, Score]:
    """Right on the corrections held back, and on the test digits."""

    def right(x: Images, y: Labels) -> Score:
        return Score(right=int(np.count_nonzero(ask(network, x).argmax(axis=1) == y)), n=len(x))

    return right(corrections.x_heldback, corrections.y_heldback), right(data.x_test, data.y_test)


def _unforgetting(network: Model, settings: FitSettings) -> Model:
    """The network ready to learn on, its batch statistics as they were: digits of one hand would bend them."""
    for layer in network.layers:
        layer.trainable = type(layer).__name__ != "BatchNormalization"
    compile_model(network, settings.learning_rate, weight_decay=settings.weight_decay)
    return network


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Lessons:
    """What each epoch shows: new digits among old ones, and a pair held back of both."""

    old: Images
    targets: Tensors
    corrections: Corrections
    classes: int
    seed: int
    held: tuple[Tensors, Tensors]

    @staticmethod
    def of(
        network: Model, labels: tuple[str, ...], parts: Split, corrections: Corrections, settings: FitSettings
    ) -> _Lessons:
        classes = len(labels)
        n = min(OLD_DIGITS * settings.epochs, 4 * len(parts.x_train))
        if NOT_A_DIGIT in labels:
            images, kinds = synthesise(parts.x_train, parts.y_train, _OLD, n=n, seed=settings.seed)
        else:
            order = np.random.default_rng(settings.seed).permutation(len(parts.x_train))[:n]
            images, kinds = parts.x_train[order], parts.y_train[order]
        said = ask(network, images)
        if NOT_A_DIGIT in labels:
            said = surely_digits(said, kinds)
        # Half of what is held back is new, half old: the history shows both.
        count = min(len(parts.x_heldback), max(500, len(corrections.x_heldback)))
        x = np.concatenate((corrections.x_heldback, parts.x_heldback[:count]))
        y = np.concatenate((corrections.y_heldback, parts.y_heldback[:count]))
        return _Lessons(
            old=images,
            targets=_remembered(kinds, said),
            corrections=corrections,
            classes=classes,
            seed=settings.seed,
            held=(as_input(x), one_hot(y, classes)),
        )

    def epoch(self, number: int) -> tuple[Tensors, Tensors]:
        """The pictures and targets of epoch `number`, from 1."""
        rng = np.random.default_rng((self.seed, number))
        old = np.arange((number - 1) * OLD_DIGITS, number * OLD_DIGITS) % len(self.old)
        new = rng.permutation(
            np.resize(np.arange(len(self.corrections.x)), int(len(old) * NEW_SHARE / (1 - NEW_SHARE)))
        )
        pictures = self.corrections.x[new]
        bent = np.stack([mild_digit(rng, one) if rng.random() < 0.5 else one for one in pictures])
        targets = np.concatenate((self.targets[old], one_hot(self.corrections.y[new], self.classes)))
        return as_input(np.concatenate((self.old[old], bent))), targets


def _remembered(labels: Labels, said: Probabilities) -> Tensors:
    """Rows (n, L) to learn of old digits: half what is true, half what the network said itself before."""
    return np.asarray((one_hot(labels, said.shape[1]) + said) / 2, np.float32)


def _write_representative(run: Path, record: Record, parts: Split, corrections: Corrections) -> None:
    """What the quantizer sees and confidence is fitted on: old and new digits, and both held back."""
    x, y, held, held_y = parts.x_train, parts.y_train, parts.x_heldback, parts.y_heldback
    if NOT_A_DIGIT in record.labels:
        x, y = synthesise(x, y, _OLD, n=lessons.SAMPLE, seed=0)
        held, held_y = lessons.held_back(parts, lessons.HELDBACK)
    x, y = np.concatenate((x[: lessons.SAMPLE], corrections.x)), np.concatenate((y[: lessons.SAMPLE], corrections.y))
    images, labels = representative(
        x, y, classes=len(record.labels), n=REPRESENTATIVE_DIGITS, seed=record.settings.seed
    )
    content = io.BytesIO()
    np.savez_compressed(
        content,
        images=images,
        labels=labels,
        heldback_images=np.concatenate((held, corrections.x_heldback)),
        heldback_labels=np.concatenate((held_y, corrections.y_heldback)).astype(np.uint8),
    )
    write_file(run / REPRESENTATIVE, content.getvalue())


def _put(aside: Path, run: Path) -> None:
    """The finished run under its name; files of an earlier run there are replaced (--force)."""
    if not run.exists():
        aside.replace(run)
        return
    for file in aside.iterdir():
        file.replace(run / file.name)
    aside.rmdir()
