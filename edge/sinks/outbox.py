"""Events that wait for their receiver: an SQLite queue that outlives crashes, bounded, in order.

An event is stored before write() returns, and taken out only after its receiver acknowledged it. A commit is safe from
the death of this process; sync() makes it safe from a power cut, in a thread that may wait for the disk.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from edge.errors import SinkError
from edge.sinks.base import Waiting
from edge.sinks.state import lock_file, state_folder

MOST_EVENTS = 100_000
MOST_BYTES = 100_000_000
_MOST_FREE_PAGES = 1000  # 4 MB; what a long absence of the receiver took is given back after it
_KEEP_BROKEN = 2  # files set aside; a disk that breaks one a day must not be filled by them
# "inkO", so that `file` and we know whose it is; the version counts up whenever a table changes.
_APPLICATION = 0x696E6B4F
_VERSION = 1

# AUTOINCREMENT: a number is never used again, so an acknowledgement that comes late cannot take out another event.
_SCHEMA = f"""
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
BEGIN;
CREATE TABLE event (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, line BLOB NOT NULL);
CREATE TABLE note (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
COMMIT;
"""

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
    aside as FILE.broken-TIME and a new one begun: what waited in it does not arrive, and the run goes on.
    """

    def __init__(self, path: Path, *, name: str, most_events: int = MOST_EVENTS, most_bytes: int = MOST_BYTES) -> None:
        """Open or make the queue in a file. Raises SinkError if another process holds it or the disk does not allow."""
        self.path = path
        self.queue = Waiting()
        self._name = name
        self._most_events, self._most_bytes = most_events, most_bytes
        self._bytes = 0
        self._done: set[int] = set()  # acknowledged, and not yet taken out because the disk was full
        self._lock = threading.RLock()
        self._sync_lock = threading.RLock()  # taken after the other one
        self._descriptor = lock_file(path.with_name(path.name + ".lock"), name)
        try:
            self._db, self._keeper = self._open()
        except BaseException:
            os.close(self._descriptor)
            raise
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
                self._put(event_id, content, latest)
            except sqlite3.DatabaseError as error:
                if not _is_broken(error):
                    raise
                self._begin_anew(error)
                self._put(event_id, content, latest)

    def after(self, number: int, count: int) -> tuple[Stored, ...]:
        """At most count events that wait, oldest first, with numbers above number; none if the disk cannot be read."""
        with self._lock:
            if self._closed:
                return ()
            try:
                rows = self._db.execute(
                    "SELECT number, id, line FROM event WHERE number > ? ORDER BY number LIMIT ?",
                    (number, count + len(self._done)),
                ).fetchall()
            except sqlite3.DatabaseError as error:
                if _is_broken(error):
                    self._begin_anew(error)
                return ()
        waiting = [Stored(number=n, id=i, line=bytes(line)) for n, i, line in rows if n not in self._done]
        return tuple(waiting[:count])

    def remove(self, numbers: Iterable[int], *, delivered: bool = True) -> None:
        """Take out events that were delivered, or that the receiver refuses for good.

        If the disk does not allow it now it is done later; after() does not give them again meanwhile.
        """
        numbers = set(numbers)
        with self._lock:
            if delivered:
                self.queue.delivered += len(numbers)
            else:
                self.queue.dropped += len(numbers)
            self._done |= numbers
            if self._closed or not self._done:
                return
            with suppress(SinkError), self._told():
                with self._transaction():
                    gone = self._delete(self._done)
                    self._note_dropped()
                self.queue.waiting -= len(gone)
                self._bytes -= sum(gone.values())
                self._done.clear()
                if (
                    not self.queue.waiting
                    and self._db.execute("PRAGMA freelist_count").fetchone()[0] > _MOST_FREE_PAGES
                ):
                    self._db.executescript("PRAGMA incremental_vacuum")  # execute() would free a single page

    def latest(self) -> bytes | None:
        """The line that was last put as the latest, in this run or an earlier one."""
        with self._lock:
            if self._closed:
                return None
            with suppress(sqlite3.DatabaseError):
                row = self._db.execute("SELECT value FROM note WHERE name = 'latest'").fetchone()
                return bytes(row[0]) if row else None
        return None

    def sync(self) -> None:
        """Bring what is stored to the disk, without holding up others; raises SinkError if that fails."""
        with self._sync_lock, self._told():
            if not self._closed:
                # A checkpoint of the log brings the log to the disk first, and does not keep others from adding to it.
                self._keeper.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def close(self) -> None:
        """Close the file and let go of the lock; as often as wanted."""
        with self._lock, self._sync_lock:
            if not self._closed:
                self._closed = True
                self._disconnect()
                os.close(self._descriptor)

    def _put(self, event_id: str, content: bytes, latest: bool) -> None:
        dropped: dict[int, int] = {}
        with self._transaction():
            known = self._db.execute("INSERT OR IGNORE INTO event (id, line) VALUES (?, ?)", (event_id, content))
            if not known.rowcount:
                return
            if latest:
                self._note("latest", content)
            dropped = self._too_many(self.queue.waiting + 1, self._bytes + len(content))
            if dropped:
                self._delete(dropped)
                self._note("dropped", str(self.queue.dropped + len(dropped)).encode())
        if dropped and not self.queue.dropped:
            _log.warning("%s: its queue is full; the oldest events are dropped and counted", self._name)
        self._done -= dropped.keys()
        self.queue.dropped += len(dropped)
        self.queue.waiting += 1 - len(dropped)
        self._bytes += len(content) - sum(dropped.values())

    def _too_many(self, events: int, size: int) -> dict[int, int]:
        """Numbers and bytes of the oldest events beyond the bounds; never the newest."""
        dropped: dict[int, int] = {}
        if events <= self._most_events and size <= self._most_bytes:
            return dropped
        for number, length in self._db.execute("SELECT number, length(line) FROM event ORDER BY number"):
            if events <= max(1, self._most_events) and (size <= self._most_bytes or events == 1):
                break
            dropped[number] = length
            events, size = events - 1, size - length
        return dropped

    def _delete(self, numbers: Iterable[int]) -> dict[int, int]:
        """Delete events; number and bytes of those that were there."""
        gone = {}
        for number in numbers:
            row = self._db.execute("DELETE FROM event WHERE number = ? RETURNING length(line)", (number,)).fetchone()
            if row:
                gone[number] = row[0]
        return gone

    def _note(self, name: str, value: bytes) -> None:
        self._db.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (name, value))

    def _note_dropped(self) -> None:
        self._note("dropped", str(self.queue.dropped).encode())

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # some errors have rolled back already
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise SinkError(f"{self._name}: {self.path}: {error}; make room, or check the disk") from error

    def _open(self) -> tuple[sqlite3.Connection, sqlite3.Connection]:
        with self._told():
            try:
                return self._connect()
            except sqlite3.DatabaseError as error:
                if not _is_broken(error):
                    raise
                self._set_aside(error)
                return self._connect()

    def _connect(self) -> tuple[sqlite3.Connection, sqlite3.Connection]:
        """Two connections: one that adds and takes out, and one that only brings to the disk."""
        db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=1.0)
        keeper = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=1.0)
        try:
            self.path.chmod(0o600)
            version, application = (
                db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("user_version", "application_id")
            )
            if not version:
                db.executescript(_SCHEMA)
            elif (version, application) != (_VERSION, _APPLICATION):
                raise SinkError(f"{self._name}: {self.path} was made by another program or version; move it away")
            (state,) = db.execute("PRAGMA quick_check(1)").fetchone()
            if state != "ok":
                raise sqlite3.DatabaseError(f"malformed: {state}")
            count, size = db.execute("SELECT count(*), coalesce(sum(length(line)), 0) FROM event").fetchone()
            row = db.execute("SELECT value FROM note WHERE name = 'dropped'").fetchone()
            self.queue.waiting, self._bytes = count, size
            self.queue.dropped = int(row[0]) if row else 0
            # Once with the disk's word, which also makes the log's own name safe from a power cut.
            db.execute("PRAGMA synchronous = FULL")
            db.execute("INSERT OR REPLACE INTO note VALUES ('opened', ?)", (str(time.time()).encode(),))
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA wal_autocheckpoint = 0")
        except BaseException:
            keeper.close()
            db.close()
            raise
        return db, keeper

    def _disconnect(self) -> None:
        for connection in (self._keeper, self._db):
            with suppress(sqlite3.Error):
                connection.close()

    def _begin_anew(self, error: sqlite3.DatabaseError) -> None:
        with self._sync_lock:
            dropped = self.queue.dropped + self.queue.waiting
            self._disconnect()
            self._set_aside(error)
            self._done.clear()
            self._db, self._keeper = self._connect()
            self.queue.dropped = dropped

    def _set_aside(self, error: sqlite3.DatabaseError) -> None:
        aside = self.path.with_name(f"{self.path.name}.broken-{time.time_ns() // 1_000_000}")
        _log.error("%s: its queue %s is broken (%s); it is set aside as %s", self._name, self.path, error, aside.name)
        with suppress(OSError):
            self.path.replace(aside)
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        for old in sorted(self.path.parent.glob(f"{self.path.name}.broken-*"))[:-_KEEP_BROKEN]:
            old.unlink(missing_ok=True)


def outbox_path(state: Path | None, kind: str, target: str, readable: str) -> Path:
    """The file of one target's queue below the folder of state; target is hashed, readable is shown."""
    name = re.sub(r"[^A-Za-z0-9.]+", "-", readable).strip("-.")[:60]
    known = hashlib.sha256(target.encode()).hexdigest()[:12]
    return (state or state_folder()) / "outbox" / f"{kind}-{name}-{known}.sqlite"


def _is_broken(error: sqlite3.DatabaseError) -> bool:
    name = getattr(error, "sqlite_errorname", None)
    return name in ("SQLITE_CORRUPT", "SQLITE_NOTADB") or (name is None and str(error).startswith("malformed"))
