"""The 28×28 tensor is MNIST's own preparation, wherever and however large the digit was."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ShapeError
from edge.imaging.tensors import digit_tensors, fit_digit
from edge.inference.classifier import Classifier
from edge.sources.digits import load_digits


def test_mnist_digits_come_out_as_they_went_in() -> None:
    images, _ = load_digits()
    fitted = np.stack([fit_digit(image) for image in images[:500]])
    same = (fitted == images[:500]).all(axis=(1, 2))
    # One in ten has its centre of mass on the edge between two pixels, where MNIST rounded the other way.
    assert same.mean() > 0.85
    assert np.abs(fitted.astype(int) - images[:500]).mean() < 0.5


@given(index=st.integers(0, 99), left=st.integers(0, 40), top=st.integers(0, 40))
def test_place_does_not_matter(index: int, left: int, top: int) -> None:
    image = load_digits()[0][index]
    larger = np.zeros((70, 70), np.uint8)
    larger[top : top + 28, left : left + 28] = image
    assert (fit_digit(larger) == fit_digit(image)).all()


@pytest.mark.parametrize("scale", [1.5, 3.0, 8.0])
@pytest.mark.parametrize("gain", [0.4, 1.0])
def test_size_and_paleness_hardly_matter_to_the_network(scale: float, gain: float) -> None:
    images = load_digits()[0][:200]
    changed = [cv2.resize((image * gain).astype(np.uint8), None, fx=scale, fy=scale) for image in images]
    classifier = Classifier.open()
    before = classifier.probabilities(digit_tensors(images)).argmax(axis=1)
    assert (classifier.probabilities(digit_tensors(changed)).argmax(axis=1) == before).mean() >= 0.97


@given(height=st.integers(1, 60), width=st.integers(1, 60), seed=st.integers(0, 9))
def test_any_ink_fills_twenty_pixels_and_stays_inside(height: int, width: int, seed: int) -> None:
    ink = np.random.default_rng(seed).integers(0, 256, (height, width)).astype(np.uint8)
    ink[0, 0] = ink[-1, -1] = 255
    tensor = fit_digit(ink)
    assert tensor.shape == (28, 28)
    assert tensor.max() == 255
    assert max(cv2.boundingRect(tensor)[2:]) <= 20


def test_no_ink_gives_an_empty_tensor() -> None:
    assert not fit_digit(np.zeros((9, 7), np.uint8)).any()


def test_tensors_of_no_glyphs() -> None:
    assert digit_tensors([]).shape == (0, 28, 28, 1)


@pytest.mark.parametrize(
    "ink", [np.zeros((5, 5), np.float32), np.zeros((5, 5, 3), np.uint8), np.zeros((0, 5), np.uint8)]
)
def test_other_arrays_are_refused(ink: np.ndarray) -> None:
    with pytest.raises(ShapeError, match="ink is"):
        fit_digit(ink)
