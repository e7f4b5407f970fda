"""The camera runtime: what the loop's thread does besides reading, beside a JPEG; what four viewers cost."""

from __future__ import annotations

import http.client
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
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
from measures.compared import PYTHON, Compared
from tests.faults.brokers import Broker

_ROUND = 30  # frames; two seconds of the demo
_ROUNDS = 12
_VIEWERS = 4
# Short and many: programs beside this one come and go.
_TURN, _TURNS = 15, 24
# Reads streams as fast as they come, in a program of its own as browsers are; says when it has seen pictures.
_VIEW = """
import selectors, socket, sys
places = selectors.DefaultSelector()
for _ in range(int(sys.argv[2])):
    viewer = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    viewer.sendall(b"GET /stream.mjpg HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
    places.register(viewer, selectors.EVENT_READ)
seen = 0
while True:
    for key, _ in places.select():
        before, seen = seen, seen + len(key.fileobj.recv(1 << 20))
        if before < 200_000 <= seen:
            print("seen", flush=True)
"""


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
    """A Watcher that tells how long so many frames took, with viewers and without by turns."""

    def __init__(self, port: int) -> None:
        self.ours_ms: list[float] = []
        self.others_ms: list[float] = []
        self._port = port
        self._frames = 0
        self._began = 0.0
        self._viewing: subprocess.Popen[bytes] | None = None

    def see(self, step: Step) -> None:
        """Count a frame; at the end of a round viewers come or go."""
        self._frames += 1
        if self._frames % _TURN:
            return
        took = 1e3 * (time.perf_counter() - self._began) / _TURN
        if self._began:
            (self.others_ms if self._viewing is None else self.ours_ms).append(took)
        self.close() if self._viewing else self._open()
        self._began = time.perf_counter()

    def close(self) -> None:
        """Viewers go."""
        if self._viewing is not None:
            self._viewing.kill()
            self._viewing.communicate()
            self._viewing = None

    def _open(self) -> None:
        command = [str(PYTHON), "-c", _VIEW, str(self._port), str(_VIEWERS)]
        self._viewing = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._viewing.stdout is not None
        self._viewing.stdout.readline()


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
            with _looking_on(_port(appliance)):
                appliance.run(signals, lambda: settings)
    finally:
        loop.Calm = Calm  # type: ignore[misc]
        broker.stop()
    ours, others = _rounds(watch.ours_ms), _rounds(watch.jpeg_ms)
    what = "the loop's thread besides reading, a frame, with preview, viewer, MQTT and metrics"
    return Compared(what, "JPEG encode of the same frame", "ms", ours, others, 0.7, quiet=True)


def _viewers() -> Compared:
    settings = RunSettings(
        source="demo:fast", web=WebSettings(serve="0"), limits=LimitSettings(frames=_TURN * (2 * _TURNS + 2))
    )
    with RunSignals() as signals, Appliance.open(settings) as appliance:
        pace = Pace(_port(appliance))
        appliance.watchers.append(pace)
        appliance.run(signals, lambda: settings)
    pairs = min(len(pace.ours_ms), len(pace.others_ms))
    what = f"a frame of `demo:fast` while {_VIEWERS} viewers look on"
    return Compared(
        what, "the same without viewers", "ms", pace.ours_ms[:pairs], pace.others_ms[:pairs], 1.11, quiet=True
    )


def _rounds(times_ms: list[float]) -> list[float]:
    """Means of rounds, the first of which warms up and is dropped."""
    return [sum(times_ms[at : at + _ROUND]) / _ROUND for at in range(_ROUND, len(times_ms) - _ROUND + 1, _ROUND)]


def _port(appliance: Appliance) -> int:
    """Where the preview is served."""
    from edge.web.preview import Preview

    return next(watcher.server.address.port for watcher in appliance.watchers if isinstance(watcher, Preview))


@contextmanager
def _looking_on(port: int) -> Iterator[None]:
    """One viewer, and metrics asked for every second."""
    ended = threading.Event()

    def scrape() -> None:
        while not ended.wait(1.0):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/metrics")
            connection.getresponse().read()
            connection.close()

    viewer = subprocess.Popen([str(PYTHON), "-c", _VIEW, str(port), "1"], stdout=subprocess.DEVNULL)
    scraper = threading.Thread(target=scrape, daemon=True)
    scraper.start()
    try:
        yield
    finally:
        ended.set()
        scraper.join()
        viewer.kill()
        viewer.wait()
