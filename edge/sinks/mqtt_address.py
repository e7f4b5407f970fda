"""A broker and a topic by their URL, and the password, which is never in it."""

from __future__ import annotations

import logging
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from edge.errors import UsageError

PASSWORD = "INKEDGE_MQTT_PASSWORD"  # noqa: S105  (a variable's name)
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_FORM = "give mqtt[s]://[USER@]HOST[:PORT]/TOPIC"
_MOST_TOPIC_BYTES = 200  # far below MQTT's 65,535; brokers and Home Assistant take it for sure

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttAddress:
    """Where a broker is, who we are there, and below which topic we speak."""

    host: str
    port: int
    topic: str
    tls: bool = False
    user: str | None = None

    def __str__(self) -> str:
        """The URL as people may read it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}/{self.topic}"


def parse_mqtt_url(url: str) -> MqttAddress:
    """The address in `mqtt[s]://[user@]host[:port]/TOPIC`. Raises UsageError, which never repeats a password."""
    scheme, separator, rest = url.partition("://")
    if scheme not in _PORTS or not separator:
        raise UsageError(f"--mqtt: no MQTT address; {_FORM}")
    if ":" in rest.rpartition("@")[0]:
        raise UsageError(
            f"--mqtt: no password in the address, where others see it; use --mqtt-password-file or {PASSWORD}"
        )
    shown = f"--mqtt {url}"
    if not url.isprintable() or any(sign in rest for sign in "+#?") or " " in rest:
        raise UsageError(f"{shown!r}: a topic holds no +, #, ?, blank or control character; {_FORM}")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"{shown}: malformed host or port; {_FORM}") from error
    if not host or port == 0:
        raise UsageError(f"{shown}: malformed host or port; {_FORM}")
    return MqttAddress(
        host=host,
        port=port or _PORTS[scheme],
        topic=_topic(unquote(parts.path), shown),
        tls=scheme == "mqtts",
        user=unquote(parts.username) if parts.username else None,
    )


def find_password(address: MqttAddress, file: Path | None) -> str | None:
    """The password: the first line of a file, or $INKEDGE_MQTT_PASSWORD; None if there is neither.

    Raises UsageError if the file cannot be read or is empty, or if no user goes with the password.
    """
    if file is None:
        password = os.environ.get(PASSWORD) or None
        place = PASSWORD
    else:
        place = f"--mqtt-password-file {file}"
        try:
            with file.open(encoding="utf-8") as opened:
                password = opened.readline(4096).rstrip("\r\n")
                if os.fstat(opened.fileno()).st_mode & stat.S_IROTH:
                    _log.warning("%s: everybody on this machine can read it; chmod o-r %s", place, file)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not text"
            raise UsageError(f"{place}: {reason}; name a file that holds the password") from error
        if not password:
            raise UsageError(f"{place}: it is empty; write the password into its first line")
    if password and address.user is None:
        raise UsageError(f"{place}: a password needs a user; give mqtt://USER@{address.host}/{address.topic}")
    return password


def _topic(path: str, shown: str) -> str:
    topic = path.strip("/")
    if not topic or "//" in topic:
        raise UsageError(f"{shown}: it names no topic, or an empty part of one; {_FORM}, such as mqtt://broker/desk")
    if topic.startswith("$") or not topic.isprintable() or any(sign in topic for sign in "+#"):
        raise UsageError(f"{shown}: a topic begins without $ and holds no +, # or control character; {_FORM}")
    if len(topic.encode()) > _MOST_TOPIC_BYTES:
        raise UsageError(f"--mqtt: the topic has more than {_MOST_TOPIC_BYTES} bytes; choose a shorter one")
    return topic
