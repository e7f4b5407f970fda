"""The doctor tries what the settings of a run name: real sockets, a real preview."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge.system.outside import check_port, examine_settings
from tests.faults.streams import free_port


def settings(folder: Path, text: str) -> Path:
    file = folder / "edge.toml"
    file.write_text(text)
    return file


def test_a_mistake_is_told_with_its_line_and_ends_with_2(tmp_path: Path) -> None:
    (check,) = examine_settings(settings(tmp_path, "[camera]\nsorce = 0\n"))
    assert check.level == "fail" and check.exit_code == 2 and "2" in check.found and "source" in check.found


def test_a_broker_that_listens_and_one_that_does_not(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as broker:
        text = f'[mqtt]\nurl = "mqtt://127.0.0.1:{broker.getsockname()[1]}/desk"\n'
        file, broker_check = examine_settings(settings(tmp_path, text))
        assert (file.level, broker_check.level) == ("ok", "ok")
    _, gone = examine_settings(tmp_path / "edge.toml")
    assert gone.level == "warn" and "refused" in gone.found


@pytest.mark.parametrize("answer", [b"hello", b""])
def test_a_tls_broker_that_speaks_none(tmp_path: Path, answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as broker:
        url = f"mqtts://127.0.0.1:{broker.getsockname()[1]}/desk"
        file = settings(tmp_path, f'[mqtt]\nurl = "{url}"\n')
        asked = subprocess.Popen(
            [sys.executable, "-m", "edge", "doctor", "--config", file], stdout=subprocess.PIPE, text=True
        )
        broker.settimeout(60)
        connection, _ = broker.accept()
        connection.sendall(answer)
        connection.close()
        said = asked.communicate(timeout=60)[0]
    line = next(line for line in said.splitlines() if line.split()[1] == "broker")
    assert line.startswith("warn")


def test_a_port_that_is_free_taken_or_ours(tmp_path: Path) -> None:
    port = free_port()
    assert check_port(str(port)).level == "ok"
    with socket.create_server(("127.0.0.1", port)):
        taken = check_port(f"127.0.0.1:{port}")
        assert taken.level == "fail" and taken.exit_code == 6
    command = [sys.executable, "-m", "edge", "run", "--camera", "demo", "--serve", str(port)]
    run = subprocess.Popen(command, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while check_port(str(port)).found.endswith("free") and time.monotonic() < end:
            time.sleep(0.2)
        assert "a run of inkedge serves it" in check_port(str(port)).found
    finally:
        run.kill()
        run.wait()


@pytest.mark.parametrize("serve", ["http", "127.0.0.1:99999", ":"])
def test_no_port(serve: str) -> None:
    assert check_port(serve).exit_code == 2
