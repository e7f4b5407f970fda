"""What systemd is told of a run: that it is ready, how it is, and that it lives while frames flow.

The protocol is that of sd_notify(3): datagrams of `NAME=VALUE` lines to the socket in $NOTIFY_SOCKET.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Mapping

# systemd asks for twice as many signs of life as its limit needs (sd_watchdog_enabled(3)); one more may be lost.
_SIGNS = 3
_STATUS_S = 10.0

_log = logging.getLogger(__name__)


class Notifier:
    """The service manager's socket; what cannot be sent is lost, for a run must not end because nobody listens."""

    def __init__(self, address: str) -> None:
        # A leading @ stands for the null byte of an abstract name.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        self._told = False

    def send(self, **values: str | int) -> None:
        """Send values as one message, such as READY=1, STATUS="waiting"."""
        message = "\n".join(f"{name}={str(value).splitlines()[0]}" for name, value in values.items())
        try:
            self._socket.sendto(message.encode(), self._address)
        except OSError as error:
            if not self._told:
                self._told = True
                _log.warning("service manager: %s; it will not hear of this run", error.strerror or error)

    def close(self) -> None:
        """Give the socket back; as often as wanted."""
        self._socket.close()


class Watchdog:
    """A Watcher that gives the service manager a sign of life while frames are read, and none while they are not.

    The manager ends and starts again what has given none for its WatchdogSec.
    """

    def __init__(self, notifier: Notifier, within_s: float | None) -> None:
        self._notifier = notifier
        self._every_s = None if within_s is None else within_s / _SIGNS
        self._sign = self._status = 0.0
        self._frames = 0
        self._closed = False
        # From here on the manager counts: the camera may come later, but not for ever.
        notifier.send(READY=1, STATUS="waiting for the first frame")

    @classmethod
    def open(cls, environment: Mapping[str, str] = os.environ) -> Watchdog | None:
        """The watchdog that the service manager asks for in the environment; None where none started this program."""
        address = environment.get("NOTIFY_SOCKET", "")
        if not address.startswith(("/", "@")):
            return None
        usec = environment.get("WATCHDOG_USEC", "")
        # Meant for another process of the service if the number is not ours.
        ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        return cls(Notifier(address), int(usec) / 1e6 if ours and usec.isdecimal() and int(usec) > 0 else None)

    def see(self, step: object) -> None:
        """One more frame was read."""
        self._frames += 1
        now = time.monotonic()
        if self._every_s is not None and now - self._sign >= self._every_s:
            self._sign = now
            self._notifier.send(WATCHDOG=1)
        if now - self._status >= _STATUS_S:
            self._status = now
            self._notifier.send(STATUS=f"{self._frames} frames read")

    def close(self) -> None:
        """Say that the run ends; as often as wanted."""
        if not self._closed:
            self._closed = True
            self._notifier.send(STOPPING=1, STATUS="ending")
            self._notifier.close()
