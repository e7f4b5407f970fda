"""A run of many frames in which everything fails at random, seeded: camera, network, disk, viewers, settings.

What must hold: the run goes on, no event is lost anywhere, and memory, threads, files and sockets do not grow.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import http.client
import json
import logging
import os
import random
import resource
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import paho.mqtt.client as paho

from edge.appliance import Appliance
from edge.live import newest
from edge.live.loop import Step
from edge.live.reload import CurrentReader
from edge.live.stop import RunSignals
from edge.settings.read import read_settings
from edge.settings.values import RunSettings
from edge.sinks.open import open_mqtt, open_sink
from edge.values import Image, Reading
from tests.faults.brokers import Broker, Listener, Relay
from tests.faults.faulty_desk import TIMEOUT_S, Deck, FaultyDesk
from tests.faults.streams import free_port

WARM_UP = 2000  # frames after which memory must not grow
_TROUBLE_EVERY = 250
_TROUBLE_S = 2.0
SETTINGS = """
[camera]
source = "demo:fast:seed={seed}"
wait = true
timeout_s = {timeout}
[reading]
threshold = {threshold}
[events]
format = "jsonl"
sinks = ["jsonl:{folder}/events.jsonl:rotate=200kB:keep=999", "http://127.0.0.1:{hook}/"]
[mqtt]
url = "mqtt://127.0.0.1:{broker}/desk"
[web]
serve = "{web}"
[snapshots]
folder = "{folder}/snapshots"
keep = 100
[limits]
frames = {frames}
"""


class TruthReader(CurrentReader):
    """Reads what the demo wrote, in place of the models, in no time."""

    desk: FaultyDesk

    def read(self, pixels: Image) -> tuple[Reading, ...]:
        return self.desk.numbers(pixels)


class Hook:
    """A web address that takes events, when it does; `ids` of those it took, in order."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.failing = False
        hook = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if not hook.failing:
                    hook.ids.append(json.loads(body)["id"])
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
        self.known: list[str] = []
        self._client.on_message = self._note

    def _note(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        if message.topic == "desk/events":
            self.known.append(json.loads(message.payload)["id"])


class Trouble:
    """A Watcher that counts what happens, and makes trouble around the run: each begins now and ends a little later."""

    def __init__(
        self, desk: FaultyDesk, rng: random.Random, troubles: dict[str, Callable[[], Callable[[], None]]]
    ) -> None:
        self.ids: list[str] = []
        self.memory_mb: list[tuple[int, float]] = []
        self.most_threads = 0
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
        self.ids += [event.id for event in step.events]
        if self.frames % 20 == 0:
            self.memory_mb.append((self.frames, resident_mb()))
            self.most_threads = max(self.most_threads, threading.active_count())
        if self.frames % 500 == 0:
            sys.stderr.write(f"{self.frames:7} frames: {resident_mb():.1f} MB, {len(self.ids)} events\n")
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


@dataclass(frozen=True, kw_only=True)
class Report:
    """What became of a soak; lost: events that did not arrive, by where they should have; twice: those of the file."""

    frames: int
    events: int
    skipped: int
    reconnects: int
    faults: dict[str, int]
    troubles: dict[str, int]
    lost: dict[str, int]
    twice: int
    memory_mb: float  # after the first 2,000 frames
    memory_end_mb: float
    threads_more: int  # than before the run
    files_more: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether all that must hold does; memory of a shorter run says nothing."""
        grown = self.memory_end_mb / self.memory_mb - 1 if self.frames > 2 * WARM_UP else 0.0
        whole = not any(self.lost.values()) and not self.twice
        return whole and grown <= 0.05 and not self.files_more and self.threads_more <= 0


def resident_mb() -> float:
    """What this process holds in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def open_files() -> Counter[str]:
    """Open files and sockets of this process by what they are; sockets and pipes have no names of their own."""
    found: Counter[str] = Counter()
    for link in Path("/proc/self/fd").iterdir():
        try:
            found[str(link.readlink()).partition(":[")[0]] += 1
        except OSError:  # the folder's own, closed by now
            continue
    return found


def soak(folder: Path, *, frames: int, seed: int, truth: bool) -> Report:
    """Run so many frames of trouble in a folder."""
    rng = random.Random(seed)
    broker, hook = Broker(folder).start(), Hook()
    listener, relay = Heard(broker), Relay(broker.port)
    relay.open()
    web = free_port()
    file = folder / "edge.toml"
    ports = {"hook": hook.port, "broker": relay.port, "web": web}

    def write_settings(threshold: float, tail: str = "") -> None:
        text = SETTINGS.format(threshold=threshold, timeout=TIMEOUT_S, seed=seed, folder=folder, frames=frames, **ports)
        file.write_text(text + tail)

    write_settings(0.9)
    # Frames come faster here than from a camera: a loss counts as a new one, and is retried at once, all the sooner.
    newest._SETTLED_S = TIMEOUT_S
    try:
        threads, files = threading.active_count(), open_files()
        with RunSignals() as signals:
            opened = Appliance.open(read_settings(file))
            desk = FaultyDesk(opened.source, rng)  # type: ignore[arg-type]
            appliance = replace(opened, source=desk)
            if truth:
                reader = TruthReader(opened.settings.reading, opened.vitals)
                reader.desk = desk
                appliance = replace(appliance, reader=reader)
            troubles = make_troubles(rng, broker, relay, hook, web, write_settings)
            trouble = Trouble(desk, rng, troubles)
            appliance.watchers.append(trouble)
            appliance.run(signals, lambda: read_settings(file))
            memory_end = statistics.median([mb for _, mb in trouble.memory_mb[-10:]])
            trouble.close()
            appliance.close()
        deliver_rest(appliance.settings)
        relay.close()
        vitals = appliance.vitals
        del appliance, opened
        lost = {
            "file": len(set(trouble.ids) - set(file_ids(folder))),
            "broker": len(set(trouble.ids) - set(listener.known)),
            "web address": len(set(trouble.ids) - set(hook.ids)),
        }
        threads_more, files_more = settle(threads, files)
        warm = [mb for at, mb in trouble.memory_mb if at <= min(WARM_UP, frames // 2)]
        return Report(
            frames=trouble.frames,
            events=len(trouble.ids),
            skipped=vitals.skipped,
            reconnects=vitals.reconnects,
            faults=dict(desk.faults),
            troubles=dict(trouble.made),
            lost=lost,
            twice=len(file_ids(folder)) - len(set(file_ids(folder))),
            memory_mb=statistics.median(warm[-10:]),
            memory_end_mb=memory_end,
            threads_more=threads_more,
            files_more=files_more,
        )
    finally:
        listener.close()
        relay.close()
        hook.close()
        broker.stop()


def settle(threads: int, files: Counter[str]) -> tuple[int, list[str]]:
    """How many more threads and files there are than before, once what is ending has ended."""
    end = time.monotonic() + 30
    while True:
        gc.collect()
        more = sorted((open_files() - files).elements())
        if time.monotonic() > end or (threading.active_count() <= threads and not more):
            return threading.active_count() - threads, more
        time.sleep(0.2)


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
        write_settings(rng.choice((0.85, 0.9, 0.95)), rng.choice(("", "", "[camera]\n", "nonsense = \n")))
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


def deliver_rest(settings: RunSettings) -> None:
    """The next run: what still waits on the disk is sent."""
    hook = next(spec for spec in settings.events.sinks if spec.startswith("http"))
    sinks = [open_sink(hook), open_mqtt(str(settings.mqtt.url))]
    end = time.monotonic() + 120
    while any(sink.queue.waiting for sink in sinks) and time.monotonic() < end:
        time.sleep(0.1)
    for sink in sinks:
        sink.close(5.0)


def file_ids(folder: Path) -> list[str]:
    """Ids in the event files, every line whole."""
    return [json.loads(line)["id"] for file in folder.glob("events.jsonl*") for line in file.read_text().splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--truth", action="store_true", help="read the demo's truth in place of the models")
    options = parser.parse_args()
    said: Counter[str] = Counter()
    logging.basicConfig(handlers=[_Counting(said)], level=logging.WARNING)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["STATE_DIRECTORY"] = f"{folder}/state"
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
            report = soak(folder, frames=options.frames, seed=options.seed, truth=options.truth)
    sys.stdout.write(json.dumps({**asdict(report), "good": report.good, "said": dict(said)}, indent=1) + "\n")
    sys.exit(0 if report.good else 20)


class _Counting(logging.Handler):
    """Counts what is said by its first words: a soak says a lot."""

    def __init__(self, said: Counter[str]) -> None:
        super().__init__()
        self._said = said

    def emit(self, record: logging.LogRecord) -> None:
        self._said[record.msg[:60]] += 1


if __name__ == "__main__":
    main()
