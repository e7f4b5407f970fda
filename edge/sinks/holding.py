"""What a slow or full disk must not do to a run of months: hold up the camera, or end it.

write() hands an event to the system, which keeps it whatever becomes of this process. A thread beside it then makes
sure that the disk has it too, in case of a power cut, and stores what is held while the disk is full.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import Protocol

from edge.errors import SinkError
from edge.sinks.base import CLOSE_S, Event, Waiting

MOST_HELD = 1000  # about a megabyte
RETRY_S = 5.0
_SPARE_S = 0.2  # events of so long are brought to the disk together, to spare an SD card

_log = logging.getLogger(__name__)


class StoringSink(Protocol):
    """A sink that stores on a disk; no two of its methods are called at a time but sync()."""

    name: str

    @property
    def queue(self) -> Waiting:
        """What waits in it."""

    def write(self, event: Event) -> None:
        """Store one event, safe from a crash of this program; raises SinkError if it cannot be."""

    def sync(self) -> None:
        """Bring what is stored to the disk, safe from a power cut; raises SinkError."""

    def close(self, within_s: float = CLOSE_S) -> None:
        """Give back what is held."""


class HoldingSink:
    """Passes events to a sink; those that it cannot store are held in memory and tried again every few seconds.

    The loss and the return are one line on stderr each. Beyond most_held the oldest are dropped and counted.
    """

    def __init__(self, sink: StoringSink, *, most_held: int = MOST_HELD, retry_s: float = RETRY_S) -> None:
        self.name = sink.name
        self._sink = sink
        self._most_held, self._retry_s = most_held, retry_s
        self._held: deque[Event] = deque()
        self._reason = ""
        self._lock = threading.Lock()
        self._written = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._look_after, name=f"disk of {sink.name}", daemon=True)
        self._thread.start()

    @property
    def queue(self) -> Waiting:
        """How much waits; the same object for as long as the sink lives."""
        return self._sink.queue

    def write(self, event: Event) -> None:
        """Store one event, or hold it; never raises SinkError."""
        with self._lock:
            if not self._held:
                try:
                    self._sink.write(event)
                except SinkError as error:
                    self._reason = str(error)
                    _log.error("%s; events are held in memory, trying again until it goes", error)
                else:
                    self._written.set()
                    return
            self._held.append(event)
            if len(self._held) > self._most_held:
                self._held.popleft()
                self.queue.dropped += 1
            self.queue.held = len(self._held)
        self._written.set()

    def close(self, within_s: float = CLOSE_S) -> None:
        """Store what is held and close the sink; as often as wanted. Raises SinkError if events are lost."""
        until = time.monotonic() + within_s
        self._closed.set()
        self._written.set()
        with self._lock:
            self._try_again()
            lost, self.queue.held = len(self._held), 0
            self._held.clear()
        self._thread.join(within_s)
        self._sink.close(max(0.0, until - time.monotonic()))
        if lost:
            raise SinkError(f"{self._reason} ({lost} events are lost)")

    def _look_after(self) -> None:
        fault = ""
        while not self._closed.is_set():
            self._written.wait(self._retry_s if self._held else None)
            self._written.clear()
            if self._held and not self._closed.wait(self._retry_s):
                with self._lock:
                    self._try_again()
            try:
                self._sink.sync()
                fault = ""
            except SinkError as error:
                if not fault and not self._held:
                    _log.error("%s; a power cut may take the last events", error)
                fault = str(error)
            self._closed.wait(_SPARE_S)

    def _try_again(self) -> None:
        waited = len(self._held)
        while self._held:
            try:
                self._sink.write(self._held[0])
            except SinkError as error:
                self._reason = str(error)
                break
            self._held.popleft()
        self.queue.held = len(self._held)
        if waited and not self._held:
            _log.warning("%s: can be written again; %d events were held", self.name, waited)
