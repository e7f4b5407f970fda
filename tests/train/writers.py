"""Writers that a network has not met: MNIST digits in one hand, slanted and thick, with a 1 and a 7 of their own."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np

from edge.imaging.tensors import fit_digit
from edge.values import Image


def in_hand(digit: Image, label: int, *, slant: float, thick: int) -> Image:
    """The (28, 28) digit as one hand writes it; a negative slant leans to the left."""
    ink = cv2.resize(digit, (112, 112), interpolation=cv2.INTER_CUBIC)
    if label == 1:  # an upstroke as long as the stem
        ys, xs = np.nonzero(ink > 128)
        top = int(ys.min())
        x = int(xs[ys < top + 8].mean())
        cv2.line(ink, (x, top + 2), (x - 30, top + 52), 255, 7, cv2.LINE_AA)
    if label == 7:  # a bar, and a tick down from the left end
        left, top, width, height = cv2.boundingRect((ink > 128).astype(np.uint8))
        cv2.line(ink, (left + 6, top + 4), (left + 2, top + 26), 255, 8, cv2.LINE_AA)
        middle = top + height // 2
        cv2.line(ink, (left + width // 4, middle), (left + width + 4, middle), 255, 7, cv2.LINE_AA)
    if thick:
        ink = cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (thick, thick)))
    leaning = np.array([[1, -slant, 56 * slant], [0, 1, 0]], np.float32)
    return fit_digit(np.asarray(cv2.warpAffine(ink, leaning, (112, 112)), np.uint8))


def write_folder(folder: Path, images: Image, labels: np.ndarray, *, pages: int) -> Path:
    """The digits as `edge forms export --crops` leaves them, spread over so many pages."""
    folder.mkdir(parents=True)
    with (folder / "labels.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["file", "label", "page", "source"])
        for at, (image, label) in enumerate(zip(images, labels, strict=True)):
            name = f"{at:04}.png"
            cv2.imwrite(str(folder / name), image)
            table.writerow([name, int(label), f"page-{at % pages}", "scan.png"])
    return folder
