"""A sink whose events wait in an outbox for a courier."""

from __future__ import annotations

from collections.abc import Callable

from edge.sinks.base import CLOSE_S, Event, Waiting
from edge.sinks.courier import Courier
from edge.sinks.lines import json_line
from edge.sinks.outbox import Outbox


class QueuedSink:
    """Stores each event in an outbox, from which work, in a thread of its own, delivers it."""

    def __init__(self, name: str, outbox: Outbox, work: Callable[[Courier], None]) -> None:
        self.name = name
        self._outbox = outbox
        self._courier = Courier(name, work)
        self._courier.start()

    @property
    def queue(self) -> Waiting:
        """How much waits."""
        return self._outbox.queue

    def write(self, event: Event) -> None:
        """Store one event. Raises SinkError if the disk does not take it."""
        self._outbox.put(event.id, json_line(event), latest=event.happening != "gone")
        self._courier.wake()

    def sync(self) -> None:
        """Bring what is stored to the disk; raises SinkError if that fails."""
        self._outbox.sync()

    def close(self, within_s: float = CLOSE_S) -> None:
        """Deliver what can be within so many seconds; the rest waits on the disk for the next run."""
        self._courier.finish(within_s)
        self._outbox.close()
