"""A thread that carries events from an outbox to their receiver."""

from __future__ import annotations

import logging
import os
import select
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Thread

_AFTER_BUG_S = 60.0

_log = logging.getLogger(__name__)


class Courier:
    """Runs work(courier) in a daemon thread until finish(); work looks at closing() and waits with wait()."""

    def __init__(self, name: str, work: Callable[[Courier], None]) -> None:
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._ends: float | None = None
        self._lock = Lock()
        self._closed = False
        # A daemon: a resolver or a server that never answers must not keep the program from ending.
        self._work = work
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                self._work(self)
                return
            except Exception:  # a bug: what waits is still on the disk, and the next try may go better
                _log.exception("%s: this is a bug of inkedge; please report it. Events wait", self._thread.name)
                if self.closing():
                    return
                self.pause(_AFTER_BUG_S)

    def wake(self) -> None:
        """End the thread's present wait(): there is something to do."""
        with self._lock:
            if not self._closed:
                with suppress(BlockingIOError):  # full of wakes already
                    os.write(self._wake_write, b"!")

    def wait(self, seconds: float, *, readable: int = -1, writable: int = -1) -> tuple[bool, bool]:
        """Wait for wake(), for a descriptor, or so many seconds; whether readable and writable are so."""
        poll = select.poll()
        poll.register(self._wake_read, select.POLLIN)
        if readable >= 0:
            poll.register(readable, select.POLLIN | (select.POLLOUT if writable == readable else 0))
        ready = dict(poll.poll(max(0.0, 1000 * seconds)))
        if self._wake_read in ready:
            with suppress(BlockingIOError):
                os.read(self._wake_read, 4096)
        state = ready.get(readable, 0)
        return bool(state & ~select.POLLOUT), bool(state & select.POLLOUT)

    def pause(self, seconds: float) -> None:
        """Wait so many seconds, whatever comes, but not beyond the end."""
        until = time.monotonic() + seconds
        while (left := min(until - time.monotonic(), self.left_s())) > 0:
            was_closing = self.closing()
            self.wait(left)
            if self.closing() and not was_closing:
                return  # one more try before the end

    def closing(self) -> bool:
        """True once finish() was called."""
        return self._ends is not None

    def left_s(self) -> float:
        """Seconds until the thread has to be done; infinity before finish()."""
        return float("inf") if self._ends is None else max(0.0, self._ends - time.monotonic())

    def finish(self, within_s: float) -> bool:
        """Tell the thread to come to its end; True once it has ended, False if it hangs and is left behind."""
        if self._ends is None:
            self._ends = time.monotonic() + within_s
        self.wake()
        self._thread.join(max(0.0, self._ends - time.monotonic()) + 0.3)
        if self._thread.is_alive():
            return False
        with self._lock:
            if not self._closed:
                self._closed = True
                os.close(self._wake_read)
                os.close(self._wake_write)
        return True
