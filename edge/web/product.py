"""What is made for those who look: in its own thread, at most so often, only while somebody looks, once for all."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, Callable
from threading import Event, Thread
from typing import Generic, TypeVar

from edge.web.bell import Bell, rung

T = TypeVar("T")
_END_S = 1.0
_log = logging.getLogger(__name__)


class Product(Generic[T]):
    """The newest of a thing; make() gives it, or None as long as what it gave last is still the newest.

    make() is called by one thread, at most per_s times a second and for at most this share of a core, so that a slow
    machine shows fewer and reads as many frames as before. If it fails, that is logged once and tried again: a
    picture that cannot be drawn must not end a run.
    """

    def __init__(self, name: str, make: Callable[[], T | None], *, per_s: float, share: float = 1.0) -> None:
        self._make = make
        self._period_s = 1.0 / per_s
        self._share = share
        self._bell = Bell()
        self._newest: tuple[int, T | None] = (0, None)  # how many were made, and the last
        self._newcomers = False
        self._wanted = Event()
        self._closed = Event()
        self._failed = False
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def looking(self) -> int:
        """How many follow it now."""
        return len(self._bell)

    async def follow(self, within_s: float) -> AsyncGenerator[T | None, None]:
        """The newest, and each newer one, as soon as it is made and the last one is used; None after so long without.

        Who is slow misses some; nobody waits for him.
        """
        with self._bell.heard() as ear:
            given = self._newest[0]
            self._newcomers = True
            self._wanted.set()
            while not self._closed.is_set():
                if self._newest[0] == given and not await rung(ear, within_s):
                    yield None
                    continue
                if self._newest[0] != given:
                    given, value = self._newest
                    yield value

    def close(self) -> None:
        """End the thread and what is followed; as often as wanted."""
        self.end()
        self._thread.join(_END_S)

    def end(self) -> None:
        """The same, not waiting for the thread."""
        self._closed.set()
        self._wanted.set()
        self._bell.ring()

    def _run(self) -> None:
        while not self._closed.is_set():
            if not self._bell:
                self._wanted.wait()
                self._wanted.clear()
                continue
            began, worked = time.monotonic(), time.thread_time()
            self._produce()
            period_s = max(self._period_s, (time.thread_time() - worked) / self._share)
            self._closed.wait(max(0.0, began + period_s - time.monotonic()))

    def _produce(self) -> None:
        newcomers, self._newcomers = self._newcomers, False
        try:
            value = self._make()
        except Exception:
            if not self._failed:
                _log.exception("the %s cannot be made", self._thread.name)
            self._failed = True
            return
        number, last = self._newest
        if value is None and newcomers:
            value = last
        if value is not None:
            self._newest = (number + 1, value)
            self._bell.ring()
