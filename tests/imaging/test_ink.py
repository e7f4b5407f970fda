"""Ink is told from paper in any light, and either may be the darker."""

import cv2
import numpy as np
import pytest

from edge.errors import ShapeError
from edge.imaging.ink import ink_mask, is_light_on_dark, lift_ink, noise_floor, to_grey
from edge.sources.digits import load_digits


def cell(index: int, *, paper: float = 200.0, depth: float = 90.0, slope: float = 1.0, size: int = 64) -> np.ndarray:
    """A digit in the middle of a cell (size, size) grey: paper brightness, ink depth, light falling to the right."""
    digit = cv2.resize(load_digits()[0][index], (size * 3 // 4, size * 3 // 4)) / 255.0
    ink = np.zeros((size, size))
    ink[size // 8 : size // 8 + len(digit), size // 8 : size // 8 + len(digit)] = digit
    light = np.linspace(1.0, 1.0 / slope, size)
    return np.clip((paper - depth * ink) * light, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("paper", [60.0, 130.0, 240.0])
@pytest.mark.parametrize("slope", [1.0, 3.0])
def test_polarity_is_told_in_any_light(paper: float, slope: float) -> None:
    cells = [cell(index, paper=paper, depth=0.45 * paper, slope=slope) for index in range(100)]
    assert sum(is_light_on_dark(grey) for grey in cells) <= 2
    assert sum(is_light_on_dark(255 - grey) for grey in cells) >= 98


def test_polarity_of_tight_digits() -> None:
    images = load_digits()[0][:300]
    tight = [image[4:24, 4:24] for image in images]
    assert sum(is_light_on_dark(image) for image in tight) == 300
    assert sum(is_light_on_dark(255 - image) for image in tight) == 0


def test_a_gradient_is_not_ink() -> None:
    grey = np.tile(np.linspace(240, 80, 640), (480, 1)).astype(np.uint8)
    assert lift_ink(grey, reach_px=35).max() < 20


def test_a_shadow_edge_is_hardly_ink_and_strokes_on_both_sides_are() -> None:
    grey = np.full((120, 240), 220, np.uint8)
    grey[:, 120:] = 110
    grey[60:64, 20:100] //= 2
    grey[60:64, 140:220] //= 2
    ink = lift_ink(grey, reach_px=21)
    assert ink[61, 60] > 100 and ink[61, 180] > 100
    assert np.median(ink[20:40, 110:130]) < 20


@pytest.mark.parametrize("sigma", [3.0, 8.0])
def test_noise_stays_below_the_floor(sigma: float) -> None:
    rng = np.random.default_rng(0)
    grey = np.clip(rng.normal(180, sigma, (200, 300)), 0, 255).astype(np.uint8)
    ink = cv2.GaussianBlur(lift_ink(grey, reach_px=21), (3, 3), 0)
    assert (ink > noise_floor(ink)).mean() < 0.005


def test_hysteresis_keeps_weak_ink_only_where_strong_ink_is() -> None:
    ink = np.zeros((10, 30), np.uint8)
    ink[5, 2:12], ink[5, 6] = 50, 200
    ink[5, 16:28] = 50
    mask = ink_mask(ink, low=40, high=100)
    assert mask[5, 2:12].all() and not mask[5, 16:28].any()


def test_grey_of_colour_and_of_nonsense() -> None:
    assert to_grey(np.zeros((4, 5, 3), np.uint8)).shape == (4, 5)
    for wrong in (np.zeros((4, 5, 4), np.uint8), np.zeros((4, 5), np.float32), np.zeros((0, 5), np.uint8)):
        with pytest.raises(ShapeError):
            to_grey(wrong)
