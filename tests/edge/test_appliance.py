"""A run put together from its settings: what is opened works together, and is closed again whatever happens."""

from __future__ import annotations

import http.client
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from edge.appliance import Appliance
from edge.errors import SinkError, SourceError, UsageError
from edge.live.loop import Step
from edge.live.stop import RunSignals
from edge.settings.values import (
    EventSettings,
    LimitSettings,
    RunSettings,
    SnapshotSettings,
    WebSettings,
)
from edge.web.preview import Preview
from tests.sinks.events import wait_for


@pytest.fixture
def settings(tmp_path: Path) -> RunSettings:
    return RunSettings(
        source="demo:fast:easy",
        events=EventSettings(format="jsonl", sinks=(f"jsonl:{tmp_path}/e", f"csv:{tmp_path}/e.csv")),
        web=WebSettings(serve="0"),
        snapshots=SnapshotSettings(folder=tmp_path / "pictures"),
        limits=LimitSettings(frames=25),
    )


class Asking:
    """A watcher that asks the preview for its metrics in the midst of the run."""

    def __init__(self, preview: Preview) -> None:
        self.preview = preview
        self.metrics = ""

    def see(self, step: Step) -> None:
        if step.frame.index == 20:
            connection = http.client.HTTPConnection("127.0.0.1", self.preview.server.address.port, timeout=30)
            connection.request("GET", "/metrics")
            self.metrics = connection.getresponse().read().decode()
            connection.close()

    def close(self) -> None:
        """Nothing is held."""


def test_all_parts_work_together_and_leave_no_thread(
    settings: RunSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = threading.active_count()
    with RunSignals() as signals, Appliance.open(settings) as appliance:
        asking = Asking(next(one for one in appliance.watchers if isinstance(one, Preview)))
        appliance.watchers.append(asking)
        appliance.run(signals, lambda: settings)
        appliance.close()
    printed = capsys.readouterr().out.splitlines()
    assert printed and (tmp_path / "e").read_text().splitlines() == printed
    assert len((tmp_path / "e.csv").read_text().splitlines()) == 1 + len(printed)
    assert "inkedge_frames_total 21" in asking.metrics
    assert f'sink="jsonl:{tmp_path}/e"' in asking.metrics and f'sink="csv:{tmp_path}/e.csv"' in asking.metrics
    assert len(list((tmp_path / "pictures").glob("*.json"))) == len(printed)
    wait_for(lambda: threading.active_count() <= before)


def test_what_was_opened_is_closed_when_the_next_cannot_be(settings: RunSettings) -> None:
    before = threading.active_count()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = replace(settings, web=WebSettings(serve=str(taken.getsockname()[1])))
        with pytest.raises(SinkError, match="another program uses this port"):
            Appliance.open(busy)
    wait_for(lambda: threading.active_count() <= before)
    Appliance.open(settings).close()  # files are not held any more, or this would be refused
    wait_for(lambda: threading.active_count() <= before)


def test_two_runs_do_not_share_a_file(settings: RunSettings) -> None:
    with Appliance.open(settings), pytest.raises(SinkError, match="another"):
        Appliance.open(settings)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"source": None}, UsageError),
        ({"source": "nowhere.mp4"}, SourceError),
        ({"events": EventSettings(sinks=("fax:1",))}, UsageError),
        ({"web": WebSettings(serve="a:b:c")}, UsageError),
    ],
    ids=["no camera", "camera", "sink", "web"],
)
def test_settings_that_cannot_be_are_refused_before_anything_is_read(
    settings: RunSettings, change: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        Appliance.open(replace(settings, **change))  # type: ignore[arg-type]
