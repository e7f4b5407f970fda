"""A hand is known by how it leans and how wide its pen is, and other digits can be put in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.train.writers import in_hand
from train.hand import Hand, hands_of, look, write


@pytest.fixture(scope="module")
def digits(mnist_file: Path) -> tuple[np.ndarray, np.ndarray]:
    with np.load(mnist_file) as mnist:
        return mnist["x_train"][:360], mnist["y_train"][:360].astype(np.int64)


def written(digits: tuple[np.ndarray, np.ndarray], part: slice, *, slant: float, thick: int) -> np.ndarray:
    x, y = digits[0][part], digits[1][part]
    return np.stack([in_hand(one, int(label), slant=slant, thick=thick) for one, label in zip(x, y, strict=True)])


def test_a_digit_leans_and_its_pen_grows_by_as_much_as_is_asked(digits: tuple[np.ndarray, np.ndarray]) -> None:
    one = np.zeros((28, 28), np.uint8)
    one[4:24, 13:16] = 255
    lean, pen = look(one)
    assert lean == pytest.approx(0, abs=0.02) and pen == pytest.approx(3, abs=0.5)
    leaning = look(write(one, Hand(lean=0.5)))[0]
    assert leaning == pytest.approx(0.5, abs=0.1) and look(write(one, Hand(lean=-0.5)))[0] == pytest.approx(
        -leaning, abs=0.05
    )
    assert look(write(one, Hand(pen_px=1.5)))[1] > pen + 0.8 and look(write(one, Hand(pen_px=-1.0)))[1] < pen - 0.4
    assert look(np.zeros((28, 28), np.uint8)) == (0.0, 0.0)
    assert not write(np.zeros((28, 28), np.uint8), Hand(lean=1.0, pen_px=2.0)).any()


def test_each_page_has_the_hand_of_its_writer(digits: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = digits
    images = np.concatenate((
        written(digits, np.s_[:80], slant=0.7, thick=9), written(digits, np.s_[80:160], slant=-0.5, thick=0)
    ))  # fmt: skip
    hands = hands_of(images, y[:160], np.arange(160) // 40, x[160:], y[160:])
    assert len(hands) == 4
    for right, left in zip(hands[:2], hands[2:], strict=True):
        assert right.lean > 0.3 and right.pen_px > 0.8
        assert left.lean < -0.2 and left.pen_px < right.pen_px - 0.8


def test_a_page_of_few_digits_has_nearly_the_hand_of_all(digits: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = digits
    images = np.concatenate((written(digits, np.s_[:78], slant=0.7, thick=9), x[78:80]))
    all_, few = hands_of(images, y[:80], np.array([0] * 78 + [1] * 2), x[160:], y[160:])
    assert few.lean > all_.lean / 2


def test_labels_that_cannot_be_compared_are_passed_over(digits: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = digits
    none = np.full(10, 10, np.int64)
    assert hands_of(x[:10], none, np.zeros(10, np.int64), x[160:], y[160:]) == ()
    both = hands_of(x[:40], np.concatenate((none, y[10:40])), np.zeros(40, np.int64), x[160:], y[160:])
    assert both == hands_of(x[10:40], y[10:40], np.zeros(30, np.int64), x[160:], y[160:])
