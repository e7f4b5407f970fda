"""What is said of a receiver that is away, comes back, refuses, comes and goes; and how long it is left alone."""

from __future__ import annotations

import threading

import pytest

from edge.patience import Patience
from edge.sinks import courier, link
from edge.sinks.base import Waiting
from edge.sinks.courier import Courier
from edge.sinks.link import Link
from tests.sinks.events import wait_for


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(link, "time", clock)
    return clock


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records]


def test_a_loss_and_a_return_are_one_line_each(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    queue = Waiting()
    way = Link("broker", queue, Patience())
    way.works()
    assert queue.connected and not caplog.records
    for reason in ("it broke", "refused", "no route", "it broke"):
        way.failed(reason)
    clock.now += 42
    assert not queue.connected
    way.works()
    way.works()
    assert lines(caplog) == [
        "broker: it broke; events wait, trying again until it takes them",
        "broker: answers again after 42 s; 0 events waited",
    ]


def test_what_a_person_must_mend_is_said_also_when_it_shows_later(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    way = Link("broker", Waiting(), Patience())
    for _ in range(3):
        way.failed("no connection")
        way.failed("wrong password", refused=True)
    assert [line.split(";")[0] for line in lines(caplog)] == ["broker: no connection", "broker: wrong password"]


def test_what_comes_and_goes_is_tried_ever_more_slowly(clock: Clock) -> None:
    way = Link("broker", Waiting(), Patience(), stable_s=30)
    waits = []
    for _ in range(8):
        way.works()
        clock.now += 1
        waits.append(way.failed("thrown out"))
    assert waits[0] <= 1 and waits[-1] >= 30
    way.works()
    clock.now += 31
    assert way.failed("thrown out") <= 1, "it held: this is another loss"


def test_what_comes_and_goes_fills_no_log(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    way = Link("broker", Waiting(), Patience())
    for _ in range(100):
        way.failed("thrown out")
        way.works()
        clock.now += 1
    assert len(lines(caplog)) == 8
    clock.now += 1000
    way.failed("thrown out")
    assert lines(caplog)[-1].endswith("(192 lines like this were left out)")


def test_a_courier_that_fails_by_a_bug_is_told_of_and_tries_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(courier, "_AFTER_BUG_S", 0.01)
    worked = threading.Event()
    tries = iter([True, True, False])

    def work(_: Courier) -> None:
        if next(tries):
            raise ZeroDivisionError
        worked.set()

    one = Courier("broker", work)
    one.start()
    assert worked.wait(30)
    assert one.finish(30)
    assert caplog.text.count("bug of inkedge") == 2


def test_a_courier_wakes_at_once_and_ends_in_time() -> None:
    woken = []

    def work(one: Courier) -> None:
        while not one.closing():
            one.wait(600)
            woken.append(True)

    one = Courier("broker", work)
    one.start()
    one.wake()
    wait_for(lambda: len(woken) == 1)
    assert one.finish(30)
    one.wake()  # whoever comes late
    assert one.finish(0.1)
