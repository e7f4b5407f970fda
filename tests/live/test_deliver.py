"""What is done with steps: an onlooker that fails costs no event, and everything ends together, in time."""

from __future__ import annotations

import logging
import threading
import time

import numpy as np
import pytest

from edge.errors import SinkError
from edge.live.deliver import close_together, deliver
from edge.live.loop import Step, Watcher
from edge.sinks.base import CLOSE_S, Event
from edge.values import Frame
from tests.sinks.events import event

PIXELS = np.zeros((4, 4), np.uint8)


class Kept:
    """A sink, or a watcher, that keeps what it gets and may fail at the n-th."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.ids: list[str] = []
        self.closed = 0
        self._fails_at = fails_at

    def write(self, event: Event) -> None:
        self.ids.append(event.id)
        if len(self.ids) == self._fails_at:
            raise SinkError("sink kept: full")

    def see(self, step: Step) -> None:
        for one in step.events:
            self.ids.append(one.id)
        if len(self.ids) == self._fails_at:
            raise ZeroDivisionError("a bug")

    def close(self, within_s: float = CLOSE_S) -> None:
        self.closed += 1


def steps(number: int) -> list[Step]:
    frames = (Frame(pixels=PIXELS, index=index, time=0.0, source="x") for index in range(number))
    return [Step(frame=frame, readings=(), events=(event(frame.index),), shown=()) for frame in frames]


def test_every_sink_gets_every_event_and_every_watcher_every_step() -> None:
    sinks, watchers = [Kept(), Kept()], [Kept(), Kept()]
    given = steps(5)
    assert list(deliver(given, sinks, list(watchers))) == given
    assert all(one.ids == [f"a-{index}" for index in range(5)] for one in sinks + watchers)


def test_a_watcher_that_fails_is_told_of_once_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    broken, good, sink = Kept(fails_at=2), Kept(), Kept()
    watchers: list[Watcher] = [broken, good]
    list(deliver(steps(6), [sink], watchers))
    assert len(sink.ids) == len(good.ids) == 6 and len(broken.ids) == 2
    assert watchers == [good] and broken.closed == 1
    assert [line for line in caplog.messages if line] == ["Kept: a bug; it is left out, the run goes on"]


def test_a_sink_that_cannot_keep_an_event_ends_the_run() -> None:
    with pytest.raises(SinkError, match="full"):
        list(deliver(steps(6), [Kept(fails_at=3)], []))


def test_all_are_closed_at_once_and_what_is_slow_is_left(caplog: pytest.LogCaptureFixture) -> None:
    release, closed = threading.Event(), []
    began = time.monotonic()
    together = threading.Barrier(3)  # passes only if they run at once

    def close_beside(name: str) -> None:
        together.wait(30)
        closed.append(name)

    names = ("one", "two", "three")
    closers = [(name, lambda name=name: close_beside(name)) for name in names]
    close_together([*closers, ("stuck", lambda: release.wait(60))], within_s=1.0)
    release.set()
    assert sorted(closed) == sorted(names)
    assert time.monotonic() - began < 30
    assert caplog.messages == ["end of stuck: not ended after 1.0 s; it is left as it is"]


def test_an_error_at_the_end_is_raised_when_all_are_closed(caplog: pytest.LogCaptureFixture) -> None:
    last = Kept()

    def lose() -> None:
        raise SinkError("2 events are lost")

    with pytest.raises(SinkError, match="2 events are lost"):
        close_together([("losing", lose), ("buggy", lambda: {}["x"]), ("last", last.close)], within_s=30)
    assert last.closed == 1
    assert any("buggy: closing it failed" in line for line in caplog.messages)
