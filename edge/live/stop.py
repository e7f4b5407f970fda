"""SIGTERM and Ctrl-C end a run between two frames, so that what was read is written and summed up."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any, Self


class StopSignals:
    """While entered (main thread only), SIGTERM and Ctrl-C are noted instead of ending the program at once.

    A second Ctrl-C is KeyboardInterrupt again: whoever presses it twice does not want to wait.
    """

    def __init__(self) -> None:
        self._stopped = False
        self._interrupted = False
        self._before: dict[signal.Signals, Any] = {}

    def stopped(self) -> bool:
        """True once either has come."""
        return self._stopped

    def interrupted(self) -> bool:
        """True once Ctrl-C has come."""
        return self._interrupted

    def __enter__(self) -> Self:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and self._interrupted:
            raise KeyboardInterrupt
        self._interrupted = self._interrupted or number == signal.SIGINT
        self._stopped = True
