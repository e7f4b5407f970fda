"""Events, and what every sink does with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from edge.values import Reading

Happening: TypeAlias = Literal["appeared", "changed", "gone"]


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


class Sink(Protocol):
    """Where events go. write() returns when the event is safe from a crash of this program."""

    def write(self, event: Event) -> None:
        """Take one event; raises SinkError if it cannot be kept, and then what was kept before is still whole."""

    def close(self) -> None:
        """Give back what is held; as often as wanted."""
