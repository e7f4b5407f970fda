"""The folder of a job: its ledger's file, and the lock that one run holds and that dies with its process."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from edge.errors import JobError, SinkError
from edge.forms.job.schema import VERSION, make_tables, renew_tables

LEDGER = "ledger.sqlite"
LOCK = "lock"
# "inkF", so that `file` and we know whose it is.
_APPLICATION = 0x696E6B46
# How long a reader waits for a writer's moment.
_PATIENCE_S = 10.0


def has_ledger(job: Path) -> bool:
    """True if there is a ledger in the folder, whatever its state."""
    return (job / LEDGER).is_file()


def open_ledger(job: Path, *, create: bool, alone: bool = False) -> sqlite3.Connection:
    """The ledger of a job folder, in autocommit mode; create makes folder and ledger where they are not there yet.

    One that an older inkedge made is renewed; alone: the caller holds the folder's lock.
    Raises JobError if it is absent, broken or of a later version, SinkError if there is no room to make it.
    """
    path = job / LEDGER
    if not create and not has_ledger(job):
        raise JobError(f"job {job}: there is no ledger in it; name the folder that `edge forms read --job` was given")
    with told(job):
        # Only who may write may make the files that readers of a WAL share.
        mode = "rwc" if create else "rw" if os.access(job, os.W_OK) else "ro"
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=_PATIENCE_S, isolation_level=None
        )
        try:
            _prepare(connection, job, create=create, alone=alone)
        except BaseException:
            connection.close()
            raise
    return connection


def _prepare(connection: sqlite3.Connection, job: Path, *, create: bool, alone: bool) -> None:
    # In WAL mode a killed process leaves whole transactions behind. NORMAL: what a power cut may take of the last
    # pages is read again, and nothing else; what a person entered is committed with FULL.
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    empty = version == 0 and not connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    if empty and not create:  # a run that was killed in its first moment
        raise JobError(f"job {job}: no run has begun in it; `edge forms read` with this --job begins one")
    if empty:
        connection.execute("PRAGMA journal_mode = WAL")
        make_tables(connection, _APPLICATION)
        return
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != _APPLICATION:
        raise JobError(f"job {job}: {LEDGER} is not a ledger of this program; name another folder with --job")
    if 0 < version < VERSION:
        with nullcontext() if alone else locked(job):  # a run of the older inkedge would not list what it reads
            renew_tables(connection)
    elif version != VERSION:
        raise JobError(
            f"job {job}: its ledger has version {version}, this inkedge knows version {VERSION}; "
            "use the inkedge that made it, or begin another job"
        )


@contextmanager
def told(job: Path) -> Iterator[None]:
    """Inside, what SQLite and the disk complain of becomes JobError (locked, broken) or SinkError (no room)."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        place = f"job {job}: {LEDGER}"
        if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            raise SinkError(
                f"{place} cannot be written: {error}; make room, then run the same command again: it goes on from there"
            ) from error
        if name.startswith("SQLITE_BUSY"):
            raise JobError(f"{place} is in use by another program; close it, then run it again") from error
        if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
            raise JobError(f"{place} may not be opened: {error}; check permissions of the folder") from error
        if isinstance(error, sqlite3.ProgrammingError | sqlite3.IntegrityError):  # ours to mend
            raise
        raise JobError(
            f"{place} is broken: {error}; restore the folder from a copy, or begin another job and read all again"
        ) from error


@contextmanager
def locked(job: Path) -> Iterator[None]:
    """Hold the folder's lock, made if need be, alone; the kernel lets it go when this process ends, however it ends.

    Raises JobError if another process holds it, or the folder cannot be made.
    """
    path = job / LOCK
    try:
        job.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SinkError(f"job {job}: {error.strerror}; make room, then run the same command again") from error
        reason = "this is not a folder" if isinstance(error, FileExistsError | NotADirectoryError) else error.strerror
        raise JobError(f"job {job}: cannot be used: {reason}; name another folder with --job") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise JobError(
                f"job {job}: {_holder(descriptor)} is at work in it; wait until it ends, or end it"
            ) from error
        with suppress(OSError):  # a full disk: the number is only for people
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def is_locked(job: Path) -> bool:
    """True while a process holds the folder's lock."""
    try:
        descriptor = os.open(job / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _holder(descriptor: int) -> str:
    text = os.pread(descriptor, 32, 0).strip()
    return f"process {text.decode()}" if text.isdigit() else "another process"
