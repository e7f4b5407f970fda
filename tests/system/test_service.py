"""The service: its files under a folder, judged by systemd's own tools; nothing here touches the system."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge.system.unit import Unit

UNIT = Path("etc/systemd/system/inkedge.service")
SETTINGS = Path("etc/inkedge/edge.toml")
USER_UNIT = Path(".config/systemd/user/inkedge.service")


def service(*arguments: object, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"} if home else None
    command = [sys.executable, "-m", "edge", "service", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)


def analyze(*arguments: object) -> subprocess.CompletedProcess[str]:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze: apt-get install systemd")
    return subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, timeout=60)


def test_install_writes_what_systemd_takes(tmp_path: Path) -> None:
    done = service("install", "--root", tmp_path)
    assert done.returncode == 0, done.stderr
    written = (tmp_path / UNIT).read_text()
    assert service("install", "--dry-run").stdout == written
    verified = analyze("verify", tmp_path / UNIT)
    assert verified.returncode == 0 and not verified.stderr, verified.stderr
    asked = subprocess.run(
        [sys.executable, "-m", "edge", "run", "--config", tmp_path / SETTINGS, "--print-settings"],
        capture_output=True,
        text=True,
    )
    assert asked.returncode == 0 and 'source = "0"' in asked.stdout, asked.stderr


def test_the_unit_is_rated_ok_or_better(tmp_path: Path) -> None:
    service("install", "--root", tmp_path)
    rated = analyze("security", "--offline=true", "--no-pager", tmp_path / UNIT).stdout
    level = re.search(r"Overall exposure level for inkedge.service: ([\d.]+) (\w+)", rated)
    assert level is not None and level[2] in ("OK", "SAFE", "PERFECT"), rated[-300:]


def test_a_user_has_a_service_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, home = tmp_path / "root", Path("/home/kim")
    done = service("install", "--user", "--root", root, home=home)
    unit = root / home.relative_to("/") / USER_UNIT
    assert done.returncode == 0, done.stderr
    assert "User=" not in unit.read_text() and "WantedBy=default.target" in unit.read_text()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    verified = analyze("verify", "--user", unit)
    assert verified.returncode == 0, verified.stderr


def test_settings_of_a_person_stay(tmp_path: Path) -> None:
    service("install", "--root", tmp_path)
    mine = '[camera]\nsource = "csi:0"\n'
    (tmp_path / SETTINGS).write_text(mine)
    again = service("install", "--root", tmp_path)
    assert again.returncode == 0 and f"kept {tmp_path / SETTINGS}" in again.stderr
    assert (tmp_path / SETTINGS).read_text() == mine
    gone = service("uninstall", "--root", tmp_path)
    assert gone.returncode == 0 and not (tmp_path / UNIT).exists()
    assert (tmp_path / SETTINGS).read_text() == mine
    service("uninstall", "--root", tmp_path, "--purge")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_without_systemd_nothing_is_written() -> None:
    if Path("/run/systemd/system").exists():
        pytest.skip("systemd runs here, and a test does not install services")
    done = service("install")
    assert done.returncode == 2 and "--root" in done.stderr and "systemd does not run" in done.stderr
    assert not (Path("/") / UNIT).exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "etc").write_text("a file where a folder should be")
    done = service("install", "--root", tmp_path)
    assert done.returncode == 6 and str(tmp_path / UNIT) in done.stderr


@pytest.mark.parametrize("place", ["/opt/ink edge/bin/edge", "/opt/50%h $HOME/edge"])
def test_odd_paths_mean_themselves(place: str, tmp_path: Path) -> None:
    program = tmp_path / place.lstrip("/")
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / "inkedge.service"
    unit.write_text(str(Unit(program=program, settings=Path('/etc/$HOME/50% "edge.toml'))))
    verified = analyze("verify", unit)  # says so if the program is not there
    assert verified.returncode == 0 and not verified.stderr, verified.stderr
