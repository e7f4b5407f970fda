"""Where a program keeps what must outlive it, and the lock by which two of them do not share it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from edge.errors import SinkError, UsageError


def state_folder() -> Path:
    """The folder of this user's or service's state: $STATE_DIRECTORY, which systemd sets, or ~/.local/state/inkedge.

    $XDG_STATE_HOME takes the place of ~/.local/state, as the XDG base directory specification has it. Raises UsageError
    if there is no home.
    """
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if given:
        return Path(given)
    base = os.environ.get("XDG_STATE_HOME", "")
    if Path(base).is_absolute():  # a relative one is to be ignored, says the specification
        return Path(base) / "inkedge"
    try:
        return Path.home() / ".local" / "state" / "inkedge"
    except RuntimeError as error:
        raise UsageError("state: this user has no home; name a folder with STATE_DIRECTORY") from error


def lock_file(path: Path, name: str) -> int:
    """Hold the lock of a file, made if need be, alone: a descriptor whose closing, or the process's end, lets it go.

    Raises SinkError, which begins with name, if another holds it or the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SinkError(f"{name}: {path}: {error.strerror}; make room, or set STATE_DIRECTORY to a folder") from error
    try:
        lock(descriptor, name)
    except SinkError:
        os.close(descriptor)
        raise
    return descriptor


def lock(descriptor: int, name: str) -> None:
    """Hold the lock of an open file alone. Raises SinkError if another process, or this one by other means, does."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise SinkError(
            f"{name}: another `edge run` or --sink is at work with it; end that, or name another"
        ) from error
