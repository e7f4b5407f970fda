"""The latest events, for those who listen: each once, in order, and again from where a lost connection left off."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Iterable
from threading import Lock

from edge.sinks.base import Event
from edge.web.bell import Bell, rung

KEPT = 200


class Recent:
    """The last KEPT events; added by the loop's thread, followed by coroutines."""

    def __init__(self) -> None:
        self._events: deque[tuple[int, Event]] = deque(maxlen=KEPT)
        self._count = 0
        self._closed = False
        self._lock = Lock()
        self._bell = Bell()

    @property
    def listening(self) -> int:
        """How many follow them now."""
        return len(self._bell)

    def add(self, events: Iterable[Event]) -> None:
        """Keep these, and wake who listens."""
        with self._lock:
            for event in events:
                self._count += 1
                self._events.append((self._count, event))
        self._bell.ring()

    async def follow(
        self, within_s: float, *, after: str | None = None, last: int = 0
    ) -> AsyncGenerator[tuple[Event, ...], None]:
        """Batches of events as they come, an empty one after so long without.

        after: the id of the last one that is known, to begin behind it; if it is no longer kept, or of another run, all
        that are kept come. Without it, the last so many come first.
        """
        with self._bell.heard() as ear:
            given = self._place(after, last)
            while not self._closed:
                events = self._behind(given)
                if not events and await rung(ear, within_s):
                    continue
                given = events[-1][0] if events else given
                yield tuple(event for _, event in events)

    def end(self) -> None:
        """Nothing more comes: all who listen are told so."""
        self._closed = True
        self._bell.ring()

    def _behind(self, given: int) -> list[tuple[int, Event]]:
        with self._lock:
            return [(number, event) for number, event in self._events if number > given]

    def _place(self, after: str | None, last: int) -> int:
        with self._lock:
            if after is None:
                return self._count - last
            return next((number for number, event in self._events if event.id == after), 0)
