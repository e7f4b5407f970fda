"""Events, and what every sink does with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from edge.values import Reading

Happening: TypeAlias = Literal["appeared", "changed", "gone"]

# A run that is told to end has 2 s; the rest is for Python's own end.
CLOSE_S = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A number on camera appeared, changed or went.

    id is this event's alone, in this run and all others; track stays the same from appeared to gone; time is of the
    frame, in s since the epoch; reading is what is seen now, or, when gone, what was seen last.
    """

    id: str
    track: str
    time: float
    frame: int
    happening: Happening
    reading: Reading


@dataclass(slots=True, kw_only=True)
class Waiting:
    """What a sink has not delivered yet, and what it gave up; changed in place by the sink, read by any thread.

    waiting: stored, not delivered. held: in memory, for the disk takes nothing at present. dropped: given up because
    the queue was full or the receiver refuses the event, in all runs that shared the queue. delivered: in this run.
    connected: the receiver answers.
    """

    waiting: int = 0
    held: int = 0
    dropped: int = 0
    delivered: int = 0
    connected: bool = True


class Sink(Protocol):
    """Where events go. write() returns when the event is safe from a crash of this program."""

    def write(self, event: Event) -> None:
        """Take one event; raises SinkError if it cannot be kept, and then what was kept before is still whole."""

    def close(self, within_s: float = CLOSE_S) -> None:
        """Deliver what can be within so many seconds, give back what is held; as often as wanted.

        Raises SinkError if events are lost by it; what is stored in a queue is not.
        """


class QueueingSink(Sink, Protocol):
    """A sink that keeps what it cannot pass on yet, and whose write() therefore never raises."""

    @property
    def name(self) -> str:
        """What people call it: its SPEC without anything secret."""

    @property
    def queue(self) -> Waiting:
        """How much waits; the same object for as long as the sink lives."""
