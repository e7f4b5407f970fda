"""How far a long piece of work is, a bar for a person, a line now and then for a log; and what was left out."""

from __future__ import annotations

import logging
import sys
import time

from edge.counted import counted

log = logging.getLogger(__name__)

# A person watching wants to see movement; a log wants a line now and then.
_TERMINAL_S = 0.2
_LOG_S = 20.0
_BAR = 20


def say_skipped(files: int) -> None:
    """Warn of so many files in folders that hold no pages; nothing of none."""
    if files:
        passed = counted(files, "file in folders is", "files in folders are")
        log.warning("%s neither images, TIFF nor PDF: passed over", passed)


class Progress:
    """Files and pages done of so many files, on stderr; silent when --quiet asked for silence."""

    def __init__(self, files: int) -> None:
        self._files = files
        self._watched = sys.stderr.isatty()
        self._silent = not log.isEnabledFor(logging.WARNING)
        self._start = self._last = time.monotonic()
        self._shown = False

    def say(self, files: int, pages: int, *, known: int = 0) -> None:
        """So many files and pages are done; known of the files took no time, and do not count for what is left."""
        now = time.monotonic()
        if self._silent or now - self._last < (_TERMINAL_S if self._watched else _LOG_S):
            return
        self._last = now
        spent = now - self._start
        line = f"{files} of {counted(self._files, 'file')}, {counted(pages, 'page')}, {pages / spent:.1f} pages/s"
        if files > known:
            line += f", {_clock((self._files - files) * spent / (files - known))} left"
        if self._watched:
            full = _BAR * files // max(self._files, 1)
            line = f"\r[{'#' * full}{'.' * (_BAR - full)}] {line}\x1b[K"
        sys.stderr.write(line if self._watched else f"{line}\n")
        sys.stderr.flush()
        self._shown = True

    def end(self) -> None:
        """Wipe the bar away."""
        if self._watched and self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False


def _clock(seconds: float) -> str:
    """`0:09`, `12:30` or `3:05:00`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"
