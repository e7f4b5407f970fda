"""A sure digit is looked at once; a doubtful one is turned to either side, and what all looks allow is said."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
import pytest

from edge.imaging.tensors import fit_digit
from edge.inference.classifier import Classifier
from edge.reading.looks import look_at
from edge.sources.digits import load_digits
from edge.values import Image, Prediction


class Says:
    """A classifier that says what it is told, tensor by tensor, and keeps the tensors."""

    def __init__(self, *shares: tuple[float, float]) -> None:
        self._shares = list(shares)
        self.seen: list[Image] = []

    def predict(self, tensors: Image) -> tuple[Prediction, ...]:
        """The next predictions: how probable 4 and 9 are."""
        said = []
        for tensor in tensors:
            self.seen.append(tensor)
            four, nine = self._shares.pop(0)
            ranked = sorted([("4", four), ("9", nine), ("none", 1 - four - nine)], key=lambda pair: -pair[1])
            said.append(Prediction(label=ranked[0][0], confidence=ranked[0][1], alternatives=tuple(ranked[1:])))
        return tuple(said)


def ink(index: int = 4) -> Image:
    return cv2.resize(load_digits()[0][index], (40, 40), interpolation=cv2.INTER_CUBIC)


def test_a_sure_digit_is_looked_at_once() -> None:
    says = Says((0.99, 0.005))
    seen = look_at(ink(), cast(Classifier, says))
    assert len(says.seen) == 1
    assert (seen.prediction.label, seen.prediction.confidence) == ("4", 0.99)
    assert (seen.tensor == fit_digit(ink())).all()


def test_a_doubtful_digit_is_turned_to_either_side() -> None:
    says = Says((0.5, 0.4), (0.2, 0.7), (0.3, 0.6))
    seen = look_at(ink(), cast(Classifier, says))
    plain, one, other = says.seen
    assert (seen.tensor == plain[:, :, 0]).all()
    assert not (one == plain).all() and not (other == plain).all() and not (one == other).all()
    nine, four = (0.4 * 0.7 * 0.6) ** (1 / 3), (0.5 * 0.2 * 0.3) ** (1 / 3)
    none = 0.1
    assert seen.prediction.label == "9"
    assert seen.prediction.confidence == pytest.approx(nine / (nine + four + none))
    shares = [seen.prediction.confidence, *(share for _, share in seen.prediction.alternatives)]
    assert sum(shares) == pytest.approx(1.0) and sorted(shares, reverse=True) == shares


def test_one_look_alone_does_not_rule_a_label_out() -> None:
    says = Says((0.9, 0.1), (0.9, 0.1), (0.0, 0.01))
    assert look_at(ink(), cast(Classifier, says)).prediction.label == "9"
    says = Says((0.96, 0.0), (0.96, 0.0), (0.3, 0.4))
    assert look_at(ink(), cast(Classifier, says)).prediction.label == "4"


def test_no_ink_is_no_error() -> None:
    assert look_at(np.zeros((5, 5), np.uint8), cast(Classifier, Says(*[(0.5, 0.3)] * 3))).tensor.shape == (28, 28)
