"""What is said of a network is true: figures, tables, pictures and probabilities."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import ModelError, SourceError, UsageError
from train.data import Data, as_input, one_hot
from train.evaluate import Evaluation, evaluate
from train.explore import explore, explore_augmented
from train.judge import mistakes, predict
from train.model import load
from train.run import Record


def test_evaluation_agrees_with_keras_and_leaves_json_and_picture(trained: Path, small: Data, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    found = evaluate(run)
    network = load(run / "model.keras")
    loss, accuracy = network.evaluate(as_input(small.x_test), one_hot(small.y_test, 10), verbose=0)
    assert found.accuracy == pytest.approx(accuracy) and found.loss == pytest.approx(loss, rel=1e-4)
    read = network.predict(as_input(small.x_test), verbose=0).argmax(axis=1)
    assert found.confusion[1, 1] == ((read == 1) & (small.y_test == 1)).sum()
    assert found.confusion[4, 9] == ((read == 9) & (small.y_test == 4)).sum()
    content = json.loads((run / "evaluation.json").read_text())
    assert content["n"] == 200 and content["confusion"] == found.confusion.tolist()
    assert content["low"] < content["accuracy"] == found.accuracy < content["high"]
    seven = content["digits"][7]
    assert seven["n"] == (small.y_test == 7).sum()
    assert seven["recall"] == pytest.approx((read[small.y_test == 7] == 7).mean())
    assert seven["precision"] == pytest.approx((small.y_test[read == 7] == 7).mean())
    assert cv2.imread(str(run / "confusion.png")) is not None
    assert Record.read(run).metrics["custom-test"]["accuracy"] == found.accuracy


def test_a_label_never_read_has_no_precision() -> None:
    confusion = np.array([[3, 1, 0], [0, 2, 0], [1, 0, 0]])
    found = Evaluation(labels=("a", "b", "c"), confusion=confusion, loss=0.5, data="folder", sha256="0")
    rows = json.loads(found.as_json())["digits"]
    assert (rows[2]["precision"], rows[2]["recall"], rows[0]["recall"]) == (None, 0.0, 0.75)
    assert "accuracy  71.43%  (5 of 7" in found.as_text()
    assert found.as_text().splitlines()[-1].split() == ["c", "1", "–", "0.00%"]


def test_a_bare_model_file_is_judged_into_a_named_folder(trained: Path, small_file: Path, tmp_path: Path) -> None:
    model = tmp_path / "mine.h5"
    shutil.copy(trained / "model.h5", model)
    found = evaluate(model, data=small_file, out=tmp_path / "out")
    assert found.n == 200
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"evaluation.json", "confusion.png", "certainty.png"}


def test_predict_prints_a_line_a_label_in_order(trained: Path, small: Data, tmp_path: Path) -> None:
    lines = predict(trained, index=0).splitlines()
    assert [line.partition(": ")[0] for line in lines] == list("0123456789")
    shares = [float(line.partition(": ")[2].removesuffix("%")) for line in lines]
    assert sum(shares) == pytest.approx(100, abs=1e-3)
    truth = load(trained / "model.keras").predict(as_input(small.x_test[:1]), verbose=0)[0]
    assert np.allclose(shares, truth * 100, atol=1e-3)
    cv2.imwrite(str(tmp_path / "digit.png"), small.x_test[0])
    assert predict(trained / "model.h5", picture=tmp_path / "digit.png").splitlines() == lines


def test_predict_wants_one_digit_that_exists(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="either a picture or --index"):
        predict(trained)
    with pytest.raises(UsageError, match="either a picture or --index"):
        predict(trained, index=0, picture=tmp_path / "a.png")
    with pytest.raises(UsageError, match="no test digit 200; they count from 0 to 199"):
        predict(trained, index=200)
    with pytest.raises(SourceError, match=r"a.png"):
        predict(trained, picture=tmp_path / "a.png")
    with pytest.raises(ModelError, match="holds neither"):
        predict(tmp_path, index=0)


def test_mistakes_are_counted_drawn_and_shown(trained: Path, small: Data, tmp_path: Path) -> None:
    read = load(trained / "model.keras").predict(as_input(small.x_test), verbose=0).argmax(axis=1)
    wrong = np.flatnonzero(read != small.y_test)
    assert len(wrong) > 24, "the test needs a network that still errs"
    text = mistakes(trained, show=(3, 7), output=tmp_path / "first.png")
    lines = text.splitlines()
    assert lines[0] == f"{len(wrong)} of 200 digits misread ({len(wrong) / 200:.2%})"
    rows = [line.split() for line in lines[4:28]]
    assert [int(row[0]) for row in rows] == wrong[:24].tolist()
    assert [(int(row[1]), int(row[2])) for row in rows] == [(read[i], small.y_test[i]) for i in wrong[:24]]
    assert f"#3, is {small.y_test[3]}" in lines and f"#7, is {small.y_test[7]}" in lines
    shares = [float(line.split()[1].rstrip("%")) for line in lines[-10:]]
    truth = load(trained / "model.keras").predict(as_input(small.x_test[7:8]), verbose=0)[0]
    # Only nearly: in a batch of another size sums round differently.
    assert np.allclose(shares, truth * 100, atol=1e-3)
    picture = cv2.imread(str(tmp_path / "first.png"))
    assert picture is not None
    random = mistakes(trained, seed=2, output=tmp_path / "random.png").splitlines()[4:]
    assert random != lines[4:28] and {int(row.split()[0]) for row in random} <= set(wrong.tolist())
    with pytest.raises(UsageError, match="no test digit 999"):
        mistakes(trained, show=(999,), output=tmp_path / "never.png")


def test_explore_tells_shapes_and_counts_and_draws_24_seeded(small_file: Path, small: Data, tmp_path: Path) -> None:
    text = explore(small_file, seed=1, output=tmp_path / "new" / "a.png")
    assert "x_train  (600, 28, 28)" in text and "y_test   (200,)" in text
    ones = int((small.y_train == 1).sum())
    assert any(line.split() == ["1", str(ones), str((small.y_test == 1).sum())] for line in text.splitlines())
    explore(small_file, seed=1, output=tmp_path / "same.png")
    explore(small_file, seed=2, output=tmp_path / "other.png")
    drawn = (tmp_path / "new" / "a.png").read_bytes()
    assert drawn == (tmp_path / "same.png").read_bytes() != (tmp_path / "other.png").read_bytes()


@pytest.mark.parametrize("model", ["paper", "strip"])
def test_what_a_network_is_shown_is_drawn(model: str, small_file: Path, tmp_path: Path) -> None:
    text = explore_augmented(model, small_file, seed=1, output=tmp_path / "new" / "a.png")
    assert str(tmp_path / "new" / "a.png") in text
    explore_augmented(model, small_file, seed=2, output=tmp_path / "other.png")
    drawn, other = (cv2.imread(str(place)) for place in (tmp_path / "new" / "a.png", tmp_path / "other.png"))
    assert drawn.shape[1] > 800 and drawn.min() < 60
    assert drawn.shape != other.shape or (drawn != other).any()


def test_the_lecture_s_network_sees_the_digits_as_they_are(small_file: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--augmented --model lecture: learns from the digits as they are"):
        explore_augmented("lecture", small_file, seed=1, output=tmp_path / "a.png")
