"""The bench measures what is really done when a frame is read, and says on what."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge.reading import page
from edge.reading.reader import Reader
from edge.system import bench as bench_module
from edge.system.bench import Times, bench, bench_frame, bench_steps
from edge.system.steps import NAMES, StepClock, time_steps


@pytest.fixture(autouse=True)
def _few_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_module, "_DIGITS", 20)
    monkeypatch.setattr(bench_module, "_FRAMES", 3)
    monkeypatch.setattr(bench_module, "_WARM_UP", 1)


def test_times_are_percentiles_in_the_unit_asked_for() -> None:
    times = Times.of([0.001 * n for n in range(1, 101)], per_s=1e3)
    assert (times.p50, times.p95, times.n) == (50.5, 95.05, 100)


def test_the_frame_is_the_same_each_time_and_holds_numbers() -> None:
    first, second = bench_frame(), bench_frame()
    assert first.shape == (480, 640, 3)
    assert (first == second).all()
    assert len(Reader.open().read(first)) >= 2


def test_every_step_takes_time_and_together_they_are_the_whole() -> None:
    reader, pixels = Reader.open(), bench_frame()
    steps, digits, total = bench_steps(reader, pixels)
    assert [step.name for step in steps] == list(NAMES)
    assert all(step.ms.p50 > 0 and step.ms.n == total.n == 3 for step in steps)
    assert digits == sum(len(reading.digits) for reading in reader.read(pixels))
    started = time.perf_counter()
    spent = time_steps(reader, pixels)
    assert sum(spent.values()) <= time.perf_counter() - started


def test_a_step_inside_another_counts_for_itself_alone() -> None:
    clock = StepClock()
    with clock.step("numbers"), clock.step("inference"):
        time.sleep(0.02)
    assert clock.spent_s["inference"] >= 0.02 > clock.spent_s["numbers"]


def test_watching_changes_neither_the_readings_nor_the_reader_afterwards() -> None:
    reader, pixels = Reader.open(), bench_frame()
    before, grey = reader.read(pixels), page.to_grey
    time_steps(reader, pixels)
    assert page.to_grey is grey
    assert "predict" not in vars(reader.classifier)
    assert reader.read(pixels) == before


def test_each_model_named_is_measured() -> None:
    result = bench(("lecture", "lecture"))
    assert [model.model for model in result.models] == ["lecture", "lecture"]
    for model in result.models:
        assert 0 < model.bare_us.p50 <= model.bare_us.p95
        assert 0 < model.classifier_us.p50 <= model.classifier_us.p95
        assert model.file_bytes > 10_000


def test_the_command_prints_json_and_refuses_a_model_that_is_not_there(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, "-m", "edge", "bench", "--json"], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    assert result["models"][0]["model"] == "paper"
    assert "demo" in result["frame"]
    absent = str(tmp_path / "none.tflite")
    run = subprocess.run([sys.executable, "-m", "edge", "bench", absent], capture_output=True, text=True, timeout=60)
    assert run.returncode == 4
    assert absent in run.stderr
    assert run.stdout == ""
