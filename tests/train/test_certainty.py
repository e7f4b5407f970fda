"""How far a confidence can be trusted, against figures worked out by hand, and drawn for a run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import ModelError, ShapeError
from edge.inference.certainty import Certainty, heated
from train.evaluate import UNCALIBRATED, evaluate, find_calibration


def certainty(*items: tuple[float, bool]) -> Certainty:
    confidence, right = zip(*items, strict=True)
    return Certainty(name="test", confidence=np.array(confidence), right=np.array(right))


def test_ece_is_the_gap_in_each_bin_weighted_by_its_count() -> None:
    # Three in the last bin, 1.0 among them: mean 0.96 and all right; one in the seventh, and wrong.
    one = certainty((0.91, True), (0.97, True), (1.0, True), (0.65, False))
    assert one.ece == pytest.approx((3 * (1 - 0.96) + 0.65) / 4)
    assert [part.n for part in one.bins()] == [0, 0, 0, 0, 0, 0, 1, 0, 0, 3]
    assert one.bins()[9].right == 3 and one.bins()[9].confidence == pytest.approx(0.96)


def test_honest_confidence_has_no_error_and_boasting_has() -> None:
    rng = np.random.default_rng(1)
    confidence = rng.uniform(0.5, 1.0, 20_000)
    right = rng.uniform(size=20_000) < confidence
    honest = Certainty(name="honest", confidence=confidence, right=right)
    boasting = Certainty(name="boasting", confidence=np.sqrt(confidence), right=right)
    assert honest.ece < 0.01 < 0.1 < boasting.ece


def test_refusing_the_unsure_leaves_fewer_errors() -> None:
    one = certainty((0.99, True), (0.9, True), (0.8, False), (0.7, True), (0.6, False))
    refused, errors, confidence = one.curve()
    assert refused == pytest.approx([0.8, 0.6, 0.4, 0.2, 0.0])
    assert errors == pytest.approx([0, 0, 1 / 3, 1 / 4, 2 / 5])
    assert confidence == pytest.approx([0.99, 0.9, 0.8, 0.7, 0.6])
    assert (one.read_at(0.0).share, one.read_at(0.0).confidence) == pytest.approx((0.4, 0.9))
    assert (one.read_at(0.3).share, one.read_at(0.3).confidence) == pytest.approx((0.8, 0.7))
    assert one.read_at(0.5).share == 1.0


def test_equal_confidences_are_read_or_refused_together() -> None:
    one = certainty((0.9, True), (0.9, True), (0.9, False), (0.5, True))
    assert one.read_at(0.1).share == 0.0 and one.read_at(0.1).confidence == 1.0
    assert one.read_at(0.34).share == 1.0


def test_what_is_taken_for_no_digit_is_never_read() -> None:
    rows = np.array([[0.9, 0.1, 0.0], [0.05, 0.0, 0.95], [0.0, 0.7, 0.3], [0.2, 0.0, 0.8]], np.float32)
    one = Certainty.of("test", rows, np.array([0, 2, 0, 1]), ("0", "1", "none"))
    assert one.right.tolist() == [True, True, False, False]
    refused, errors, confidence = one.curve()
    assert refused == pytest.approx([0.75, 0.5]) and errors == pytest.approx([0, 0.5])
    assert confidence == pytest.approx([0.9, 0.7])
    assert one.read_at(1.0).share == 0.5, "half of them are no digits, it says"
    assert sum(part.n for part in one.bins()) == 4, "what it says of them has to be reliable all the same"


def test_where_nothing_is_taken_for_a_digit_nothing_is_read() -> None:
    one = Certainty.of("test", np.array([[0.1, 0.9]], np.float32), np.array([1]), ("0", "none"))
    assert one.read_at(0.01).share == 0.0 and one.ece == pytest.approx(0.1, abs=1e-6)


def test_a_higher_temperature_flattens_and_one_leaves_alone() -> None:
    rows = np.array([[0.9, 0.09, 0.01], [1.0, 0.0, 0.0]], np.float32)
    assert heated(rows, 1.0) == pytest.approx(rows, abs=1e-6)
    logits = np.log(rows[0]) / 2
    assert heated(rows, 2.0)[0] == pytest.approx(np.exp(logits) / np.exp(logits).sum(), abs=1e-6)
    assert heated(rows, 2.0)[0, 0] < 0.9


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(ShapeError, match="confidence for each"):
        Certainty(name="a", confidence=np.zeros(2), right=np.zeros(3, np.bool_))


def test_evaluate_draws_both_kinds_of_digits_and_says_what_can_be_read(trained: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    found = evaluate(run)
    assert [one.name for one in found.certainties] == ["test digits", "held back"]
    assert [len(one.right) for one in found.certainties] == [200, 60]
    assert found.certainties[0].right.mean() == pytest.approx(found.accuracy)
    assert cv2.imread(str(run / "certainty.png")) is not None
    content = json.loads((run / "evaluation.json").read_text())["certainty"]
    assert content[0]["ece"] == pytest.approx(found.certainties[0].ece)
    assert [row["error"] for row in content[0]["read_at"]] == [0.001, 0.005, 0.01]
    assert "ECE" in found.as_text() and "read at an error of" in found.as_text()


def test_confidence_is_calibrated_as_the_run_s_manifest_says(trained: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    assert find_calibration(run) == UNCALIBRATED
    raw = evaluate(run).certainties[0].confidence
    shipped = Path(__file__).parents[2] / "edge" / "inference" / "models" / "lecture.json"
    manifest = json.loads(shipped.read_text())
    (run / "lecture-int8.json").write_text(json.dumps(manifest | {"temperature": 2.0, "threshold": 0.91}))
    found = find_calibration(run)
    assert (found.temperature, found.threshold) == (2.0, 0.91) and "lecture-int8.json" in found.source
    calibrated = evaluate(run).certainties[0].confidence
    assert (calibrated <= raw + 1e-6).all() and calibrated.mean() < raw.mean() - 0.01


def test_a_damaged_file_of_held_back_digits_is_named(trained: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    (run / "representative.npz").write_bytes(b"no archive")
    with pytest.raises(ModelError, match=r"representative.npz: damaged"):
        evaluate(run)
