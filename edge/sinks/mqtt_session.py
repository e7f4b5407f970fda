"""One connection to an MQTT broker, driven by one thread, from the handshake to its loss or its clean end."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING, Any

from edge.sinks.courier import Courier
from edge.sinks.home_assistant import BORN, STATUS, discovery
from edge.sinks.mqtt_address import MqttAddress
from edge.sinks.outbox import Outbox

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage
    from paho.mqtt.reasoncodes import ReasonCode

_CONNECT_S = 5.0
_ANSWER_S = 10.0  # a broker that accepts and then says nothing for so long is left
_KEEPALIVE_S = 15
_TURN_S = 1.0  # how often the keepalive is looked at
_WINDOW = 100  # events on their way at a time
_FAREWELL_S = 0.3  # kept from the end of a run for saying that we go
_FOR_A_PERSON = ("password", "authorized", "identifier", "banned")


class LostError(Exception):
    """There is no connection, or no longer; refused: and there will be none until somebody changes a setting."""

    def __init__(self, reason: str, *, refused: bool = False) -> None:
        super().__init__(reason)
        self.refused = refused


class MqttSession:
    """One connection: connect(), serve() until the courier ends, close(). LostError from any of the first two."""

    def __init__(self, address: MqttAddress, client: Client, outbox: Outbox, courier: Courier) -> None:
        self._address, self._client, self._outbox, self._courier = address, client, outbox, courier
        self._answer: ReasonCode | None = None
        self._acknowledged: list[int] = []
        self._on_the_way: dict[int, int] = {}  # message id -> number in the outbox; 0: not an event
        self._number = 0  # of the last event sent
        self._state: bytes | None = None
        self._born = False
        self._moved = time.monotonic()  # when the broker last acknowledged something, or had nothing to
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        client.on_message = self._on_message

    def connect(self) -> None:
        """Connect, wait for the broker's word, and say that we are here."""
        client, address = self._client, self._address
        left_s = self._courier.left_s()
        client.connect_timeout = max(0.1, min(_CONNECT_S, left_s))
        try:
            client.connect(address.host, address.port, _KEEPALIVE_S)
        except ssl.SSLCertVerificationError as error:
            reason = f"its certificate is not trusted ({error.verify_message}); --mqtt-ca names another authority"
            raise LostError(reason, refused=True) from error
        except (OSError, ValueError) as error:
            raise LostError(f"no connection: {getattr(error, 'strerror', None) or error}") from error
        until = time.monotonic() + min(_ANSWER_S, left_s)
        while self._answer is None:
            if time.monotonic() >= until:
                raise LostError("it accepts and does not answer; is it an MQTT broker?")
            self._turn(0.2)
        if self._answer.is_failure:
            word = str(self._answer)
            refused = any(part in word for part in _FOR_A_PERSON)
            who = f"user {self._address.user}" if self._address.user else "a client without a user"
            raise LostError(f"the broker refuses {who}: {word}", refused=refused)
        client.subscribe(STATUS, qos=0)
        self._say_what_we_are()
        self._publish("availability", b"online")

    def serve(self) -> None:
        """Send events as they come until the courier ends, then what is queued as far as time goes, and farewell."""
        courier = self._courier
        while not courier.closing() or (self._outbox.queue.waiting and courier.left_s() > _FAREWELL_S):
            self._send()
            self._turn(_TURN_S if not courier.closing() else min(_TURN_S, courier.left_s() - _FAREWELL_S))
            self._settle()
        self._send_state()
        self._publish("availability", b"offline")
        while self._on_the_way and courier.left_s() > 0:
            self._turn(min(0.1, courier.left_s()))
            self._settle()
        self._client.disconnect()

    def close(self) -> None:
        """Close the connection if there is one; without farewell the broker then publishes the last will."""
        self._client.on_connect = self._client.on_publish = self._client.on_message = None
        socket = self._client.socket()
        if socket is not None:
            socket.close()

    def _send(self) -> None:
        if self._born:
            self._born = False
            self._say_what_we_are()
        if not self._on_the_way:
            self._moved = time.monotonic()
        for stored in self._outbox.after(self._number, max(0, _WINDOW - len(self._on_the_way))):
            self._number = stored.number
            sent = self._client.publish(f"{self._address.topic}/events", stored.line, qos=1)
            self._on_the_way[sent.mid] = stored.number
        self._send_state()

    def _send_state(self) -> None:
        state = self._outbox.latest()
        if state is not None and state != self._state:
            self._state = state
            self._publish("state", state)

    def _settle(self) -> None:
        """Take what was acknowledged out of the outbox."""
        if self._acknowledged:
            numbers = [self._on_the_way.pop(mid, 0) for mid in self._acknowledged]
            self._acknowledged.clear()
            self._moved = time.monotonic()
            self._outbox.remove(number for number in numbers if number)
        elif self._on_the_way and time.monotonic() - self._moved > _ANSWER_S:
            raise LostError(f"it has acknowledged nothing for {_ANSWER_S:.0f} s")

    def _say_what_we_are(self) -> None:
        for topic, payload in discovery(self._address.topic).items():
            self._on_the_way[self._client.publish(topic, payload, qos=1, retain=True).mid] = 0

    def _publish(self, below: str, payload: bytes) -> None:
        sent = self._client.publish(f"{self._address.topic}/{below}", payload, qos=1, retain=True)
        self._on_the_way[sent.mid] = 0

    def _turn(self, seconds: float) -> None:
        """Wait for something to do at most so long, and do it."""
        client = self._client
        socket: Any = client.socket()
        if socket is None:
            raise LostError("the connection broke")
        # What TLS has decoded already the kernel does not tell of.
        pending = self._address.tls and socket.pending() > 0
        file = socket.fileno()
        readable, _ = self._courier.wait(
            0.0 if pending else seconds, readable=file, writable=file if client.want_write() else -1
        )
        if readable or pending:
            client.loop_read()
        if client.want_write():
            client.loop_write()
        client.loop_misc()
        if client.socket() is None and not (self._answer is not None and self._answer.is_failure):
            raise LostError("the connection broke")

    def _on_connect(self, client: Any, data: Any, flags: Any, answer: ReasonCode, properties: Any) -> None:
        self._answer = answer

    def _on_publish(self, client: Any, data: Any, message_id: int, answer: Any, properties: Any) -> None:
        self._acknowledged.append(message_id)

    def _on_message(self, client: Any, data: Any, message: MQTTMessage) -> None:
        # Retained: an old birth, said to every newcomer; we have just told what we are.
        self._born = self._born or (message.topic == STATUS and message.payload == BORN and not message.retain)
