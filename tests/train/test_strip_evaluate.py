"""A strip network is judged by whole numbers: figures worked out by hand, and a run folder from end to end."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ModelError, UsageError
from edge.inference.certainty import Certainty
from train.evaluate import report
from train.run import DataRecord, Record
from train.settings import FitSettings
from train.strip_evaluate import StripEvaluation, edit_distance, evaluate_strips
from train.strip_model import strip_network

LABELS = (*"0123456789", "blank")


@pytest.mark.parametrize(
    ("a", "b", "edits"),
    [
        ("", "", 0),
        ("12", "", 2),
        ("", "7", 1),
        ("1230", "1230", 0),
        ("1230", "120", 1),
        ("1230", "71230", 1),
        ("19", "91", 2),
    ],
)
def test_edits_are_counted(a: str, b: str, edits: int) -> None:
    assert edit_distance(a, b) == edits


@given(st.text("0123", max_size=6), st.text("0123", max_size=6), st.text("0123", max_size=6))
def test_edits_are_a_distance(a: str, b: str, c: str) -> None:
    assert edit_distance(a, b) == edit_distance(b, a) <= max(len(a), len(b))
    assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)
    assert (edit_distance(a, b) == 0) == (a == b)


def test_figures_are_of_whole_texts() -> None:
    texts, read = ("12", "12", "345", ""), ("12", "13", "345", "")
    right = np.array([a == b for a, b in zip(texts, read, strict=True)])
    certainty = Certainty(name="strips", confidence=np.full(4, 0.75), right=right)
    found = StripEvaluation(texts=texts, read=read, certainty=certainty)
    assert (found.right, found.edits) == (3, 1)
    assert found.by_length() == ((0, 1, 1), (2, 2, 1), (3, 1, 1))
    assert found.certainty.ece == pytest.approx(0)
    assert "75.00%  (3 of 4;" in found.as_text() and "1 edits in 7 digits" in found.as_text()
    assert json.loads(found.as_json())["lengths"][1] == {"length": 2, "n": 2, "right": 1}


@pytest.fixture(scope="module")
def strip_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with an untrained strip network and eight strips held back, of two widths."""
    run = tmp_path_factory.mktemp("strips") / "run"
    run.mkdir()
    network = strip_network(len(LABELS))
    network.save(run / "model.keras")
    Record(
        model="strip",
        labels=LABELS,
        settings=FitSettings(model="strip"),
        data=DataRecord(name="mnist", sha256="0", train=9, heldback=1),
        parameters=int(network.count_params()),
        stored_epoch=1,
    ).write(run)
    images = np.random.default_rng(1).integers(0, 255, (8, 32, 96), np.uint8)
    widths = np.array([64, 96] * 4)
    texts = np.array(["12", "", "345", "7", "12", "0", "88", "9"])
    np.savez(run / "representative.npz", heldback_images=images, heldback_widths=widths, heldback_texts=texts)
    return run


def test_a_strip_run_is_judged_into_its_folder(strip_run: Path, tmp_path: Path) -> None:
    text = report(strip_run)
    assert text.startswith("whole numbers") and "of 8; 95 % interval" in text
    content = json.loads((strip_run / "evaluation.json").read_text())
    assert content["n"] == 8 and content["digits"] == 12
    assert Record.read(strip_run).metrics["held-back strips"]["n"] == 8
    assert cv2.imread(str(strip_run / "certainty.png")) is not None
    evaluate_strips(strip_run, out=tmp_path / "out")
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"evaluation.json", "certainty.png"}


def test_each_strip_is_read_at_its_own_width(strip_run: Path, tmp_path: Path) -> None:
    """What stands right of a strip's width is padding and must not be read."""
    other = tmp_path / "other"
    other.mkdir()
    for name in ("model.keras", "run.json"):
        (other / name).write_bytes((strip_run / name).read_bytes())
    with np.load(strip_run / "representative.npz") as kept:
        arrays = {name: kept[name].copy() for name in kept.files}
    arrays["heldback_images"][::2, :, 64:] = 255
    np.savez(other / "representative.npz", **arrays)
    ours, theirs = evaluate_strips(strip_run), evaluate_strips(other)
    assert ours.read == theirs.read
    assert ours.certainty.confidence == pytest.approx(theirs.certainty.confidence)


def test_what_cannot_judge_strips_is_said(strip_run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a strip network reads numbers"):
        report(strip_run, data=Path("mnist.npz"))
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("model.keras", "run.json"):
        (bare / name).write_bytes((strip_run / name).read_bytes())
    with pytest.raises(UsageError, match=r"representative.npz: missing"):
        report(bare)
    (bare / "representative.npz").write_bytes(b"no archive")
    with pytest.raises(ModelError, match="damaged"):
        report(bare)
    np.savez(
        bare / "representative.npz",
        heldback_images=np.zeros((0, 32, 64), np.uint8),
        heldback_widths=np.zeros(0, np.int64),
        heldback_texts=np.zeros(0, "<U4"),
    )
    with pytest.raises(UsageError, match="holds no strips back"):
        report(bare)
