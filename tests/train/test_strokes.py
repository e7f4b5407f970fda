"""Written forms drawn as strokes: what is drawn is tight, repeatable, varied, and one writer's hand stays one hand."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.imaging.tensors import digit_tensors, fit_digit
from edge.inference.classifier import Classifier
from edge.values import Image
from train.explore import explore_forms
from train.form_sheet import draw_forms_sheet
from train.paths import curves, parse_forms
from train.strokes import FORMS, MARKS, NUMBER_FORMS, Mark, Style, draw_digit, draw_mark

EVERY_FORM = [(digit, form) for digit, forms in enumerate(FORMS) for form in forms]
# Forms that MNIST's writers had too: a network that knows only MNIST reads them.
PLAIN = ("round", "bar", "plain", "round", "open", "two strokes", "straight", "plain", "one stroke", "straight leg")


def _tight(ink: Image) -> bool:
    return bool(ink[0].any() and ink[-1].any() and ink[:, 0].any() and ink[:, -1].any())


@pytest.mark.parametrize("height_px", [8, 20, 40, 200])
def test_every_form_is_as_high_as_asked_and_tight(height_px: int) -> None:
    rng = np.random.default_rng(1)
    for digit, form in EVERY_FORM:
        ink = draw_digit(rng, digit, height_px=height_px, pen_px=max(1.0, 0.1 * height_px), form=form)
        assert ink.dtype == np.uint8 and ink.ndim == 2
        assert abs(ink.shape[0] - height_px) <= 2 + 0.06 * height_px, (digit, form)
        assert _tight(ink), (digit, form)
        assert ink.max() > 80, (digit, form)  # at the least as dark as a pencil's thin stroke


@pytest.mark.parametrize("kind", MARKS)
def test_every_mark_is_drawn_tight_at_every_size(kind: Mark) -> None:
    rng = np.random.default_rng(2)
    for height_px in (8, 40, 200):
        ink = draw_mark(rng, kind, height_px=height_px, pen_px=max(1.0, 0.08 * height_px))
        assert ink.dtype == np.uint8 and _tight(ink)
        assert max(ink.shape) < 4 * height_px


def test_marks_have_their_size_beside_digits() -> None:
    rng = np.random.default_rng(3)
    dots, ticks = ([draw_mark(rng, kind, height_px=60, pen_px=4) for _ in range(20)] for kind in ("dot", "tick"))
    assert max(dot.shape[0] for dot in dots) < 20 < 40 < min(tick.shape[0] for tick in ticks)


def test_the_same_seed_draws_the_same() -> None:
    first, second = (
        [draw_digit(np.random.default_rng(7), digit, height_px=40, pen_px=4) for digit in range(10)] for _ in range(2)
    )
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def test_the_pen_is_as_wide_as_asked() -> None:
    rng = np.random.default_rng(4)
    for pen_px in (2.0, 6.0, 12.0):
        bars = [draw_digit(rng, 1, height_px=100, pen_px=pen_px, form="bar") for _ in range(40)]
        widths = [float(np.median(bar.sum(axis=1, dtype=float))) / 255 for bar in bars]  # ink across, rows of a bar
        assert 0.7 * pen_px < np.median(widths) < 1.3 * pen_px


def test_no_two_drawings_are_alike_but_one_writers_are_nearest() -> None:
    """Two drawings by one hand differ, and less than drawings by two hands do."""
    rng = np.random.default_rng(5)
    own, foreign = [], []
    for _ in range(30):
        one, other = Style.draw(rng), Style.draw(rng)
        digit = int(rng.integers(10))
        first, again, theirs = (
            fit_digit(draw_digit(rng, digit, height_px=40, pen_px=4, style=style)).astype(float)
            for style in (one, one, other)
        )
        own.append(np.abs(first - again).mean())
        foreign.append(np.abs(first - theirs).mean())
    assert min(own) > 0
    assert np.mean(own) < 0.75 * np.mean(foreign)


def test_writers_use_all_forms() -> None:
    rng = np.random.default_rng(6)
    used = {(digit, shape.form.name) for _ in range(300) for digit, shape in enumerate(Style.draw(rng).shapes)}
    assert used == set(EVERY_FORM)


def test_hurried_writers_alone_use_forms_that_only_a_number_makes_digits() -> None:
    rng = np.random.default_rng(9)
    hurried = {shape.form.name for _ in range(300) for shape in Style.draw(rng, hurried=True).shapes}
    assert hurried == {form.name for forms in NUMBER_FORMS for form in forms}
    assert {"like e", "tick", "leg from below"} <= hurried - {form for _, form in EVERY_FORM}


def test_every_hurried_digit_is_drawn_tight() -> None:
    rng = np.random.default_rng(10)
    for _ in range(25):
        style = Style.draw(rng, hurried=True)
        assert all(_tight(draw_digit(rng, digit, height_px=40, pen_px=4, style=style)) for digit in range(10))


def test_plain_forms_are_read_by_a_network_that_has_seen_none_of_them() -> None:
    rng = np.random.default_rng(8)
    lecture = Classifier.open("lecture")
    for digit, form in enumerate(PLAIN):
        inks = [draw_digit(rng, digit, height_px=40, pen_px=float(rng.uniform(3, 6)), form=form) for _ in range(60)]
        right = sum(prediction.label == str(digit) for prediction in lecture.predict(digit_tensors(inks)))
        assert right >= 57, (digit, form)


def test_an_unknown_form_is_named() -> None:
    with pytest.raises(ValueError, match=r"7 has no form 'crossed'; it has plain, .*barred"):
        draw_digit(np.random.default_rng(0), 7, height_px=40, pen_px=4, form="crossed")


def test_paths_go_through_their_points_and_keep_corners() -> None:
    (form,) = parse_forms("\n= sign\nhook: 1\n  0,0 50,0* 50,100\n  0,20 60,0* 60,100\n")["sign"]
    sharp, smooth = curves(form)
    points = form.poses[0]
    for matrix in (sharp, smooth):
        path = matrix @ points
        assert np.allclose(path[[0, 6, 12]], points)
    assert np.allclose((sharp @ points)[7:, 0], 0.5)  # straight down after the corner
    assert (smooth @ points)[:, 0].max() > 0.5  # swings round it


def test_poses_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="form hook: its poses"):
        parse_forms("\n= sign\nhook: 1\n  0,0 50,0* 50,100\n  0,0 50,0 50,100\n")


def test_the_sheet_of_forms_is_a_picture_and_always_the_same() -> None:
    content = draw_forms_sheet()
    assert content == draw_forms_sheet()
    assert len(content) < 150_000
    sheet = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert sheet.shape[1] == 118 * max(len(forms) for forms in FORMS)
    assert (sheet < 128).mean() > 0.02


def test_explore_draws_the_sheet(tmp_path: Path) -> None:
    text = explore_forms(seed=3, output=tmp_path / "new" / "forms.png")
    assert str(tmp_path / "new" / "forms.png") in text
    assert (tmp_path / "new" / "forms.png").read_bytes() == draw_forms_sheet(seed=3)
