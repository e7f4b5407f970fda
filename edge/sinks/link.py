"""Whether a receiver answers, and what people are told of it."""

from __future__ import annotations

import logging
import time
from collections import deque

from edge.patience import Patience
from edge.sinks.base import Waiting

# A broker that comes and goes for months must not fill the log.
_MOST_LINES, _LINES_S = 8, 600.0

_log = logging.getLogger(__name__)


class Link:
    """The way to one receiver: each loss and each return is one line on stderr, and kept in a Waiting.

    stable_s: a link that held for less is still the one that was lost, and is not tried again sooner for it.
    """

    def __init__(self, name: str, queue: Waiting, patience: Patience, *, stable_s: float = 0.0) -> None:
        self._name, self._queue, self._patience, self._stable_s = name, queue, patience, stable_s
        self._failures = 0
        self._said: set[str] = set()
        self._since = self._back = time.monotonic()
        self._lines: deque[float] = deque(maxlen=_MOST_LINES)
        self._left_out = 0
        queue.connected = False  # until it answers

    def failed(self, reason: str, *, refused: bool = False) -> float:
        """Note a failure and say it, once; refused: a person must act. Returns seconds until the next try."""
        now = time.monotonic()
        if self._queue.connected and now - self._back > self._stable_s:
            self._failures = 0
        if self._queue.connected or not self._said:
            self._since = now
        self._failures += 1
        self._queue.connected = False
        kind = reason if refused else ""
        if kind not in self._said:
            self._said.add(kind)
            self._say(f"{reason}; events wait, trying again until it takes them")
        return self._patience.after(self._failures, refused=refused)

    def works(self) -> None:
        """Note that the receiver answers."""
        if self._queue.connected:
            return
        self._queue.connected = True
        self._back = time.monotonic()
        if self._said:
            self._said.clear()
            self._say(f"answers again after {self._back - self._since:.0f} s; {self._queue.waiting} events waited")

    def _say(self, words: str) -> None:
        now = time.monotonic()
        if len(self._lines) == _MOST_LINES and now - self._lines[0] < _LINES_S:
            self._left_out += 1
            return
        self._lines.append(now)
        more = f" ({self._left_out} lines like this were left out)" if self._left_out else ""
        self._left_out = 0
        _log.warning("%s: %s%s", self._name, words, more)
