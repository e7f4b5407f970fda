"""How the run is doing at this moment, as JSON for a page: frames a second, latency, what is shown, what waits."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from edge.live.vitals import Vitals
from edge.web.pictures import Seen

_WINDOW = 10  # samples; at two a second the last five seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    at: float
    frames: int
    latency_s: float  # the sum of all so far


class PulseMaker:
    """Looks at the vitals; each call gives the state now, rates being those of the last five seconds at most."""

    def __init__(self, newest: Callable[[], Seen | None], vitals: Vitals, *, source: str, lost_s: float) -> None:
        self._newest = newest
        self._vitals = vitals
        self._source = source
        self._lost_s = lost_s
        self._samples: deque[_Sample] = deque(maxlen=_WINDOW)

    def __call__(self) -> str:
        """JSON; what is not known yet is null. silent_s: since the last frame, if the camera counts as lost."""
        vitals, now, seen = self._vitals, time.monotonic(), self._newest()
        sample = _Sample(at=now, frames=vitals.frames, latency_s=vitals.latency.total)
        if self._samples and now - self._samples[-1].at > self._lost_s:
            self._samples.clear()  # nobody looked meanwhile
        self._samples.append(sample)
        first = self._samples[0]
        frames, seconds = sample.frames - first.frames, now - first.at
        height, width = seen.step.frame.pixels.shape[:2] if seen else (0, 0)
        silent_s = now - (seen.at if seen else vitals.began)
        content = {
            "source": self._source,
            "size": [width, height],
            "frames": sample.frames,
            "skipped": vitals.skipped,
            "reconnects": vitals.reconnects,
            "lost": vitals.lost or silent_s > self._lost_s,
            "waiting": seen is None,
            "silent_s": round(silent_s, 1),
            "fps": round(frames / seconds, 1) if seconds > 0 else None,
            "latency_ms": round(1000 * (sample.latency_s - first.latency_s) / frames, 1) if frames else None,
            "inference_ms": round(vitals.inference_us / 1000, 1) or None,
            "running_s": round(now - vitals.began),
            "shown": [
                {"text": reading.text, "confidence": round(reading.confidence, 4), "status": reading.status}
                for reading in (seen.step.shown if seen else ())
            ],
            "queues": [
                {"name": name, "waiting": queue.waiting, "dropped": queue.dropped, "connected": queue.connected}
                for name, queue in tuple(vitals.queues.items())
            ],
        }
        return json.dumps(content)
