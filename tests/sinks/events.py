"""Events, and waiting for what other threads and programs do."""

from __future__ import annotations

import time
from collections.abc import Callable

from edge.sinks.base import Event, Happening
from edge.values import Box, Digit, Reading

BOX = Box(left=10, top=20, right=60, bottom=40)
READING = Reading(
    text="42",
    confidence=0.97,
    status="read",
    box=BOX,
    digits=(
        Digit(digit=4, confidence=0.98, box=BOX, alternatives=((9, 0.01),)),
        Digit(digit=2, confidence=0.99, box=BOX),
    ),
)


def event(number: int = 1, happening: Happening = "appeared") -> Event:
    return Event(
        id=f"a-{number}", track="a", time=1_763_802_000.1234, frame=number, happening=happening, reading=READING
    )


def wait_for(holds: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something holds, however slow this machine is just now."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"it did not come in {seconds} s"
        time.sleep(0.01)
