"""A clear page keeps its text whatever the camera does to it: turned, scaled, inverted, shaded, compressed, noisy."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from edge.reading.reader import Reader
from edge.values import Image
from tests.scenes.hand import pick_writer, write_line

NUMBERS = ("4071", "358", "29640", "816")
SEEDS = (2, 3, 7)

Change = Callable[[Image], Image]


def clear_page(seed: int) -> Image:
    """Four numbers in dark ink on white paper, (480, 640) uint8, digits some 44 px high and apart from each other."""
    rng = np.random.default_rng(seed)
    page = np.full((480, 640), 238.0, np.float32)
    writer = pick_writer(rng, 44.0)
    for row, number in enumerate(NUMBERS):
        ink, base = write_line(rng, writer, "~".join(number) if row == 3 else number)
        top = 90 + 100 * row - round(base)
        left = 90 + 60 * (row % 2)
        page[max(0, top) : top + ink.shape[0], left : left + ink.shape[1]] *= 1 - 0.75 * ink[max(0, -top) :]
    return page.astype(np.uint8)


def turned(degrees: float) -> Change:
    def change(page: Image) -> Image:
        side = 780  # room for the whole page, however it lies
        matrix = cv2.getRotationMatrix2D((page.shape[1] / 2, page.shape[0] / 2), degrees, 1.0)
        matrix[:, 2] += (side - np.array(page.shape[::-1])) / 2
        return cv2.warpAffine(page, matrix, (side, side), flags=cv2.INTER_LINEAR, borderValue=(238,))

    return change


def scaled(times: float) -> Change:
    how = cv2.INTER_AREA if times < 1 else cv2.INTER_CUBIC
    return lambda page: cv2.resize(page, None, fx=times, fy=times, interpolation=how)


def shaded(page: Image) -> Image:
    """The page with the soft edge of a shadow across it."""
    y, x = np.indices(page.shape)
    light = 1 - 0.5 / (1 + np.exp(-(x + 0.4 * y - 400) / 6))
    return (page * light).astype(np.uint8)


def slope(page: Image) -> Image:
    """The page lit from one side, 3 to 1."""
    return (page * np.linspace(1, 1 / 3, page.shape[1])).astype(np.uint8)


def pale(page: Image) -> Image:
    """The page in faint pencil."""
    return (190 + (page.astype(np.float32) - 238) * 0.3).astype(np.uint8)


def noisy(page: Image) -> Image:
    return np.clip(page + np.random.default_rng(0).normal(0, 7, page.shape), 0, 255).astype(np.uint8)


def compressed(page: Image) -> Image:
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", page, (cv2.IMWRITE_JPEG_QUALITY, 30))[1], cv2.IMREAD_GRAYSCALE))


def ruled(page: Image) -> Image:
    """The page on ruled paper."""
    lines = page.copy()
    for top in range(45, 480, 50):
        lines[top : top + 2] = np.minimum(lines[top : top + 2], 190)
    return lines


def in_color(page: Image) -> Image:
    return cv2.cvtColor(page, cv2.COLOR_GRAY2BGR)


CHANGES: dict[str, Change] = {
    "as it is": lambda page: page,
    "turned by 3°": turned(3),
    "turned by -8°": turned(-8),
    "turned by 20°": turned(20),
    "turned by -40°": turned(-40),
    "half as large": scaled(0.5),
    "0.7 times as large": scaled(0.7),
    "1.6 times as large": scaled(1.6),
    "3 times as large": scaled(3.0),
    "inverted": cv2.bitwise_not,
    "in colour": in_color,
    "shaded": shaded,
    "lit from one side": slope,
    "pale": pale,
    "noisy": noisy,
    "blurred": lambda page: cv2.GaussianBlur(page, (0, 0), 1.5),
    "compressed": compressed,
    "ruled": ruled,
}


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.open(mode="page")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", CHANGES)
def test_a_clear_page_keeps_its_text(reader: Reader, name: str, seed: int) -> None:
    readings = reader.read(CHANGES[name](clear_page(seed)))
    assert [reading.text for reading in readings if reading.text] == list(NUMBERS)
