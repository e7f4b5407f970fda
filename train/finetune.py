"""A network goes on learning from digits that people corrected, and is judged before and after by pages it never saw.

What it knew is kept in four ways: most of what it is shown is MNIST and synthesis, there it learns what it said itself
before (Li, Hoiem, Learning without Forgetting, 2016), its batch statistics stay, and its weights go only so far of the
way to what was learned as training digits bear that were held back. MNIST's test chooses nothing: it measures.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge.errors import GateError, ModelError, UsageError
from edge.inference.interval import wilson
from edge.values import NOT_A_DIGIT
from train import lessons
from train.correction_lessons import OLD, CorrectionLessons
from train.corrections import Corrections, read_corrections
from train.data import Data, Images, Labels, Split, Tensors, load_data, representative, split
from train.fit import REPRESENTATIVE_DIGITS, check_free, run_epoch, train_epochs
from train.judge import ask
from train.model import Model, compile_model, open_keras
from train.progress import say
from train.run import REPRESENTATIVE, Record, begin, data_record, load_trained, save_model, versions, write_file
from train.settings import FitSettings
from train.stream import synthesise

# The weights go the first of these parts of the way that the digits held back bear. Errors on the new hand fall faster
# along it than those on MNIST rise (Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022).
WAYS = (0.5, 0.45, 0.4, 0.35, 0.3, 0.2)
# Points of accuracy that may be lost on MNIST: of its test's 10,000 digits five, which is what another seed does too.
# Of what is synthesised as from paper one in twenty is misread; fifteen in two thousand more, most of them things that
# are no digits, are borne for half of a writer's errors.
MOST_DROP_POINTS = 0.05
MOST_PAPER_DROP_POINTS = 0.75


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
    if not len(parts.x_heldback):
        raise UsageError(
            "--validation-split: how far to go is found by old digits that are held back; give 0.05 or more"
        )
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
    shown = CorrectionLessons.of(trained.network, trained.labels, parts, corrections, settings)
    kept = _kept(record, parts)
    _write_representative(aside, record, parts, corrections, kept)
    known = trained.network.get_weights()
    remembered = [one.score(trained.network) for one in kept]
    network = _unforgetting(trained.network, settings)
    record = train_epochs(
        network,
        record,
        aside,
        (),
        lambda epoch: run_epoch(network, settings, epoch, *shown.epoch(epoch), shown.held),
    )
    way, stays = _go(network, known, kept, remembered)
    say(f"{run}: {way:.0%} of the way from the weights as they were")
    for one, was, now in zip(kept, remembered, stays, strict=True):
        say(f"{one.name} digits held back: {was} before, {now} after")
    after = _score(network, corrections, data)
    gain = Gain(corrected=(before[0], after[0]), mnist=(before[1], after[1]))
    save_model(aside, network)
    figures = {
        "corrections": {
            "sha256": corrections.sha256,
            "taught": len(corrections.x),
            "pages": list(corrections.pages),
            "heldback": _figures(gain.corrected),
            "mnist": _figures(gain.mnist),
            "way": way,
            **{one.name: _figures(pair) for one, *pair in zip(kept, remembered, stays, strict=True)},
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


def _go(
    network: Model, known: Sequence[Tensors], kept: Sequence[_Kept], remembered: Sequence[Score]
) -> tuple[float, list[Score]]:
    """Put the network as far on the way from known weights to its own as kept digits bear; how far, and their scores.

    remembered: their scores at the known weights. Where they do not bear even the least way, that is gone, and said.
    """
    learned = network.get_weights()
    for way in WAYS:
        network.set_weights([(1 - way) * old + way * new for old, new in zip(known, learned, strict=True)])
        stays = [one.score(network) for one in kept]
        if all(one.borne(was, now) for one, was, now in zip(kept, remembered, stays, strict=True)):
            return way, stays
    for one, was, now in zip(kept, remembered, stays, strict=True):
        if not one.borne(was, now):
            say(f"{one.name} digits held back: loses more than {one.most_drop_points} points even so")
    return way, stays


def _figures(pair: Sequence[Score]) -> dict[str, float | int]:
    before, after = pair
    return {"n": before.n, "before": round(before.percent, 3), "after": round(after.percent, 3)}


def _score(network: Model, corrections: Corrections, data: Data) -> tuple[Score, Score]:
    """Right on the corrections held back, and on the test digits."""
    return (
        _right(network, corrections.x_heldback, corrections.y_heldback),
        _right(network, data.x_test, data.y_test),
    )


def _right(network: Model, x: Images, y: Labels) -> Score:
    return Score(right=int(np.count_nonzero(ask(network, x).argmax(axis=1) == y)), n=len(x))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Kept:
    """Old digits that were held back, (n, 28, 28) and labels (n,), and how many points on them may be lost."""

    name: str
    x: Images
    y: Labels
    most_drop_points: float

    def score(self, network: Model) -> Score:
        """How many of them a network reads."""
        return _right(network, self.x, self.y)

    def borne(self, before: Score, after: Score) -> bool:
        """Whether no more is lost; one digit is none."""
        return before.right - after.right <= max(1.0, self.most_drop_points / 100 * before.n + 1e-9)


def _kept(record: Record, parts: Split) -> tuple[_Kept, ...]:
    """What the way is chosen by: digits held back as they are, and for a network of paper those made of them."""
    x, y, n = parts.x_heldback, parts.y_heldback, len(parts.x_heldback[: lessons.HELDBACK])
    if NOT_A_DIGIT in record.labels:
        x, y = lessons.held_back(parts, lessons.HELDBACK)
    plain = _Kept(name="old", x=x[:n], y=y[:n], most_drop_points=MOST_DROP_POINTS)
    if len(x) == n:
        return (plain,)
    return plain, _Kept(name="paper", x=x[n:], y=y[n:], most_drop_points=MOST_PAPER_DROP_POINTS)


def _unforgetting(network: Model, settings: FitSettings) -> Model:
    """The network ready to learn on, its batch statistics as they were: digits of one hand would bend them."""
    for layer in network.layers:
        layer.trainable = type(layer).__name__ != "BatchNormalization"
    compile_model(network, settings.learning_rate, weight_decay=settings.weight_decay)
    return network


def _write_representative(
    run: Path, record: Record, parts: Split, corrections: Corrections, kept: tuple[_Kept, ...]
) -> None:
    """What the quantizer sees and confidence is fitted on: old and new digits, and both held back."""
    x, y = parts.x_train, parts.y_train
    if NOT_A_DIGIT in record.labels:
        x, y = synthesise(x, y, OLD, n=lessons.SAMPLE, seed=0)
    x, y = np.concatenate((x[: lessons.SAMPLE], corrections.x)), np.concatenate((y[: lessons.SAMPLE], corrections.y))
    images, labels = representative(
        x, y, classes=len(record.labels), n=REPRESENTATIVE_DIGITS, seed=record.settings.seed
    )
    content = io.BytesIO()
    np.savez_compressed(
        content,
        images=images,
        labels=labels,
        heldback_images=np.concatenate((*(one.x for one in kept), corrections.x_heldback)),
        heldback_labels=np.concatenate((*(one.y for one in kept), corrections.y_heldback)).astype(np.uint8),
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
