"""Visitors of a served page, polite and otherwise, and a run to look at."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from threading import Event as Flag
from threading import Thread

import numpy as np

from edge.live.loop import Step
from edge.live.vitals import Vitals
from edge.reading.evidence import Evidence, SeenDigit, Trace
from edge.sinks.base import Event, Happening
from edge.values import Box, Frame, Image, Prediction, Reading
from edge.web.address import Address
from edge.web.preview import Preview

PATIENCE_S = 30.0
BOX = Box(left=20, top=10, right=60, bottom=50)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(
    address: Address, path: str = "/", *, method: str = "GET", headers: dict[str, str] | None = None, body: bytes = b""
) -> Answer:
    """One request to 127.0.0.1 at this port, and its whole answer."""
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=PATIENCE_S)
    try:
        connection.request(method, path, body=body or None, headers=headers or {})
        response = connection.getresponse()
        return Answer(
            status=response.status,
            headers={name.lower(): value for name, value in response.getheaders()},
            body=response.read(),
        )
    finally:
        connection.close()


@contextmanager
def opened(address: Address, path: str, headers: dict[str, str] | None = None) -> Iterator[http.client.HTTPResponse]:
    """A stream, to be read piece by piece."""
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=PATIENCE_S)
    try:
        connection.request("GET", path, headers=headers or {})
        yield connection.getresponse()
    finally:
        connection.close()


def call(address: Address, words: bytes, *, receive_buffer: int | None = None) -> socket.socket:
    """A connection on which these words were said; with a small buffer it soon takes no more answer."""
    caller = socket.socket()
    if receive_buffer is not None:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    caller.settimeout(PATIENCE_S)
    try:
        caller.connect(("127.0.0.1", address.port))
        caller.sendall(words)
    except OSError:
        caller.close()
        raise
    return caller


def is_ended(caller: socket.socket) -> bool:
    """True once the other end has closed the connection; waits for it."""
    try:
        while caller.recv(65536):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


def eventually(holds: Callable[[], bool]) -> bool:
    """True as soon as it holds."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def make_reading(text: str) -> Reading:
    return Reading(text=text, confidence=0.98, status="read", box=BOX)


def make_step(index: int, *, happening: Happening | None = None, text: str = "42", side: int = 120) -> Step:
    """A step whose picture is lighter with every frame, and with the number in it."""
    pixels = np.full((side, side, 3), 40 + index % 200, np.uint8)
    reading = make_reading(text)
    frame = Frame(pixels=pixels, index=index, time=1_767_225_600.0 + index, source="test")
    event = (
        (Event(id=f"e{index}", track="t1", time=frame.time, frame=index, happening=happening, reading=reading),)
        if happening
        else ()
    )
    return Step(frame=frame, readings=(reading,), events=event, shown=(reading,))


class TracingReader:
    """Reads `42`, and notes that the network saw two black squares."""

    threshold = 0.9

    def read(self, pixels: Image, trace: Trace | None = None) -> tuple[Reading, ...]:
        reading = make_reading("42")
        tensor = np.zeros((28, 28), np.uint8)
        tensor[8:20, 8:20] = 255
        seen = tuple(
            SeenDigit(tensor=tensor, prediction=Prediction(label=label, confidence=0.99, alternatives=(("7", 0.01),)))
            for label in "42"
        )
        if trace is not None:
            trace.add(Evidence(reading=reading, ink=np.full((30, 40), 200, np.uint8), boxes=(BOX,), digits=seen))
        return (reading,)


class Run:
    """A run that goes on in a thread and is seen by a preview: 50 frames a second, an event with every 25th."""

    def __init__(self, preview: Preview, vitals: Vitals, *, side: int = 120) -> None:
        self.stopped = Flag()
        self.frames = 0
        self._preview, self._vitals, self._side = preview, vitals, side
        self._thread = Thread(target=self._go, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.stopped.set()
        self._thread.join(PATIENCE_S)

    def _go(self) -> None:
        for index in count():
            if self.stopped.wait(0.02):
                return
            self._vitals.count_frame(0.02)
            self._preview.see(make_step(index, happening=None if index % 25 else "appeared", side=self._side))
            self.frames += 1
