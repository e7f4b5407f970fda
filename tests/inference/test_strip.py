"""The strip reader: any width, calibrated, and refusing models that are not what they claim."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from edge.errors import ModelError, ShapeError
from edge.inference.classifier import Classifier
from edge.inference.manifest import BLANK, DIGITS
from edge.inference.shipped import find_model, shipped_models
from edge.inference.strip import StripReader
from edge.reading.reader import Reader


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the shipped strip model that a test may spoil."""
    for suffix in (".tflite", ".json"):
        shutil.copy(find_model(task="strip").with_suffix(suffix), tmp_path / f"model{suffix}")
    return tmp_path / "model.tflite"


def change(model: Path, **values: object) -> None:
    manifest = model.with_suffix(".json")
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | values))


def strip(width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (32, width, 1), np.uint8)


def test_the_shipped_model_is_small_and_stands_beside_the_digit_models() -> None:
    (model,) = shipped_models("strip")
    assert (model.name, model.default) == ("strip", False)
    assert model.file.stat().st_size <= 200_000
    assert all(other.task == "digit" for other in shipped_models() if other != model)
    assert StripReader.open().manifest.runtimes == ("litert", "tflite")


def test_any_width_gives_frames_that_do_not_depend_on_what_was_read_before() -> None:
    reader = StripReader.open()
    first = {width: reader.logits(strip(width)) for width in (32, 160, 48)}
    for width in (160, 32, 48):
        assert (reader.logits(strip(width)) == first[width]).all()
        assert first[width].shape == (width // 4, len(DIGITS) + 1)


def test_views_of_one_strip_are_read_together() -> None:
    reader = StripReader.open()
    views = [strip(64), strip(80), strip(64, 1)]
    found = reader.read(views)
    assert found == reader.predict([reader.frames(view) for view in views])
    assert 0 <= found.confidence <= 1 and found.margin >= 0
    assert all(share <= found.confidence for _, share in found.alternatives)


def test_a_texture_of_more_digits_than_any_number_has_is_nothing() -> None:
    frames = np.full((200, 11), 1e-4)
    frames[np.arange(200), np.where(np.arange(200) % 2, 10, np.arange(200) % 7)] = 0.999
    found = StripReader.open().predict([frames])
    assert (found.text, found.confidence, found.digits) == ("", 0.0, ())


@pytest.mark.parametrize("wrong", [np.zeros((32, 64), np.uint8), np.zeros((28, 64, 1), np.uint8), strip(64) / 255.0])
def test_strips_of_other_shapes_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ShapeError, match="a strip is"):
        StripReader.open().logits(wrong)


def test_each_model_is_told_which_flag_it_belongs_to() -> None:
    with pytest.raises(ModelError, match="goes with --model"):
        StripReader.open("lecture")
    with pytest.raises(ModelError, match="goes with --strip-model"):
        Classifier.open("strip")
    with pytest.raises(ModelError, match="goes with --model"):
        Reader.open(mode="digit", strip_model="lecture")
    with pytest.raises(ModelError, match=r"neither a shipped model \(strip\)"):
        StripReader.open("strap")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"preprocessing": "strip32/999"}, "preprocessing 'strip32/999'"),
        ({"labels": [*DIGITS, "none"]}, "convert the right model"),
        ({"labels": list(DIGITS)}, "convert the right model"),
        ({"sha256": "0" * 64}, "sha256"),
        ({"input": {"shape": [1, 32, -1, 1], "dtype": "uint8", "scale": 0.5, "zero_point": 0}}, "its manifest says"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(copy: Path, values: dict[str, object], message: str) -> None:
    change(copy, **values)
    with pytest.raises(ModelError, match=message):
        StripReader.open(copy)


def test_a_digit_model_that_calls_itself_a_strip_model_is_refused(copy: Path) -> None:
    shutil.copy(find_model("lecture"), copy)
    shutil.copy(find_model("lecture").with_suffix(".json"), copy.with_suffix(".json"))
    change(copy, task="strip", preprocessing="strip32/1", labels=[*DIGITS, BLANK])
    with pytest.raises(ModelError, match="a strip model takes"):
        StripReader.open(copy)


def test_labels_in_another_order_are_put_right(copy: Path) -> None:
    straight = StripReader.open(copy).logits(strip(64))
    change(copy, labels=[BLANK, *reversed(DIGITS)])
    turned = StripReader.open(copy).logits(strip(64))
    assert (turned == straight[:, ::-1]).all()


def test_the_shipped_strip_model_is_opened_when_a_number_is_read_and_not_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[object] = []
    real = StripReader.open
    monkeypatch.setattr(StripReader, "open", lambda model=None: opened.append(model) or real(model))
    page = np.full((40, 100), 200, np.uint8)
    Reader.open(mode="digit").read(page)
    number = Reader.open(mode="number")
    assert not opened
    number.read(page)
    number.read(page)
    assert opened == [None]
    Reader.open(mode="digit", strip_model="strip")
    assert opened == [None, "strip"]
