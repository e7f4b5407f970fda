"""Digits from paper: the same for the same seed, still digits, as the edge would make them, and none where none is."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest

from edge.imaging.tensors import fit_digit
from edge.inference.classifier import Classifier
from edge.sources.digits import load_digits
from train.augment import MILD, PAPER, bend, mild_digit, nudge, on_paper, paper_digit
from train.camera import extract, photograph, shrink, thicken
from train.negatives import _KINDS, negative, tight
from train.stream import BLOCK, FIRST, LAST, NONE, UNSEEN, Mix, augmented_sheet_samples, synthesise

NOTHING = Mix(plain=0, mild=0, paper=0, drawn=0, none=0)


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    images, labels = load_digits()
    return images, labels.astype(np.int64)


@pytest.mark.parametrize("mix", [FIRST, LAST, UNSEEN])
def test_shares_of_a_mix_are_all_there_is(mix: Mix) -> None:
    assert mix.plain + mix.mild + mix.paper + mix.drawn + mix.none == pytest.approx(1)


def test_same_seed_and_epoch_same_pictures_and_others_others(digits: tuple[np.ndarray, np.ndarray]) -> None:
    once, again = (synthesise(*digits, FIRST, n=120, seed=3, epoch=2) for _ in range(2))
    assert (once[0] == again[0]).all() and (once[1] == again[1]).all()
    for seed, epoch in ((4, 2), (3, 3)):
        assert (synthesise(*digits, FIRST, n=120, seed=seed, epoch=epoch)[0] != once[0]).any()


def test_a_block_hangs_on_none_before_it(digits: tuple[np.ndarray, np.ndarray]) -> None:
    whole, labels = synthesise(*digits, replace(NOTHING, mild=1.0), n=BLOCK + 20, seed=1)
    short, some = synthesise(*digits, replace(NOTHING, mild=1.0), n=BLOCK + 5, seed=1)
    assert (whole[: BLOCK + 5] == short).all() and (labels[: BLOCK + 5] == some).all()


def test_every_digit_is_used_once_before_any_is_used_again(digits: tuple[np.ndarray, np.ndarray]) -> None:
    few = digits[0][:30], digits[1][:30]
    images, labels = synthesise(*few, replace(NOTHING, plain=1.0), n=60, seed=1)
    for half in (slice(0, 30), slice(30, 60)):
        assert sorted(image.tobytes() for image in images[half]) == sorted(image.tobytes() for image in few[0])
        assert sorted(labels[half]) == sorted(few[1])


@pytest.mark.parametrize(("kind", "least"), [("mild", 0.95), ("paper", 0.75), ("drawn", 0.75)])
def test_what_is_made_of_a_digit_is_still_that_digit(
    digits: tuple[np.ndarray, np.ndarray], kind: str, least: float
) -> None:
    """A network that was never shown any of this reads most of it."""
    images, labels = synthesise(*digits, replace(NOTHING, **{kind: 1.0}), n=300, seed=5)
    said = Classifier.open("lecture").logits(images[..., None]).argmax(axis=1)
    assert (said == labels).mean() >= least


def test_pictures_are_fitted_as_the_edge_fits(digits: tuple[np.ndarray, np.ndarray]) -> None:
    images, _ = synthesise(*digits, replace(NOTHING, paper=1.0), n=200, seed=2)
    boxes = np.array([cv2.boundingRect(image) for image in images])
    assert images.max(axis=(1, 2)).min() > 200
    # Twenty pixels on the longer side; a faint rim may be lost, and a nudge moves a pixel out of the picture.
    assert (boxes[:, 2:].max(axis=1) >= 18).mean() > 0.98
    assert (boxes[:, 2:].max(axis=1) <= 20).all()


def test_no_negative_is_one_of_the_ten_and_none_is_empty(digits: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = synthesise(*digits, replace(NOTHING, none=1.0), n=200, seed=7)
    assert (labels == NONE).all()
    assert (images.max(axis=(1, 2)) > 0).mean() > 0.98


def test_every_kind_of_negative_has_ink_and_varies(digits: tuple[np.ndarray, np.ndarray]) -> None:
    rng = np.random.default_rng(1)
    for kind in _KINDS:
        inks = [kind(rng, *digits) for _ in range(6)]
        assert all(ink.dtype == np.uint8 and ink.any() for ink in inks), kind
        assert len({fit_digit(ink).tobytes() for ink in inks}) > 4, kind
    assert negative(rng, *digits).shape == (28, 28)


def test_bending_keeps_the_ink_on_the_canvas_and_its_amount(digits: tuple[np.ndarray, np.ndarray]) -> None:
    rng = np.random.default_rng(2)
    for how in (MILD, PAPER):
        bent = [bend(rng, digit, how) for digit in digits[0][:60]]
        share = [ink.sum() / (4 * digit.sum()) for ink, digit in zip(bent, digits[0], strict=False)]
        assert min(share) > 0.5 and max(share) < 2 and 0.8 < float(np.mean(share)) < 1.25
        assert {ink.shape for ink in bent} == {(64, 64)}


def test_a_hair_stroke_is_not_thinned_away() -> None:
    hair = cv2.line(np.zeros((64, 64), np.uint8), (20, 10), (40, 50), 255, 1)
    rng = np.random.default_rng(1)
    assert all(thicken(rng, hair).sum() >= 0.4 * hair.sum() for _ in range(40))


def test_extraction_finds_a_photographed_digit_again(digits: tuple[np.ndarray, np.ndarray]) -> None:
    rng = np.random.default_rng(3)
    for digit in digits[0][:30]:
        ink = bend(rng, digit, MILD)
        found = fit_digit(extract(rng, photograph(rng, ink))).astype(float)
        assert np.corrcoef(found.ravel(), fit_digit(ink).astype(float).ravel())[0, 1] > 0.75


def test_nudged_and_shrunk_pictures_stay_within_bounds(digits: tuple[np.ndarray, np.ndarray]) -> None:
    rng = np.random.default_rng(4)
    for digit in digits[0][:40]:
        small = shrink(rng, digit)
        assert 8 <= small.shape[0] <= 22 and small.any()
        assert abs(int(nudge(rng, digit).sum()) - int(digit.sum())) < 0.2 * digit.sum()
    assert not shrink(rng, np.zeros((64, 64), np.uint8)).any()
    assert not on_paper(rng, np.zeros((64, 64), np.uint8), pieces=False).any()


def test_tight_cuts_to_the_ink_and_leaves_a_pixel_of_nothing() -> None:
    ink = np.zeros((20, 20), np.uint8)
    assert tight(ink).shape == (1, 1)
    ink[3:9, 5:7] = 200
    assert tight(ink).shape == (6, 2) and tight(ink).all()


def test_mild_digits_are_nearer_to_their_origin_than_paper_ones(digits: tuple[np.ndarray, np.ndarray]) -> None:
    rng = np.random.default_rng(5)

    def apart(make: object) -> float:
        return float(np.mean([np.abs(make(rng, d).astype(int) - d).mean() for d in digits[0][:80]]))  # type: ignore[operator]

    assert 3 < apart(mild_digit) < apart(paper_digit)


def test_a_sheet_needs_neither_data_nor_keras() -> None:
    images, labels = augmented_sheet_samples(1, 60)
    assert images.shape == (60, 28, 28) and set(labels) <= set(range(11)) and len(set(labels)) > 8
    bare = "import sys, train.stream; sys.exit(any(name in sys.modules for name in ('keras', 'tensorflow')))"
    assert subprocess.run([sys.executable, "-c", bare]).returncode == 0
