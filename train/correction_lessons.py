"""What a network that goes on with corrections is shown: old digits, the corrected ones, and old ones in their hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.imaging.tensors import fit_digit
from edge.values import NOT_A_DIGIT, Image
from train.augment import Distortion, bend
from train.corrections import Corrections
from train.data import Images, Labels, Split, Tensors, as_input, one_hot
from train.hand import Hand, hands_of, write
from train.judge import ask
from train.lessons import surely_digits
from train.model import Model
from train.settings import FitSettings
from train.stream import Mix, synthesise

# Of each epoch so many are old, so many corrected, and so many old ones in the hand of those.
OLD_DIGITS, NEW_DIGITS, IN_HAND = 12_000, 3000, 3000
# Old digits half as MNIST's writers put them, half from paper and what is no digit: beside so many digits of a new hand
# it is that which is forgotten first. Bent ones are where a network doubts, so there it is told most of what it said.
OLD = Mix(plain=0.15, mild=0.35, paper=0.25, drawn=0.05, none=0.2)
# What the network said itself counts so much in what it learns of old digits, what is true the rest.
_REMEMBERED = 0.9
# A corrected digit that the network misread is shown so many times as often as one that it read.
_MISREAD = 3.0
# Of the corrected digits so many are bent, as the same writer might have put them another time.
_BENT = 0.85
_AGAIN = Distortion(rotation=0.12, shear=0.15, log_scale=0.12, elastic_px=1.4)
_OTHER_PEN, _PEN_PX = 0.7, 0.35
# A hand is not the same in every digit: standard deviations of its lean, and of its pen in px.
_LEANS, _PENS = 0.08, 0.3
# A hand is found by so many other digits.
_OTHERS = 200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CorrectionLessons:
    """Pictures and targets for each epoch, and a pair held back, half of it corrections."""

    old: Images
    targets: Tensors
    plain: tuple[Images, Labels]
    corrections: Corrections
    often: npt.NDArray[np.float64]
    hands: tuple[Hand, ...]
    seed: int
    held: tuple[Tensors, Tensors]

    @staticmethod
    def of(
        network: Model, labels: tuple[str, ...], parts: Split, corrections: Corrections, settings: FitSettings
    ) -> CorrectionLessons:
        """The lessons of a network as it is before, whose outputs are labels."""
        classes = len(labels)
        n = min(OLD_DIGITS * settings.epochs, 4 * len(parts.x_train))
        rng = np.random.default_rng(settings.seed)
        if NOT_A_DIGIT in labels:
            images, kinds = synthesise(parts.x_train, parts.y_train, OLD, n=n, seed=settings.seed)
        else:
            order = rng.permutation(len(parts.x_train))[:n]
            images, kinds = parts.x_train[order], parts.y_train[order]
        said = ask(network, images)
        if NOT_A_DIGIT in labels:
            said = surely_digits(said, kinds)
        true = one_hot(kinds, classes)
        misread = ask(network, corrections.x).argmax(axis=1) != corrections.y
        often = np.where(misread, _MISREAD, 1.0)
        others = rng.permutation(len(parts.x_train))[:_OTHERS]
        # Half of what is held back is new, half old: the history shows both.
        count = min(len(parts.x_heldback), max(500, len(corrections.x_heldback)))
        x = np.concatenate((corrections.x_heldback, parts.x_heldback[:count]))
        y = np.concatenate((corrections.y_heldback, parts.y_heldback[:count]))
        return CorrectionLessons(
            old=images,
            targets=np.asarray(true + np.float32(_REMEMBERED) * (said - true), np.float32),
            plain=(parts.x_train, parts.y_train),
            corrections=corrections,
            often=often / often.sum(),
            hands=hands_of(
                corrections.x, corrections.y, corrections.page, parts.x_train[others], parts.y_train[others]
            ),
            seed=settings.seed,
            held=(as_input(x), one_hot(y, classes)),
        )

    def epoch(self, number: int) -> tuple[Tensors, Tensors]:
        """The pictures (n, 28, 28, 1) and targets (n, L) of epoch `number`, from 1."""
        rng = np.random.default_rng((self.seed, number))
        old = np.arange((number - 1) * OLD_DIGITS, number * OLD_DIGITS) % len(self.old)
        new = rng.choice(len(self.corrections.x), NEW_DIGITS, p=self.often)
        pictures = [self.old[old], np.stack([_again(rng, one) for one in self.corrections.x[new]])]
        classes = self.targets.shape[1]
        targets = [self.targets[old], one_hot(self.corrections.y[new], classes)]
        if self.hands:
            x, y = self.plain
            some = rng.choice(len(x), IN_HAND)
            pictures.append(np.stack([_in_hand(rng, one, self.hands) for one in x[some]]))
            targets.append(one_hot(y[some], classes))
        return as_input(np.concatenate(pictures)), np.concatenate(targets)


def _again(rng: np.random.Generator, digit: Image) -> Image:
    """A (28, 28) digit as its writer might have put it another time."""
    if rng.random() >= _BENT:
        return digit
    bent = fit_digit(bend(rng, digit, _AGAIN))
    return write(bent, Hand(pen_px=rng.normal(0, _PEN_PX))) if rng.random() < _OTHER_PEN else bent


def _in_hand(rng: np.random.Generator, digit: Image, hands: tuple[Hand, ...]) -> Image:
    """A (28, 28) digit as the writer of some page might have put it."""
    hand = hands[rng.integers(len(hands))]
    return write(digit, Hand(lean=hand.lean + rng.normal(0, _LEANS), pen_px=hand.pen_px + rng.normal(0, _PENS)))
