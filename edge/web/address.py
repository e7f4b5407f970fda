"""Where a page is served: `[HOST:]PORT`, and the socket that listens there."""

from __future__ import annotations

import errno
import ipaddress
import re
import socket
from dataclasses import dataclass

from edge.errors import SinkError, UsageError

LOOPBACK = "127.0.0.1"
_BACKLOG = 64
# What a stuck viewer may leave unsent in the system: a few pictures, not the megabytes it would grow to by itself.
_SEND_BUFFER = 131_072
_GONE_MS = 30_000  # a browser whose machine was switched off says no goodbye
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_CAUSES = {
    errno.EADDRINUSE: "another program uses this port; give another one, or end it (`ss -ltnp` names it)",
    errno.EACCES: "ports below 1024 are for the system; give one from 1024 on, such as 8080",
    errno.EADDRNOTAVAIL: "this machine has no such address; give one of `hostname -I`, or 0.0.0.0 for all",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A host, as a name or an IP address without brackets, and a port, 0 for any free one."""

    host: str = LOOPBACK
    port: int

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise UsageError(f"port {self.port}: ports are 1 to 65535, or 0 for any free one")

    def __str__(self) -> str:
        """`HOST:PORT`, an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """True if only programs of this machine reach it."""
        ip = as_ip(self.host)
        return self.host == "localhost" if ip is None else ip.is_loopback

    @property
    def everywhere(self) -> bool:
        """True if it stands for all addresses of this machine."""
        ip = as_ip(self.host)
        return ip is not None and ip.is_unspecified


def parse_address(text: str) -> Address:
    """The address of `PORT` (this machine only), `HOST:PORT` or `[IPv6]:PORT`. Raises UsageError for anything else."""
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        good = ":" in host and as_ip(host) is not None
    else:
        good = not colon or bool(_NAME.fullmatch(host))
    if not good or not re.fullmatch(r"\d{1,5}", port, re.ASCII):
        raise UsageError(f"address {text!r}: give PORT, HOST:PORT or [IPv6]:PORT, such as 8080 or 0.0.0.0:8080")
    return Address(host=host.lower() or LOOPBACK, port=int(port))


def listen(address: Address) -> tuple[socket.socket, Address]:
    """A listening socket at address, and the address with the port it got.

    Raises SinkError if it is taken, not allowed or not of this machine.
    """
    host = LOOPBACK if address.host == "localhost" else address.host
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError) as error:
        raise SinkError(f"address {address}: no such host; give one of `hostname -I`, or 0.0.0.0 for all") from error
    door = socket.socket(family, kind, protocol)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        door.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _GONE_MS)
        if family == socket.AF_INET6:
            door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # [::] hears IPv4 too
        door.bind(place)
        door.listen(_BACKLOG)
    except OSError as error:
        door.close()
        cause = _CAUSES.get(error.errno or 0, f"{error.strerror or error}; give another address")
        raise SinkError(f"address {address}: {cause}") from error
    return door, Address(host=address.host, port=door.getsockname()[1])


def as_ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address that host is, an IPv4 one mapped into IPv6 as itself; None for a name."""
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(ip, "ipv4_mapped", None) or ip
