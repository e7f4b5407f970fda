"""Events appended to a JSONL or CSV file, whole lines only."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from edge.errors import SinkError
from edge.sinks.base import Event
from edge.sinks.lines import CSV_HEADER, LINES, Format


class FileSink:
    """Appends a line an event to a file; the CSV header is written when the file is new or empty.

    A line that does not fit (full disk) is taken back, so that the file always holds whole lines. Raises SinkError if
    the file cannot be opened or written.
    """

    def __init__(self, path: Path, form: Format) -> None:
        self.path = path
        self._line = LINES[form]
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except (OSError, ValueError) as error:
            raise self._failure(error) from error
        try:
            self._end_last_line()
            if form == "csv" and os.fstat(self._descriptor).st_size == 0:
                self._put(CSV_HEADER)
        except SinkError:
            self.close()
            raise

    def write(self, event: Event) -> None:
        """Append one event."""
        self._put(self._line(event))

    def close(self) -> None:
        """Close the file; as often as wanted."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _put(self, line: str) -> None:
        content = line.encode()
        start = os.fstat(self._descriptor).st_size
        try:
            written = os.write(self._descriptor, content)
            if written < len(content):  # a disk that fills up takes a part first, and refuses the rest
                written += os.write(self._descriptor, content[written:])
            if written < len(content):
                raise OSError("only a part of the line was written")
        except OSError as error:
            with contextlib.suppress(OSError):  # a device cannot be cut
                os.ftruncate(self._descriptor, start)
            raise self._failure(error) from error

    def _end_last_line(self) -> None:
        """A line that an earlier crash cut off ends here, so that ours begins a new one."""
        size = os.fstat(self._descriptor).st_size
        if size and os.pread(self._descriptor, 1, size - 1) != b"\n":
            self._put("\n")

    def _failure(self, error: OSError | ValueError) -> SinkError:
        reason = getattr(error, "strerror", None) or error
        return SinkError(f"sink {self.path}: {reason}; make room or give a path that can be written")
