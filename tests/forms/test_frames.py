"""Forms found by their printed rectangle: under shadows and fingers, bent, turned, among other boxes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from edge.forms.register import lay
from edge.forms.template import Template
from tests.forms.known_forms import COLUMNS, SQUARES, corners_mm, farthest_mm, shot
from tests.forms.sheets import Made, bent, photographed, printed, quarter, ruled, skewed, written


def shadowed(made: Made, rng: np.random.Generator) -> Made:
    height, width = made.pixels.shape[:2]
    x = np.arange(width)[None, :] + 0.3 * np.arange(height)[:, None]
    light = np.where(x < 0.6 * width, 1.0, 0.45)
    light = cv2.GaussianBlur(light, (0, 0), 6)
    return replace(made, pixels=np.clip(made.pixels * light[:, :, None], 0, 255).astype(np.uint8))


def with_finger(made: Made, rng: np.random.Generator) -> Made:
    corner = made.points([(0.0, 108.0)])[0]
    pixels = made.pixels.copy()
    cv2.circle(pixels, tuple(np.rint(corner).astype(int).tolist()), 45, (120, 150, 205), -1, cv2.LINE_AA)
    return replace(made, pixels=pixels)


def on_a_dark_table(made: Made, rng: np.random.Generator) -> Made:
    return photographed(made, rng)


def crossed_by_a_pen(made: Made, rng: np.random.Generator) -> Made:
    pixels = made.pixels.copy()
    for place in ((30.0, 0.0), (0.0, 60.0)):
        way = made.points(np.array(place) + np.cumsum(rng.normal(0, 6, (12, 2)), axis=0))
        cv2.polylines(pixels, [way.astype(np.int32)], False, (50, 40, 60), 4, cv2.LINE_AA)
    return replace(made, pixels=pixels)


def beside_other_boxes(made: Made, rng: np.random.Generator) -> Made:
    pixels = made.pixels.copy()
    cv2.rectangle(pixels, (10, 10), (120, 600), (50, 90, 230), -1)
    cv2.rectangle(pixels, (14, 640), (110, 780), (30, 30, 30), 3)
    cv2.putText(pixels, "Difficult", (500, 120), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (20, 20, 20), 4)
    return replace(made, pixels=pixels)


@pytest.mark.parametrize("harm", [shadowed, with_finger, on_a_dark_table, crossed_by_a_pen, beside_other_boxes])
@pytest.mark.parametrize("template", [SQUARES, COLUMNS], ids=lambda t: t.name)
def test_a_printed_rectangle_is_found(template: Template, harm: Callable[..., Made]) -> None:
    rng = np.random.default_rng(4)
    made = shot(skewed(harm(written(ruled(template), template, rng), rng), 5.0, 1.0))
    laid = lay(made.pixels, [template], judge=lambda way: -way.registration.rotation_deg)
    assert laid.registration.status == "ok", laid.registration.reason
    assert laid.registration.method == "frame"
    assert farthest_mm(laid, made) <= 0.4


def test_a_bent_rectangle_is_laid_along_its_lines() -> None:
    flat = ruled(SQUARES)
    made, shift = bent(flat, 1.5)
    laid = lay(made.pixels, [replace(SQUARES, orientation="upright")])
    assert laid.registration.status == "ok", laid.registration.reason
    assert laid.sheet is not None
    where = flat.points(corners_mm(SQUARES))
    x, y = np.rint(where).astype(int).T
    off = np.hypot(*(laid.sheet.points(corners_mm(SQUARES)) - (where - shift[:, y, x].T)).T)
    assert off.max() / laid.sheet.px_per_mm((50.0, 50.0)) <= 0.3


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_the_judge_chooses_between_turns_that_look_alike(turns: int) -> None:
    made = quarter(ruled(SQUARES), turns)
    right = (360 - 90 * turns) % 360
    laid = lay(made.pixels, [SQUARES], judge=lambda way: float(way.registration.rotation_deg == right))
    assert laid.registration.rotation_deg == right
    assert farthest_mm(laid, made) <= 0.2


def test_lines_tell_the_turn_where_they_can() -> None:
    made = quarter(ruled(COLUMNS), 2)
    laid = lay(made.pixels, [COLUMNS])
    assert laid.registration.rotation_deg == 180
    assert farthest_mm(laid, made) <= 0.2


def test_lines_tell_forms_apart() -> None:
    for form in (SQUARES, COLUMNS):
        laid = lay(ruled(form).pixels, [COLUMNS, SQUARES])
        assert laid.template is form


def test_another_rectangle_is_not_read() -> None:
    seven = replace(SQUARES, fields=(replace(SQUARES.fields[0], rows=7, columns=7),))
    laid = lay(ruled(seven).pixels, [SQUARES])
    assert laid.registration.status in ("review", "failed")
    assert laid.registration.reason


def test_a_frame_of_our_own_is_known_by_its_code() -> None:
    pages = replace(COLUMNS.fields[0], page=2)
    first, second = (
        replace(COLUMNS, name=name, sha256=name, fields=(COLUMNS.fields[0], pages)) for name in ("one", "two")
    )
    for form, page, turns in ((first, 2, 0), (second, 1, 2)):
        laid = lay(quarter(printed(form, page=page, dpi=120), turns).pixels, [first, second])
        assert laid.registration.status == "ok", laid.registration.reason
        assert (laid.template, laid.form_page, laid.registration.rotation_deg) == (form, page, 90 * turns)
    laid = lay(printed(first, dpi=120).pixels, [second])
    assert (laid.registration.status, laid.sheet) == ("failed", None)
    assert "one, version 1, page 1" in (laid.registration.reason or "")
