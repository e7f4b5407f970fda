"""`edge service`: the camera runtime as a service of systemd, put in place, taken away and asked after."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.errors import SinkError, UsageError
from edge.settings.values import SYSTEM_FILE, RunSettings
from edge.settings.write import settings_toml
from edge.system.unit import NAME, USER, Unit

_SYSUSERS = f"""\
# Written by `edge service install`: who the camera runtime runs as.
u {USER} - "inkedge camera runtime" /var/lib/inkedge
m {USER} video
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Where a service's files lie. root: a folder that stands for /; user: of a user's own manager."""

    root: Path = Path("/")
    user: bool = False

    @property
    def is_here(self) -> bool:
        """Whether the files are for the system that runs now, whose manager is told."""
        return self.root == Path("/")

    @property
    def unit_file(self) -> Path:
        """The unit."""
        folder = (
            _user_folder("XDG_CONFIG_HOME", ".config") / "systemd/user" if self.user else Path("/etc/systemd/system")
        )
        return self._under_root(folder / NAME)

    @property
    def settings_file(self) -> Path:
        """The settings that the unit names."""
        return self._under_root(self._named_settings)

    @property
    def sysusers_file(self) -> Path:
        """Who the unit runs as."""
        return self._under_root(Path("/etc/sysusers.d/inkedge.conf"))

    @property
    def unit(self) -> Unit:
        """What the unit says. Raises UsageError if the `edge` that runs now is no program that a service can start."""
        return Unit(program=_own_program(), settings=self._named_settings, user=self.user)

    @property
    def _named_settings(self) -> Path:
        return _user_folder("XDG_CONFIG_HOME", ".config") / "inkedge/edge.toml" if self.user else SYSTEM_FILE

    def _under_root(self, path: Path) -> Path:
        return self.root / path.relative_to("/")


def files_of(service: Service) -> dict[Path, str]:
    """The files of a service that are written anew at each install, with their text."""
    texts = {service.unit_file: str(service.unit)}
    return texts if service.user else texts | {service.sysusers_file: _SYSUSERS}


def install(service: Service) -> Iterator[str]:
    """Write the files, settings only where there are none; on this system also make the user, enable and start.

    Gives a line for each thing done. Raises SinkError, UsageError.
    """
    if service.is_here:
        _check_manager(service)
        _check_reach(service.unit.program, user=service.user)
    for path, text in files_of(service).items():
        _write(path, text)
        yield f"wrote {path}"
    if service.settings_file.exists():
        yield f"kept {service.settings_file}"
    else:
        _write(service.settings_file, settings_toml(RunSettings(source="0")), mode=0o640 if service.is_here else 0o644)
        yield f"wrote {service.settings_file}; name your camera there"
    if not service.is_here:
        return
    if not service.user:
        _call("systemd-sysusers", str(service.sysusers_file))
        _call("chgrp", USER, str(service.settings_file))
    _systemctl(service, "daemon-reload")
    _systemctl(service, "enable", "--now", NAME)
    yield f"{NAME} is enabled and started; `edge service {'--user ' if service.user else ''}status` tells how it is"
    if service.user:
        yield "to have it run without your being logged in: loginctl enable-linger"


def uninstall(service: Service, *, purge: bool = False) -> Iterator[str]:
    """Stop, disable and take the files away; settings stay unless purge. Gives a line for each. Raises SinkError."""
    if service.is_here:
        _check_manager(service)
        if service.unit_file.exists():
            _systemctl(service, "disable", "--now", NAME)
    settings = [service.settings_file] if purge else []
    for path in [service.unit_file, *([] if service.user else [service.sysusers_file]), *settings]:
        if path.exists():
            try:
                path.unlink()
            except OSError as error:
                raise SinkError(f"{path}: {error.strerror}; run it as root (sudo)") from error
            yield f"removed {path}"
    if service.is_here:
        _systemctl(service, "daemon-reload")
    if not purge and service.settings_file.exists():
        yield f"kept {service.settings_file}; --purge removes it too"


def ask(service: Service, *question: str) -> int:
    """Hand a question to systemctl or journalctl, whose answer goes to stdout; its exit code. Raises UsageError."""
    program = shutil.which(question[0])
    if program is None:
        raise UsageError(
            f"service: there is no {question[0]}; services need systemd, elsewhere start `edge run` yourself"
        )
    scope = ["--user"] if service.user else []
    return subprocess.run([program, *scope, *question[1:]], check=False).returncode


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text)
        part.chmod(mode)
        part.replace(path)
    except OSError as error:
        remedy = (
            "run it as root (sudo), or with --user"
            if isinstance(error, PermissionError)
            else "make room or give --root"
        )
        raise SinkError(f"{path}: {error.strerror}; {remedy}") from error


def _check_manager(service: Service) -> None:
    if not Path("/run/systemd/system").is_dir():
        raise UsageError(
            "service: systemd does not run here; --root DIR writes the files elsewhere, --dry-run shows them"
        )
    if not service.user and os.geteuid() != 0:
        raise UsageError("service: a service of the system needs root; use sudo, or --user for one of your own")


def _check_reach(program: Path, *, user: bool) -> None:
    """A user of its own must get to the program: homes are closed to others on today's systems."""
    if user:
        return
    for folder in program.parents:
        if not folder.stat().st_mode & 0o001:
            raise UsageError(
                f"service: {program} is in {folder}, which is closed to the service's own user; install inkedge into "
                "/opt/inkedge (python3 -m venv /opt/inkedge), or use --user"
            )


def _own_program() -> Path:
    """The `edge` beside this interpreter."""
    program = Path(sys.executable).parent / "edge"
    if not program.is_file():
        raise UsageError(
            f"service: there is no {program} for a service to start; install inkedge with pip into an environment"
        )
    return program


def _user_folder(variable: str, default: str) -> Path:
    folder = os.environ.get(variable, "")
    return Path(folder) if folder.startswith("/") else Path.home() / default


def _systemctl(service: Service, *arguments: str) -> None:
    _call("systemctl", *(["--user"] if service.user else []), *arguments)


def _call(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SinkError(f"service: {command[0]}: {error}") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise SinkError(f"service: `{' '.join(command)}` failed: {said[-1] if said else done.returncode}")
