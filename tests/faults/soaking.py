"""A run of many frames in which everything fails at random, seeded: camera, network, disk, viewers, settings.

What must hold: the run goes on, no event is lost anywhere, and memory, threads, files and sockets do not grow.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import logging
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import cv2

from edge.appliance import Appliance
from edge.live import newest
from edge.live.memory import keep_little
from edge.live.reload import CurrentReader
from edge.live.stop import RunSignals
from edge.settings.read import read_settings
from edge.settings.values import RunSettings
from edge.sinks.open import open_mqtt, open_sink
from edge.values import Image, Reading
from tests.faults.brokers import Broker, Relay
from tests.faults.faulty_desk import TIMEOUT_S, FaultyDesk
from tests.faults.streams import free_port
from tests.faults.troubles import SAMPLE_EVERY, Heard, Hook, Trouble, make_troubles

WARM_UP = 2000  # frames after which memory must not grow
MOST_GROWN = 0.05
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
    memory_most_mb: float
    threads_more: int  # than before the run
    files_more: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether all that must hold does; memory of a shorter run says nothing."""
        grown = self.memory_end_mb / self.memory_mb - 1 if self.frames >= 3 * WARM_UP else 0.0
        whole = not any(self.lost.values()) and not self.twice
        return whole and grown <= MOST_GROWN and not self.files_more and self.threads_more <= 0


def before_and_after(samples: Sequence[float]) -> tuple[float, float]:
    """The median of memory after the first WARM_UP frames, and of as many frames at the end.

    A frame in work is a tenth of all there is, so one sample says little. Of a short run it is the second and the last
    third.
    """
    window = min(WARM_UP // SAMPLE_EVERY, len(samples) // 3)
    return statistics.median(samples[window : 2 * window]), statistics.median(samples[-window:])


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
            trouble.close()
            appliance.close()
            assert trouble in appliance.watchers, "making trouble failed, and the run left it out"
        deliver_rest(appliance.settings)
        relay.close()
        vitals = appliance.vitals
        del appliance, opened
        lost = {
            "file": len(trouble.ids.all() - set(file_ids(folder))),
            "broker": len(trouble.ids.all() - listener.known.all()),
            "web address": len(trouble.ids.all() - hook.ids.all()),
        }
        threads_more, files_more = settle(threads, files)
        memory, memory_end = before_and_after(trouble.memory_mb)
        return Report(
            frames=trouble.frames,
            events=trouble.events,
            skipped=vitals.skipped,
            reconnects=vitals.reconnects,
            faults=dict(desk.faults),
            troubles=dict(trouble.made),
            lost=lost,
            twice=len(file_ids(folder)) - len(set(file_ids(folder))),
            memory_mb=memory,
            memory_end_mb=memory_end,
            memory_most_mb=max(trouble.memory_mb),
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
    keep_little()  # as a run does, before any thread is there
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
