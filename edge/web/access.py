"""Who may see a page: its token, and the names by which this machine may be called."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
import socket
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from edge.errors import UsageError
from edge.web.address import Address, as_ip, parse_address

TOKEN_VARIABLE = "INKEDGE_TOKEN"  # noqa: S105 - a name, no secret
_SHORT = 16  # characters; a shorter token of one's own can be guessed by a patient neighbour
_LONGEST = 512
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a request must show. token: None where none is needed. made: nobody gave the token, so it is to be told.

    hosts: names in the Host header that are right besides localhost and the machine's own addresses, lower case.
    """

    token: str | None = field(default=None, repr=False)
    made: bool = False
    hosts: frozenset[str] = frozenset()

    @classmethod
    def open(cls, address: Address, *, token_file: Path | None = None, allow_hosts: Iterable[str] = ()) -> Access:
        """The access to pages at address: no token on loopback; else from the file, INKEDGE_TOKEN, or a new one.

        Raises UsageError for a token that cannot be read or used, or a host that is none.
        """
        hosts = _own_names() | {_host_name(host) for host in allow_hosts}
        if not address.everywhere and as_ip(address.host) is None:
            hosts.add(address.host)
        if address.loopback:
            return cls(hosts=frozenset(hosts))
        given = _given_token(token_file)
        return cls(token=given or secrets.token_urlsafe(24), made=not given, hosts=frozenset(hosts))

    def allows_host(self, header: str | None) -> bool:
        """True if a Host header names this machine: by an address of its own, a name of its own, or an allowed one."""
        try:
            host = parse_address(f"{header}:80" if _bare(header or "") else header or "").host
        except UsageError:
            return False
        return host == "localhost" or host in self.hosts or _is_own(host)

    def allows_token(self, shown: str | None) -> bool:
        """True if this is the token; compared in a time that does not tell how much of it is right."""
        return self.token is not None and shown is not None and _same(shown, self.token)

    @property
    def cookie(self) -> str:
        """What a browser keeps instead of the token: made from it, so that a restart with the same token keeps it."""
        return hmac.new((self.token or "").encode(), b"cookie of inkedge", hashlib.sha256).hexdigest()

    def allows_cookie(self, shown: str | None) -> bool:
        """True if this is the cookie; compared likewise."""
        return self.token is not None and shown is not None and _same(shown, self.cookie)


def _same(one: str, other: str) -> bool:
    """Equal or not, in constant time whatever the lengths and characters."""
    digests = (hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest() for text in (one, other))
    return hmac.compare_digest(*digests)


def _given_token(file: Path | None) -> str | None:
    if file is not None:
        place = f"--token-file {file}"
        try:
            with file.open(encoding="utf-8") as stream:
                text = stream.read(_LONGEST + 2).strip()
                mode = os.fstat(stream.fileno()).st_mode
        except (OSError, UnicodeDecodeError) as error:
            cause = getattr(error, "strerror", None) or "no text"
            raise UsageError(f"{place}: {cause}; write a token into it: `openssl rand -base64 24`") from error
        if mode & stat.S_IROTH:
            _log.warning("%s: everybody on this machine may read it; chmod 640", place)
    else:
        place = TOKEN_VARIABLE
        if place not in os.environ:
            return None
        text = os.environ[place].strip()
    if not text or len(text) > _LONGEST or not text.isascii() or not text.isprintable() or " " in text:
        raise UsageError(
            f"{place}: a token is one line of up to {_LONGEST} letters, digits and signs without spaces; "
            "`openssl rand -base64 24` makes one"
        )
    if len(text) < _SHORT:
        _log.warning("%s: a token of %d characters can be guessed; take %d or more", place, len(text), _SHORT)
    return text


def _own_names() -> set[str]:
    """This machine's name, alone and as the local network's name service (mDNS) has it."""
    name = socket.gethostname().lower()
    short = name.partition(".")[0]
    return {name, short, f"{short}.local"} - {""}


def _host_name(host: str) -> str:
    """A name as --allow-host gives it, lower case. Raises UsageError if it is none (`*` would let anybody in)."""
    try:
        return parse_address(f"{host}:80" if _bare(host) else host).host
    except UsageError as error:
        raise UsageError(f"--allow-host {host}: give a name or an address, such as desk.example.org") from error


def _bare(host: str) -> bool:
    """True if a host comes without a port; an IPv6 address is in brackets."""
    return host.endswith("]") or ":" not in host


def _is_own(host: str) -> bool:
    """True if host is an IP address of this machine: only its own can be bound to."""
    ip = as_ip(host)
    if ip is None or ip.is_unspecified or ip.is_multicast:
        return False
    if ip.is_loopback:
        return True
    family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(ip), 0))
        except OSError:
            return False
    return True
