"""MJPEG over http: the newest picture, whatever the server's manners; servers on loopback."""

from __future__ import annotations

import base64
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import SourceError
from edge.sources.base import opened
from edge.sources.mjpeg import MjpegSource
from edge.values import Frame

Answer = Callable[[socket.socket, bytes], None]
HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=next\r\n\r\n"


def jpeg(level: int = 90, size: tuple[int, int] = (64, 48)) -> bytes:
    return bytes(cv2.imencode(".jpg", np.full((size[1], size[0], 3), level, np.uint8))[1])


def part(content: bytes) -> bytes:
    return b"--next\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(content) + content + b"\r\n"


class Server:
    """Answers each request by a function of the connection and the request; keeps the requests."""

    def __init__(self) -> None:
        self.answer: Answer = lambda viewer, request: None
        self.requests: list[bytes] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._threads = [threading.Thread(target=self._listen)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                viewer, _ = self._server.accept()
                self._threads.append(threading.Thread(target=self._serve, args=(viewer,)))
                self._threads[-1].start()

    def _serve(self, viewer: socket.socket) -> None:
        with viewer, suppress(OSError):
            viewer.settimeout(20)
            request = viewer.recv(65536)
            self.requests.append(request)
            self.answer(viewer, request)

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join(30)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def says(content: bytes) -> Answer:
    return lambda viewer, request: viewer.sendall(content)


def frames(url: str, number: int = 1, timeout_s: float = 5.0) -> list[Frame]:
    with MjpegSource(url, timeout_s=timeout_s) as source, opened(source) as given:
        return list(islice(given, number))


def test_a_slow_reader_gets_the_newest_and_no_queue_grows(server: Server) -> None:
    noise = np.random.default_rng(2).integers(0, 255, (480, 640, 3), np.uint8)  # pictures of some 100 kB
    sent = [0]

    def numbered(number: int) -> bytes:
        picture = noise.copy()
        for bit in range(10):
            picture[:32, 32 * bit : 32 * bit + 32] = 255 * (number >> bit & 1)
        return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 40])[1])

    def stream(viewer: socket.socket, request: bytes) -> None:
        viewer.sendall(HEAD)
        for number in range(1000):
            viewer.sendall(part(numbered(number)))
            sent[0] = number
            time.sleep(0.02)

    server.answer = stream
    with MjpegSource(server.url) as source, opened(source) as given:
        for _ in range(12):
            pixels = next(given).pixels
            time.sleep(0.25)
        before = sent[0]
        pixels = next(given).pixels
        seen = sum(1 << bit for bit in range(10) if pixels[16, 32 * bit + 16].mean() > 128)
    assert before > 30, "the server was held up"
    assert seen >= before - 5, "pictures waited in a queue"


def test_manners_of_servers(server: Server) -> None:
    first, second = jpeg(60), jpeg(180, (32, 24))
    bare = b"--next\r\nContent-Type: image/jpeg\r\n\r\n"
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/octet-stream\r\n\r\n"
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (b"--next\r\n", part(first)[8:], part(second)))
    for answer in (
        HEAD + part(first) + part(second),
        HEAD + bare + first + b"\r\n" + bare + second + b"\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Type: image/jpeg\r\n\r\n" + first + second,
        chunked + pieces,
    ):
        server.answer = says(answer)
        with pytest.raises(SourceError, match="the stream stopped"):
            frames(server.url, number=3)
        newest = frames(server.url)[-1]
        assert newest.pixels.shape in ((48, 64, 3), (24, 32, 3)) and newest.index == 0


def test_a_length_that_is_said_is_believed_over_a_thumbnails_end(server: Server) -> None:
    plain, thumbnail = jpeg(90), jpeg(30, (16, 16))
    with_exif = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail + plain[2:]
    server.answer = says(HEAD + part(with_exif))
    assert frames(server.url)[0].pixels.shape == (48, 64, 3)


def test_pictures_that_are_cut_off_or_bombs_are_counted_and_left_out(server: Server) -> None:
    whole = jpeg()
    at = whole.index(b"\xff\xc0")
    bomb = whole[: at + 5] + struct.pack(">HH", 60_000, 60_000) + whole[at + 9 :]

    def stream(viewer: socket.socket, request: bytes) -> None:
        viewer.sendall(HEAD)
        for content in (whole[:-40], bomb, b"\xff\xd8\xff\xd9", whole):
            viewer.sendall(part(content))
            time.sleep(0.3)  # each is the newest once

    server.answer = stream
    with MjpegSource(server.url) as source, opened(source) as given:
        assert next(given).pixels.shape == (48, 64, 3)
        assert 1 <= source.broken <= 3


def test_user_and_password_of_the_address_are_sent_when_asked_for(server: Server) -> None:
    wanted = b"Basic " + base64.b64encode(b"me:s3cret/x")

    def guarded(viewer: socket.socket, request: bytes) -> None:
        if wanted in request:
            viewer.sendall(HEAD + part(jpeg()))
        else:
            viewer.sendall(b'HTTP/1.0 401 No\r\nWWW-Authenticate: Basic realm="cam"\r\nContent-Length: 0\r\n\r\n')

    server.answer = guarded
    host = f"127.0.0.1:{server.port}"
    assert frames(f"http://me:s3cret%2Fx@{host}/")
    assert wanted not in server.requests[0]
    with pytest.raises(SourceError, match=r"http://me:\*\*\*@.*answers 401 No"):
        frames(f"http://me:wrong@{host}/")


def test_a_redirection_leads_to_http_alone(server: Server, tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(jpeg())
    for place in (f"file://{tmp_path}/secret.jpg", "ftp://127.0.0.1/x"):
        server.answer = says(f"HTTP/1.0 302 Go\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode())
        with pytest.raises(SourceError, match="no video stream there"):
            frames(server.url)

    def twice(viewer: socket.socket, request: bytes) -> None:
        moved = b"HTTP/1.0 302 Go\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"
        viewer.sendall(HEAD + part(jpeg()) if b"/there" in request else moved)

    server.answer = twice
    assert frames(server.url)


def test_another_stream_over_http_is_left_to_ffmpeg(server: Server, tmp_path: Path) -> None:
    film = cv2.VideoWriter(str(tmp_path / "film.avi"), cv2.VideoWriter_fourcc(*"mp4v"), 15, (64, 48))
    for level in range(0, 200, 20):
        film.write(np.full((48, 64, 3), level, np.uint8))
    film.release()
    content = (tmp_path / "film.avi").read_bytes()
    head = b"HTTP/1.0 200 OK\r\nContent-Type: video/x-msvideo\r\nContent-Length: %d\r\n\r\n" % len(content)
    server.answer = says(head + content)
    assert len(frames(server.url, number=3)) == 3
    assert len(server.requests) >= 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n", "answers 404 Not Found"),
        (b"SSH-2.0-OpenSSH\r\n", "is not http"),
        (b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html>" + b"x" * 2000, "no video stream there"),
        (HEAD + b"--next\r\nContent-Type: text/plain\r\n\r\n" + b"no picture " * 500, "the stream stopped"),
        (HEAD, "the stream stopped"),
        (b"", "no video stream there"),
    ],
)
def test_what_is_no_camera_is_said(answer: bytes, words: str, server: Server) -> None:
    server.answer = says(answer)
    with pytest.raises(SourceError, match=words):
        frames(server.url)


def test_bytes_without_end_and_without_a_picture_are_no_camera(server: Server) -> None:
    def flood(viewer: socket.socket, request: bytes) -> None:
        viewer.sendall(HEAD)
        for _ in range(100_000):
            viewer.sendall(b"nothing that any film would hold\n" * 1000)

    server.answer = flood
    with pytest.raises(SourceError, match="holds no pictures"):
        frames(server.url, timeout_s=1)


def test_a_server_that_accepts_and_is_silent_is_given_up_in_time(server: Server) -> None:
    server.answer = lambda viewer, request: time.sleep(3)
    with pytest.raises(SourceError, match="no answer in 1 s"):
        frames(server.url, timeout_s=2)
