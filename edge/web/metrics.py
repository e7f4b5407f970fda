"""The vitals in Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats)."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import get_args

from edge import __version__
from edge.live.pulse import FaultKind
from edge.live.vitals import Histogram, Vitals
from edge.sinks.base import Happening

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_Labels = tuple[tuple[str, str], ...]
_Value = tuple[_Labels, float]


def metrics_text(vitals: Vitals, *, viewers: int) -> str:
    """All metrics of a run; viewers: how many pages and streams are open."""
    now = time.monotonic()
    age_s = float("nan") if vitals.seen is None else now - vitals.seen
    queues = tuple(vitals.queues.items())
    parts = [
        _metric("build_info", "gauge", "The version of inkedge.", [((("version", __version__),), 1)]),
        _one("uptime_seconds", "gauge", "Since the run began.", now - vitals.began),
        _one("frames_total", "counter", "Frames read.", vitals.frames),
        _one(
            "frames_skipped_total",
            "counter",
            "Frames that there was no time to read.",
            vitals.skipped,
        ),
        _one("camera_reconnects_total", "counter", "Times that a lost camera came back.", vitals.reconnects),
        _one("camera_lost", "gauge", "1 while the camera gives nothing.", vitals.lost),
        _counts(
            "camera_faults_total",
            "Losses, and pictures frozen, black, late, broken or of another size.",
            "kind",
            vitals.faults,
            get_args(FaultKind),
        ),
        _one("frame_age_seconds", "gauge", "Since the newest frame was read.", age_s),
        _histogram("latency_seconds", "From the capture of a frame to its readings.", vitals.latency),
        _one("inference_seconds", "gauge", "What the models took for the newest frame.", vitals.inference_us / 1e6),
        _counts("events_total", "Numbers that appeared, changed or went.", "event", vitals.events, get_args(Happening)),
        _one("viewers", "gauge", "Pages and streams open in browsers.", viewers),
    ]
    parts += _drift(vitals)
    for name, kind, words, field in (
        ("queue_length", "gauge", "Events stored and not yet delivered.", "waiting"),
        ("queue_held", "gauge", "Events in memory, for the disk takes none.", "held"),
        ("queue_dropped_total", "counter", "Events given up: the queue was full, or they were refused.", "dropped"),
        ("queue_delivered_total", "counter", "Events delivered.", "delivered"),
        ("sink_connected", "gauge", "1 while the sink's other end answers.", "connected"),
    ):
        values = [((("sink", sink),), float(getattr(queue, field))) for sink, queue in queues]
        parts.append(_metric(name, kind, words, values))
    return "".join(parts)


def _drift(vitals: Vitals) -> list[str]:
    """How the model does; nothing where its manifest does not say what to expect."""
    if vitals.drift is None:
        return []
    figures = vitals.drift.figures()
    parts = [_one("model_use_digits", "gauge", "Of the latest digits read, those counted below.", figures.n)]
    named = [((("figure", one.what.replace(" ", "_")),), one) for one in figures.all]
    for name, words, field in (
        ("model_use", "How sure the model is of the latest digits.", "value"),
        ("model_use_low", "The lower end of its interval.", "low"),
        ("model_use_high", "The upper end of its interval.", "high"),
        ("model_use_expected", "What the model's manifest expects.", "expected"),
        ("model_use_left", "1 if it is surely worse than expected.", "left"),
    ):
        parts.append(_metric(name, "gauge", words, [(labels, float(getattr(one, field))) for labels, one in named]))
    return parts


def _one(name: str, kind: str, words: str, value: float) -> str:
    return _metric(name, kind, words, [((), value)])


def _metric(name: str, kind: str, words: str, values: Iterable[_Value]) -> str:
    lines = [f"inkedge_{name}{_braced(labels)} {_number(value)}\n" for labels, value in values]
    return _head(name, kind, words) + "".join(lines) if lines else ""


def _counts(name: str, words: str, label: str, counted: Counter[str], known: Iterable[str]) -> str:
    """A counter for each kind; those that are known are there from the start, so that their rates are right."""
    return _metric(name, "counter", words, [(((label, kind),), counted[kind]) for kind in sorted({*known, *counted})])


def _histogram(name: str, words: str, histogram: Histogram) -> str:
    """Cumulative buckets, sum and count; all of one moment, whatever is counted meanwhile."""
    counts: Sequence[int] = tuple(histogram.counts)
    bounds = [_number(bound) for bound in histogram.bounds] + ["+Inf"]
    lines, total = [], 0
    for bound, count in zip(bounds, counts, strict=True):
        total += count
        lines.append(f'inkedge_{name}_bucket{{le="{bound}"}} {total}\n')
    lines += [f"inkedge_{name}_sum {_number(histogram.total)}\n", f"inkedge_{name}_count {total}\n"]
    return _head(name, "histogram", words) + "".join(lines)


def _head(name: str, kind: str, words: str) -> str:
    return f"# HELP inkedge_{name} {words}\n# TYPE inkedge_{name} {kind}\n"


def _braced(labels: _Labels) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}" if labels else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return str(int(value)) if float(value).is_integer() else repr(round(float(value), 6))
