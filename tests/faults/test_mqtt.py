"""MQTT against a real broker: killed, stalled, refusing, behind TLS, away for long; and a sender that is killed."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.patience import Patience
from edge.sinks import mqtt_session
from edge.sinks.home_assistant import STATUS
from edge.sinks.mqtt import open_mqtt
from edge.sinks.queued import QueuedSink
from tests.faults.brokers import PASSWORD, USER, Broker, Listener, Relay, listening
from tests.sinks.events import event, wait_for

ROOT = Path(__file__).parent.parent.parent
QUICK = Patience(first_s=0.05, most_s=0.2, refused_s=0.1)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    started = Broker(tmp_path).start()
    yield started
    started.stop()


@pytest.fixture
def listener(broker: Broker) -> Iterator[Listener]:
    with listening(broker) as heard:
        yield heard


Opener = Callable[..., QueuedSink]


@pytest.fixture
def opener(tmp_path: Path) -> Iterator[Opener]:
    """Opens sinks whose retries are quick, and closes them."""
    sinks: list[QueuedSink] = []

    def open_quick(place: str, **settings: Path) -> QueuedSink:
        url = place if "://" in place else f"mqtt://{place}/desk"
        sinks.append(open_mqtt(url, state=tmp_path / "state", patience=QUICK, **settings))
        return sinks[-1]

    yield open_quick
    for sink in sinks:
        sink.close(0.2)


def numbered(*numbers: int) -> list[str]:
    return [f"a-{number}" for number in numbers]


def first_arrivals(ids: list[str]) -> list[str]:
    return list(dict.fromkeys(ids))


def test_an_event_arrives_with_state_and_availability(broker: Broker, listener: Listener, opener: Opener) -> None:
    sink = opener(broker.host)
    sink.write(event(1))
    sink.write(event(2, "gone"))
    wait_for(lambda: len(listener.ids()) == 2)
    first, second = (message.json for message in listener.of("desk/events"))
    assert (first["event"], first["text"], second["event"]) == ("appeared", "42", "gone")
    wait_for(lambda: bool(listener.ids("desk/state")))
    sink.close()
    wait_for(lambda: len(listener.of("desk/availability")) == 2)
    assert [message.payload for message in listener.of("desk/availability")] == [b"online", b"offline"]
    assert listener.ids("desk/state")[-1] == "a-1", "what went is not what was read last"
    with listening(broker) as late:
        wait_for(lambda: len(late.messages) == 4)
        retained = {message.topic: message.payload for message in late.messages}
        assert retained["desk/availability"] == b"offline"
        assert json.loads(retained["desk/state"])["text"] == "42"
        assert "desk/events" not in retained


def test_the_last_will_says_offline_when_the_program_dies(broker: Broker, listener: Listener, tmp_path: Path) -> None:
    child = writer(tmp_path, f"mqtt://{broker.host}/desk", 0)
    wait_for(lambda: b"online" in [message.payload for message in listener.of("desk/availability")])
    end(child)
    wait_for(lambda: listener.of("desk/availability")[-1].payload == b"offline")
    assert child.stdout is not None
    child.stdout.close()


def test_home_assistant_is_told_and_told_again_when_it_is_born(
    broker: Broker, listener: Listener, opener: Opener
) -> None:
    opener(broker.host)

    def configs() -> list[str]:
        return [message.topic for message in list(listener.messages) if message.topic.endswith("/config")]

    wait_for(lambda: len(configs()) == 2)
    listener.publish(STATUS, "offline")
    listener.publish(STATUS, "online")
    wait_for(lambda: len(configs()) == 4)
    assert configs()[:2] == configs()[2:]
    with listening(broker) as late:
        wait_for(lambda: sum(message.topic.endswith("/config") and message.retained for message in late.messages) == 2)


def test_a_broker_killed_in_mid_run_gets_every_event_in_order(
    broker: Broker, opener: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    relay = Relay(broker.port)  # so that nothing is sent before somebody listens again
    relay.open()
    sink = opener(f"127.0.0.1:{relay.port}")
    ids: list[str] = []
    for part in range(3):
        with listening(broker) as heard:
            if part:
                relay.open()
            for number in range(100):
                sink.write(event(100 * part + number))
            wait_for(lambda heard=heard: len(heard.ids()) > 10)  # type: ignore[misc]
            if part < 2:
                broker.stop()
                relay.close()
                wait_for(lambda: not sink.queue.connected)
                heard.hear_out()
            else:
                wait_for(lambda: sink.queue.waiting == 0)
                wait_for(lambda heard=heard: heard.ids()[-1:] == numbered(299))  # type: ignore[misc]
            ids += heard.ids()
        if part < 2:
            broker.start()
    assert first_arrivals(ids) == numbered(*range(300))
    said = [record.message for record in caplog.records if record.name.startswith("edge.sinks")]
    lost = [line for line in said if "trying again until" in line]
    back = [line for line in said if "answers again" in line]
    assert len(back) == len(lost) == 2, said
    relay.close()


def test_ten_thousand_queued_events_are_delivered_in_order(tmp_path: Path, opener: Opener) -> None:
    away = Broker(tmp_path)
    sink = opener(away.host)
    for number in range(10_000):
        sink.write(event(number))
    assert (sink.queue.waiting, sink.queue.delivered, sink.queue.connected) == (10_000, 0, False)
    sink.close(0.1)
    relay = Relay(away.start().port)
    relay.port = away.port
    with listening(away) as heard:
        again = opener(away.host)
        wait_for(lambda: again.queue.waiting == 0, 120)
        wait_for(lambda: len(heard.ids()) >= 10_000, 120)
        assert heard.ids() == numbered(*range(10_000))
        assert len(heard.ids("desk/state")) == 1, "the state is the last reading, not all that waited"
    away.stop()


def test_a_wrong_password_is_said_once_and_retried_until_it_is_right(
    tmp_path: Path, opener: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    broker = Broker(tmp_path, password=True).start()
    wrong, right = tmp_path / "wrong", tmp_path / "right"
    wrong.write_text("incorrect donkey\n")
    right.write_text(f"{PASSWORD}\n")
    sink = opener(f"mqtt://{USER}@{broker.host}/desk", password_file=wrong)
    sink.write(event(1))
    wait_for(lambda: any("refuses user edge" in record.message for record in caplog.records))
    time.sleep(0.5)  # some more tries
    assert len([record for record in caplog.records if "refuses" in record.message]) == 1
    assert "donkey" not in caplog.text and not sink.queue.connected
    sink.close()
    with listening(broker) as heard:
        again = opener(f"mqtt://{USER}@{broker.host}/desk", password_file=right)
        wait_for(lambda: heard.ids() == numbered(1))
        assert again.queue.connected
    assert "horse" not in caplog.text
    broker.stop()


def test_tls_with_a_ca_of_ones_own_and_not_without(
    tmp_path: Path, opener: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    broker = Broker(tmp_path, tls=True).start()
    url = f"mqtts://{broker.host}/desk"
    sink = opener(url)
    sink.write(event(1))
    wait_for(lambda: "certificate is not trusted" in caplog.text)
    assert sink.queue.delivered == 0
    sink.close()
    with listening(broker) as heard:
        trusting = opener(url, ca_file=broker.ca)
        for number in range(2, 400):
            trusting.write(event(number))
        wait_for(lambda: len(heard.ids()) >= 399)
        assert heard.ids() == numbered(*range(1, 400))
    broker.stop()


def test_a_certificate_of_another_host_is_not_trusted(
    tmp_path: Path, opener: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    broker = Broker(tmp_path, tls=True, names="DNS:elsewhere.example").start()
    opener(f"mqtts://{broker.host}/desk", ca_file=broker.ca)
    wait_for(lambda: "certificate is not trusted" in caplog.text)
    broker.stop()


def test_a_port_that_says_nothing_is_left_and_the_end_does_not_hang(opener: Opener) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sink = opener(f"127.0.0.1:{silent.getsockname()[1]}")
        sink.write(event(1))
        began = time.monotonic()
        sink.close(0.5)
        assert time.monotonic() - began < 10  # it would wait for its answer for ever
        assert sink.queue.waiting == 1


def test_a_broker_that_stalls_does_not_hold_up_the_end(broker: Broker, listener: Listener, opener: Opener) -> None:
    sink = opener(broker.host)
    sink.write(event(1))
    wait_for(lambda: sink.queue.delivered == 1)
    broker.send(signal.SIGSTOP)
    sink.write(event(2))
    began = time.monotonic()
    sink.close(0.5)
    assert time.monotonic() - began < 10
    broker.send(signal.SIGCONT)
    again = opener(broker.host)
    wait_for(lambda: first_arrivals(listener.ids()) == numbered(1, 2))
    wait_for(lambda: again.queue.waiting == 0)


def test_a_broker_that_stalls_in_mid_run_is_left_and_found_again(
    broker: Broker,
    listener: Listener,
    opener: Opener,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mqtt_session, "_ANSWER_S", 1.0)
    sink = opener(broker.host)
    sink.write(event(1))
    wait_for(lambda: sink.queue.delivered == 1)
    broker.send(signal.SIGSTOP)
    sink.write(event(2))
    wait_for(lambda: not sink.queue.connected)
    wait_for(lambda: "acknowledged nothing" in caplog.text)  # said a moment after it is known
    broker.send(signal.SIGCONT)
    wait_for(lambda: sink.queue.waiting == 0)
    wait_for(lambda: first_arrivals(listener.ids()) == numbered(1, 2))


def test_what_is_queued_is_sent_before_the_end(broker: Broker, listener: Listener, opener: Opener) -> None:
    sink = opener(broker.host)
    wait_for(lambda: sink.queue.connected)
    for number in range(50):
        sink.write(event(number))
    sink.close(30)
    wait_for(lambda: listener.ids() == numbered(*range(50)))
    wait_for(lambda: listener.of("desk/availability")[-1].payload == b"offline")


def test_reconnecting_leaves_nothing_open(broker: Broker, opener: Opener) -> None:
    relay = Relay(broker.port)
    relay.open()
    sink = opener(f"127.0.0.1:{relay.port}")
    counts = []
    for _ in range(6):
        wait_for(lambda: sink.queue.connected)
        counts.append(len(os.listdir("/proc/self/fd")))  # noqa: PTH208
        relay.close()
        wait_for(lambda: not sink.queue.connected)
        relay.open()
    assert counts[-1] <= counts[1] + 1, counts  # the relay's own come and go
    relay.close()


def test_a_sender_killed_at_random_moments_loses_nothing_it_kept(
    broker: Broker, listener: Listener, opener: Opener, tmp_path: Path
) -> None:
    moments = random.Random(3)
    file = tmp_path / "events.jsonl"
    kept: list[int] = []
    for _ in range(10):
        specs = f"mqtt://{broker.host}/desk jsonl:{file}:rotate=20kB:keep=900"
        child = writer(tmp_path, specs, len(kept) + 1000 * (_ + 1))
        assert child.stdout is not None
        first = child.stdout.readline()  # it is at work
        time.sleep(moments.uniform(0.0, 0.3))
        end(child)
        kept += [int(line) for line in [first, *child.stdout.read().split()] if line.strip()]
        child.stdout.close()
    sink = opener(broker.host)
    wait_for(lambda: sink.queue.waiting == 0)
    wanted = numbered(*kept)
    wait_for(lambda: set(wanted) <= set(listener.ids()))
    arrived = [one for one in first_arrivals(listener.ids()) if one in set(wanted)]
    assert arrived == wanted
    files = sorted(tmp_path.glob("events.jsonl*"), key=lambda path: -int(path.suffix[1:] if path != file else 0))
    lines = [json.loads(line)["id"] for path in files for line in path.read_text().splitlines()]
    assert len(set(lines)) == len(lines) and set(wanted) <= set(lines)


def writer(folder: Path, specs: str, first: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.writer", str(folder / "state"), specs, str(first)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def end(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.wait()
