"""The camera runtime: what the loop's thread does besides reading, beside a JPEG; what four viewers cost."""

from __future__ import annotations

import http.client
import os
import signal
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2

from edge.appliance import Appliance
from edge.live import loop
from edge.live.calm import Calm
from edge.live.loop import Step
from edge.live.reload import CurrentReader
from edge.live.stop import RunSignals
from edge.settings.values import LimitSettings, MqttSettings, RunSettings, WebSettings
from edge.values import Image, Reading
from edge.web.preview import Preview
from measures.compared import PYTHON, Compared
from tests.faults.brokers import Broker

_ROUND = 30  # frames; two seconds of the demo
_ROUNDS = 12
_VIEWERS = 4
# Short and many: programs beside this one come and go. Pairs are added until their ratio is known well enough.
_TURN = 30
_PAIRS, _MOST_PAIRS = 48, 200
_NARROW = 0.06
_SETTLE = 5  # frames after viewers came or went that are not timed
_COMING_S = 30.0
# Reads streams as fast as they come, in a program of its own as browsers are. A line on stdin tells how many look on.
_VIEW = """
import selectors, socket, sys
places, viewers = selectors.DefaultSelector(), []
places.register(sys.stdin, selectors.EVENT_READ)
while True:
    for key, _ in places.select():
        if key.fileobj is not sys.stdin:
            key.fileobj.recv(1 << 20)
            continue
        for viewer in viewers:
            places.unregister(viewer)
            viewer.close()
        viewers = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(int(sys.stdin.readline()))]
        for viewer in viewers:
            viewer.sendall(b"GET /stream.mjpg HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
            places.register(viewer, selectors.EVENT_READ)
        break
"""


class Viewers:
    """Who looks at a preview; they come and go."""

    def __init__(self, preview: Preview) -> None:
        self._preview = preview
        command = [str(PYTHON), "-c", _VIEW, str(preview.server.address.port)]
        self._program = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)

    def be(self, count: int) -> None:
        """So many look on from now; returns once the preview knows."""
        assert self._program.stdin is not None
        self._program.stdin.write(f"{count}\n")
        self._program.stdin.flush()
        end = time.monotonic() + _COMING_S
        while self._preview.pictures["picture"].looking != count:
            if time.monotonic() > end:
                raise TimeoutError(f"{count} viewers did not come within {_COMING_S:.0f} s")
            time.sleep(0.005)

    def close(self) -> None:
        """They go for good."""
        self._program.kill()
        self._program.communicate()


class Clock:
    """The thread's time since last asked that imaging and inference took."""

    def __init__(self) -> None:
        self.spent_s = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count what is done meanwhile."""
        began = time.thread_time()
        yield
        self.spent_s += time.thread_time() - began


class TimedReader(CurrentReader):
    """Reads, by the clock."""

    clock: Clock

    def read(self, pixels: Image) -> tuple[Reading, ...]:
        """As the reader in use."""
        with self.clock.running():
            return super().read(pixels)


class TimedCalm(Calm):
    """Takes frames together, by the clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def __call__(self, pixels: Image) -> Image:
        """As a Calm."""
        with self._clock.running():
            return super().__call__(pixels)


class Stopwatch:
    """A Watcher that comes last: ours is what the thread did since the last frame besides reading, then a JPEG."""

    def __init__(self, clock: Clock) -> None:
        self.ours_ms: list[float] = []
        self.jpeg_ms: list[float] = []
        self._clock = clock
        self._before: float | None = None

    def see(self, step: Step) -> None:
        """Take the times of one frame."""
        now = time.thread_time()
        if self._before is not None:
            self.ours_ms.append(1e3 * (now - self._before - self._clock.spent_s))
        self._clock.spent_s = 0.0
        cv2.imencode(".jpg", step.frame.pixels)
        self._before = time.thread_time()
        if self.ours_ms:
            self.jpeg_ms.append(1e3 * (self._before - now))

    def close(self) -> None:
        """Nothing is held."""


class Pace:
    """A Watcher that times so many frames with viewers and as many without, pair after pair, until that says enough.

    Each pair begins with what the last one ended with: what changes slowly favours neither.
    """

    def __init__(self, viewers: Viewers, stop: Callable[[], None]) -> None:
        self.ours_ms: list[float] = []
        self.others_ms: list[float] = []
        self._viewers, self._stop = viewers, stop
        self._frames = 0
        self._looked_at = False
        self._began = 0.0

    @property
    def ratios(self) -> list[float]:
        """Of each pair: the time of a frame with viewers to that without."""
        return [ours / others for ours, others in zip(self.ours_ms, self.others_ms, strict=False)]

    def see(self, step: Step) -> None:
        """Count a frame; at the end of a turn viewers come or go."""
        self._frames += 1
        turn, at = divmod(self._frames, _SETTLE + _TURN)
        if at == _SETTLE:
            self._began = time.perf_counter()
        if at or not self._began:
            return
        took = 1e3 * (time.perf_counter() - self._began) / _TURN
        (self.ours_ms if self._looked_at else self.others_ms).append(took)
        if turn % 2:
            self._looked_at = not self._looked_at
            self._viewers.be(_VIEWERS if self._looked_at else 0)
        elif self._is_enough():
            self._stop()

    def close(self) -> None:
        """Nothing is held."""

    def _is_enough(self) -> bool:
        least, most = interval(self.ratios) if len(self.ratios) >= _PAIRS else (0.0, 1.0)
        return most - least < _NARROW or len(self.ratios) >= _MOST_PAIRS


def interval(values: list[float]) -> tuple[float, float]:
    """The 95 % interval of the median by order statistics (normal approximation)."""
    ordered = sorted(values)
    at = max(0, round(len(ordered) / 2 - 0.98 * len(ordered) ** 0.5))
    return ordered[at], ordered[-1 - at]


def bench_running() -> list[Compared]:
    """The loop's own time beside a JPEG of the same frame; a frame's time with four viewers beside without."""
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name, Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        os.environ["STATE_DIRECTORY"] = name
        return [_own_time(Path(name)), _viewers()]


def _own_time(folder: Path) -> Compared:
    broker = Broker(folder).start()
    frames = _ROUND * (_ROUNDS + 1)
    settings = RunSettings(
        source="demo",
        web=WebSettings(serve="0"),
        mqtt=MqttSettings(url=f"mqtt://{broker.host}/bench"),
        limits=LimitSettings(frames=frames),
    )
    try:
        with RunSignals() as signals, Appliance.open(settings) as opened:
            clock, reader = Clock(), TimedReader(settings.reading, opened.vitals)
            reader.clock = clock
            loop.Calm = partial(TimedCalm, clock)  # type: ignore[assignment,misc]
            appliance = replace(opened, reader=reader)
            watch = Stopwatch(clock)
            appliance.watchers.append(watch)
            with _looking_on(_preview(appliance)):
                appliance.run(signals, lambda: settings)
    finally:
        loop.Calm = Calm  # type: ignore[misc]
        broker.stop()
    ours, others = _rounds(watch.ours_ms), _rounds(watch.jpeg_ms)
    what = "the loop's thread besides reading, a frame, with preview, viewer, MQTT and metrics"
    return Compared(what, "JPEG encode of the same frame", "ms", ours, others, 0.7, quiet=True)


def _viewers() -> Compared:
    settings = RunSettings(source="demo:fast", web=WebSettings(serve="0"))
    with RunSignals() as signals, Appliance.open(settings) as appliance:
        viewers = Viewers(_preview(appliance))
        pace = Pace(viewers, lambda: os.kill(os.getpid(), signal.SIGTERM))
        appliance.watchers.append(pace)
        try:
            appliance.run(signals, lambda: settings)
        finally:
            viewers.close()
    least, most = interval(pace.ratios)
    known = f"95 % interval of {len(pace.ratios)} pairs {least:.2f}–{most:.2f}"
    what = f"a frame of `demo:fast` while {_VIEWERS} viewers look on ({known})"
    ours, others = [], []
    many = len(pace.ratios) // _ROUNDS
    for at in range(0, many * _ROUNDS, many):
        others.append(statistics.median(pace.others_ms[at : at + many]))
        ours.append(others[-1] * statistics.median(pace.ratios[at : at + many]))
    return Compared(what, "the same without viewers", "ms", ours, others, 1.11)


def _rounds(times_ms: list[float]) -> list[float]:
    """Means of rounds, the first of which warms up and is dropped."""
    return [sum(times_ms[at : at + _ROUND]) / _ROUND for at in range(_ROUND, len(times_ms) - _ROUND + 1, _ROUND)]


def _preview(appliance: Appliance) -> Preview:
    """Of a run that serves one."""
    return next(watcher for watcher in appliance.watchers if isinstance(watcher, Preview))


@contextmanager
def _looking_on(preview: Preview) -> Iterator[None]:
    """One viewer, and metrics asked for every second."""
    ended = threading.Event()

    def scrape() -> None:
        while not ended.wait(1.0):
            connection = http.client.HTTPConnection("127.0.0.1", preview.server.address.port, timeout=10)
            connection.request("GET", "/metrics")
            connection.getresponse().read()
            connection.close()

    viewer = Viewers(preview)
    viewer.be(1)
    scraper = threading.Thread(target=scrape, daemon=True)
    scraper.start()
    try:
        yield
    finally:
        ended.set()
        scraper.join()
        viewer.close()
