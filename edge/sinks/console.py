"""Events on stdout."""

from __future__ import annotations

import sys

from edge.errors import SinkError
from edge.sinks.base import CLOSE_S, Event
from edge.sinks.lines import CSV_HEADER, LINES, Format


class ConsoleSink:
    """Writes each event to stdout as a line of text, CSV (with a header) or JSON, and flushes it.

    Raises SinkError if stdout cannot be written; a reader that has gone (`| head`) stays BrokenPipeError, for the
    command line to end quietly.
    """

    def __init__(self, form: Format = "text") -> None:
        self._line = LINES[form]
        if form == "csv":
            self._put(CSV_HEADER)

    def write(self, event: Event) -> None:
        """Print one event."""
        self._put(self._line(event))

    def close(self, within_s: float = CLOSE_S) -> None:
        """Nothing is held: every line is flushed."""

    def _put(self, line: str) -> None:
        try:
            sys.stdout.write(line)
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise SinkError(f"stdout: {error.strerror or error}; make room or send it elsewhere") from error
