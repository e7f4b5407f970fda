"""The strip tensor: digits of one height, upright and level, wherever and however they were written."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import ShapeError
from edge.imaging.strips import BUCKET, ROWS, strip_ink, strip_of_ink, strip_tensor
from edge.values import Image


def written(*, height: int = 60, digit: int = 36, slant: float = 0.0, slope: float = 0.0, text: str = "0800") -> Image:
    """Ovals on grey paper, (height, w) uint8, each `digit` px high; slant in columns a row, slope in rows a column."""
    width = 40 * len(text) + 40
    paper = np.full((height, width), 200, np.uint8)
    for place, sign in enumerate(text):
        x, y = 40 + 40 * place, height // 2
        high = digit // 2 if sign == "o" else digit
        cv2.ellipse(paper, (x, y + (digit - high) // 2), (high // 3, high // 2 - 2), 0, 0, 360, 60, 4, cv2.LINE_AA)
        if sign == "8":
            cv2.line(paper, (x - high // 3, y), (x + high // 3, y), 60, 3)
    matrix = np.array([[1.0, -slant, slant * height / 2], [slope, 1.0, -slope * width / 2]])
    return cv2.warpAffine(paper, matrix, (width, height), borderValue=200)


def rows_of(tensor: Image) -> tuple[int, int]:
    """First and last row with ink."""
    rows = np.flatnonzero(tensor[:, :, 0].max(axis=1) > 100)
    return int(rows[0]), int(rows[-1])


@settings(max_examples=25, deadline=None)
@given(digit=st.integers(18, 54), height=st.integers(30, 140))
def test_digits_come_out_of_one_height(digit: int, height: int) -> None:
    digit = min(digit, int(0.8 * height))
    tensor = strip_tensor(strip_ink(written(height=height, digit=digit))).values
    first, last = rows_of(tensor)
    assert 19 <= last - first + 1 <= 27
    assert abs((first + last) / 2 - (ROWS - 1) / 2) <= 2


def test_width_is_a_multiple_of_a_bucket_and_the_type_is_the_networks() -> None:
    tensor = strip_tensor(strip_ink(written())).values
    assert tensor.shape[0] == ROWS and tensor.shape[2] == 1
    assert tensor.shape[1] % BUCKET == 0
    assert tensor.dtype == np.uint8 and tensor.max() > 220 and np.median(tensor) < 8


@pytest.mark.parametrize("slant", [-0.25, 0.3, 0.6])
def test_leaning_writing_is_set_upright(slant: float) -> None:
    upright = strip_tensor(strip_ink(written(text="1l1l".replace("l", "1").replace("1", "0")))).values
    leaning = strip_tensor(strip_ink(written(slant=slant))).values
    gaps = [np.count_nonzero(tensor[:, :, 0].max(axis=0) < 50) for tensor in (upright, leaning)]
    assert abs(gaps[0] - gaps[1]) <= 12


@pytest.mark.parametrize("slope", [-0.12, 0.12])
def test_a_rising_line_is_made_level(slope: float) -> None:
    first, last = rows_of(strip_tensor(strip_ink(written(height=90, slope=slope, text="000000"))).values)
    assert last - first + 1 <= 27


def test_light_on_dark_gives_the_same_strip() -> None:
    dark = written()
    assert np.array_equal(strip_tensor(strip_ink(dark)).values, strip_tensor(strip_ink(255 - dark)).values) or (
        np.abs(
            strip_tensor(strip_ink(dark)).values.astype(int) - strip_tensor(strip_ink(255 - dark)).values.astype(int)
        ).mean()
        < 12
    )


def test_shadow_is_not_ink() -> None:
    plain = written()
    shade = np.linspace(1.0, 0.45, plain.shape[1])
    shaded = (plain * shade).astype(np.uint8)
    a, b = (strip_tensor(strip_ink(picture)).values for picture in (plain, shaded))
    assert a.shape == b.shape
    assert np.abs(a.astype(int) - b.astype(int)).mean() < 12


def test_a_ruled_line_and_rests_at_the_border_go() -> None:
    plain = written(height=64)
    printed = plain.copy()
    printed[58:60] = 90
    printed[0:6, 20:30] = 60
    a, b = (strip_tensor(strip_ink(picture)).values for picture in (plain, printed))
    assert a.shape == b.shape
    assert np.abs(a.astype(int) - b.astype(int)).mean() < 8


def test_blank_paper_is_empty() -> None:
    strip = strip_ink(np.full((40, 100), 200, np.uint8))
    assert strip.empty
    tensor = strip_tensor(strip)
    assert not tensor.values.any()
    assert tensor.values.shape[1] % BUCKET == 0


def test_small_zeros_beside_a_tall_digit_all_fit() -> None:
    first, last = rows_of(strip_tensor(strip_ink(written(height=80, digit=56, text="0oooo"))).values)
    assert first >= 0 and last <= ROWS - 1
    assert last - first >= 24


def test_views_stretch_width_and_height() -> None:
    strip = strip_ink(written())

    def extent(width: float, height: float) -> tuple[int, int]:
        mask = strip_tensor(strip, width=width, height=height).values[:, :, 0] > 100
        across, down = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
        return int(np.ptp(across)), int(np.ptp(down))

    plain, wide, low = extent(1.0, 1.0), extent(1.12, 1.0), extent(1.0, 0.9)
    assert wide[0] == pytest.approx(1.12 * plain[0], abs=2) and wide[1] == pytest.approx(plain[1], abs=1)
    assert low[1] == pytest.approx(0.9 * plain[1], abs=2) and low[0] == pytest.approx(plain[0], abs=1)


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_columns_lead_back_to_the_image(scale: float) -> None:
    page = cv2.resize(written(height=60), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    tensor = strip_tensor(strip_ink(page))
    inked = np.flatnonzero(tensor.values[:, :, 0].max(axis=0) > 100)
    parts = np.split(inked, np.flatnonzero(np.diff(inked) > 2) + 1)
    assert len(parts) == 4
    for place, part in enumerate(parts):
        box = tensor.box(float(part[0]), float(part[-1] + 1))
        x, y = box.center
        assert x == pytest.approx(scale * (40 + 40 * place), abs=4 * scale + 1)
        assert y == pytest.approx(scale * 30, abs=3 * scale + 1)
        assert box.height == pytest.approx(36 * scale, abs=6 * scale + 2)


def test_lifted_ink_gives_the_strip_of_its_paper() -> None:
    paper = written()
    lifted = cv2.convertScaleAbs(200 - paper.astype(np.int16), alpha=255 / 140)
    a, b = strip_tensor(strip_ink(paper)).values, strip_tensor(strip_of_ink(lifted)).values
    assert a.shape == b.shape
    assert np.abs(a.astype(int) - b.astype(int)).mean() < 12


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (2, 300), (300, 2), (64, 9000)])
def test_any_shape_gives_some_strip(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(4).integers(0, 256, shape, dtype=np.uint8)
    values = strip_tensor(strip_ink(noise)).values
    assert values.shape[0] == ROWS and 2 * BUCKET <= values.shape[1] <= 2048


def test_colour_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(4, 4, 3\)"):
        strip_ink(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(ShapeError, match="float"):
        strip_of_ink(np.zeros((4, 4), np.float32))  # type: ignore[arg-type]
