"""What goes wrong around a run while it is soaked, and who counts what arrives all the same."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import resource
import signal
import sys
import threading
from array import array
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import paho.mqtt.client as paho

from edge.live.loop import Step
from tests.faults.brokers import Broker, Listener, Relay
from tests.faults.faulty_desk import Deck, FaultyDesk
from tests.faults.memory import resident_mb

SAMPLE_EVERY = 20  # frames
_TROUBLE_EVERY = 250
_TROUBLE_S = 2.0


class Ids:
    """Ids noted for the end; as one block of bytes, for what the test itself keeps must not show in its memory."""

    def __init__(self) -> None:
        self._noted = bytearray()

    def note(self, one: str) -> None:
        self._noted += one.encode() + b"\n"

    def all(self) -> set[str]:
        return set(self._noted.decode().split())


class Hook:
    """A web address that takes events, when it does; `ids` of those it took."""

    def __init__(self) -> None:
        self.ids = Ids()
        self.failing = False
        hook = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if not hook.failing:
                    hook.ids.note(json.loads(body)["id"])
                self.send_response(503 if hook.failing else 204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Heard(Listener):
    """Only the ids of events: messages kept whole would be what grows."""

    def __init__(self, broker: Broker) -> None:
        super().__init__(broker)
        self.known = Ids()
        self._client.on_message = self._note

    def _note(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        if message.topic == "desk/events":
            self.known.note(json.loads(message.payload)["id"])


class Trouble:
    """A Watcher that counts what happens, and makes trouble around the run: each begins now and ends a little later."""

    def __init__(
        self, desk: FaultyDesk, rng: random.Random, troubles: dict[str, Callable[[], Callable[[], None]]]
    ) -> None:
        self.ids = Ids()
        self.events = 0
        self.memory_mb = array("f")  # every SAMPLE_EVERY frames
        self.frames = 0
        self.made: Counter[str] = Counter()
        self._desk = desk
        self._rng = rng
        self._troubles = troubles
        self._kinds = Deck(sorted(troubles), rng)
        self._busy: set[str] = set()
        self._timers: list[threading.Timer] = []

    def see(self, step: Step) -> None:
        self._desk.read.set()
        self.frames += 1
        self.events += len(step.events)
        for event in step.events:
            self.ids.note(event.id)
        if self.frames % SAMPLE_EVERY == 0:
            self.memory_mb.append(resident_mb())
        if self.frames % 500 == 0:
            with contextlib.suppress(OSError):  # a file, while the disk is full
                sys.stderr.write(f"{self.frames:7} frames: {resident_mb():.1f} MB, {self.events} events\n")
        if self._rng.random() < 1 / _TROUBLE_EVERY:
            self._begin(self._kinds.draw())

    def close(self) -> None:
        for timer in self._timers:
            timer.join()

    def _begin(self, kind: str) -> None:
        if kind in self._busy:
            return
        self._busy.add(kind)
        self.made[kind] += 1
        end = self._troubles[kind]()

        def finish() -> None:
            end()
            self._busy.discard(kind)

        self._timers = [timer for timer in self._timers if timer.is_alive()]
        self._timers.append(threading.Timer(_TROUBLE_S, finish))
        self._timers[-1].start()


def make_troubles(
    rng: random.Random, broker: Broker, relay: Relay, hook: Hook, web: int, write_settings: Callable[..., None]
) -> dict[str, Callable[[], Callable[[], None]]]:
    """By name: what begins a trouble, and gives what ends it."""

    def cut_network() -> Callable[[], None]:
        relay.close()
        return relay.open

    def stall_broker() -> Callable[[], None]:
        broker.send(signal.SIGSTOP)
        return lambda: broker.send(signal.SIGCONT)

    def refuse_posts() -> Callable[[], None]:
        hook.failing = True
        return lambda: setattr(hook, "failing", False)

    def fill_disk() -> Callable[[], None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
        return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before)

    def look_on() -> Callable[[], None]:
        connection = http.client.HTTPConnection("127.0.0.1", web, timeout=5)

        def look() -> None:
            try:
                connection.request("GET", rng.choice(("/stream.mjpg", "/readings", "/metrics", "/snapshot.jpg")))
                connection.getresponse().read(10_000)
            except (OSError, http.client.HTTPException, AttributeError):  # the last: closed in the midst of an answer
                pass

        threading.Thread(target=look, daemon=True).start()
        return connection.close

    def change_settings() -> Callable[[], None]:
        threshold, tail = rng.choice((0.85, 0.9, 0.95)), rng.choice(("", "", "[camera]\n", "nonsense = \n"))
        with contextlib.suppress(OSError):  # the disk is full just now: it is half a file
            write_settings(threshold, tail)
        os.kill(os.getpid(), signal.SIGHUP)
        return lambda: None

    return {
        "network cut": cut_network,
        "broker stalled": stall_broker,
        "posts refused": refuse_posts,
        "disk full": fill_disk,
        "viewer": look_on,
        "settings changed": change_settings,
    }
