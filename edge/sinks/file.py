"""Events appended to a JSONL or CSV file: whole lines only, an id never twice, rotated by size."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
from collections import OrderedDict
from pathlib import Path

from edge.errors import SinkError
from edge.sinks.base import CLOSE_S, Event, Waiting
from edge.sinks.lines import CSV_HEADER, LINES, Format
from edge.sinks.rotation import Rotation
from edge.sinks.state import lock

# An event that a crash, or a disk that failed half-way, makes come again is among the last ones.
_REMEMBERED = 2000
_TAIL_BYTES = 1_000_000
_NOTHING_TO_SYNC = (errno.EBADF, errno.EINVAL, errno.EROFS)  # closed at present; a device
_JSON_HEAD = '{"id": "'  # of each line of ours
_CSV_CELLS = CSV_HEADER.count(",") + 1
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class FileSink:
    """Appends a line an event to a file; the CSV header is the first line of each.

    A line that does not fit (full disk) is taken back, so that the file always holds whole lines. A file
    that somebody moved or deleted is begun anew.

    Raises SinkError if the file cannot be opened or another sink writes to it; if only room is missing, write() tries.
    """

    def __init__(self, path: Path, form: Format, rotation: Rotation | None = None) -> None:
        self.path = path
        self.name = f"{form}:{path}"
        self.queue = Waiting()
        self._form: Format = form
        self._rotation = rotation or Rotation()
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._descriptor = -1
        try:
            self._open()
        except SinkError as error:
            if getattr(error.__cause__, "errno", None) not in _NO_ROOM:
                raise
        self._remember()

    def write(self, event: Event) -> None:
        """Append one event, unless it is among the last ones in the file. Raises SinkError."""
        if event.id in self._ids:
            return
        content = LINES[self._form](event).encode()
        self._open()
        size = self._size()
        if size and self._is_file and size + len(content) > self._rotation.most_bytes:
            self._rotate()
        self._put(content)
        self._note(event.id)
        self.queue.delivered += 1

    def sync(self) -> None:
        """Bring what was written to the disk; raises SinkError if that fails."""
        descriptor = -1
        try:
            descriptor = os.dup(self._descriptor)  # ours, whatever write() does with the file meanwhile
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in _NOTHING_TO_SYNC:
                raise self._failure(error) from error
        finally:
            if descriptor >= 0:
                os.close(descriptor)

    def close(self, within_s: float = CLOSE_S) -> None:
        """Close the file; as often as wanted."""
        with contextlib.suppress(SinkError):
            self.sync()
        self._let_go()

    def _let_go(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> None:
        """Open the file unless what is open is still the file of that name."""
        try:
            if self._descriptor >= 0:
                with contextlib.suppress(FileNotFoundError):
                    if os.path.samestat(self.path.stat(), os.fstat(self._descriptor)):
                        return
                self._let_go()
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except (OSError, ValueError) as error:
            raise self._failure(error) from error
        try:
            self._is_file = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
            if self._is_file:
                lock(self._descriptor, f"sink {self.path}")
            self._mend()
            if not self._size() and self._form == "csv":
                self._put(CSV_HEADER.encode())
        except BaseException:
            self._let_go()
            raise

    def _mend(self) -> None:
        """Take back a line that a crash cut off; after somebody else's last words ours begin a new one."""
        size = self._size()
        if not size or os.pread(self._descriptor, 1, size - 1) == b"\n":
            return
        start = max(0, size - _TAIL_BYTES)
        last = os.pread(self._descriptor, _TAIL_BYTES, start).rpartition(b"\n")[2]
        ours, head = (CSV_HEADER, 0) if self._form == "csv" else (_JSON_HEAD, size - len(last))
        found = os.pread(self._descriptor, len(ours), head).decode(errors="replace")
        if ours.startswith(found):
            try:
                os.ftruncate(self._descriptor, size - len(last))
            except OSError as error:
                raise self._failure(error) from error
        else:
            self._put(b"\n")

    def _size(self) -> int:
        return os.fstat(self._descriptor).st_size

    def _put(self, content: bytes) -> None:
        start = self._size()
        try:
            written = os.write(self._descriptor, content)
            if written < len(content):  # a disk that fills up takes a part first, and refuses the rest
                written += os.write(self._descriptor, content[written:])
            if written < len(content):
                raise OSError("only a part of the line was written")
        except OSError as error:
            with contextlib.suppress(OSError):  # a device cannot be cut
                os.ftruncate(self._descriptor, start)
            self._let_go()  # a disk that comes back may have to be opened anew
            raise self._failure(error) from error

    def _rotate(self) -> None:
        try:
            self._rotation.move(self.path)
        except OSError as error:
            raise self._failure(error) from error
        self._open()

    def _remember(self) -> None:
        """The ids of the last events in the file and, as far as these are few, in those before it."""
        tails: list[list[bytes]] = []
        size = 0
        for path in (self.path, *self._rotation.older(self.path)):
            if size >= _TAIL_BYTES or not path.is_file():
                break
            with contextlib.suppress(OSError), path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
                tails.append(file.readlines())
                size += sum(map(len, tails[-1]))
        for lines in reversed(tails):
            for line in lines:
                self._note(_id_of(line, self._form))

    def _note(self, event_id: str | None) -> None:
        if event_id is not None:
            self._ids[event_id] = None
            while len(self._ids) > _REMEMBERED:
                self._ids.popitem(last=False)

    def _failure(self, error: OSError | ValueError) -> SinkError:
        reason = getattr(error, "strerror", None) or error
        return SinkError(f"sink {self.path}: {reason}; make room or give a path that can be written")


def _id_of(line: bytes, form: Format) -> str | None:
    """The id in a line, None if it is cut off."""
    if form == "csv":
        cells = line.split(b",")
        return cells[0].decode(errors="replace") if len(cells) == _CSV_CELLS else None
    try:
        content = json.loads(line)
    except ValueError:
        return None
    found = content.get("id") if isinstance(content, dict) else None
    return found if isinstance(found, str) else None
