"""Addresses of network cameras: how they are shown without their secrets, and why one does not answer."""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322}
# Cameras take passwords in the query too: ?user=admin&pwd=…
_SECRET_KEYS = re.compile(r"(?i)((?:^|[?&;])[^=&;]*(?:pass|pwd|token|secret|auth|key)[^=&;]*=)[^&;#]*")
_PASSWORD = re.compile(r"^([a-z]+://[^/?#:@]*):[^?#]*@", re.IGNORECASE)  # one with a / in it is no URL, but is tried
_ANSWER_S = 0.5
_NO_STREAM = "no video stream there"


def shown_address(url: str) -> str:
    """The address as it may stand in a log or on a page: passwords and tokens are `***`."""
    return _SECRET_KEYS.sub(r"\1***", _PASSWORD.sub(r"\1:***@", url))


def explain_silence(url: str) -> str:
    """Why no stream opened at the address: nobody there, no such name, or something else that answers."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return "not an address"
    if not host or not port:
        return "not an address"
    try:
        socket.create_connection((host, port), timeout=_ANSWER_S).close()
    except TimeoutError:
        return f"no answer from {host} port {port}"
    except OSError as error:
        return f"{_NO_STREAM} ({host} port {port}: {error.strerror or error})"
    return _NO_STREAM
