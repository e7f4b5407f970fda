"""/metrics is what Prometheus reads: every line of the format, and the run's counters in it."""

from __future__ import annotations

import re

import pytest

from edge.live.vitals import Vitals
from edge.sinks.base import Waiting
from edge.web.metrics import metrics_text

from .conftest import Served
from .visits import ask

LINE = re.compile(r'inkedge_[a-z_]+(\{[a-z]+="(?:[^"\\]|\\.)*"(,[a-z]+="(?:[^"\\]|\\.)*")*\})? (NaN|[0-9.e+-]+)')


def samples(text: str) -> dict[str, float]:
    """Values by name and labels; every line is checked against the format."""
    typed: set[str] = set()
    found: dict[str, float] = {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            name, kind = line.split()[2:]
            assert kind in ("counter", "gauge", "histogram") and name not in typed
            assert (kind == "counter") == name.endswith("_total")
            typed.add(name)
        elif not line.startswith("# HELP "):
            assert LINE.fullmatch(line), line
            name = re.sub(r"_(bucket|sum|count)$", "", line.partition("{")[0].partition(" ")[0])
            assert name in typed, line
            key, _, value = line.rpartition(" ")
            assert key not in found
            found[key] = float(value)
    return found


def test_metrics_are_prometheus_text_with_the_vitals_in_it() -> None:
    vitals = Vitals(skipped=7, reconnects=2, lost=True, inference_us=1500.0)
    for latency_s in (0.005, 0.02, 0.02, 9.0):
        vitals.count_frame(latency_s)
    vitals.events.update(["appeared", "appeared", "gone"])
    vitals.faults.update(["frozen"])
    vitals.queues['mq"tt\\\n'] = Waiting(waiting=4, held=2, dropped=1, delivered=9, connected=False)
    found = samples(metrics_text(vitals, viewers=3))
    assert found["inkedge_frames_total"] == 4
    assert found["inkedge_frames_skipped_total"] == 7
    assert found["inkedge_camera_reconnects_total"] == 2
    assert found["inkedge_camera_lost"] == 1
    assert found['inkedge_camera_faults_total{kind="frozen"}'] == 1
    assert found["inkedge_inference_seconds"] == 0.0015
    assert found["inkedge_viewers"] == 3
    assert found['inkedge_events_total{event="appeared"}'] == 2
    assert found['inkedge_events_total{event="changed"}'] == 0
    buckets = [value for key, value in found.items() if key.startswith("inkedge_latency_seconds_bucket")]
    assert buckets == sorted(buckets) and buckets[0] == 1 and buckets[1] == 3 and buckets[-2:] == [3, 4]
    assert found['inkedge_latency_seconds_bucket{le="+Inf"}'] == found["inkedge_latency_seconds_count"] == 4
    assert found["inkedge_latency_seconds_sum"] == pytest.approx(9.045)
    sink = '{sink="mq\\"tt\\\\\\n"}'
    assert found[f"inkedge_queue_length{sink}"] == 4
    assert found[f"inkedge_queue_held{sink}"] == 2
    assert found[f"inkedge_queue_dropped_total{sink}"] == 1
    assert found[f"inkedge_queue_delivered_total{sink}"] == 9
    assert found[f"inkedge_sink_connected{sink}"] == 0


def test_metrics_are_served_as_prometheus_wants_them(served: Served) -> None:
    answer = ask(served.address, "/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert samples(answer.body.decode())["inkedge_frames_total"] >= 0
