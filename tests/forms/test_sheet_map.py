"""Millimetres to pixels and back out as upright cuts, whatever the perspective, the turn and the bend."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import ShapeError
from edge.forms.sheet.sheet_map import Bend, SheetMap, bend_orders, bend_terms
from edge.forms.template import BoxMm

SIZE = (120.0, 80.0)

degrees = st.floats(-180, 180)
shifts = st.floats(-0.0006, 0.0006)
scales = st.floats(3, 12)


def make_map(turn: float, scale: float, across: float, down: float, bend: Bend | None = None) -> SheetMap:
    a = np.radians(turn)
    matrix = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    matrix[:2] *= scale
    matrix[2, :2] = across, down
    corners = matrix @ np.array([[0, SIZE[0], SIZE[0], 0], [0, 0, SIZE[1], SIZE[1]], [1, 1, 1, 1]])
    low = (corners[:2] / corners[2]).min(axis=1) - 20
    move = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]])
    return SheetMap(homography=move @ matrix, bend=bend)


def soft_bend(seed: int) -> Bend:
    rng = np.random.default_rng(seed)
    orders = np.array([a + b for a, b in bend_orders(3)])
    return Bend(size_mm=SIZE, degree=3, weights=rng.normal(0, 0.4, (2, len(orders))) / (1 + orders))


def picture(sheet: SheetMap, boxes: list[BoxMm]) -> np.ndarray:
    """A light picture with boxes filled dark where the map has them."""
    rim = np.linspace(0, 1, 40)
    corners = sheet.points([(0, 0), (SIZE[0], 0), SIZE, (0, SIZE[1])])
    width, height = np.ceil(corners.max(axis=0) + 20).astype(int)
    pixels = np.full((height, width), 230, np.uint8)
    for left, top, w, h in boxes:
        around = [(left + w * t, top) for t in rim] + [(left + w, top + h * t) for t in rim]
        around += [(left + w * (1 - t), top + h) for t in rim] + [(left, top + h * (1 - t)) for t in rim]
        cv2.fillPoly(pixels, [np.round(sheet.points(around) * 16).astype(np.int32)], 30, cv2.LINE_AA, 4)
    return pixels


@settings(max_examples=12, deadline=None)
@given(degrees, scales, shifts, shifts, st.integers(0, 99) | st.none())
def test_a_cut_shows_what_lies_in_its_box(
    turn: float, scale: float, across: float, down: float, bend: int | None
) -> None:
    sheet = make_map(turn, scale, across, down, None if bend is None else soft_bend(bend))
    box = (40.0, 30.0, 20.0, 10.0)
    cut = sheet.cut(picture(sheet, [box]), (35.0, 25.0, 30.0, 20.0), 4.0)
    assert cut.shape == (80, 120)
    dark = np.zeros((80, 120), bool)
    dark[20:60, 20:100] = True
    inner = cv2.erode(dark.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    outer = cv2.dilate(dark.astype(np.uint8), np.ones((7, 7), np.uint8)) == 0
    assert cut[inner].max() < 100
    assert cut[outer].min() > 170


@settings(max_examples=20, deadline=None)
@given(degrees, scales, shifts, shifts)
def test_rotation_is_the_turn_that_makes_the_picture_upright(
    turn: float, scale: float, across: float, down: float
) -> None:
    off = (turn + 45) % 90 - 45
    if abs(abs(off) - 45) < 15:  # between two turns, and perspective may push it over
        return
    assert make_map(turn, scale, across / 4, down / 4).rotation_deg == round(-turn / 90) % 4 * 90


@settings(max_examples=20, deadline=None)
@given(degrees, scales, shifts, shifts)
def test_the_homography_leads_back(turn: float, scale: float, across: float, down: float) -> None:
    sheet = make_map(turn, scale, across, down)
    mm = np.array([(1.0, 2.0), (100.0, 70.0), (60.0, 5.0)])
    back = SheetMap(homography=np.linalg.inv(sheet.homography))
    assert np.allclose(back.points(sheet.points(mm)), mm, atol=1e-6)


def test_a_fine_scan_is_averaged_not_sampled() -> None:
    sheet = SheetMap(homography=np.array([[24.0, 0, -0.5], [0, 24.0, -0.5], [0, 0, 1]]))
    pixels = np.zeros((480, 480), np.uint8)
    pixels[:, ::2] = 200
    for bend in (None, Bend(size_mm=(20.0, 20.0), degree=1, weights=np.zeros((2, 3)))):
        cut = SheetMap(homography=sheet.homography, bend=bend).cut(pixels, (5.0, 5.0, 8.0, 8.0), 6.0)
        assert np.abs(cut.astype(int) - 100).max() <= 3


def test_beyond_the_picture_its_edge_goes_on() -> None:
    sheet = SheetMap(homography=np.diag((4.0, 4.0, 1.0)))
    cut = sheet.cut(np.full((40, 40), 77, np.uint8), (-20.0, -20.0, 60.0, 60.0), 2.0)
    assert cut.shape == (120, 120)
    assert (cut == 77).all()


def test_colours_are_cut_too() -> None:
    sheet = SheetMap(homography=np.diag((4.0, 4.0, 1.0)))
    assert sheet.cut(np.zeros((40, 40, 3), np.uint8), (1.0, 1.0, 5.0, 4.0), 3.0).shape == (12, 15, 3)


@pytest.mark.parametrize(
    ("box", "scale"), [((0, 0, 0, 5), 4.0), ((0, 0, 5, -1), 4.0), ((0, 0, 5, 5), 0.0), ((0, 0, 9999, 5), 40.0)]
)
def test_a_cut_that_is_none_is_refused(box: BoxMm, scale: float) -> None:
    sheet = SheetMap(homography=np.diag((4.0, 4.0, 1.0)))
    with pytest.raises(ShapeError):
        sheet.cut(np.zeros((40, 40), np.uint8), box, scale)


def test_a_map_is_finite() -> None:
    with pytest.raises(ShapeError):
        SheetMap(homography=np.full((3, 3), np.nan))


def test_the_bend_is_bounded_outside_of_its_sheet() -> None:
    bend = soft_bend(3)
    far = bend.offsets(np.array([(-1000.0, 40.0), (5000.0, 40.0)]))
    near = bend.offsets(np.array([(0.0, 40.0), (SIZE[0], 40.0)]))
    assert np.allclose(far, near)


def test_bend_terms_are_legendre() -> None:
    at = np.array([(0.3, -0.4)])
    mm = (at + 1) / 2 * np.array(SIZE)
    terms = dict(zip(bend_orders(3), bend_terms(mm, SIZE, 3)[0], strict=True))
    assert terms[2, 0] == pytest.approx(0.5 * (3 * 0.3**2 - 1))
    assert terms[1, 2] == pytest.approx(0.3 * 0.5 * (3 * 0.4**2 - 1))
    assert terms[0, 0] == 1
