"""Connections that wait, stall or come in crowds: each is ended, and whoever behaves is served all the while."""

from __future__ import annotations

import socket
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from edge.errors import UsageError
from edge.web import connection
from edge.web.access import Access
from edge.web.address import Address
from edge.web.serve import Server, need_web
from edge.web.streams import Streams

from .visits import ask, call, eventually, is_ended, opened

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
_ENDED: list[str] = []


async def _flood(piece: bytes) -> AsyncGenerator[bytes, None]:
    try:
        while True:
            yield piece
    finally:
        _ENDED.append("flood")


def make_app() -> Starlette:
    async def hello(request: Request) -> Response:
        return PlainTextResponse("hello")

    async def flood(request: Request) -> Response:
        return Streams(_flood(b"x" * 40_000), media_type="text/plain")

    async def large(request: Request) -> Response:
        return Response(b"x" * 30_000_000)

    return Starlette(routes=[Route("/", hello), Route("/flood", flood), Route("/large", large)])


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that is less patient than usual, for nobody wants to wait for its tests."""
    monkeypatch.setattr(connection, "_LOOK_S", 0.05)
    monkeypatch.setattr(connection, "_REQUEST_S", 0.4)
    monkeypatch.setattr(connection, "_STUCK_S", 0.4)
    _ENDED.clear()
    with Server.start(make_app(), Address(port=0), Access()) as started:
        yield started


@pytest.mark.parametrize("words", [b"", b"GET / HTTP/1.1\r\nHost: loc", GET])
def test_who_says_nothing_more_is_left(words: bytes, server: Server) -> None:
    with call(server.address, words) as caller:
        assert is_ended(caller)


def test_who_says_a_letter_at_a_time_is_left(server: Server) -> None:
    with call(server.address, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ") as caller:

        def dripped() -> bool:
            try:
                caller.sendall(b"y")
            except ConnectionError:
                return True
            return False

        assert eventually(dripped)


def test_a_viewer_that_takes_nothing_is_left_and_its_stream_ends(server: Server) -> None:
    request = b"GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with call(server.address, request, receive_buffer=4096) as caller:
        assert eventually(lambda: bool(_ENDED))
        assert is_ended(caller)


def test_a_long_answer_that_nobody_fetches_is_given_up(server: Server) -> None:
    request = b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with call(server.address, request, receive_buffer=4096) as caller:
        time.sleep(0.5)  # longer than it may be stuck
        assert eventually(lambda: _is_reset(caller))


def _is_reset(caller: socket.socket) -> bool:
    try:
        caller.send(b"x")
    except ConnectionError:
        return True
    return False


def test_a_viewer_that_reads_is_kept_however_long(server: Server) -> None:
    with opened(server.address, "/flood") as stream:
        end = time.monotonic() + 1.5  # three times what one that is stuck has
        while time.monotonic() < end:
            assert len(stream.read(100_000)) == 100_000


def test_who_is_served_does_not_suffer_from_a_crowd_that_says_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_REQUEST_S", 60.0)
    monkeypatch.setattr(connection, "MOST", 8)
    with ExitStack() as held:
        stream = held.enter_context(opened(server.address, "/flood"))
        crowd = [held.enter_context(call(server.address, b"")) for _ in range(40)]
        assert ask(server.address).status == 200
        assert len(stream.read(100_000)) == 100_000
        assert eventually(lambda: sum(map(_is_reset, crowd)) >= 32)  # those that waited longest had to make room


def test_with_all_at_work_a_new_one_is_told_so(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MOST", 3)
    monkeypatch.setattr(connection, "_STUCK_S", 60.0)
    with ExitStack() as held:
        streams = [held.enter_context(opened(server.address, "/flood")) for _ in range(3)]
        assert all(len(stream.read(1000)) == 1000 for stream in streams)
        with call(server.address, GET) as caller:
            assert caller.recv(64).startswith(b"HTTP/1.1 503")
            assert is_ended(caller)
        assert eventually(lambda: not _ENDED)
    assert eventually(lambda: ask(server.address).status == 200)


def test_closing_cuts_streams_and_returns_though_nobody_reads_them(caplog: pytest.LogCaptureFixture) -> None:
    server = Server.start(make_app(), Address(port=0), Access())
    with call(server.address, b"GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n", receive_buffer=4096) as caller:
        assert caller.recv(64).startswith(b"HTTP/1.1 200")
        server.close()
        server.close()
        assert is_ended(caller)
    with pytest.raises(ConnectionError):
        call(server.address, b"")
    assert not caplog.records


def test_a_hundred_visits_leave_nothing_open() -> None:
    with Server.start(make_app(), Address(port=0), Access()) as server:
        assert ask(server.address).status == 200
        before = _open_files()
        for _ in range(100):
            with call(server.address, GET) as caller:
                caller.recv(64)
        assert eventually(lambda: _open_files() <= before)


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_without_the_libraries_their_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "uvicorn", None)
    with pytest.raises(UsageError, match=r"pip install 'inkedge\[web\]'"):
        need_web()
