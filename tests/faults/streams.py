"""Servers on loopback that behave as real cameras do, badly too, and `edge run` as its own process."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

RUN = (sys.executable, "-m", "edge", "run")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Stream:
    """A real MJPEG stream by ffmpeg, one viewer at a time, that can be killed, stopped and started again."""

    picture: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        ffmpeg = shutil.which("ffmpeg")
        if ffmpeg is None:
            pytest.skip("needs the package ffmpeg: apt-get install ffmpeg")
        arguments = ["-loglevel", "quiet", "-re", "-loop", "1", "-i"]
        arguments += [str(self.picture), *f"-r 15 -f mpjpeg -threads 1 -listen 1 {self.url}".split()]
        self.process = subprocess.Popen([ffmpeg, *arguments], stdin=subprocess.DEVNULL)

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def listener(answer: bytes | None) -> Iterator[str]:
    """The address of a TCP port that accepts and says nothing (None), or says `answer` again and again."""
    server = socket.create_server(("127.0.0.1", 0))
    open_ones: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            open_ones.append(connection)
            if answer is not None:
                threading.Thread(target=pour, args=(connection, answer), daemon=True).start()

    def pour(connection: socket.socket, content: bytes) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(content)
                time.sleep(0.01)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        for connection in open_ones:
            connection.close()


class Run:
    """`edge run` as its own process, with its stderr read as it comes."""

    def __init__(self, *arguments: str) -> None:
        self.errors: list[str] = []
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [*RUN, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
        )
        self._reader = threading.Thread(target=self._gather, daemon=True)
        self._reader.start()

    def _gather(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            # The runtime's own line about its delegate is no word of ours.
            if "XNNPACK" not in line:
                self.errors.append(line.rstrip("\n"))

    def wait_for(self, words: str, seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if any(words in line for line in self.errors):
                return
            time.sleep(0.05)
        raise AssertionError(f"{words!r} did not come in {seconds} s: {self.errors}")

    def end(self, number: signal.Signals | None = None, seconds: float = 20) -> tuple[int, str]:
        """Exit code and stdout, after a signal if one is given."""
        if number is not None:
            self.process.send_signal(number)
        assert self.process.stdout is not None
        try:
            code = self.process.wait(seconds)
        finally:
            self.process.kill()
        out = self.process.stdout.read()
        self._reader.join(5)
        self.process.stdout.close()
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code, out
