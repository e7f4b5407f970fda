"""The model that ships, in whatever environment this is: what it says beside what Keras said of the same digits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.inference.classifier import Classifier, softmax
from edge.inference.manifest import DIGITS
from edge.sources.digits import load_digits

pytestmark = pytest.mark.edge_only

REFERENCE = Path(__file__).parents[1] / "models" / "lecture" / "reference.npz"


def test_the_shipped_model_decides_as_keras_does_on_2500_digits() -> None:
    images, labels = load_digits()
    with np.load(REFERENCE, allow_pickle=False) as content:
        keras = content["probabilities"].astype(np.float32)
    classifier = Classifier.open("lecture")
    said = softmax(classifier.logits(images[..., None]))
    assert len(said) == len(keras) == 2500
    assert (said.argmax(axis=1) == keras.argmax(axis=1)).mean() >= 0.998
    right, keras_right = ((answer.argmax(axis=1) == labels).mean() for answer in (said, keras))
    assert right >= keras_right - 0.001 and right > 0.98
    assert np.abs(said - keras).max() < 0.1


def test_the_shipped_manifest_says_what_was_measured() -> None:
    manifest = Classifier.open("lecture").manifest
    assert (manifest.name, manifest.recipe, manifest.labels) == ("lecture", "int8", DIGITS)
    figures = manifest.metrics["mnist-test"]
    assert figures["n"] == 10_000 and figures["accuracy"] > 98.8 and figures["agreement"] >= 99.8
    assert manifest.runtimes == ("litert", "tflite")


def test_what_it_is_sure_of_is_right() -> None:
    images, labels = load_digits()
    classifier = Classifier.open("lecture")
    chances = classifier.probabilities(images[..., None])
    sure = chances.max(axis=1) >= classifier.manifest.threshold
    assert sure.mean() > 0.9
    assert (chances.argmax(axis=1) == labels)[sure].mean() > 0.997
