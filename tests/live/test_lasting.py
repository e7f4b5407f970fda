"""What a run counts of its model, leaves behind, and shows: metrics, the doctor's check."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.inference.drift import LEAST, Drift
from edge.inference.manifest import Expected, Manifest
from edge.inference.shipped import find_model
from edge.live.lasting import LeaveFigures
from edge.live.loop import Step
from edge.live.reload import CurrentReader
from edge.live.vitals import Vitals
from edge.settings.values import ReadingSettings
from edge.sinks.base import Event, Happening
from edge.sinks.lasting import FILE, LastingFigures
from edge.system.doctor import check_use
from edge.values import Box, Digit, Frame, Reading
from edge.web.metrics import metrics_text

FRAME = Frame(pixels=np.zeros((4, 4), np.uint8), index=0, time=0.0, source="fake")
BOX = Box(left=0, top=0, right=2, bottom=2)


def step(confidence: float, *, text: str = "42", happening: Happening = "appeared") -> Step:
    digits = tuple(Digit(digit=int(one), confidence=confidence, box=BOX) for one in text)
    status = "read" if text else "review"
    reading = Reading(text=text, confidence=confidence, status=status, box=BOX, digits=digits)
    event = Event(id="1", track="1", time=0.0, frame=0, happening=happening, reading=reading)
    return Step(frame=FRAME, readings=(), events=(event,), shown=())


@pytest.fixture
def vitals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vitals:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setattr("edge.inference.installed.SYSTEM_STATE", tmp_path / "nowhere")
    manifest = Manifest.read(find_model().with_suffix(".json"))
    expected = Expected(n=6000, confidence=0.98, unsure=0.02)
    return Vitals(drift=Drift.of(replace(manifest, name="mine", expected=expected)))


def test_digits_are_counted_as_they_appear_and_what_is_no_digit_too(vitals: Vitals) -> None:
    watcher = LeaveFigures(vitals)
    watcher.see(step(0.99))
    watcher.see(step(0.99, happening="changed"))
    watcher.see(step(0.99, happening="gone"))
    watcher.see(step(0.2, text=""))
    assert vitals.drift is not None
    figures = {figure.what: figure.value for figure in vitals.drift.figures().all}
    assert vitals.drift.figures().n == 3
    assert figures["no digit"] == figures["not sure"] == pytest.approx(1 / 3)


def test_what_is_no_digit_on_a_page_is_not_counted(tmp_path: Path) -> None:
    manifest = Manifest.read(find_model().with_suffix(".json"))
    expected = Expected(n=6000, confidence=0.98, unsure=0.02)
    vitals = Vitals(drift=Drift.of(replace(manifest, expected=expected), alone=False))
    LeaveFigures(vitals, tmp_path).see(step(0.2, text=""))
    assert vitals.drift is not None and vitals.drift.figures().n == 0


def test_a_reader_of_another_model_or_mode_begins_anew(
    tmp_path: Path,
) -> None:
    manifest = replace(
        Manifest.read(find_model().with_suffix(".json")), expected=Expected(n=100, confidence=0.9, unsure=0.1)
    )
    manifest.write(tmp_path / "m.json")
    (tmp_path / "m.tflite").write_bytes(find_model().read_bytes())
    settings = ReadingSettings(model=str(tmp_path / "m.tflite"))
    current = CurrentReader(settings, counting := Vitals())
    first = counting.drift
    assert first is not None and not first.alone
    current.change(replace(settings, threshold=0.5))
    assert counting.drift is first
    current.change(replace(settings, mode="digit"))
    assert counting.drift is not None and counting.drift is not first and counting.drift.alone
    current.change(replace(settings, model="lecture"))
    assert counting.drift is None or Manifest.read(find_model("lecture").with_suffix(".json")).expected is not None


def test_a_run_leaves_its_figures_and_the_doctor_reads_them(
    vitals: Vitals, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert check_use() is None
    watcher = LeaveFigures(vitals)
    for _ in range(LEAST):
        watcher.see(step(0.999))
    watcher.close()
    check = check_use()
    assert check is not None and check.level == "ok" and "mine" in check.found
    for _ in range(LEAST):
        watcher.see(step(0.5))
    watcher.close()
    check = check_use()
    assert check is not None and check.level == "warn" and "not sure 50.0%" in check.found
    assert "docs/learn.md" in check.remedy and "docs/learn.md" in caplog.text
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"model": 1, "time": "x"}', b"[" * 100_000])
def test_a_garbled_file_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert LastingFigures.read(tmp_path / FILE) is None


def test_a_folder_that_cannot_be_written_costs_nothing(vitals: Vitals, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    watcher = LeaveFigures(vitals, tmp_path / "file")
    watcher.see(step(0.5))
    watcher.close()
    LeaveFigures(Vitals(), tmp_path).close()
    assert not (tmp_path / FILE).exists()


def test_it_is_written_now_and_then(vitals: Vitals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher, now = LeaveFigures(vitals), time.monotonic()
    watcher.see(step(0.5))
    assert not (tmp_path / FILE).exists()
    monkeypatch.setattr("edge.live.lasting.time.monotonic", lambda: now + 3600)
    watcher.see(step(0.5))
    assert (tmp_path / FILE).exists()


def test_metrics_show_the_figures_where_something_is_expected(vitals: Vitals) -> None:
    assert "model_use" not in metrics_text(Vitals(), viewers=0)
    watcher = LeaveFigures(vitals)
    for _ in range(LEAST):
        watcher.see(step(0.5))
    text = metrics_text(vitals, viewers=0)
    assert f"inkedge_model_use_digits {2 * LEAST}\n" in text
    assert 'inkedge_model_use{figure="mean_confidence"} 0.5\n' in text
    assert 'inkedge_model_use_expected{figure="not_sure"} 0.02\n' in text
    assert 'inkedge_model_use_left{figure="not_sure"} 1\n' in text
    assert 'inkedge_model_use_left{figure="no_digit"} 0\n' in text
