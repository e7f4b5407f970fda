"""Events that wait for their receiver: an SQLite queue that outlives crashes, bounded, in order.

An event is stored before write() returns, and taken out only after its receiver acknowledged it. A commit is safe from
the death of this process; sync() makes it safe from a power cut, in a thread that may wait for the disk.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from edge.errors import SinkError
from edge.sinks.base import Waiting
from edge.sinks.queue_file import QueueFile, is_broken, open_queue, set_aside, wants_room
from edge.sinks.state import lock_file

MOST_EVENTS = 100_000
MOST_BYTES = 100_000_000
_MOST_FREE_PAGES = 1000  # 4 MB; what a long absence of the receiver took is given back after it

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An event in the queue: its number there, which only grows, its id and its JSON line without the line's end."""

    number: int
    id: str
    line: bytes


class Outbox:
    """The queue of one receiver, held by one process.

    Methods may be called by any thread. A full queue drops its oldest events and counts them. A broken file is set
    aside as FILE.broken-TIME and a new one begun: what waited in it is counted as dropped, and the run goes on. On a
    disk that is full from the beginning the file is opened as soon as there is room.
    """

    def __init__(self, path: Path, *, name: str, most_events: int = MOST_EVENTS, most_bytes: int = MOST_BYTES) -> None:
        """Open or make the queue in a file. Raises SinkError if another process holds it or it may not be made."""
        self.path = path
        self.queue = Waiting()
        self._name = name
        self._most_events, self._most_bytes = most_events, most_bytes
        self._bytes = 0
        self._last = 0  # the number given last
        self._done: set[int] = set()  # acknowledged, and not yet taken out because the disk was full
        self._lock = threading.RLock()
        self._sync_lock = threading.RLock()  # taken after the other one
        self._file: QueueFile | None = None
        self._descriptor = lock_file(path.with_name(path.name + ".lock"), name)
        try:
            with self._told():
                self._db()
        except SinkError as error:
            if not wants_room(error.__cause__):
                os.close(self._descriptor)
                raise
            _log.error("%s; trying again until it goes", error)
        self._closed = False

    def put(self, event_id: str, line: str, *, latest: bool = False) -> None:
        """Store an event; latest: its line is also what latest() gives from now on. An id that waits already is left.

        Raises SinkError if the disk does not take it.
        """
        content = line.rstrip("\n").encode()
        with self._lock, self._told():
            if self._closed:
                raise SinkError(f"{self._name}: its queue is closed")
            try:
                self._put(self._db(), event_id, content, latest)
            except sqlite3.DatabaseError as error:
                if not is_broken(error):
                    raise
                self._put(self._begin_anew(error), event_id, content, latest)

    def after(self, number: int, count: int) -> tuple[Stored, ...]:
        """At most count events that wait, oldest first, with numbers above number; none if the disk cannot be read."""
        with self._lock, suppress(SinkError), self._told():
            if self._closed or count < 1:
                return ()
            try:
                rows = self._db().execute(
                    "SELECT number, id, line FROM event WHERE number > ? ORDER BY number LIMIT ?",
                    (number, count + len(self._done)),
                )
                found = [Stored(number=n, id=i, line=bytes(line)) for n, i, line in rows if n not in self._done]
                return tuple(found[:count])
            except sqlite3.DatabaseError as error:
                if not is_broken(error):
                    raise
                self._begin_anew(error)
        return ()

    def remove(self, numbers: Iterable[int], *, delivered: bool = True) -> None:
        """Take out events that were delivered, or that the receiver refuses for good.

        If the disk does not allow it now it is done later; after() does not give them again meanwhile.
        """
        numbers = set(numbers)
        with self._lock, suppress(SinkError), self._told():
            if delivered:
                self.queue.delivered += len(numbers)
            else:
                self.queue.dropped += len(numbers)
            self._done |= numbers
            if self._closed or not self._done:
                return
            db = self._db()
            with self._transaction(db):
                gone = self._delete(db, self._done)
                if not delivered:
                    self._note(db, "dropped", str(self.queue.dropped).encode())
            self.queue.waiting -= len(gone)
            self._bytes -= sum(gone.values())
            self._done.clear()
            if not self.queue.waiting and db.execute("PRAGMA freelist_count").fetchone()[0] > _MOST_FREE_PAGES:
                db.executescript("PRAGMA incremental_vacuum")  # execute() would free a single page

    def latest(self) -> bytes | None:
        """The line that was last put as the latest, in this run or an earlier one."""
        with self._lock, suppress(SinkError), self._told():
            if not self._closed:
                row = self._db().execute("SELECT value FROM note WHERE name = 'latest'").fetchone()
                return bytes(row[0]) if row else None
        return None

    def sync(self) -> None:
        """Bring what is stored to the disk, without holding up others; raises SinkError if that fails."""
        with self._sync_lock, self._told():
            if not self._closed and self._file is not None:
                # A checkpoint of the log brings the log to the disk first, and does not keep others from adding to it.
                self._file.keeper.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def close(self) -> None:
        """Close the file and let go of the lock; as often as wanted."""
        with self._lock, self._sync_lock:
            if not self._closed:
                self._closed = True
                if self._file is not None:
                    self._file.close()
                os.close(self._descriptor)

    def _put(self, db: sqlite3.Connection, event_id: str, content: bytes, latest: bool) -> None:
        dropped: dict[int, int] = {}
        with self._transaction(db):
            added = db.execute("INSERT OR IGNORE INTO event (id, line) VALUES (?, ?)", (event_id, content))
            if not added.rowcount:
                return
            if latest:
                self._note(db, "latest", content)
            dropped = self._too_many(db, self.queue.waiting + 1, self._bytes + len(content))
            if dropped:
                self._delete(db, dropped)
                self._note(db, "dropped", str(self.queue.dropped + len(dropped)).encode())
        if dropped and not self.queue.dropped:
            _log.warning("%s: its queue is full; the oldest events are dropped and counted", self._name)
        self._last = added.lastrowid or 0
        self._done -= dropped.keys()
        self.queue.dropped += len(dropped)
        self.queue.waiting += 1 - len(dropped)
        self._bytes += len(content) - sum(dropped.values())

    def _too_many(self, db: sqlite3.Connection, events: int, size: int) -> dict[int, int]:
        """Numbers and bytes of the oldest events beyond the bounds; never the newest."""
        dropped: dict[int, int] = {}
        if events <= self._most_events and size <= self._most_bytes:
            return dropped
        for number, length in db.execute("SELECT number, length(line) FROM event ORDER BY number"):
            if events <= max(1, self._most_events) and (size <= self._most_bytes or events == 1):
                break
            dropped[number] = length
            events, size = events - 1, size - length
        return dropped

    @staticmethod
    def _delete(db: sqlite3.Connection, numbers: Iterable[int]) -> dict[int, int]:
        """Delete events; number and bytes of those that were there."""
        gone = {}
        for number in numbers:
            row = db.execute("DELETE FROM event WHERE number = ? RETURNING length(line)", (number,)).fetchone()
            if row:
                gone[number] = row[0]
        return gone

    @staticmethod
    def _note(db: sqlite3.Connection, name: str, value: bytes) -> None:
        db.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (name, value))

    @staticmethod
    @contextmanager
    def _transaction(db: sqlite3.Connection) -> Iterator[None]:
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
            db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # some errors have rolled back already
                db.execute("ROLLBACK")
            raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise SinkError(f"{self._name}: {self.path}: {error}; make room, or check the disk") from error

    def _db(self) -> sqlite3.Connection:
        """The open database; opens it if the disk did not allow that before."""
        if self._file is None:
            file = open_queue(self.path, self._name)
            count, size = file.db.execute("SELECT count(*), coalesce(sum(length(line)), 0) FROM event").fetchone()
            row = file.db.execute("SELECT value FROM note WHERE name = 'dropped'").fetchone()
            self.queue.waiting, self._bytes = count, size
            self.queue.dropped += int(row[0]) if row else 0
            self._file = file
        return self._file.db

    def _begin_anew(self, error: sqlite3.DatabaseError) -> sqlite3.Connection:
        with self._sync_lock:
            if self._file is not None:
                self._file.close()
                self._file = None
            set_aside(self.path, self._name, error)
            self.queue.dropped += self.queue.waiting
            self.queue.waiting = self._bytes = 0
            self._done.clear()
            db = self._db()
            # Whoever sends goes on after the number that it sent last.
            db.execute("INSERT INTO sqlite_sequence VALUES ('event', ?)", (self._last,))
            return db
