"""What the paper network sees, epoch by epoch: plain, mild and paper-like digits, drawn forms, and what is no digit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge.sources.digits import load_digits
from train.augment import DRAWN, bend, mild_digit, on_paper, paper_digit
from train.data import Images, Labels
from train.negatives import negative
from train.strokes import draw_digit

# So many pictures have one generator of random numbers: any block can be made without those before it.
BLOCK = 500
NONE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Shares of an epoch, summing to 1: MNIST as it is, mildly bent, as from paper, drawn forms, and no digits."""

    plain: float
    mild: float
    paper: float
    drawn: float
    none: float


# Most of the way distorted, for paper; the last part nearer to MNIST, whose own test is judged too.
FIRST = Mix(plain=0.08, mild=0.27, paper=0.38, drawn=0.14, none=0.13)
LAST = Mix(plain=0.25, mild=0.25, paper=0.27, drawn=0.11, none=0.12)
FINISH = Mix(plain=0.25, mild=0.40, paper=0.18, drawn=0.09, none=0.08)
# Held back to calibrate by: nothing plain, for paper is where confidence is needed.
UNSEEN = Mix(plain=0.0, mild=0.1, paper=0.55, drawn=0.15, none=0.20)


def synthesise(digits: Images, labels: Labels, mix: Mix, *, n: int, seed: int, epoch: int = 0) -> tuple[Images, Labels]:
    """Tensors (n, 28, 28) uint8 and labels (n,) in 0 to 10, made of MNIST digits (m, 28, 28) and labels 0 to 9.

    Hangs on the arguments alone. Every digit of the given is used once before any is used again.
    """
    images, kinds = np.zeros((n, *digits.shape[1:]), np.uint8), np.zeros(n, np.int64)
    order = np.concatenate([
        np.random.default_rng((seed, epoch, lap)).permutation(len(digits)) for lap in range(-(-n // len(digits)))
    ])  # fmt: skip
    for start in range(0, n, BLOCK):
        rng = np.random.default_rng((seed, epoch, start, 1))
        for at in range(start, min(n, start + BLOCK)):
            images[at], kinds[at] = _one(rng, digits, labels, int(order[at]), mix)
    return images, kinds


def augmented_sheet_samples(seed: int, n: int) -> tuple[Images, Labels]:
    """Pictures (n, 28, 28) uint8 as the network is shown them, and labels 0 to 10; made of the digits that ship."""
    images, labels = load_digits()
    return synthesise(images, labels.astype(np.int64), FIRST, n=n, seed=seed)


def _one(rng: np.random.Generator, digits: Images, labels: Labels, at: int, mix: Mix) -> tuple[Images, int]:
    digit, label, draw = digits[at], int(labels[at]), rng.random()
    if draw < mix.plain:
        return digit, label
    if (draw := draw - mix.plain) < mix.mild:
        return mild_digit(rng, digit), label
    if (draw := draw - mix.mild) < mix.paper:
        return paper_digit(rng, digit), label
    if draw - mix.paper < mix.drawn:
        height = rng.uniform(34, 44)
        ink = draw_digit(rng, label, height_px=height, pen_px=height * rng.uniform(0.04, 0.17))
        return on_paper(rng, bend(rng, ink, DRAWN, zoom=min(1.0, 56 / max(ink.shape)))), label
    return negative(rng, digits, labels), NONE
