"""How a run is doing, counted where it happens and shown by the preview, /metrics, the watchdog and the last line."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter, deque
from dataclasses import dataclass, field

import numpy as np

from edge.inference.drift import Drift
from edge.sinks.base import Waiting

# The last line tells of the latest frames: ten minutes at 15 a second.
_LATEST = 10_000
# Upper bounds of the buckets, in s: a capture to reading takes 10 to 300 ms on the boards there are.
LATENCY_BOUNDS_S = (0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0)


@dataclass(slots=True, kw_only=True)
class Histogram:
    """How many values lie at or below each bound; the last count is of those above all."""

    bounds: tuple[float, ...] = LATENCY_BOUNDS_S
    counts: list[int] = field(default_factory=list)
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = self.counts or [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@dataclass(slots=True, kw_only=True)
class Vitals:
    """Counters of one run. Written by the loop's thread (skipped, reconnects, lost: by the frame thread), read by any.

    seen: monotonic time of the newest frame read, None before the first. lost: the source gives nothing at present.
    faults: of the camera, by edge.live.pulse.FaultKind.
    inference_us: what the models took for the newest frame. queues: by the sink's name. began, ended: monotonic times;
    ended is None while the run goes. drift: how the model in use does, None where its manifest does not say what to
    expect. Single attributes are replaced whole, so that a reader needs no lock.
    """

    frames: int = 0
    skipped: int = 0
    reconnects: int = 0
    lost: bool = False
    faults: Counter[str] = field(default_factory=Counter)
    seen: float | None = None
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None
    latency: Histogram = field(default_factory=Histogram)
    latest: deque[float] = field(default_factory=lambda: deque(maxlen=_LATEST))
    inference_us: float = 0.0
    events: Counter[str] = field(default_factory=Counter)
    queues: dict[str, Waiting] = field(default_factory=dict)
    drift: Drift | None = None

    def count_frame(self, latency_s: float) -> None:
        """One more frame was read, so long after it was taken."""
        self.latency.add(latency_s)
        self.latest.append(latency_s)
        self.seen = time.monotonic()
        self.frames += 1

    def fresh(self, within_s: float) -> bool:
        """True if a frame was read within the last seconds."""
        return self.seen is not None and time.monotonic() - self.seen <= within_s

    def __str__(self) -> str:
        """The last line of a run on stderr; for the loop's own thread."""
        seconds = max((self.ended or time.monotonic()) - self.began, 1e-9)
        line = f"{self.frames} frames read, {self.skipped} skipped, {self.frames / seconds:.1f} frames/s"
        if not self.latest:
            return line
        p50, p95 = 1000 * np.percentile(self.latest, (50, 95))
        return f"{line}, capture to reading p50 {p50:.1f} ms, p95 {p95:.1f} ms"
