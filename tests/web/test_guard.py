"""The door before every page, knocked at over real connections."""

from __future__ import annotations

import base64
import logging
import socket
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from edge.web.access import Access
from edge.web.address import Address
from edge.web.guard import LARGEST_BODY
from edge.web.serve import Server

from .visits import ask, call, is_ended

TOKEN = "correct-horse-battery"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def basic(login: str) -> str:
    return f"Basic {base64.b64encode(login.encode()).decode()}"


async def echo(request: Request) -> Response:
    return PlainTextResponse((await request.body()) or b"hello")


def make_app() -> Starlette:
    return Starlette(routes=[Route(path, echo, methods=["GET", "POST"]) for path in ("/", "/healthz", "/page")])


@pytest.fixture(scope="module")
def locked() -> Iterator[Address]:
    with Server.start(make_app(), Address(host="0.0.0.0", port=0), Access(token=TOKEN)) as server:
        yield server.address


@pytest.fixture(scope="module")
def open_to_all() -> Iterator[Address]:
    with Server.start(make_app(), Address(port=0), Access()) as server:
        yield server.address


@pytest.mark.parametrize("path", ["/", "/page", "/no-such-page", "//healthz", "/healthz/", "/page?token=" + TOKEN])
def test_without_the_token_everything_is_401(path: str, locked: Address) -> None:
    answer = ask(locked, path)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_health_needs_none(locked: Address) -> None:
    assert ask(locked, "/healthz").status == 200


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer  {TOKEN}", 200),
        (TOKEN, 401),
        (f"Basic {TOKEN}", 401),
        ("Bearer", 401),
        ("Bearer x", 401),
        (basic(f"any:{TOKEN}"), 200),
        (basic(f"{TOKEN}:"), 401),
        (basic(TOKEN), 401),
        ("Basic ????", 401),
    ],
)
def test_programs_bring_it_in_a_header(authorization: str, status: int, locked: Address) -> None:
    assert ask(locked, "/page", headers={"Authorization": authorization}).status == status


def test_a_browser_opens_it_once_and_has_a_cookie_from_then_on(locked: Address) -> None:
    welcome = ask(locked, f"/?token={TOKEN}")
    assert (welcome.status, welcome.headers["location"]) == (303, "./")
    cookie = welcome.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie and TOKEN not in cookie
    kept = {"Cookie": f"other=1; {cookie.partition(';')[0]}"}
    assert ask(locked, "/page", headers=kept).body == b"hello"
    assert ask(locked, f"/?token={TOKEN}", headers=kept).status == 303  # the token leaves the address every time
    name, _, value = kept["Cookie"].rpartition("=")
    for wrong in (value[:-1], value.upper(), TOKEN, ""):
        assert ask(locked, "/page", headers={"Cookie": f"{name}={wrong}"}).status == 401


def test_who_follows_a_link_of_another_site_gets_in_as_well(locked: Address) -> None:
    welcome = ask(locked, f"/?token={TOKEN}", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"})
    assert (welcome.status, welcome.headers["refresh"]) == (200, "0; url=./")
    assert "set-cookie" in welcome.headers


def test_a_person_without_the_token_is_asked_for_it(locked: Address) -> None:
    asked = ask(locked, "/?token=wrong", headers={"Accept": "text/html,*/*"})
    assert asked.status == 401 and b'name="token"' in asked.body
    assert "sha256-" in asked.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/", "/healthz", "/page"])
def test_a_foreign_host_is_421_whatever_it_brings(path: str, locked: Address) -> None:
    assert ask(locked, path, headers={"Host": "evil.example", **BEARER}).status == 421


def test_every_answer_has_the_security_headers_and_opens_to_no_other_site(locked: Address) -> None:
    for answer in (
        ask(locked, headers=BEARER),
        ask(locked),
        ask(locked, "/healthz"),
        ask(locked, "/nothing", headers=BEARER),
    ):
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == "no-store"
        assert not any(name.startswith("access-control") for name in answer.headers)
        assert "server" not in answer.headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),  # a program
        ({"Origin": "http://HOST"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://HOST.evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://HOST"}, 200),
    ],
)
def test_another_sites_page_cannot_post(headers: dict[str, str], status: int, open_to_all: Address) -> None:
    here = {name: value.replace("HOST", f"127.0.0.1:{open_to_all.port}") for name, value in headers.items()}
    assert ask(open_to_all, "/page", method="POST", headers=here, body=b"x").status == status


def test_another_sites_page_cannot_show_pictures_of_ours_but_link_to_it(open_to_all: Address) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert ask(open_to_all, "/page", headers=foreign).status == 403
    assert ask(open_to_all, "/page", headers={**foreign, "Sec-Fetch-Mode": "navigate"}).status == 200


def test_a_body_arrives_whole_or_not_at_all(open_to_all: Address) -> None:
    full = b"x" * LARGEST_BODY
    assert ask(open_to_all, "/page", method="POST", body=full).body == full
    assert ask(open_to_all, "/page", method="POST", body=full + b"x").status == 413


@pytest.mark.parametrize("length", ["99999999999999999999", "70000"])
def test_a_body_that_is_announced_too_long_is_not_waited_for(length: str, open_to_all: Address) -> None:
    head = f"POST /page HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n".encode()
    with call(open_to_all, head) as caller:
        assert caller.recv(64).startswith(b"HTTP/1.1 413")


def test_chunks_without_end_are_cut_off(open_to_all: Address) -> None:
    head = b"POST /page HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with call(open_to_all, head) as caller:
        for _ in range(5):
            caller.sendall(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
        assert caller.recv(64).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "words",
    [b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/1.1\r\n\r\n",
     b"GET / HTTP/1.1\r\nHost: a\r\nHost: localhost\r\n\r\n",
     b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 70_000],
)  # fmt: skip
def test_what_is_no_http_is_refused_and_the_next_is_served(
    words: bytes, open_to_all: Address, caplog: pytest.LogCaptureFixture
) -> None:
    with call(open_to_all, words) as caller:
        assert b"HTTP/1.1 400" in caller.recv(64)
        assert is_ended(caller)
    assert ask(open_to_all).status == 200
    assert not caplog.records


def test_http_1_0_without_a_host_is_421(open_to_all: Address) -> None:
    with call(open_to_all, b"GET / HTTP/1.0\r\n\r\n") as caller:
        assert caller.recv(64).startswith(b"HTTP/1.1 421")


def test_a_websocket_is_not_spoken(open_to_all: Address) -> None:
    asked = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "x", "Sec-WebSocket-Version": "13"}
    assert ask(open_to_all, headers=asked).status == 200  # as any page: the upgrade is not heard


def test_no_address_and_no_token_gets_into_the_log(locked: Address, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        ask(locked, f"/?token={TOKEN}")
        ask(locked, "/page?secret", headers=BEARER)
    assert TOKEN not in caplog.text and "/page" not in caplog.text


def test_each_port_has_a_cookie_of_its_own(locked: Address) -> None:
    with Server.start(make_app(), Address(host="0.0.0.0", port=0), Access(token="token-of-the-other")) as other:
        names = [
            ask(address, f"/?token={token}").headers["set-cookie"].partition("=")[0]
            for address, token in ((locked, TOKEN), (other.address, "token-of-the-other"))
        ]
    assert names[0] != names[1]


def test_the_greeting_tells_a_made_token_and_no_other() -> None:
    with Server.start(make_app(), Address(host="0.0.0.0", port=0), Access(token=TOKEN, made=True)) as server:
        assert server.greeting.endswith(f":{server.address.port}/?token={TOKEN}")
        assert "0.0.0.0" not in server.greeting
    with Server.start(make_app(), Address(host="0.0.0.0", port=0), Access(token=TOKEN)) as server:
        assert TOKEN not in server.greeting


def test_ipv6_is_served() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with (
        Server.start(make_app(), Address(host="::1", port=0), Access()) as server,
        socket.create_connection(("::1", server.address.port), timeout=30) as caller,
    ):
        caller.sendall(f"GET / HTTP/1.1\r\nHost: {server.address}\r\n\r\n".encode())
        assert caller.recv(64).startswith(b"HTTP/1.1 200")
