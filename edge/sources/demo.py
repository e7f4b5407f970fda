"""The demo camera: a simulated desk with known truth, in real time or as fast as it is read."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from threading import Event
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from edge.errors import UsageError
from edge.sources.base import SourceBase
from edge.sources.desk import EASY, FULL, SIZE, Scene, draw_scene
from edge.values import Frame, Image

FRAMES_PER_S = 15
SCENE_FRAMES = (45, 60)  # 3 to 4 s: time to read, and never more than 5 s of the same
FAST_START = 1_767_225_600.0  # 2026-01-01 UTC, where the simulated clock begins
_NOISE_MARGIN = 64

Noise: TypeAlias = npt.NDArray[np.int16]


class DrawnSource(SourceBase):
    """Drawn frames on a clock: live, 15 a second on the wall clock; otherwise (fast) every frame at once.

    The times of fast frames advance 1/15 s from a fixed start.
    """

    def __init__(self, *, fast: bool, seed: int, name: str) -> None:
        self.name = name
        self.live = not fast
        self.moving = True
        self.seed = seed
        self._closed = Event()

    def __iter__(self) -> Iterator[Frame]:
        began = time.time() if self.live else FAST_START
        index = 0
        while not self._closed.is_set():
            due = began + index / FRAMES_PER_S
            if self.live:
                self._closed.wait(max(0.0, due - time.time()))
                due = time.time()
            yield Frame(pixels=self.pixels(index), index=index, time=due, source=self.name)
            index += 1

    def close(self) -> None:
        """Stop giving frames; as often as wanted."""
        self._closed.set()

    def pixels(self, frame_index: int) -> Image:
        """Pixels (480, 640, 3) BGR uint8 of a frame."""
        raise NotImplementedError


class DemoSource(DrawnSource):
    """Frames of a simulated desk (`demo`, `demo:fast`); pixels are a function of seed and frame index alone.

    The scene changes every 3 to 4 s.
    """

    def __init__(self, *, fast: bool = False, easy: bool = False, seed: int = 1, name: str = "demo") -> None:
        super().__init__(fast=fast, seed=seed, name=name)
        self.ranges = EASY if easy else FULL
        self._starts = [0]
        self._scene = lru_cache(maxsize=16)(self._draw)  # the last few stay at hand for the picture of a run

    def scene_number(self, frame_index: int) -> int:
        """Which scene, from 0, the frame shows."""
        while self._starts[-1] <= frame_index:
            rng = np.random.default_rng((self.seed, len(self._starts), 1))
            self._starts.append(self._starts[-1] + int(rng.integers(SCENE_FRAMES[0], SCENE_FRAMES[1] + 1)))
        return bisect_right(self._starts, frame_index) - 1

    def scene(self, number: int) -> Scene:
        """Scene `number`, from 0, with its truth."""
        return self._scene(number)[0]

    def pixels(self, frame_index: int) -> Image:
        """Pixels (480, 640, 3) BGR uint8 of a frame: its scene, and noise that no other frame has."""
        scene, noise = self._scene(self.scene_number(frame_index))
        return with_noise(scene.pixels, noise, np.random.default_rng((self.seed, frame_index, 2)))

    def _draw(self, number: int) -> tuple[Scene, Noise]:
        rng = np.random.default_rng((self.seed, number, 0))
        scene = draw_scene(rng, self.ranges)
        return scene, draw_noise(rng, scene.noise)


def draw_noise(rng: np.random.Generator, sigma: float) -> Noise:
    """A field of sensor noise larger than a frame: mostly brightness, with a little colour."""
    shape = (SIZE[1] + _NOISE_MARGIN, SIZE[0] + _NOISE_MARGIN)
    grey = rng.standard_normal(shape, np.float32)[..., None]
    color = rng.standard_normal((*shape, 3), np.float32)
    noise = sigma * (0.9 * grey + np.float32(0.19**0.5) * color)  # 0.9² + 0.19 = 1: sigma stays what it was
    return np.rint(noise).astype(np.int16)


def with_noise(pixels: Image, noise: Noise, rng: np.random.Generator) -> Image:
    """A frame with noise that no other has: a window into the field is as good as new noise and ten times as fast."""
    y, x = rng.integers(0, _NOISE_MARGIN, 2)
    height, width = pixels.shape[:2]
    return np.asarray(cv2.add(pixels, noise[y : y + height, x : x + width], dtype=cv2.CV_8U), np.uint8)


def open_demo(spec: str) -> DrawnSource:
    """A source by its SPEC: `demo`, then in any order `:fast`, `:easy`, `:events`, `:seed=N`.

    With `:events` a ScriptSource, otherwise a DemoSource. Raises UsageError otherwise.
    """
    fast = easy = events = False
    seed = 1
    for option in spec.split(":")[1:]:
        key, _, value = option.partition("=")
        if option == "fast":
            fast = True
        elif option == "easy":
            easy = True
        elif option == "events":
            events = True
        elif key == "seed" and value.isascii() and value.isdigit():
            seed = int(value)
        else:
            raise UsageError(f"camera {spec}: {option!r} is no option of the demo; use fast, easy, events, seed=N")
    if events:
        from edge.sources.scripted import ScriptSource  # it is made of what is here

        return ScriptSource(fast=fast, easy=easy, seed=seed, name=spec)
    return DemoSource(fast=fast, easy=easy, seed=seed, name=spec)
