"""How a run is doing, counted where it happens and shown by the preview, /metrics, the watchdog and the last line."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

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
class Waiting:
    """What a sink with a queue has not delivered yet, and what a full queue has dropped."""

    waiting: int = 0
    dropped: int = 0
    delivered: int = 0
    connected: bool = True


@dataclass(slots=True, kw_only=True)
class Vitals:
    """Counters of one run. Written by the loop's thread, and reconnects, lost by the frame thread; read by any.

    seen: monotonic time of the newest frame read, None before the first. lost: the source gives nothing at present.
    queues: by the sink's name. Single attributes are replaced whole, so that a reader needs no lock.
    """

    frames: int = 0
    skipped: int = 0
    reconnects: int = 0
    lost: bool = False
    seen: float | None = None
    began: float = field(default_factory=time.monotonic)
    latency: Histogram = field(default_factory=Histogram)
    inference_us: float = 0.0
    events: Counter[str] = field(default_factory=Counter)
    queues: dict[str, Waiting] = field(default_factory=dict)

    def fresh(self, within_s: float) -> bool:
        """True if a frame was read within the last seconds."""
        return self.seen is not None and time.monotonic() - self.seen <= within_s
