"""Ours beside something named, both in one run: how they take turns, and the line of the table."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv" / "bin" / "python"


@dataclass(frozen=True)
class Compared:
    """Ours and the named other, one time a round each, in the same unit; target is the largest ratio wanted.

    quiet: a quarter of the rounds is quicker than the time that counts, instead of half: what slows calls of
    milliseconds is the rest of the machine, and it slows the two sides unevenly.
    """

    what: str
    other: str
    unit: str
    ours: list[float]
    others: list[float]
    target: float | None = None
    quiet: bool = False

    def row(self) -> str:
        """A line of the table: both times, their ratio, the least and the largest of one round."""
        ours, others = self.time(self.ours), self.time(self.others)
        rounds = sorted(a / b for a, b in zip(self.ours, self.others, strict=True))
        target = "–" if self.target is None else f"≤ {self.target}"
        return (
            f"| {self.what} | {ours:.4g} {self.unit} | {self.other} | {others:.4g} {self.unit} | "
            f"{ours / others:.2f} | {rounds[0]:.2f}–{rounds[-1]:.2f} | {target} | {len(rounds)} |"
        )

    def time(self, times: list[float]) -> float:
        """The one that counts, of the times of all rounds."""
        return sorted(times)[len(times) // 4] if self.quiet else statistics.median(times)


def turns(ours: Callable[[], float], others: Callable[[], float], rounds: int) -> tuple[list[float], list[float]]:
    """Both by turns, so that both see the same machine; the first round warms up and is dropped."""
    pairs = [(ours(), others()) for _ in range(rounds + 1)][1:]
    return [a for a, _ in pairs], [b for _, b in pairs]


def wall_ms(command: list[str | Path]) -> float:
    """Milliseconds of a program from start to end."""
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return 1e3 * (time.perf_counter() - begin)


def printed(script: str, environment: Mapping[str, str] | None = None) -> list[float]:
    """The numbers that a Python script prints, run in the repository without TensorFlow's talk."""
    quiet = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | dict(environment or {})
    done = subprocess.run([PYTHON, "-c", script], check=False, capture_output=True, text=True, env=quiet, cwd=ROOT)
    if done.returncode:
        sys.exit(f"bench: a script ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return [float(word) for word in done.stdout.split()]


def quickest_ms(call: Callable[[], object], repeats: int) -> float:
    """The quickest of some calls in ms of this thread's processor time: what other programs took is not the call's."""
    times = []
    for _ in range(repeats):
        begin = time.thread_time()
        call()
        times.append(1e3 * (time.thread_time() - begin))
    return min(times)
