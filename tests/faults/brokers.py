"""A real MQTT broker on loopback that can be killed, stopped and started again, and who listens there."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest

from edge.sinks.tls import TlsContext
from tests.faults.streams import free_port
from tests.sinks.events import wait_for

USER, PASSWORD = "edge", "correct horse"


@dataclass
class Broker:
    """mosquitto with its own settings in a folder; password: only USER with PASSWORD may come; tls: only by TLS."""

    folder: Path
    password: bool = False
    tls: bool = False
    names: str = "IP:127.0.0.1"
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    def start(self) -> Broker:
        # Debian puts it where only root looks.
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        if program is None:
            pytest.skip("needs the package mosquitto: apt-get install mosquitto")
        lines = [f"listener {self.port} 127.0.0.1", f"allow_anonymous {str(not self.password).lower()}"]
        # A listener that is slower than the sender must not lose what this broker took.
        lines += ["max_queued_messages 0", "max_inflight_messages 0", "persistence false"]
        if self.password:
            file = self.folder / "passwords"
            file.write_text(f"{USER}:{PASSWORD}\n")
            subprocess.run(["mosquitto_passwd", "-U", str(file)], check=True, capture_output=True)
            file.chmod(0o644)  # started by root it becomes another user
            self.folder.chmod(0o755)
            lines.append(f"password_file {file}")
        if self.tls:
            make_certificates(self.folder, self.names)
            lines += [f"certfile {self.folder}/server.pem", f"keyfile {self.folder}/server.key"]
        lines.append("user root")  # not to give up rights to the files of the test, where a test has such rights
        settings = self.folder / "mosquitto.conf"
        settings.write_text("\n".join(lines) + "\n")
        self.process = subprocess.Popen(
            [program, "-c", str(settings)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(self._answers)
        return self

    def _answers(self) -> bool:
        assert self.process is not None and self.process.poll() is None, "mosquitto did not start"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@dataclass(frozen=True)
class Message:
    topic: str
    payload: bytes
    retained: bool

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.payload)


class Listener:
    """Everything that a broker publishes from now on, and what it retains, in the order of arrival.

    QoS 0: a broker that is killed has then nothing unread from us, and what it had written to us still arrives.
    """

    def __init__(self, broker: Broker) -> None:
        self.messages: list[Message] = []
        self._subscribed = threading.Event()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
        self._gone = threading.Event()
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_disconnect = lambda *_: self._gone.set()
        self._client.on_message = lambda _client, _data, message: self.messages.append(
            Message(message.topic, message.payload, message.retain)
        )
        if broker.password:
            self._client.username_pw_set(USER, PASSWORD)
        if broker.tls:
            self._client.tls_set_context(TlsContext.of(broker.ca))
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        self._client.subscribe("#", qos=0)
        assert self._subscribed.wait(30)

    def of(self, topic: str) -> list[Message]:
        return [message for message in list(self.messages) if message.topic == topic]

    def ids(self, topic: str = "desk/events") -> list[str]:
        return [message.json["id"] for message in self.of(topic)]

    def hear_out(self) -> None:
        """Wait until everything that a broker which was killed had written is here."""
        assert self._gone.wait(30)

    def publish(self, topic: str, payload: str) -> None:
        self._client.publish(topic, payload, qos=1).wait_for_publish(30)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Relay:
    """A TCP port in front of another one, which is there only while the relay is open."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        self._server: socket.socket | None = None
        self._ends: list[socket.socket] = []

    def open(self) -> None:
        self._server = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
        threading.Thread(target=self._accept, args=(self._server,), daemon=True).start()

    def close(self) -> None:
        if self._server is not None:
            with contextlib.suppress(OSError):
                self._server.shutdown(socket.SHUT_RDWR)
            self._server.close()
            self._server = None
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends.clear()

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                near, _ = server.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            self._ends += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pass_on(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while content := source.recv(65536):
                sink.sendall(content)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def listening(broker: Broker) -> Iterator[Listener]:
    listener = Listener(broker)
    try:
        yield listener
    finally:
        listener.close()


def make_certificates(folder: Path, names: str) -> None:
    """A CA of the test's own, `ca.pem`, and a certificate of these names signed by it, made once."""
    if (folder / "server.pem").exists():
        return
    (folder / "names").write_text(f"subjectAltName={names}\n")
    sign = ["-days", "2", "-extfile", "names", "-out", "server.pem"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    for command in (
        ["req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority"],
        ["req", *key[:-2], "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=127.0.0.1"],
        ["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", *sign],
    ):
        subprocess.run(["openssl", *command], cwd=folder, check=True, capture_output=True)
