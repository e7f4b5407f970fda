"""What a run's settings name outside of this program: the broker and the port of the preview."""

from __future__ import annotations

import errno
import socket
import urllib.error
import urllib.request
from pathlib import Path

from edge.errors import SinkError, UsageError
from edge.settings.read import read_settings
from edge.settings.values import RunSettings
from edge.sinks.mqtt_address import parse_mqtt_url
from edge.sinks.tls import TlsContext
from edge.system.check import Check, doubtful, failed, good

_ANSWER_S = 4.0


def examine_settings(file: Path) -> tuple[Check, ...]:
    """The checks of a settings file: whether it can be used, and whether what it names answers."""
    try:
        settings = read_settings(file)
    except UsageError as error:
        return (
            failed("settings", str(error), "mend the file; edge run --print-settings shows every key", error.exit_code),
        )
    checks = [good("settings", str(file))]
    if settings.mqtt.url is not None:
        checks.append(check_broker(settings))
    if settings.web.serve is not None:
        checks.append(check_port(settings.web.serve))
    return tuple(checks)


def check_broker(settings: RunSettings) -> Check:
    """Whether the broker takes a connection, by TLS where the address says so; nothing is sent to it."""
    try:
        address = parse_mqtt_url(settings.mqtt.url or "")
        with socket.create_connection((address.host, address.port), timeout=_ANSWER_S) as connection:
            if address.tls:
                TlsContext.of(settings.mqtt.ca).wrap_socket(connection, server_hostname=address.host).close()
    except UsageError as error:
        return failed("broker", str(error), "mend `url` in [mqtt] of the settings", error.exit_code)
    except OSError as error:
        remedy = "is it running, and is the address right? Events wait on the disk until it answers"
        return doubtful("broker", f"{address}: {error.strerror or error}", remedy)
    return good("broker", f"{address} answers")


def check_port(serve: str) -> Check:
    """Whether the preview's port is free, or taken by a run of ours."""
    host, _, port = serve.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isdecimal() or int(port) > 65535:
        return failed("web port", serve, "give `serve` in [web] as [HOST:]PORT", UsageError.exit_code)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError as error:
            if error.errno == errno.EADDRINUSE and _is_ours(host, int(port)):
                return good("web port", f"{serve}: a run of inkedge serves it")
            remedy = "another program has it (`ss -ltnp` names it), or the address is not this machine's; give another"
            return failed("web port", f"{serve}: {error.strerror}", remedy, SinkError.exit_code)
    return good("web port", f"{serve} is free")


def _is_ours(host: str, port: int) -> bool:
    """Whether what listens there tells its health as our preview does."""
    there = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    try:
        # No proxy: this is a port of this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://{there}:{port}/healthz", timeout=_ANSWER_S) as answer:
            return bool(answer.read(20).strip() == b"ok")
    except urllib.error.HTTPError as error:
        return error.code == 503  # it runs, and its camera gives nothing
    except OSError:
        return False
