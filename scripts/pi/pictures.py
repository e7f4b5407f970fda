"""Three pictures made of the shipped digits for scripts/pi-smoke: a number, a page of five numbers, light on dark.

scripts/pi/pictures.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from edge.sources.digits import load_digits
from edge.values import Image


def row(digits: Image, start: int, count: int) -> Image:
    """Dark digits on paper, side by side."""
    return np.hstack([255 - digits[start + k] for k in range(count)])


def main(folder: Path) -> None:
    """Write them."""
    folder.mkdir(parents=True, exist_ok=True)
    digits = load_digits()[0]
    page = np.full((480, 640), 235, np.uint8)
    for place in range(5):
        number = row(digits, 10 * place, place + 2)
        top, left = 30 + 85 * place, 60 + 40 * place
        page[top : top + 28, left : left + number.shape[1]] = np.minimum(235, number)
    number = cv2.copyMakeBorder(row(digits, 60, 4), 20, 20, 20, 20, cv2.BORDER_CONSTANT, value=255)
    for name, picture in {"number": number, "page": page, "dark": 255 - number}.items():
        cv2.imwrite(str(folder / f"{name}.png"), picture)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
