"""Which pictures are a living camera's: told frame by frame on a clock of the test's own."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.live.pulse import Beat, Pulse
from edge.values import Image

RATE = 15


class Show:
    """Feeds pictures to a Pulse at 15 a second and keeps what it says."""

    def __init__(self, *, sensor: bool = True, timeout_s: float = 5.0) -> None:
        self.pulse = Pulse(sensor=sensor, timeout_s=timeout_s)
        self.rng = np.random.default_rng(5)
        self.now = 1000.0
        self.beats: list[Beat] = []

    def noisy(self, level: int = 120, shape: tuple[int, ...] = (96, 128, 3)) -> Image:
        return np.asarray(np.clip(self.rng.normal(level, 4, shape), 0, 255), np.uint8)

    def give(self, pixels: Image, age_s: float = 0.02) -> Beat:
        self.now += 1 / RATE
        self.beats.append(self.pulse.feel(pixels.copy(), age_s, self.now))
        return self.beats[-1]

    def live(self, seconds: float) -> list[Beat]:
        return [self.give(self.noisy()) for _ in range(round(RATE * seconds))]

    def until_fault(self, pixels: Image, seconds: float) -> float | None:
        """Give the same picture again and again: after how many seconds it is a fault to be opened again for."""
        start = self.now
        for _ in range(round(RATE * seconds)):
            if self.give(pixels).reopen:
                return self.now - start
        return None

    def said(self) -> list[str]:
        return [beat.text for beat in self.beats if beat.text]


@pytest.mark.parametrize("shape", [(96, 128, 3), (96, 128), (16, 16, 3)])
def test_a_living_camera_is_good(shape: tuple[int, ...]) -> None:
    show = Show()
    assert all(show.give(show.noisy(shape=shape)) == Beat(good=True) for _ in range(90))


def test_a_sensor_that_gives_the_same_picture_is_frozen_within_its_timeout() -> None:
    show = Show()
    still = show.noisy()
    lasted = show.until_fault(still, 10)
    assert lasted is not None and 3 < lasted < 5
    assert show.beats[-1].fault == "frozen" and "to the byte" in show.said()[0]


def test_what_is_frozen_stays_so_when_it_is_opened_again_until_the_picture_changes() -> None:
    show = Show()
    show.live(2)
    still = show.noisy()
    assert show.until_fault(still, 10)
    for _ in range(2):
        show.pulse.reopened()
        lasted = show.until_fault(still, 10)
        assert lasted is not None and 3 < lasted < 5
        assert not any(beat.good for beat in show.beats[-round(RATE * lasted) :])
    assert show.give(show.noisy()).good


def test_a_stream_that_was_alive_freezes_too() -> None:
    show = Show(sensor=False)
    show.live(2)
    lasted = show.until_fault(show.noisy(), 10)
    assert lasted is not None and lasted < 5


def test_a_stream_of_one_still_picture_is_read_for_ever_and_said_once() -> None:
    show = Show(sensor=False)
    assert show.until_fault(show.noisy(), 60) is None
    assert all(beat.good for beat in show.beats)
    (said,) = show.said()
    assert "a still, or frozen" in said


def test_a_slide_show_is_not_frozen_but_one_that_stops_is() -> None:
    show = Show(sensor=False)
    for _ in range(6):
        assert show.until_fault(show.noisy(), 6) is None
    lasted = show.until_fault(show.noisy(), 60)
    assert lasted is not None and 17 < lasted < 20


def test_the_time_a_source_needs_to_open_is_no_stillness() -> None:
    show = Show(sensor=False)
    show.live(2)
    show.pulse.reopened()
    show.now += 30
    show.live(1)
    lasted = show.until_fault(show.noisy(), 20)
    assert lasted is not None and lasted < 5


def test_a_longer_timeout_is_kept() -> None:
    show = Show(timeout_s=20)
    lasted = show.until_fault(show.noisy(), 30)
    assert lasted is not None and 12 < lasted < 20


@pytest.mark.parametrize("color", [(128, 128, 128), (0, 135, 0)])
def test_a_picture_whose_lower_part_was_not_decoded_is_dropped(color: tuple[int, int, int]) -> None:
    show = Show()
    show.live(1)
    half = show.noisy()
    half[40:] = color
    beat = show.give(half)
    assert not beat.good and beat.fault == "broken" and not beat.reopen
    assert show.give(show.noisy()).good


def test_a_jpeg_broken_in_the_middle_is_dropped() -> None:
    show = Show()
    show.live(1)
    content = bytearray(cv2.imencode(".jpg", show.noisy(shape=(480, 640, 3)))[1].tobytes())
    middle = len(content) // 2
    broken = bytes(content[:middle]) + b"\xff\xd9"
    decoded = cv2.imdecode(np.frombuffer(broken, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None and not show.give(np.asarray(decoded, np.uint8)).good


def test_a_picture_with_the_lower_part_of_the_last_one_is_dropped() -> None:
    show = Show()
    show.live(4)
    before = show.noisy()
    show.give(before)
    torn = show.noisy()
    torn[50:] = before[50:]
    assert show.give(torn).fault == "broken"
    assert show.give(show.noisy()).good


def test_a_clean_picture_that_changes_in_its_upper_part_only_is_good() -> None:
    show = Show(sensor=False)
    still = show.noisy()
    for number in range(200):
        shown = still.copy()
        shown[:20] = number
        assert show.give(shown).good


def test_a_still_scene_of_a_video_encoder_is_good() -> None:
    show = Show(sensor=False)
    show.live(4)
    still = show.noisy()
    for _ in range(200):
        shown = still.copy()
        for _ in range(3):  # a few blocks are sent anew, the others are those of the last picture
            y, x = show.rng.integers(0, 4) * 16, show.rng.integers(0, 8) * 16
            shown[y : y + 16, x : x + 16] += 1
        assert show.give(shown).good


def test_torn_pictures_alone_are_a_fault_within_the_timeout() -> None:
    show = Show()
    show.live(4)
    below = show.noisy()
    start = show.now
    while not show.beats[-1].reopen:
        torn = show.noisy()
        torn[50:] = below[50:]
        show.give(torn)
        assert show.now - start < 5


def test_flat_pictures_are_pictures() -> None:
    show = Show(sensor=False)
    for level in (128, 255, 60, 128):
        assert show.give(np.full((96, 128, 3), level, np.uint8)).good


def test_nothing_but_half_pictures_is_a_fault_within_the_timeout() -> None:
    show = Show()
    show.live(1)
    start = show.now
    while not show.beats[-1].reopen:
        half = show.noisy()
        half[40:] = 128
        show.give(half)
        assert show.now - start < 5
    assert "half decoded" in show.said()[0]


def test_black_is_said_once_and_given_on_and_opened_again_more_and_more_seldom() -> None:
    show = Show()
    show.live(1)
    pictures = [show.noisy(8), show.noisy(8)]
    dark = [show.give(pictures[number % 2]) for number in range(RATE * 600)]
    assert all(beat.good for beat in dark)
    (said,) = show.said()
    assert "is the lens covered" in said
    again = [number / RATE for number, beat in enumerate(dark) if beat.reopen]
    assert [round(seconds / 60) for seconds in again] == [1, 2, 4, 8]
    show.give(show.noisy())
    assert show.said()[1:] == ["its pictures are no longer black"]


def test_black_without_noise_is_black_and_not_frozen() -> None:
    show = Show()
    for _ in range(RATE * 20):
        assert show.give(np.zeros((96, 128, 3), np.uint8)).good
    assert ["black" in text for text in show.said()] == [True]


def test_a_lamp_in_the_dark_and_digits_on_slate_are_not_black() -> None:
    show = Show()
    for _ in range(RATE * 10):
        slate = show.noisy(14)
        cv2.putText(slate, "7", (40, 70), cv2.FONT_HERSHEY_SIMPLEX, 2, (90, 90, 90), 6)
        show.give(slate)
    assert show.said() == []


def test_another_size_is_said_once_each() -> None:
    show = Show()
    for shape in ((96, 128, 3), (48, 64, 3), (48, 64, 3), (96, 128, 3), (48, 64, 3)):
        assert show.give(show.noisy(shape=shape)).good
    assert show.said() == ["its pictures are 64x48 now"]


def test_pictures_that_come_late_are_dropped_and_then_a_fault() -> None:
    show = Show()
    show.live(1)
    assert show.give(show.noisy(), age_s=1.0).good
    start = show.now
    while not show.beats[-1].reopen:
        assert not show.give(show.noisy(), age_s=3.0).good
        assert show.now - start < 5
    assert show.beats[-1].fault == "late" and "3.0 s late" in show.said()[-1]
