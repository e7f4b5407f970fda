"""A full disk does not end a run of months: events are held in memory until there is room again."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import Protocol

from edge.errors import SinkError
from edge.sinks.base import CLOSE_S, Event, Waiting

MOST_HELD = 1000  # about a megabyte
RETRY_S = 5.0

_log = logging.getLogger(__name__)


class StoringSink(Protocol):
    """A sink that stores on a disk."""

    name: str

    @property
    def queue(self) -> Waiting:
        """What waits in it."""

    def write(self, event: Event) -> None:
        """Store one event; raises SinkError if it cannot be."""

    def close(self, within_s: float = CLOSE_S) -> None:
        """Give back what is held."""


class HoldingSink:
    """Passes events to a sink; those that it cannot store are held in memory and tried again every few seconds.

    The loss and the return are one line on stderr each. Beyond most_held the oldest are dropped and counted.
    """

    def __init__(self, sink: StoringSink, *, most_held: int = MOST_HELD, retry_s: float = RETRY_S) -> None:
        self.name = sink.name
        self._sink = sink
        self._retry_s = retry_s
        self._most_held = most_held
        self._held: deque[Event] = deque()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._reason: SinkError | None = None

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
                    return
                except SinkError as error:
                    self._begin_to_hold(error)
            self._held.append(event)
            if len(self._held) > self._most_held:
                self._held.popleft()
                self.queue.dropped += 1
            self.queue.held = len(self._held)

    def close(self, within_s: float = CLOSE_S) -> None:
        """Store what is held and close the sink. Raises SinkError if events are lost."""
        self._closed.set()
        with self._lock:
            self._try_again()
            lost, self.queue.held = len(self._held), 0
            self._held.clear()
        if self._thread is not None:
            self._thread.join()
        self._sink.close(within_s)
        if lost:
            raise SinkError(f"{self._reason} ({lost} events are lost)") from self._reason

    def _begin_to_hold(self, error: SinkError) -> None:
        self._reason = error
        _log.error("%s; events are held in memory, trying again until it goes", error)
        self._thread = threading.Thread(target=self._retry, name=f"{self.name}, held", daemon=True)
        self._thread.start()

    def _retry(self) -> None:
        while not self._closed.wait(self._retry_s):
            with self._lock:
                self._try_again()
                if not self._held:
                    return

    def _try_again(self) -> None:
        waited = len(self._held)
        while self._held:
            try:
                self._sink.write(self._held[0])
            except SinkError as error:
                self._reason = error
                break
            self._held.popleft()
        self.queue.held = len(self._held)
        if waited and not self._held:
            _log.warning("%s: can be written again; %d events were held", self.name, waited)
