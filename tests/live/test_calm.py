"""Frames grow calm where nothing moves, and nothing leaves a trail where something does."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.errors import ShapeError
from edge.live.calm import FRAMES, Calm
from edge.values import Image

NOISE = 8.0


def desk(rng: np.random.Generator, *, left: int | None = None, light: float = 1.0) -> Image:
    """A noisy grey sheet, with a dark stroke at `left` if given."""
    picture = np.full((120, 200), 180.0)
    if left is not None:
        picture[40:80, left : left + 4] = 120
    return np.clip(picture * light + rng.normal(0, NOISE, picture.shape), 0, 255).astype(np.uint8)


def test_noise_shrinks_as_the_root_of_the_frames() -> None:
    calm, rng = Calm(), np.random.default_rng(1)
    spreads = [float(calm(desk(rng)).astype(float).std()) for _ in range(20)]
    assert spreads[0] == pytest.approx(NOISE, rel=0.1)
    assert spreads[3] == pytest.approx(NOISE / 2, rel=0.15)
    assert spreads[-1] < 1.2 * NOISE / FRAMES**0.5


def test_every_second_frame_is_as_the_camera_gave_it() -> None:
    calm, rng = Calm(), np.random.default_rng(1)
    frames = [desk(rng) for _ in range(7)]
    assert [np.array_equal(calm(frame), frame) for frame in frames] == [True, False, True, False, True, False, True]


def test_what_appears_is_there_at_once_and_what_leaves_leaves_no_trail() -> None:
    calm, rng = Calm(), np.random.default_rng(2)
    for _ in range(11):
        calm(desk(rng))
    assert calm(desk(rng, left=90))[45:75, 90:94].mean() == pytest.approx(120, abs=4)
    for _ in range(12):
        calm(desk(rng, left=90))
    assert calm(desk(rng))[45:75, 90:94].mean() == pytest.approx(180, abs=4)


def test_what_moves_keeps_its_edges() -> None:
    calm, rng = Calm(), np.random.default_rng(3)
    for step in range(20):  # the last of an even number of frames is a mean
        seen = calm(desk(rng, left=20 + 5 * step))
    assert seen[45:75, 115:119].mean() == pytest.approx(120, abs=6)
    assert seen[45:75, 100:112].mean() == pytest.approx(180, abs=4)


def test_a_lamp_that_is_switched_begins_anew() -> None:
    calm, rng = Calm(), np.random.default_rng(4)
    for _ in range(12):
        calm(desk(rng))
    assert calm(desk(rng, light=0.6)).mean() == pytest.approx(108, abs=1)


def test_colour_becomes_grey_and_another_size_begins_anew() -> None:
    calm = Calm()
    color = np.zeros((60, 80, 3), np.uint8)
    color[:, :, 1] = 200
    assert np.array_equal(calm(color), cv2.cvtColor(color, cv2.COLOR_BGR2GRAY))
    assert calm(np.zeros((30, 40), np.uint8)).shape == (30, 40)
    with pytest.raises(ShapeError):
        calm(np.zeros((30, 40), np.float32))  # type: ignore[arg-type]


def test_the_frame_given_is_left_as_it_was() -> None:
    calm, frame = Calm(), np.full((60, 80), 100, np.uint8)
    for level in (100, 100, 101):
        before = np.full_like(frame, level)
        after = before.copy()
        calm(after)
        assert np.array_equal(before, after)
