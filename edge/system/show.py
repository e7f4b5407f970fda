"""Checks and measurements as lines for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the doctor speaks where numpy and OpenCV, which a bench needs, do not load
    from edge.system.bench import Bench, ModelBench
    from edge.system.check import Check


def check_lines(checks: tuple[Check, ...]) -> Iterator[str]:
    """One line a check: ok, warn or fail, its name, what was found, and the remedy."""
    for check in checks:
        remedy = f"; {check.remedy}" if check.remedy else ""
        yield f"{check.level:4}  {check.name:8}  {check.found}{remedy}"


def bench_lines(bench: Bench) -> Iterator[str]:
    """The machine, and a short table for each model."""
    yield f"{bench.machine}; {bench.runtime}"
    for model in bench.models:
        yield ""
        yield from _model_lines(model, bench.frame)


def _model_lines(model: ModelBench, frame: str) -> Iterator[str]:
    yield f"{model.model} ({model.recipe}, {model.file_bytes:,} bytes)"
    yield f"{'µs a digit':24}{'p50':>9}{'p95':>9}"
    for name, us in (("bare interpreter", model.bare_us), ("tensor to Prediction", model.classifier_us)):
        yield f"  {name:22}{us.p50:9.1f}{us.p95:9.1f}"
    yield f"{'ms a frame':24}{'p50':>9}{'p95':>9}   {frame}, {model.digits_on_frame} digits"
    for step in model.steps:
        yield f"  {step.name:22}{step.ms.p50:9.2f}{step.ms.p95:9.2f}"
    yield f"  {'pixels to readings':22}{model.frame_ms.p50:9.2f}{model.frame_ms.p95:9.2f}"


def as_json_text(values: Bench | tuple[Check, ...]) -> str:
    """The same values as JSON: an object for a Bench, a list of objects for checks."""
    content = [asdict(check) for check in values] if isinstance(values, tuple) else asdict(values)
    return json.dumps(content, ensure_ascii=False, indent=2)
