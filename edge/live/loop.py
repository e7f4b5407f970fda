"""The camera loop: frames to readings to events, as a generator."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from edge.errors import UsageError
from edge.live.calm import Calm
from edge.live.newest import NewestFrame
from edge.live.steady import EACH_FRAME, STEADY, Steady
from edge.live.vitals import Vitals
from edge.sinks.base import Event
from edge.sources.base import Source
from edge.values import Box, Frame, Image, Reading

_POLL_S = 0.1  # how soon a stop is noticed while no frame comes

_log = logging.getLogger(__name__)


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
    """One frame read: its readings, the events they made, and the numbers believed to be there now.

    looked_at: the very picture that was read: the part of the frame within the roi, calmer than the camera gave it.
    """

    frame: Frame
    readings: tuple[Reading, ...]
    events: tuple[Event, ...]
    shown: tuple[Reading, ...]
    looked_at: Image | None = None


class Watcher(Protocol):
    """Whoever looks on while a run goes: preview, snapshots, watchdog, judge."""

    def see(self, step: Step) -> None:
        """Take one step; must return at once, for the loop waits for it."""

    def close(self) -> None:
        """Give back what is held; as often as wanted."""


def follow(
    source: Source,
    reader: PixelReader,
    vitals: Vitals,
    *,
    limits: Limits | None = None,
    wait: bool = False,
    timeout_s: float = 5.0,
    stopped: Callable[[], bool] = lambda: False,
) -> Generator[Step, None, None]:
    """Read the source until it ends, a limit is reached or stopped() says so, counting in vitals.

    Live sources give their newest frame; others every frame. timeout_s: a live source that is silent, or dead, for so
    long is opened again. Raises SourceError if the source gives no first frame (unless wait), UsageError if limits.roi
    is not within its first picture; later pictures that lack it (a camera replaced by a smaller one) are left out.
    """
    limits = limits or Limits()
    steady = Steady(STEADY if source.moving else EACH_FRAME)
    calm = Calm() if source.moving else None
    began = vitals.began
    newest = NewestFrame(source, vitals=vitals, wait=wait, timeout_s=timeout_s) if source.live else None
    frames = iter(source) if newest is None else _newest(newest, lambda: stopped() or _over(began, limits))
    try:
        for frame, part in _cut(frames, limits.roi):
            start = time.perf_counter()
            looked_at = part if calm is None else calm(part)
            readings = _placed(reader.read(looked_at), limits.roi)
            # A simulated or recorded time is no measure: there latency begins when the frame is handed over.
            latency = time.time() - frame.time if source.live else time.perf_counter() - start
            vitals.count_frame(latency)
            events = steady.update(frame, readings)
            vitals.events.update(event.happening for event in events)
            yield Step(frame=frame, readings=readings, events=events, shown=steady.shown, looked_at=looked_at)
            if stopped() or _over(began, limits) or (limits.frames is not None and vitals.frames >= limits.frames):
                return
    finally:
        vitals.ended = time.monotonic()
        (newest or source).close()  # its thread first, which would take the source's end for a loss


def _cut(frames: Iterator[Frame], roi: Box | None) -> Iterator[tuple[Frame, Image]]:
    """Each frame with the part that is read."""
    first, missing = True, False
    for frame in frames:
        try:
            part = cut_roi(frame.pixels, roi)
        except UsageError as error:
            if first:
                raise
            if not missing:
                _log.warning("camera %s: %s; its pictures are left out until it is there", frame.source, error)
            missing = True
            continue
        first = missing = False
        yield frame, part


def _newest(newest: NewestFrame, stopped: Callable[[], bool]) -> Iterator[Frame]:
    try:
        while not stopped():
            frame = newest.next(_POLL_S)
            if frame is not None:
                yield frame
    finally:
        newest.close()


def _over(began: float, limits: Limits) -> bool:
    return limits.seconds is not None and time.monotonic() - began >= limits.seconds


def cut_roi(pixels: Image, roi: Box | None) -> Image:
    """The part of pixels (H, W) or (H, W, 3) that is read; all of it without a roi.

    Raises UsageError if roi is not within the picture.
    """
    if roi is None:
        return pixels
    height, width = pixels.shape[:2]
    if roi.left < 0 or roi.top < 0 or roi.right > width or roi.bottom > height:
        raise UsageError(f"--roi {','.join(map(str, roi.as_list()))}: the picture is {width}x{height}; stay within it")
    return np.ascontiguousarray(pixels[roi.top : roi.bottom, roi.left : roi.right])


def _placed(readings: tuple[Reading, ...], roi: Box | None) -> tuple[Reading, ...]:
    """Readings of the part within roi, in the frame's pixels."""
    return readings if roi is None else tuple(_moved(reading, roi.left, roi.top) for reading in readings)


def _moved(reading: Reading, dx: int, dy: int) -> Reading:
    digits = tuple(replace(digit, box=digit.box.moved(dx, dy)) for digit in reading.digits)
    return replace(reading, box=reading.box.moved(dx, dy), digits=digits)
