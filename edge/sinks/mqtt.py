"""Events to an MQTT broker, by paho-mqtt (the extra `mqtt`), from an outbox.

`TOPIC/events` carries each event (QoS 1); `TOPIC/state` the last reading, retained; `TOPIC/availability` online or
offline, retained, the latter also as last will; Home Assistant's discovery lies below `homeassistant/`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import SinkError, UsageError
from edge.patience import Patience
from edge.sinks.courier import Courier
from edge.sinks.home_assistant import node_of
from edge.sinks.link import Link
from edge.sinks.mqtt_address import MqttAddress, find_password, parse_mqtt_url
from edge.sinks.mqtt_session import LostError, MqttSession
from edge.sinks.outbox import Outbox
from edge.sinks.queue_file import outbox_path
from edge.sinks.queued import QueuedSink
from edge.sinks.tls import TlsContext

if TYPE_CHECKING:
    from paho.mqtt.client import Client

# Two machines with one client id throw each other out; each then comes back ever more slowly.
_STABLE_S = 30.0


class Mqtt:
    """Connects to a broker, again and again, and delivers what the outbox holds."""

    def __init__(
        self,
        address: MqttAddress,
        outbox: Outbox,
        new_client: Callable[[], Client],
        *,
        tls: TlsContext | None = None,
        patience: Patience,
    ) -> None:
        self._address, self._outbox, self._new_client, self._tls = address, outbox, new_client, tls
        self._link = Link(str(address), outbox.queue, patience, stable_s=_STABLE_S)

    def work(self, courier: Courier) -> None:
        """Deliver until the courier is to end."""
        while True:
            # Never the same client twice: an old one would send again what it remembers, out of order.
            session = MqttSession(self._address, self._new_client(), self._outbox, courier)
            try:
                session.connect()
                self._link.works()
                session.serve()
                return
            except LostError as lost:
                if courier.closing():
                    return
                courier.pause(self._link.failed(str(lost), refused=lost.refused))
            finally:
                session.close()
                if self._tls is not None:
                    self._tls.close_last()


def open_mqtt(
    url: str,
    *,
    password_file: Path | None = None,
    ca_file: Path | None = None,
    state: Path | None = None,
    patience: Patience | None = None,
) -> QueuedSink:
    """A sink that publishes at a broker; it need not be there yet. state: the folder of the queue [state_folder()].

    Raises UsageError if the URL, the password or the CA file is malformed, SinkError without a place to queue.
    """
    address = parse_mqtt_url(url)
    password = find_password(address, password_file)
    tls = TlsContext.of(ca_file) if address.tls else None
    if ca_file is not None and tls is None:
        raise UsageError(f"--mqtt-ca {ca_file}: goes with mqtts://, not with mqtt://")
    paho = _load_paho()

    def new_client() -> Client:
        client: Client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id=_client_id(address), reconnect_on_failure=False
        )
        if address.user is not None:
            client.username_pw_set(address.user, password)
        if tls is not None:
            client.tls_set_context(tls)
        client.will_set(f"{address.topic}/availability", "offline", qos=1, retain=True)
        client.max_inflight_messages_set(0)  # the session bounds it
        return client

    outbox = Outbox(outbox_path(state, "mqtt", str(address), f"{address.host}-{address.topic}"), name=str(address))
    mqtt = Mqtt(address, outbox, new_client, tls=tls, patience=patience or Patience())
    return QueuedSink(str(address), outbox, mqtt.work)


def _client_id(address: MqttAddress) -> str:
    """The same in every run and another on every machine: a broker ends a connection when its id connects again."""
    try:
        machine = Path("/etc/machine-id").read_text()
    except OSError:
        import socket

        machine = socket.gethostname()
    known = hashlib.sha256(f"{machine}{node_of(address.topic)}".encode()).hexdigest()
    return f"inkedge{known[:16]}"  # 23 letters and digits are what every broker has to take (MQTT 3.1.1, 3.1.3.1)


def _load_paho() -> Any:
    try:
        import paho.mqtt.client
    except ModuleNotFoundError as error:
        if error.name not in ("paho", "paho.mqtt"):
            raise
        raise SinkError("--mqtt needs paho-mqtt: pip install 'inkedge[mqtt]'") from error
    return paho.mqtt.client
