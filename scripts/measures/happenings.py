"""What `edge run` tells of scripted scenes of the simulated desk, against what happened in them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from datetime import datetime

import numpy as np

from edge.inference.interval import wilson_of_blocks
from edge.live.score import Score, score
from edge.sinks.base import Event
from edge.sources.demo import open_demo
from edge.sources.script import KINDS
from edge.sources.scripted import ScriptSource
from edge.values import Box, Reading

CAMERA = "demo:events:fast:seed=21"
FRAMES = 9000  # ten minutes of camera, some hundred scenes: the interval is ±3 points
_PER = 5000


def judge_lines(lines: Iterable[str], camera: str = CAMERA, frames: int = FRAMES) -> Score:
    """The Score of the JSON lines that a run over so many frames of a scripted camera wrote."""
    source = open_demo(camera)
    assert isinstance(source, ScriptSource)
    return score(source, frames, [_event(json.loads(line)) for line in lines])


def figures_of(made: Score) -> dict[str, float | str]:
    """The figures of a Score for the table of all sets, and `details`, a table by kind of scene and a sentence."""
    # What is due stands together by scene and number, and is alike.
    right = [o.right for o in sorted(made.outcomes, key=lambda o: (o.due.spell.first, o.due.spell.text))]
    low, high = wilson_of_blocks(right)
    return {
        "n": made.total,
        "right": 100 * made.right / max(1, made.total),
        "low": 100 * low,
        "high": 100 * high,
        "spurious": len(made.lies),
        "details": details(made),
    }


def details(made: Score) -> str:
    """Markdown: what became of the events due, by kind of scene, and how long they took."""
    rows = ["| scene | due | right | late | missed | false |", "|---|---|---|---|---|---|"]
    for kind in (*KINDS, "all"):
        own = [outcome for outcome in made.outcomes if kind in ("all", outcome.due.scene)]
        told = [outcome for outcome in own if outcome.delay_s is not None]
        right = sum(outcome.right for outcome in own)
        false = sum(kind in ("all", lie.scene) for lie in made.lies)
        rows.append(f"| {kind} | {len(own)} | {right} | {len(told) - right} | {len(own) - len(told)} | {false} |")
    low, high = _poisson(len(made.lies))
    shown, gone = made.delays("appeared", "changed"), made.delays("gone")
    share = _PER / made.frames
    return (
        "\n".join(rows)
        + f"\n\n{made.frames:,} frames. False events: {len(made.lies)}, {made.sure_lies} of them with status `read`; "
        + f"{len(made.lies) * share:.1f} in {_PER:,} frames (95 % interval {low * share:.1f}–{high * share:.1f}). "
        + f"From when it could be read to `appeared` or `changed`: median {np.percentile(shown, 50):.2f} s, "
        + f"95 % within {np.percentile(shown, 95):.2f} s, the slowest {max(shown):.2f} s (n = {len(shown)}); from when "
        + f"it left to `gone`: median {np.percentile(gone, 50):.2f} s, the slowest {max(gone):.2f} s "
        + f"(n = {len(gone)}).\n"
    )


def _event(told: dict) -> Event:
    left, top, right, bottom = told["box"]
    return Event(
        id=told["id"],
        track=told["track"],
        time=datetime.fromisoformat(told["time"]).timestamp(),
        frame=told["frame"],
        happening=told["event"],
        reading=Reading(
            text=told["text"],
            confidence=told["confidence"],
            status=told["status"],
            box=Box(left=left, top=top, right=right, bottom=bottom),
        ),
    )


def _poisson(count: int) -> tuple[float, float]:
    """The 95 % interval of a Poisson mean of which count was seen (Garwood, 1936)."""

    def at_most(most: int, mean: float) -> float:
        return sum(math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1)) for k in range(most + 1))

    low = _where(lambda mean: 1 - at_most(count - 1, mean) - 0.025) if count else 0.0
    return low, _where(lambda mean: 0.025 - at_most(count, mean))


def _where(rising: Callable[[float], float]) -> float:
    """Where a rising function of a mean is 0."""
    low, high = 1e-9, 1000.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return high
