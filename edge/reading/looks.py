"""A digit looked at by the digit network: once, and where it is not sure, turned a little to either side as well."""

from __future__ import annotations

import math

import cv2
import numpy as np

from edge.imaging.tensors import digit_tensors
from edge.inference.classifier import Classifier
from edge.reading.evidence import SeenDigit
from edge.values import Image, Prediction

# Of MNIST's test digits one in twenty-five is less sure than this; more looks at them undo a fifth of all mistakes.
_SURE = 0.97
_TURN_DEG = 5.0
# No label is less probable than this in one look, so that one look alone cannot rule it out.
_LEAST = 1e-6


def look_at(ink: Image, classifier: Classifier) -> SeenDigit:
    """What the network says of a glyph's soft ink (h, w) uint8, and the tensor it was first shown.

    Where it is not sure, its probabilities are the geometric mean of those for the glyph as it is and turned by 5° to
    either side (test-time augmentation, Krizhevsky et al., 2012). Raises ShapeError.
    """
    tensor = digit_tensors([ink])
    (said,) = classifier.predict(tensor)
    return SeenDigit(tensor=tensor[0, :, :, 0], prediction=look_again(ink, said, classifier))


def look_again(ink: Image, said: Prediction, classifier: Classifier) -> Prediction:
    """What the network says of a glyph's soft ink of which it has said something: the same where it is sure.

    As look_at otherwise. Raises ShapeError.
    """
    if said.confidence >= _SURE:
        return said
    turned = digit_tensors([_turned(ink, -_TURN_DEG), _turned(ink, _TURN_DEG)])
    return _together((said, *classifier.predict(turned)))


def _turned(ink: Image, degrees: float) -> Image:
    """The ink turned about its middle, with room for its corners."""
    height, width = ink.shape
    room = 2 + round(0.06 * max(height, width))
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    turn[:, 2] += room
    return np.asarray(cv2.warpAffine(ink, turn, (width + 2 * room, height + 2 * room)), np.uint8)


def _together(looks: tuple[Prediction, ...]) -> Prediction:
    """The geometric mean of some Predictions with the same labels, each with all of them."""
    weights = dict.fromkeys((looks[0].label, *(label for label, _ in looks[0].alternatives)), 0.0)
    for look in looks:
        for label, share in ((look.label, look.confidence), *look.alternatives):
            weights[label] += math.log(max(share, _LEAST)) / len(looks)
    shares = {label: math.exp(weight) for label, weight in weights.items()}
    total = sum(shares.values())
    (label, best), *rest = sorted(shares.items(), key=lambda item: -item[1])
    return Prediction(
        label=label, confidence=best / total, alternatives=tuple((other, share / total) for other, share in rest)
    )
