"""A scanned PDF page is taken as it was scanned, and one that is drawn is rendered."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.sources.files import read_pages
from edge.values import Page
from tests.sources.samples import encoded, scanned_pdf, write

INVISIBLE = b"BT /F 12 Tf 3 Tr 40 40 Td (found by text recognition) Tj ET"
VISIBLE = b"BT /F 12 Tf 0 Tr 40 40 Td (typed) Tj ET"
# 200 dpi on paper of 3 × 4 inches.
SIZE_PT = (216.0, 288.0)


def scan() -> np.ndarray:
    soft = np.random.default_rng(5).integers(0, 255, (80, 60), np.uint8)
    return np.asarray(cv2.resize(soft, (600, 800), interpolation=cv2.INTER_CUBIC), np.uint8)


def read(tmp_path: Path, content: bytes) -> np.ndarray:
    (page,) = read_pages(write(tmp_path / "a.pdf", content))
    assert isinstance(page, Page), page
    return page.pixels


def decoded(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(
        cv2.imdecode(
            np.frombuffer(encoded(".jpg", pixels, cv2.IMWRITE_JPEG_QUALITY, 95), np.uint8), cv2.IMREAD_UNCHANGED
        )
    )


@pytest.mark.parametrize("more", [b"", INVISIBLE])
def test_a_scan_has_its_own_pixels_and_no_colours_if_it_has_none(tmp_path: Path, more: bytes) -> None:
    pixels = read(tmp_path, scanned_pdf(scan(), SIZE_PT, more=more))
    assert pixels.shape == (800, 600)
    assert int(cv2.absdiff(pixels, decoded(scan())).max()) <= 2


def test_a_scan_in_colour_keeps_its_colours(tmp_path: Path) -> None:
    blue = np.zeros((800, 600, 3), np.uint8)
    blue[:] = (200, 40, 30)
    pixels = read(tmp_path, scanned_pdf(blue, SIZE_PT))
    assert pixels.shape == (800, 600, 3) and np.abs(pixels[400, 300].astype(int) - (200, 40, 30)).max() <= 4


def test_a_scan_lies_as_its_page_is_turned(tmp_path: Path) -> None:
    assert read(tmp_path, scanned_pdf(scan(), SIZE_PT, rotate=90)).shape == (600, 800)


def test_a_scan_in_strips_is_one_page(tmp_path: Path) -> None:
    pixels = read(tmp_path, scanned_pdf(scan(), SIZE_PT, strips=4))
    assert pixels.shape == (800, 600)
    assert float(cv2.absdiff(pixels, scan()).mean()) < 3


def test_the_finest_scan_is_rendered_at_600_dpi(tmp_path: Path) -> None:
    assert read(tmp_path, scanned_pdf(scan(), (18.0, 24.0))).shape == (200, 150)


@pytest.mark.parametrize("more", [VISIBLE, b"0 0 1 RG 10 10 m 90 90 l S"])
def test_a_page_with_anything_drawn_on_it_is_rendered_at_300_dpi(tmp_path: Path, more: bytes) -> None:
    height, width, colours = read(tmp_path, scanned_pdf(scan(), SIZE_PT, more=more)).shape
    assert height == 1200 and 900 <= width <= 901 and colours == 3
