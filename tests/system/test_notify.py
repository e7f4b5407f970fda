"""What a service manager hears: a real socket, and real runs behind it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.system.notify import Notifier, Watchdog
from tests.faults.streams import MjpegServer

PATIENCE_S = 60.0


class Manager:
    """The other end of $NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)

    def hear(self, wanted: str, within_s: float = PATIENCE_S) -> bool:
        """Whether a message with that line comes in time; what comes before it is passed over."""
        end = time.monotonic() + within_s
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                if wanted in self.socket.recv(4096).decode().split("\n"):
                    return True
            except TimeoutError:
                break
        return False

    def forget(self) -> None:
        """Pass over what came so far."""
        self.socket.setblocking(False)
        try:
            while self.socket.recv(4096):
                pass
        except BlockingIOError:
            self.socket.setblocking(True)


@pytest.fixture(params=["file", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    here = Manager(str(tmp_path / "notify") if request.param == "file" else f"@inkedge-test-{os.getpid()}")
    yield here
    here.socket.close()


def start(manager: Manager, *arguments: str, watchdog_s: float) -> subprocess.Popen[bytes]:
    environment = os.environ | {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": str(int(watchdog_s * 1e6))}
    command = [sys.executable, "-m", "edge", "run", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_a_run_says_that_it_is_ready_lives_and_ends(manager: Manager) -> None:
    run = start(manager, "--camera", "demo", watchdog_s=0.3)
    try:
        assert manager.hear("READY=1")
        assert manager.hear("WATCHDOG=1") and manager.hear("WATCHDOG=1")
        run.send_signal(signal.SIGTERM)
        assert manager.hear("STOPPING=1")
        assert run.wait(PATIENCE_S) == 0
    finally:
        run.kill()


def test_no_frames_no_sign_of_life(tmp_path: Path) -> None:
    manager, stream = Manager(str(tmp_path / "notify")), MjpegServer()
    run = start(manager, "--camera", stream.url, "--wait", watchdog_s=0.3)
    try:
        assert manager.hear("WATCHDOG=1")
        stream.does = "stalls"
        time.sleep(1.0)  # what was on its way arrives
        manager.forget()
        assert not manager.hear("WATCHDOG=1", within_s=1.5)
        stream.does = "live"
        assert manager.hear("WATCHDOG=1")
    finally:
        run.kill()
        run.wait()
        stream.close()
        manager.socket.close()


def test_a_message_is_lines_and_no_more(manager: Manager) -> None:
    notifier = Notifier(manager.address)
    notifier.send(STATUS="one\nREADY=1", MAINPID=7)
    assert manager.socket.recv(4096) == b"STATUS=one\nMAINPID=7"
    notifier.close()


def test_nobody_listens(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    watchdog = Watchdog.open({"NOTIFY_SOCKET": str(tmp_path / "nobody"), "WATCHDOG_USEC": "1000"})
    assert watchdog is not None
    for _ in range(3):
        watchdog.see(object())
    watchdog.close()
    watchdog.close()
    assert len(caplog.records) == 1, "said once"


@pytest.mark.parametrize("address", ["", "relative", "vsock:2:1234"])
def test_no_manager_no_watchdog(address: str) -> None:
    assert Watchdog.open({"NOTIFY_SOCKET": address}) is None


def test_signs_meant_for_another_process_are_not_given(manager: Manager) -> None:
    other = str(os.getpid() + 1)
    watchdog = Watchdog.open({"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "1000", "WATCHDOG_PID": other})
    assert watchdog is not None
    watchdog.see(object())
    assert manager.hear("READY=1") and not manager.hear("WATCHDOG=1", within_s=0.3)
    watchdog.close()
