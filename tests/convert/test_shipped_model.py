"""The digit models that ship, in whatever environment this is: what they say beside what Keras said of the same."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.imaging.tensors import fit_digit
from edge.inference.classifier import Classifier, softmax
from edge.inference.drift import Drift
from edge.inference.manifest import DIGITS, load_model
from edge.inference.shipped import DEFAULTS, find_model
from edge.sources.digits import load_digits
from edge.values import NOT_A_DIGIT

pytestmark = pytest.mark.edge_only

MODELS = Path(__file__).parents[1] / "models"
LABELS = {"lecture": DIGITS, "paper": (*DIGITS, NOT_A_DIGIT)}
# Right on all 10,000 MNIST test digits, in percent.
LEAST = {"lecture": 98.8, "paper": 99.4}

each_model = pytest.mark.parametrize("model", ["lecture", "paper"])


@each_model
def test_the_shipped_model_decides_as_keras_does_on_2500_digits(model: str) -> None:
    images, labels = load_digits()
    with np.load(MODELS / model / "reference.npz", allow_pickle=False) as content:
        keras = content["probabilities"].astype(np.float32)
    classifier = Classifier.open(model)
    said = softmax(classifier.logits(images[..., None]))
    assert len(said) == len(keras) == 2500
    assert (said.argmax(axis=1) == keras.argmax(axis=1)).mean() >= 0.998
    right, keras_right = ((answer.argmax(axis=1) == labels).mean() for answer in (said, keras))
    # Three digits: where two 8-bit logits are equal, the first wins, right or wrong.
    assert right >= keras_right - 0.00125 and right > 0.98
    assert np.abs(said - keras).max() < 0.1


@each_model
def test_the_shipped_manifest_says_what_was_measured(model: str) -> None:
    manifest = Classifier.open(model).manifest
    assert (manifest.name, manifest.recipe, manifest.labels) == (model, "int8", LABELS[model])
    figures = manifest.metrics["mnist-test"]
    assert figures["n"] == 10_000 and figures["accuracy"] > LEAST[model] and figures["agreement"] >= 99.8
    assert manifest.runtimes == ("litert", "tflite")


@each_model
def test_what_it_is_sure_of_is_right(model: str) -> None:
    images, labels = load_digits()
    classifier = Classifier.open(model)
    chances = classifier.probabilities(images[..., None])
    sure = chances.max(axis=1) >= classifier.manifest.threshold
    assert sure.mean() > 0.9
    assert (chances.argmax(axis=1) == labels)[sure].mean() > 0.997


def test_paper_is_the_default_and_small() -> None:
    assert DEFAULTS["digit"] == "paper"
    assert find_model().stat().st_size <= 50_000


def test_paper_refuses_what_is_no_digit() -> None:
    """Lines, crosses and rectangles, fitted as the edge fits them."""
    drawn = np.zeros((4, 28, 28), np.uint8)
    cv2.line(drawn[0], (4, 14), (23, 14), 255, 3)
    cv2.line(drawn[1], (5, 5), (22, 22), 255, 2)
    cv2.line(drawn[1], (22, 5), (5, 22), 255, 2)
    cv2.rectangle(drawn[2], (4, 4), (23, 23), 255, 2)
    cv2.rectangle(drawn[3], (4, 4), (23, 23), 255, -1)
    classifier = Classifier.open("paper")
    for picture in drawn:
        said = classifier.predict(fit_digit(picture)[None, :, :, None])[0]
        assert said.label == NOT_A_DIGIT or said.confidence < classifier.manifest.threshold


@pytest.mark.parametrize("model", ["paper", "strip"])
def test_what_ships_says_what_to_expect_of_it(model: str) -> None:
    manifest, _ = load_model(find_model(model, task="strip" if model == "strip" else "digit"))
    assert manifest.expected is not None and manifest.expected.n >= 2000
    assert 0.8 < manifest.expected.confidence <= 1 and manifest.expected.unsure < 0.4
    drift = Drift.of(manifest)
    assert drift is not None and drift.expected == manifest.expected
