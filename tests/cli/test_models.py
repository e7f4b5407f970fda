"""`edge models`: a model is tried, installed, used, and taken back; a run takes it at a hangup."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edge.errors import ModelError
from edge.inference.shipped import find_model
from edge.system.models import install_model, known_models
from tests.faults.streams import Run
from tests.sinks.events import wait_for


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INKEDGE_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def models(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge", "models", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def used(task: str = "digit") -> dict[str, object]:
    """The one model of a task that is used, as the list tells."""
    (found,) = [one for one in json.loads(models("list", "--json").stdout) if one["used"] and one["task"] == task]
    return dict(found)


def copied(shipped: str, to: Path, **changes: object) -> Path:
    """A copy of a shipped model, with these keys of its manifest changed."""
    source = find_model(shipped)
    manifest = json.loads(source.with_suffix(".json").read_text()) | changes
    to.with_suffix(".json").write_text(json.dumps(manifest))
    shutil.copy(source, to)
    return to


def test_installed_listed_and_taken_back(tmp_path: Path, folder: Path) -> None:
    assert used()["origin"] == "shipped" and str(folder) in str(used()["why"])
    done = models("install", str(copied("lecture", tmp_path / "mine.tflite", name="mine")))
    assert done.returncode == 0 and "digit model in use: mine (int8), installed" in done.stderr, done.stderr
    assert (used()["name"], used()["origin"]) == ("mine", "installed")
    (line,) = [line for line in models("list").stdout.splitlines() if line.startswith("* digit")]
    assert "mine (int8)" in line and "goes before what ships" in line
    done = models("rollback")
    assert done.returncode == 0 and "in use: paper (int8), shipped" in done.stderr
    done = models("rollback")
    assert done.returncode == 4 and "no digit model is installed" in done.stderr


def test_a_strip_model_goes_to_its_own_place(tmp_path: Path) -> None:
    assert models("install", str(copied("strip", tmp_path / "s.tflite", name="mine"))).returncode == 0
    assert used("strip")["name"] == "mine" and used()["origin"] == "shipped"
    assert "in use: strip (int8), shipped" in models("rollback", "--task", "strip").stderr


SHIFTED = [*"1234567890", "none"]


@pytest.mark.parametrize(
    ("shipped", "changes", "words"),
    [
        ("paper", {"sha256": "0" * 64}, "its sha256 is not the one in"),
        ("paper", {"preprocessing": "ink28/0"}, "made for preprocessing"),
        ("paper", {"labels": SHIFTED}, "of 100 shipped digits right"),
        ("paper", {"labels": [*"abcdefghij", "none"]}, "not the ten digits"),
        ("paper", {"labels": list("0123456789")}, "for its labels"),
        ("strip", {"labels": [*"1234567890", "blank"]}, "of 100 shipped digits right"),
        ("strip", {"task": "digit"}, "preprocessing"),
    ],
    ids=["sha256", "preprocessing", "shifted", "letters", "too few labels", "shifted strips", "task"],
)
def test_what_does_not_read_stays_out(tmp_path: Path, shipped: str, changes: dict[str, object], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        install_model(copied(shipped, tmp_path / "bad.tflite", **changes))
    assert {model.origin for model in known_models()} == {"shipped"}


def test_no_file_no_manifest_no_model(tmp_path: Path) -> None:
    assert models("install", str(tmp_path / "none.tflite")).returncode == 4
    shutil.copy(find_model("paper"), tmp_path / "alone.tflite")
    done = models("install", str(tmp_path / "alone.tflite"))
    assert done.returncode == 4 and "no manifest beside the model" in done.stderr


def test_a_run_takes_an_installed_model_at_a_hangup_and_loses_no_frame(tmp_path: Path) -> None:
    events = tmp_path / "events"
    run = Run("--camera", "demo:fast:easy", "--sink", f"jsonl:{events}", "--wait")
    try:
        wait_for_lines(events, 1)
        assert models("install", str(copied("lecture", tmp_path / "mine.tflite", name="mine"))).returncode == 0
        run.process.send_signal(signal.SIGHUP)
        run.wait_for("settings read again: model mine")
        wait_for_lines(events, len(events.read_text().splitlines()) + 1)
        assert models("rollback").returncode == 0
        run.process.send_signal(signal.SIGHUP)
        run.wait_for("settings read again: model paper")
    finally:
        code, _ = run.end(signal.SIGTERM)
    assert code == 0 and "frames read, 0 skipped" in run.errors[-1]
    assert not any("left out" in line or "error" in line for line in run.errors)


def wait_for_lines(file: Path, n: int) -> None:
    """Return once a file has n lines."""
    wait_for(lambda: file.exists() and len(file.read_text().splitlines()) >= n)
