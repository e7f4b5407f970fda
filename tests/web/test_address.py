"""Where a page may be served, and what is said when it cannot be."""

from __future__ import annotations

import pytest

from edge.errors import SinkError, UsageError
from edge.web.address import Address, listen, parse_address


@pytest.mark.parametrize(
    ("text", "host", "port", "loopback"),
    [
        ("8080", "127.0.0.1", 8080, True),
        ("localhost:8080", "localhost", 8080, True),
        ("127.0.0.2:80", "127.0.0.2", 80, True),
        ("[::1]:8080", "::1", 8080, True),
        ("[::ffff:127.0.0.1]:8080", "::ffff:127.0.0.1", 8080, True),
        ("0.0.0.0:0", "0.0.0.0", 0, False),
        ("[::]:8080", "::", 8080, False),
        ("192.168.1.5:8080", "192.168.1.5", 8080, False),
        ("Desk.example:8080", "desk.example", 8080, False),
    ],
)
def test_address_is_port_or_host_and_port(text: str, host: str, port: int, loopback: bool) -> None:
    address = parse_address(text)
    assert (address.host, address.port, address.loopback) == (host, port, loopback)
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        ":80",
        "80:",
        "host",
        "::1:80",
        "[::1]",
        "[desk]:80",
        "a b:80",
        "host:-1",
        "host:٣",
        "1:2:3",
        "h:99999",
        "x/y:1",
    ],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"8080|1 to 65535"):
        parse_address(text)


def test_a_taken_port_is_named_with_its_remedy() -> None:
    door, address = listen(Address(port=0))
    with door, pytest.raises(SinkError, match=rf"127\.0\.0\.1:{address.port}: another program uses this port"):
        listen(address)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(SinkError, match=r"192\.0\.2\.77:0: this machine has no such address"):
        listen(Address(host="192.0.2.77", port=0))


def test_a_name_that_is_no_host_is_refused() -> None:
    with pytest.raises(SinkError, match="no such host"):
        listen(Address(host="nowhere.invalid", port=0))
