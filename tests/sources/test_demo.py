"""The simulated desk: its truth is true, its ranges hold, the same seed shows the same."""

from __future__ import annotations

import time
from itertools import islice

import numpy as np
import pytest

from edge.errors import UsageError
from edge.sources.demo import FAST_START, FRAMES_PER_S, DemoSource, open_demo
from edge.sources.desk import EASY, FULL, draw_scene
from edge.sources.digits import load_digits


def test_the_shipped_digits_are_real_and_of_all_kinds() -> None:
    images, labels = load_digits()
    assert images.shape == (2500, 28, 28) and images.dtype == np.uint8
    assert np.bincount(labels, minlength=10).min() > 150
    assert not images.flags.writeable


def test_the_same_seed_shows_the_same_and_another_does_not() -> None:
    one, same, other = DemoSource(fast=True), DemoSource(fast=True), DemoSource(fast=True, seed=2)
    assert np.array_equal(one.pixels(70), same.pixels(70))
    assert not np.array_equal(one.pixels(70), other.pixels(70))
    assert [n.text for n in one.scene(3).numbers] == [n.text for n in same.scene(3).numbers]


def test_noise_differs_from_frame_to_frame_as_much_as_the_scene_says() -> None:
    source = DemoSource(fast=True)
    scene = source.scene(0)
    calm = (scene.pixels > 40) & (scene.pixels < 215)  # where nothing is clipped
    difference = source.pixels(0).astype(float) - source.pixels(1)
    assert difference[calm].std() == pytest.approx(scene.noise * 2**0.5, rel=0.05)


def test_the_fast_demo_has_its_own_clock() -> None:
    frames = list(islice(DemoSource(fast=True), 4))
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    np.testing.assert_allclose([frame.time - FAST_START for frame in frames], np.arange(4) / FRAMES_PER_S, atol=1e-6)


def test_the_live_demo_gives_fifteen_frames_a_second() -> None:
    def fifteen_more_s() -> float:
        start = time.monotonic()
        assert len(list(islice(DemoSource(), 16))) == 16
        return time.monotonic() - start

    times = [fifteen_more_s() for _ in range(3)]
    # None is quicker; on a machine with much else to do some are slower.
    assert all(took > 0.95 for took in times)
    assert min(times) < 1.6 or any(fifteen_more_s() < 1.6 for _ in range(20)), times


def test_scenes_change_every_three_to_four_seconds() -> None:
    source = DemoSource(fast=True)
    numbers = [source.scene_number(index) for index in range(2000)]
    lengths = np.bincount(numbers)[:-1]
    assert numbers == sorted(numbers) and numbers[0] == 0
    assert lengths.min() >= 45 and lengths.max() <= 60


@pytest.mark.parametrize("ranges", [FULL, EASY], ids=["full", "easy"])
def test_what_is_drawn_stays_within_the_ranges(ranges: object) -> None:
    assert ranges in (FULL, EASY)
    spread = FULL if ranges is FULL else EASY
    counts, lengths = set(), set()
    for seed in range(40):
        scene = draw_scene(np.random.default_rng(seed), spread)
        assert scene.pixels.shape == (480, 640, 3)
        assert spread.noise[0] <= scene.noise <= spread.noise[1]
        counts.add(len(scene.numbers))
        for number in scene.numbers:
            lengths.add(len(number.text))
            # Perspective stretches one end of a long number, so half a pixel and a tenth are allowed.
            low, high = spread.numbers.height_px
            assert low * 0.9 - 0.5 <= number.height_px <= high * 1.1 + 0.5
            assert number.box.left >= 0 and number.box.right <= 640 and number.box.bottom <= 480
    assert counts == {1, 2, 3, 4} and lengths == {1, 2, 3, 4, 5, 6}


def test_ink_is_where_the_truth_says_and_numbers_do_not_overlap() -> None:
    for seed in range(20):
        scene = draw_scene(np.random.default_rng(seed), EASY)
        boxes = [number.box for number in scene.numbers]
        for box in boxes:
            part = scene.pixels[box.top : box.bottom, box.left : box.right].min(axis=2).astype(float)
            around = np.percentile(part, 90)
            assert part.min() < 0.8 * around, "no ink in the box of a number"
        paper = np.zeros((480, 640), int)
        for number in scene.numbers:
            import cv2

            mask = np.zeros((480, 640), np.uint8)
            cv2.fillConvexPoly(mask, np.array(number.quad).round().astype(np.int32), 1)
            paper += mask
        assert paper.max() == 1


def test_ranges_print_what_a_figure_must_stand_beside() -> None:
    text = str(FULL)
    for part in ("1-4 numbers", "1-6", "18-80 px", "±25°", "30°", "40-200", "σ 0-1.5", "3:1", "30%", "σ 2-10", "25%"):
        assert part in text
    assert "32-80 px" in str(EASY) and "no clutter" in str(EASY) and "±12°" in str(EASY) and "90-200" in str(EASY)


@pytest.mark.parametrize("spec", ["demo:quick", "demo:seed=x", "demo:seed=", "demo:"])
def test_an_unknown_option_is_named(spec: str) -> None:
    with pytest.raises(UsageError, match="fast, easy, events, seed=N"):
        open_demo(spec)
