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

import cv2
import numpy as np
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


SYSTEM_PYTHON = Path("/usr/bin/python3")  # the one that Debian's python3-gi is for


@dataclass
class RtspStream:
    """A real RTSP server by GStreamer on rtsp://127.0.0.1:PORT/camera, to be stopped, killed and started again."""

    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/camera"

    def start(self, size: str = "320x240") -> None:
        probe = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
        if not SYSTEM_PYTHON.exists() or subprocess.run([SYSTEM_PYTHON, "-c", probe], capture_output=True).returncode:
            pytest.skip("needs a GStreamer RTSP server: apt-get install gir1.2-gst-rtsp-server-1.0 python3-gi")
        script = Path(__file__).with_name("rtsp_server.py")
        command = [SYSTEM_PYTHON, script, str(self.port), size]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()


class MjpegServer:
    """MJPEG over http as cameras serve it; what it does is changed while it runs.

    does: `live` noise, `frozen` the same picture, `stalls` without closing, `half` pictures cut in the middle, each
    fourth one whole, `broken` pictures that end in grey, `garbage` bytes, `large` pictures of twice the size, `black`
    ones, `cuts` the connection, `refuses` to answer, `404`.
    """

    def __init__(self) -> None:
        rng = np.random.default_rng(11)
        noise = [rng.integers(60, 200, (120, 160, 3), np.uint8) for _ in range(12)]
        self._live = [self._jpeg(pixels) for pixels in noise]
        self._large = [self._jpeg(cv2.resize(pixels, (320, 240))) for pixels in noise]
        self._black = [self._jpeg(pixels // 30) for pixels in noise]
        self._broken = [content[: len(content) // 2] + b"\xff\xd9" for content in self._live]
        self.does = "live"
        self.viewers = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}/"
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._listen)]
        self._threads[0].start()

    @staticmethod
    def _jpeg(pixels: np.ndarray) -> bytes:
        return bytes(cv2.imencode(".jpg", pixels)[1])

    def _listen(self) -> None:
        while True:
            try:
                viewer, _ = self._server.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=(viewer,)))
            self._threads[-1].start()

    def _serve(self, viewer: socket.socket) -> None:
        self.viewers += 1
        with viewer, contextlib.suppress(OSError):
            viewer.settimeout(20)
            viewer.recv(4096)
            if self.does == "404":
                viewer.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                return
            if self.does != "refuses":
                head = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=next\r\n\r\n"
                viewer.sendall(head)
            number = 0
            while not self._ended.wait(0.05) and self.does not in ("cuts", "refuses", "404"):
                content = self._next(number)
                if content is not None:
                    kind = b"--next\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(content)
                    viewer.sendall(kind + content + b"\r\n" if self.does != "garbage" else content)
                number += 1
        self.viewers -= 1

    def _next(self, number: int) -> bytes | None:
        pictures = {"large": self._large, "black": self._black, "broken": self._broken}.get(self.does, self._live)
        if self.does == "stalls":
            return None
        if self.does == "garbage":
            return b"nothing that any film would hold " * 50
        if self.does == "frozen":
            return pictures[0]
        content = pictures[number % len(pictures)]
        return content[: len(content) // 2] if self.does == "half" and number % 4 else content

    def close(self) -> None:
        self._ended.set()
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join(30)


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

    def wait_for(self, words: str, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if any(words in line for line in self.errors):
                return
            time.sleep(0.05)
        raise AssertionError(f"{words!r} did not come in {seconds} s: {self.errors}")

    def end(self, number: signal.Signals | None = None, seconds: float = 60) -> tuple[int, str]:
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
