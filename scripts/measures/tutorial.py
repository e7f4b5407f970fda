"""The tutorial way: what the lecture's network reads when pictures are prepared as tutorials on MNIST do."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edge.imaging.tensors import SIDE
from edge.inference.classifier import Classifier
from edge.values import Image


def tutorial_right(images: Image, labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Which of the images (n, H, W) grey uint8 of digits (labels 0 to 9) the lecture network reads right.

    Each image as a whole: Otsu's threshold, light on dark, resized to 28×28. Which of the two is the ink is said for
    the whole set, as a person would who looks at it: its images are mostly paper.
    """
    classifier = Classifier.open("lecture")
    dark_on_light = float(np.median(images)) > 127
    kind = cv2.THRESH_BINARY_INV if dark_on_light else cv2.THRESH_BINARY
    tensors = np.zeros((len(images), SIDE, SIDE, 1), np.uint8)
    for tensor, image in zip(tensors, images, strict=True):
        black_and_white = cv2.threshold(image, 0, 255, kind | cv2.THRESH_OTSU)[1]
        tensor[:, :, 0] = cv2.resize(black_and_white, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    read = [int(prediction.label) for prediction in classifier.predict(tensors)]
    return np.array(read) == labels
