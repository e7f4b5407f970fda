"""The SQLite file of an outbox: where it lies, how it is opened, what becomes of it when it is broken."""

from __future__ import annotations

import hashlib
import logging
import re
import sqlite3
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edge.errors import SinkError
from edge.sinks.state import state_folder

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
class QueueFile:
    """An open file: db adds and takes out; keeper, a connection of its own, only brings to the disk what db did."""

    db: sqlite3.Connection
    keeper: sqlite3.Connection

    def close(self) -> None:
        """Close both."""
        for connection in (self.keeper, self.db):
            with suppress(sqlite3.Error):
                connection.close()


def outbox_path(state: Path | None, kind: str, target: str, readable: str) -> Path:
    """The file of one target's queue below the folder of state; target is hashed, readable is shown."""
    name = re.sub(r"[^A-Za-z0-9.]+", "-", readable).strip("-.")[:60]
    known = hashlib.sha256(target.encode()).hexdigest()[:12]
    return (state or state_folder()) / "outbox" / f"{kind}-{name}-{known}.sqlite"


def open_queue(path: Path, name: str) -> QueueFile:
    """Open the file, or make it; a broken one is set aside first. Raises SinkError if it is not ours, sqlite3.Error."""
    try:
        return _connect(path, name)
    except sqlite3.DatabaseError as error:
        if not is_broken(error):
            raise
        set_aside(path, name, error)
        return _connect(path, name)


def set_aside(path: Path, name: str, error: sqlite3.DatabaseError) -> None:
    """Rename a broken file to FILE.broken-TIME, in ms since the epoch, and say so."""
    aside = path.with_name(f"{path.name}.broken-{time.time_ns() // 1_000_000}")
    _log.error("%s: its queue %s is broken (%s); it is set aside as %s", name, path, error, aside.name)
    with suppress(OSError):
        path.replace(aside)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    for old in sorted(path.parent.glob(f"{path.name}.broken-*"))[:-_KEEP_BROKEN]:
        old.unlink(missing_ok=True)


def is_broken(error: sqlite3.DatabaseError) -> bool:
    """True if the file is no database or is damaged; not if it is locked, or the disk is full."""
    name = getattr(error, "sqlite_errorname", None)
    return name in ("SQLITE_CORRUPT", "SQLITE_NOTADB") or (name is None and str(error).startswith("malformed"))


def wants_room(error: BaseException | None) -> bool:
    """True if an error of SQLite says that the disk is full, or does not do its work at present."""
    return (getattr(error, "sqlite_errorname", None) or "").startswith(("SQLITE_FULL", "SQLITE_IOERR"))


def _connect(path: Path, name: str) -> QueueFile:
    file = QueueFile(
        db=sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1.0),
        keeper=sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1.0),
    )
    try:
        _prepare(file.db, path, name)
    except BaseException:
        file.close()
        raise
    return file


def _prepare(db: sqlite3.Connection, path: Path, name: str) -> None:
    with suppress(OSError):  # the folder is closed to others anyway
        path.chmod(0o600)
    (version,), (application,) = (db.execute(f"PRAGMA {key}").fetchone() for key in ("user_version", "application_id"))
    if not version:
        db.executescript(_SCHEMA)
    elif (version, application) != (_VERSION, _APPLICATION):
        raise SinkError(f"{name}: {path} was made by another program or version; move it away")
    (state,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if state != "ok":
        raise sqlite3.DatabaseError(f"malformed: {state}")
    # Once with the disk's word, which also makes the log's own name safe from a power cut.
    db.execute("PRAGMA synchronous = FULL")
    db.execute("INSERT OR REPLACE INTO note VALUES ('opened', ?)", (str(time.time()).encode(),))
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA wal_autocheckpoint = 0")
