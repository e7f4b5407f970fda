"""The simulated desk with a camera that fails at random, seeded."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count

import cv2
import numpy as np

from edge.errors import SourceError
from edge.sources.base import SourceBase
from edge.sources.demo import DemoSource
from edge.values import Frame, Image, Reading

_FAULT_EVERY = 200  # frames, on average
_STILL_S = 0.02  # between frames that the loop does not get to see
TIMEOUT_S = 1.0


class Deck:
    """Names in random order, each once before any comes again: a short soak has all of them too."""

    def __init__(self, names: Iterable[str], rng: random.Random) -> None:
        self._names = tuple(names)
        self._rng = rng
        self._left: list[str] = []

    def draw(self) -> str:
        if not self._left:
            self._left = self._rng.sample(self._names, len(self._names))
        return self._left.pop()


class FaultyDesk(SourceBase):
    """The demo's fast frames, each once the one before it was read, from a camera with every fault there is."""

    live = True
    moving = True
    sensor = True

    def __init__(self, demo: DemoSource, rng: random.Random) -> None:
        self.name = "desk"
        self.demo = demo
        self.faults: Counter[str] = Counter()
        self.read = threading.Event()  # the loop has read the newest frame
        self._rng = rng  # one iteration at a time draws from it, but for one that is held up
        self._kinds = Deck(KINDS, rng)
        self._indices = count()
        self._drawn = count()
        self._refusals = 0
        self._shown: dict[int, int] = {}  # id of pixels -> index of the demo's frame, for those that are its own
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        if self._refusals:
            self._refusals -= 1
            raise SourceError("camera desk: refused")
        while not self._closed.is_set():
            if self._rng.random() < 1 / _FAULT_EVERY:
                yield from self._fail(self._kinds.draw())
            else:
                yield self._next()
                self._pace()

    def close(self) -> None:
        self._closed.set()
        self.read.set()

    def numbers(self, pixels: Image) -> tuple[Reading, ...]:
        """What is written on a picture of the demo's own; nothing on any other."""
        index = self._shown.get(id(pixels))
        if index is None:
            return ()
        written = self.demo.scene(self.demo.scene_number(index)).numbers
        return tuple(Reading(text=one.text, confidence=0.99, status="read", box=one.box) for one in written)

    def _next(self) -> Frame:
        index = next(self._drawn)
        pixels = self.demo.pixels(index)
        self._shown[id(pixels)] = index
        if len(self._shown) > 64:
            del self._shown[next(iter(self._shown))]
        return self._frame(pixels)

    def _frame(self, pixels: Image, age_s: float = 0.0) -> Frame:
        return Frame(pixels=pixels, index=next(self._indices), time=time.time() - age_s, source=self.name)

    def _pace(self) -> None:
        self.read.wait(TIMEOUT_S / 4)
        self.read.clear()

    def _fail(self, kind: str) -> Iterator[Frame]:
        self.faults[kind] += 1
        if kind in ("unplugged", "refused"):
            self._refusals = 2 if kind == "refused" else 0
            raise SourceError(f"camera desk: {kind}")
        if kind == "silent":
            self._closed.wait(3 * TIMEOUT_S)
        elif kind == "frozen":
            frame = self._next()
            end = time.monotonic() + 3 * TIMEOUT_S
            while time.monotonic() < end and not self._closed.wait(_STILL_S):
                yield replace(frame, index=next(self._indices), time=time.time())
        elif kind != "ended":
            for _ in range(self._rng.randint(3, 30)):
                yield self._spoilt(kind)
                self._closed.wait(_STILL_S)
        if kind in ("ended", "silent"):
            raise SourceError(f"camera desk: {kind}")

    def _spoilt(self, kind: str) -> Frame:
        pixels = self.demo.pixels(next(self._drawn))
        if kind == "black":
            pixels = pixels // 32
        elif kind == "half":
            pixels[200:] = 128
        elif kind == "resized":
            pixels = np.ascontiguousarray(cv2.resize(pixels, (320, 240)))
        elif kind == "garbage":
            pixels = np.frombuffer(self._rng.randbytes(pixels.size), np.uint8).reshape(pixels.shape)
        return self._frame(pixels, age_s=60.0 if kind == "late" else 0.0)


KINDS = ("unplugged", "refused", "ended", "silent", "frozen", "black", "half", "late", "resized", "garbage")
