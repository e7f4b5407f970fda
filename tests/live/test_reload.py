"""Settings read again while a run goes, and signals that ask for it."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from edge.errors import UsageError
from edge.live.reload import CurrentReader, Reloader
from edge.live.stop import RunSignals, StopSignals
from edge.live.vitals import Vitals
from edge.settings.values import ReadingSettings, RunSettings
from edge.sources.demo import DemoSource
from tests.sinks.events import wait_for


@pytest.fixture
def signals() -> Iterator[RunSignals]:
    with RunSignals() as entered:
        yield entered


class Settings:
    """Settings that somebody edits."""

    def __init__(self, **reading: object) -> None:
        self.now: RunSettings | UsageError = RunSettings(reading=ReadingSettings(**reading))  # type: ignore[arg-type]

    def read(self) -> RunSettings:
        if isinstance(self.now, UsageError):
            raise self.now
        return self.now


def test_a_hangup_changes_the_threshold_and_tells_who_has_a_reader(
    signals: RunSignals, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    settings, told = Settings(threshold=1.0), threading.Event()
    current = CurrentReader(settings.read().reading, Vitals())
    current.on_change.append(told.set)
    pixels = DemoSource(fast=True, easy=True).pixels(100)
    assert {reading.status for reading in current.read(pixels)} == {"review"}
    reloader = Reloader(signals.hangups, settings.read(), settings.read, current)
    settings.now = replace(settings.read(), reading=ReadingSettings(threshold=0.0), wait=True)
    os.kill(os.getpid(), signal.SIGHUP)
    assert told.wait(30)
    statuses = [reading.status for reading in current.read(pixels)]
    assert statuses.count("read") >= 3, "what is hardly writing stays doubtful, the rest does not"
    assert current.another().threshold == 0.0
    wait_for(lambda: "camera.wait: changed, and in force from the next start on" in caplog.messages)
    reloader.close()
    assert not signals.stopped()


@pytest.mark.parametrize(
    "broken",
    [UsageError("edge.toml:3: nonsense"), RunSettings(reading=ReadingSettings(model="nowhere"))],
    ids=["file", "model"],
)
def test_settings_that_cannot_be_used_leave_the_old_ones(
    signals: RunSignals, caplog: pytest.LogCaptureFixture, broken: RunSettings | UsageError
) -> None:
    settings = Settings(threshold=0.25)
    current = CurrentReader(settings.read().reading, Vitals())
    reloader = Reloader(signals.hangups, settings.read(), settings.read, current)
    settings.now = broken
    os.kill(os.getpid(), signal.SIGHUP)
    wait_for(lambda: any("the old ones stay" in line for line in caplog.messages))
    assert current.another().threshold == 0.25
    reloader.close()


def test_the_time_of_the_models_is_counted() -> None:
    vitals = Vitals()
    current = CurrentReader(ReadingSettings(), vitals)
    current.read(DemoSource(fast=True, easy=True).pixels(100))
    assert vitals.inference_us > 10
    current.read(np.full((50, 50), 255, np.uint8))
    assert vitals.inference_us == 0


def test_a_terminal_that_goes_away_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    there = True
    monkeypatch.setattr("edge.live.stop._is_terminal", lambda: there)
    with RunSignals() as signals:
        os.kill(os.getpid(), signal.SIGHUP)
        wait_for(lambda: not signals.hangups.empty())
        assert not signals.stopped()
        there = False
        os.kill(os.getpid(), signal.SIGHUP)
        wait_for(signals.stopped)
        assert not signals.interrupted()


def test_a_hangup_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with RunSignals() as signals:
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN and signals.hangups.empty()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_signals_are_given_back_and_time_to_end_runs_down(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("edge.live.stop.time.monotonic", lambda: now)
    before = signal.getsignal(signal.SIGTERM)
    with StopSignals() as signals:
        assert signals.left_s() == 1.6
        os.kill(os.getpid(), signal.SIGTERM)
        wait_for(signals.stopped)
        now = 101.0
        assert signals.left_s() == pytest.approx(0.6)
        now = 110.0
        assert signals.left_s() == 0.3
    assert signal.getsignal(signal.SIGTERM) == before
