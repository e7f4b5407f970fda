"""The camera loop: frames to readings to events, as a generator, and the sum of a run."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from edge.errors import UsageError
from edge.live.newest import NewestFrame
from edge.live.steady import EACH_FRAME, STEADY, Steady
from edge.sinks.base import Event
from edge.sources.base import Source
from edge.values import Box, Frame, Image, Reading

# A run of months keeps the latencies of its last hour or two.
_LATENCIES = 100_000
_POLL_S = 0.1  # how soon a stop is noticed while no frame comes


class PixelReader(Protocol):
    """Anything that turns pixels into readings."""

    def read(self, pixels: Image) -> tuple[Reading, ...]:
        """Readings of pixels (H, W) grey or (H, W, 3) BGR uint8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a run ends by itself: after so many frames read, or seconds; None is never. roi: read only this part."""

    frames: int | None = None
    seconds: float | None = None
    roi: Box | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """One frame read: its readings, the events they made, and the numbers believed to be there now."""

    frame: Frame
    readings: tuple[Reading, ...]
    events: tuple[Event, ...]
    shown: tuple[Reading, ...]


class Watcher(Protocol):
    """Whoever looks on while a run goes: preview, snapshots, watchdog, judge."""

    def see(self, step: Step) -> None:
        """Take one step; must return at once, for the loop waits for it."""

    def close(self) -> None:
        """Give back what is held; as often as wanted."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What a run has done so far; latencies are from capture to readings, in s, the latest."""

    frames: int = 0
    skipped: int = 0
    began: float = field(default_factory=time.monotonic)
    ended: float = 0.0
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=_LATENCIES))

    def __str__(self) -> str:
        """The last line of a run on stderr."""
        seconds = max((self.ended or time.monotonic()) - self.began, 1e-9)
        line = f"{self.frames} frames read, {self.skipped} skipped, {self.frames / seconds:.1f} frames/s"
        if not self.latencies:
            return line
        p50, p95 = 1000 * np.percentile(self.latencies, (50, 95))
        return f"{line}, capture to reading p50 {p50:.1f} ms, p95 {p95:.1f} ms"


def follow(
    source: Source,
    reader: PixelReader,
    tally: Tally,
    *,
    limits: Limits | None = None,
    wait: bool = False,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Step]:
    """Read the source until it ends, a limit is reached or stopped() says so, keeping tally.

    Live sources give their newest frame; others every frame. Raises SourceError if the source gives no first frame
    (unless wait), UsageError if limits.roi is not within the picture.
    """
    limits = limits or Limits()
    steady = Steady(STEADY if source.moving else EACH_FRAME)
    began = tally.began
    frames = _newest(source, tally, wait, lambda: stopped() or _over(began, limits)) if source.live else iter(source)
    try:
        for frame in frames:
            start = time.perf_counter()
            readings = _read(reader, frame.pixels, limits.roi)
            # A simulated or recorded time is no measure: there latency begins when the frame is handed over.
            latency = time.time() - frame.time if source.live else time.perf_counter() - start
            tally.latencies.append(latency)
            tally.frames += 1
            events = steady.update(frame, readings)
            yield Step(frame=frame, readings=readings, events=events, shown=steady.shown)
            if stopped() or _over(began, limits) or (limits.frames is not None and tally.frames >= limits.frames):
                return
    finally:
        tally.ended = time.monotonic()
        source.close()


def _newest(source: Source, tally: Tally, wait: bool, stopped: Callable[[], bool]) -> Iterator[Frame]:
    newest = NewestFrame(source, wait=wait)
    try:
        while not stopped():
            frame = newest.next(_POLL_S)
            tally.skipped = newest.skipped
            if frame is not None:
                yield frame
    finally:
        newest.close()


def _over(began: float, limits: Limits) -> bool:
    return limits.seconds is not None and time.monotonic() - began >= limits.seconds


def _read(reader: PixelReader, pixels: Image, roi: Box | None) -> tuple[Reading, ...]:
    if roi is None:
        return reader.read(pixels)
    height, width = pixels.shape[:2]
    if roi.left < 0 or roi.top < 0 or roi.right > width or roi.bottom > height:
        raise UsageError(f"--roi {','.join(map(str, roi.as_list()))}: the picture is {width}x{height}; stay within it")
    cut = np.ascontiguousarray(pixels[roi.top : roi.bottom, roi.left : roi.right])
    return tuple(_moved(reading, roi.left, roi.top) for reading in reader.read(cut))


def _moved(reading: Reading, dx: int, dy: int) -> Reading:
    digits = tuple(replace(digit, box=digit.box.moved(dx, dy)) for digit in reading.digits)
    return replace(reading, box=reading.box.moved(dx, dy), digits=digits)
