"""Models that were put in the place of those that ship: kept by number, switched by the name in one small file.

The folder holds for each task (`digit`, `strip`):

    digit-0002/model.tflite, model.json, before    before: the version that was used until this one, empty: what ships
    digit.used                                     the version in use; absent: what ships

A version is written as `digit-0002.part` and renamed, `digit.used` likewise; both reach the disk before what relies on
them is begun. So whatever happens when, the old model is used or the new one, whole.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge.errors import ModelError, SinkError

VARIABLE = "INKEDGE_MODELS"
# The state folder of the service (edge/system/unit.py), and the home of the user that it runs as.
SYSTEM_STATE = Path("/var/lib/inkedge")
# In use, and two to go back to. Whoever just read which version is used finds it there for two installs more.
KEPT = 3
_VERSION = re.compile(r"(digit|strip)-(\d{4,9})")
_MODEL, _MANIFEST, _BEFORE = "model.tflite", "model.json", "before"
# As in edge/inference/manifest.py, which tells what is wrong: here they only keep a disk from being filled.
_MOST_BYTES = {_MODEL: 200_000_000, _MANIFEST: 1_000_000}


def models_folder() -> Path:
    """Where the models lie that this machine is told to use: $INKEDGE_MODELS, or by who asks.

    /var/lib/inkedge/models for root and for the service, so that what `sudo edge models install` puts there is what the
    service reads with; the data folder of the XDG Base Directory Specification for everybody else.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    service = str(SYSTEM_STATE) in (*os.environ.get("STATE_DIRECTORY", "").split(":"), os.environ.get("HOME"))
    if service or os.geteuid() == 0:
        return SYSTEM_STATE / "models"
    data = os.environ.get("XDG_DATA_HOME", "")
    # The specification has relative paths ignored.
    return (Path(data) if data.startswith("/") else Path.home() / ".local" / "share") / "inkedge" / "models"


_LOOKS = 20  # at what changes while it is looked up


def installed_model(task: str) -> Path | None:
    """The .tflite file that is installed for a task; None if what ships is used. Raises ModelError if it is lost."""
    return Store.here().used(task)


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The folder of installed models, which need not be there."""

    folder: Path

    @classmethod
    def here(cls) -> Store:
        """That of this machine, for who runs this program."""
        return cls(folder=models_folder())

    def used(self, task: str) -> Path | None:
        """The .tflite file in use for a task, None for what ships. Raises ModelError if that cannot be found out."""
        # Others may be installed or taken back between the two looks, and a version gone with the oldest.
        for _ in range(_LOOKS):
            version = self._used(task)
            if version is None:
                return None
            file = self.folder / version / _MODEL
            if file.is_file():
                return file
        raise ModelError(
            f"{file}: the installed {task} model is gone; `edge models rollback --task {task}` brings back the last one"
        )

    def history(self, task: str) -> tuple[Path, ...]:
        """The .tflite files of the version in use and of those before it, the latest first; without those lost."""
        return tuple(self.folder / version / _MODEL for version in self._chain(task))

    def install(self, model: Path, task: str, check: Callable[[Path], None]) -> Path:
        """Copy model and its manifest in, have the copy checked, and use it; the .tflite file in use now.

        check raises ModelError for a model that must not be used; then, and after any other fault, the one before
        stays. Raises SinkError if the folder cannot be written.
        """
        with self._locked():
            self._clear(task)
            version = f"{task}-{self._latest(task) + 1:04}"
            part = self.folder / f"{version}.part"
            part.mkdir(mode=0o755)
            part.chmod(0o755)
            for source, name in ((model, _MODEL), (model.with_suffix(".json"), _MANIFEST)):
                _write(part / name, _content(source, _MOST_BYTES[name]))
            check(part / _MODEL)
            _write(part / _BEFORE, ((self._healthy(task) or "") + "\n").encode())
            _sync(part)
            part.rename(self.folder / version)
            self._use(task, version)
            self._clear(task)
            return self.folder / version / _MODEL

    def rollback(self, task: str, check: Callable[[Path], None]) -> Path | None:
        """Use the version before, or the one before that if check raises ModelError; None: what ships is used now.

        Raises ModelError if nothing is installed, SinkError if the folder cannot be written.
        """
        if not self.folder.is_dir() or not self._pointer(task).exists():
            raise ModelError(f"no {task} model is installed; the one that ships is used, nothing was before it")
        with self._locked():
            for version in self._chain(task)[1:]:
                try:
                    check(self.folder / version / _MODEL)
                except ModelError:
                    continue
                self._use(task, version)
                return self.folder / version / _MODEL
            self._pointer(task).unlink(missing_ok=True)
            _sync(self.folder)
            return None

    def _pointer(self, task: str) -> Path:
        return self.folder / f"{task}.used"

    def _used(self, task: str) -> str | None:
        try:
            version = self._pointer(task).read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise ModelError(f"{self._pointer(task)}: cannot be read: {error}; {_remedy(task)}") from error
        match = _VERSION.fullmatch(version)
        if match is None or match[1] != task:
            raise ModelError(f"{self._pointer(task)}: names no version of a {task} model; {_remedy(task)}")
        return version

    def _healthy(self, task: str) -> str | None:
        """The version in use; None also if that cannot be told, which must not keep another from being installed."""
        try:
            return self._used(task)
        except ModelError:
            return None

    def _chain(self, task: str) -> list[str]:
        """The version in use and those before it that are there, the latest first."""
        chain: list[str] = []
        version = self._healthy(task)
        while version and version not in chain and (self.folder / version).is_dir():
            chain.append(version)
            try:
                version = (self.folder / version / _BEFORE).read_text(encoding="ascii").strip()
            except (OSError, ValueError):
                break
            if not _VERSION.fullmatch(version):
                break
        return chain

    def _latest(self, task: str) -> int:
        names = [_VERSION.fullmatch(path.name) for path in self.folder.iterdir()]
        return max((int(name[2]) for name in names if name and name[1] == task), default=0)

    def _use(self, task: str, version: str) -> None:
        """The switch: one rename."""
        _sync(self.folder)
        part = self.folder / f"{task}.used.part"
        _write(part, f"{version}\n".encode())
        part.replace(self._pointer(task))
        _sync(self.folder)

    def _clear(self, task: str) -> None:
        """Take away what an interrupted install left, and versions that nobody goes back to."""
        kept = self._chain(task)[:KEPT]
        lost = not kept and self._pointer(task).exists()  # which one was used is not known: all stay
        for path in self.folder.iterdir():
            match = _VERSION.fullmatch(path.name.removesuffix(".part"))
            stale = path.name.endswith(".part") or not (lost or path.name in kept)
            if match and match[1] == task and stale:
                shutil.rmtree(path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One program at a time changes the folder; faults of the disk become SinkError."""
        import fcntl  # who only reads does without, and so does a workstation without it

        try:
            if self.folder.is_symlink():  # the service's user could have root write elsewhere by it
                raise ModelError(f"{self.folder}: is a link; models are installed into a folder, take the link away")
            self.folder.mkdir(parents=True, exist_ok=True)
            self.folder.chmod(0o755)  # readable to the service's user, whatever root's umask is
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            lock = os.open(self.folder / "lock", flags, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
            finally:
                os.close(lock)
        except OSError as error:
            raise SinkError(
                f"{self.folder}: models cannot be changed there: {error.strerror or error}; for the service's own use "
                f"sudo, or name another folder in {VARIABLE}"
            ) from error


def _remedy(task: str) -> str:
    return f"`edge models rollback --task {task}` goes back to the one that ships, or install one again"


def _content(file: Path, most: int) -> bytes:
    """The bytes of a file that is given. Raises ModelError."""
    try:
        with file.open("rb") as stream:
            content = stream.read(most + 1)
    except FileNotFoundError as error:
        lacking = "no such model" if file.suffix == ".tflite" else "no manifest beside the model; copy it along"
        raise ModelError(f"{file}: {lacking}") from error
    except OSError as error:
        raise ModelError(f"{file}: cannot be read: {error.strerror}") from error
    if len(content) > most:
        raise ModelError(f"{file}: more than {most} bytes are no model of this project")
    return content


def _write(file: Path, content: bytes) -> None:
    """Write a file, readable to all, and have it on the disk; never through a link that somebody put there."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(file, flags, 0o644), "wb") as stream:
        os.fchmod(stream.fileno(), 0o644)
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync(folder: Path) -> None:
    """Have the names in a folder on the disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
