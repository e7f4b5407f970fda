"""SIGTERM and Ctrl-C end a run between two frames; SIGHUP asks for its settings to be read again."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from queue import SimpleQueue
from types import FrameType, TracebackType
from typing import Any, Self, TypeAlias

# A service that is told to end has 2 s; Python's own end takes the rest.
_END_S = 1.6
_LEAST_S = 0.3

Handler: TypeAlias = Callable[[int, FrameType | None], None]


class StopSignals:
    """While entered (main thread only), SIGTERM and Ctrl-C are noted instead of ending the program at once.

    A second Ctrl-C is KeyboardInterrupt again: whoever presses it twice does not want to wait.
    """

    def __init__(self) -> None:
        self._stopped = False
        self._interrupted = False
        self._told: float | None = None
        self._before: dict[signal.Signals, Any] = {}

    def stopped(self) -> bool:
        """True once either has come."""
        return self._stopped

    def interrupted(self) -> bool:
        """True once Ctrl-C has come."""
        return self._interrupted

    def left_s(self) -> float:
        """How long the run may still take to end: of 2 s since it was told to, but a little in any case."""
        gone = 0.0 if self._told is None else time.monotonic() - self._told
        return max(_END_S - gone, _LEAST_S)

    def __enter__(self) -> Self:
        for number, handler in self._handlers().items():
            self._before[number] = signal.signal(number, handler)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handlers(self) -> dict[signal.Signals, Handler]:
        return {signal.SIGTERM: self._note, signal.SIGINT: self._note}

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and self._interrupted:
            raise KeyboardInterrupt
        self._told = self._told or time.monotonic()
        self._interrupted = self._interrupted or number == signal.SIGINT
        self._stopped = True


class RunSignals(StopSignals):
    """Notes SIGHUP too: `hangups` gets True for each, for whoever reads the settings again.

    A SIGHUP that comes because the terminal went away ends the run as SIGTERM does; where it is ignored (nohup) it
    stays so.
    """

    def __init__(self) -> None:
        super().__init__()
        # The one queue that a signal handler may fill while its own thread is inside it; None ends who waits at it.
        self.hangups: SimpleQueue[bool | None] = SimpleQueue()
        self._on_terminal = _is_terminal()

    def _handlers(self) -> dict[signal.Signals, Handler]:
        ignored = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        return super()._handlers() | ({} if ignored else {signal.SIGHUP: self._hang_up})

    def _hang_up(self, number: int, frame: FrameType | None) -> None:
        if self._on_terminal and not _is_terminal():
            self._note(number, frame)
        else:
            self.hangups.put(True)


def _is_terminal() -> bool:
    """Whether stderr is a terminal that is still there."""
    try:
        return sys.__stderr__ is not None and os.isatty(sys.__stderr__.fileno())
    except (OSError, ValueError):
        return False
