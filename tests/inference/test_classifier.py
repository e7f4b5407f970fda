"""The classifier: calibrated, quantized as the manifest says, and refusing models that are not what they claim."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from edge.errors import ModelError, ShapeError
from edge.inference.classifier import Classifier, softmax
from edge.inference.manifest import Manifest
from edge.inference.runtime import open_interpreter
from edge.inference.shipped import find_model, shipped_models
from edge.sources.digits import load_digits


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the shipped default model that a test may spoil."""
    source = find_model()
    for suffix in (".tflite", ".json"):
        shutil.copy(source.with_suffix(suffix), tmp_path / f"model{suffix}")
    return tmp_path / "model.tflite"


def change(model: Path, **values: object) -> None:
    manifest = model.with_suffix(".json")
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | values))


def test_shipped_digits_are_read_as_the_manifest_promises() -> None:
    images, labels = load_digits()
    classifier = Classifier.open()
    found = classifier.probabilities(images[:1000, :, :, None]).argmax(axis=1)
    right = np.mean([classifier.labels[i] == str(label) for i, label in zip(found, labels[:1000], strict=True)])
    assert right >= 0.975


def test_predict_probabilities_and_the_bare_interpreter_agree() -> None:
    images = load_digits()[0][:50, :, :, None]
    classifier = Classifier.open()
    table = classifier.probabilities(images)
    manifest = classifier.manifest
    interpreter = open_interpreter(find_model().read_bytes())
    source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    for image, row, prediction in zip(images, table, classifier.predict(images), strict=True):
        interpreter.set_tensor(source["index"], image[None])
        interpreter.invoke()
        raw = interpreter.get_tensor(sink["index"])[0].astype(np.float64)
        logits = manifest.output.scale * (raw - manifest.output.zero_point) / manifest.temperature
        expected = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
        assert row == pytest.approx(expected, abs=1e-5)
        assert prediction.label == classifier.labels[int(row.argmax())]
        assert prediction.confidence == pytest.approx(float(row.max()), abs=1e-5)
        assert [share for _, share in prediction.alternatives] == sorted(
            (share for _, share in prediction.alternatives), reverse=True
        )


@pytest.mark.parametrize("name", ["paper", "lecture"])
def test_many_digits_at_once_are_read_as_each_alone(name: str) -> None:
    images = load_digits()[0][50:85, :, :, None]
    classifier = Classifier.open(name)
    alone = tuple(classifier.predict(image[None])[0] for image in images)
    assert classifier.predict(images) == alone
    assert classifier.predict(images[:16]) == alone[:16]
    assert np.array_equal(
        classifier.logits(images), np.concatenate([classifier.logits(image[None]) for image in images])
    )


def test_a_higher_temperature_is_less_sure_and_reads_the_same(copy: Path) -> None:
    images = load_digits()[0][:50, :, :, None]
    cool = Classifier.open(copy).predict(images)
    change(copy, temperature=json.loads(copy.with_suffix(".json").read_text())["temperature"] * 3)
    warm = Classifier.open(copy).predict(images)
    assert [p.label for p in cool] == [p.label for p in warm]
    assert np.mean([p.confidence for p in warm]) < np.mean([p.confidence for p in cool])


def test_a_damaged_model_is_named(copy: Path) -> None:
    content = bytearray(copy.read_bytes())
    content[len(content) // 2] ^= 1
    copy.write_bytes(content)
    with pytest.raises(ModelError, match=r"sha256.*copy both files again"):
        Classifier.open(copy)


def test_a_missing_manifest_is_named(copy: Path) -> None:
    copy.with_suffix(".json").unlink()
    with pytest.raises(ModelError, match=r"model\.json: no manifest beside the model"):
        Classifier.open(copy)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"preprocessing": "ink28/999"}, "preprocessing 'ink28/999'"),
        ({"task": "strip", "preprocessing": "strip32/1"}, "a digit model is needed"),
        ({"labels": [str(n) for n in range(9)]}, "for its labels"),
        ({"labels": ["0"] * 10}, "labels must be present and different"),
        ({"temperature": 0}, "temperature"),
        ({"temperature": "warm"}, "garbles"),
        ({"threshold": 7}, "threshold"),
        ({"input": {"shape": [1, 28, 28, 1], "dtype": "uint8", "scale": 0.5, "zero_point": 0}}, "its input is"),
        ({"input": None}, "lacks or garbles"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(copy: Path, values: dict[str, object], message: str) -> None:
    change(copy, **values)
    with pytest.raises(ModelError, match=message):
        Classifier.open(copy)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b'{"name": "x"}', b"[" * 100_000])
def test_a_garbled_manifest_is_refused(copy: Path, content: bytes) -> None:
    copy.with_suffix(".json").write_bytes(content)
    with pytest.raises(ModelError):
        Classifier.open(copy)


def test_labels_that_are_not_the_ten_digits_do_not_read_numbers(copy: Path) -> None:
    from edge.reading.reader import Reader

    change(copy, labels=list("abcdefghijk"))
    assert Classifier.open(copy).predict(load_digits()[0][:1, :, :, None])[0].label in "abcdefghijk"
    with pytest.raises(ModelError, match="not the ten digits"):
        Reader.open(model=copy)


@pytest.mark.parametrize("content", [b"", b"no model at all, but long enough", b"\x1c\0\0\0TFL3" + b"\0" * 40])
def test_what_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(ModelError):
        open_interpreter(content)


def test_unknown_names_list_what_ships() -> None:
    with pytest.raises(ModelError, match="lecture"):
        Classifier.open("lectrue")


def test_exactly_one_model_is_the_default() -> None:
    assert [model.default for model in shipped_models()].count(True) == 1
    assert all(model.file.is_absolute() for model in shipped_models())


def test_tensors_of_other_shapes_are_refused() -> None:
    classifier = Classifier.open()
    for wrong in (np.zeros((1, 28, 28), np.uint8), np.zeros((1, 28, 28, 1), np.float32)):
        with pytest.raises(ShapeError, match="tensors are"):
            classifier.predict(wrong)
    assert classifier.predict(np.zeros((0, 28, 28, 1), np.uint8)) == ()
    assert classifier.probabilities(np.zeros((0, 28, 28, 1), np.uint8)).shape == (0, len(classifier.labels))


def test_softmax_of_large_numbers() -> None:
    assert softmax(np.array([[1000.0, 0.0]], np.float32)) == pytest.approx(np.array([[1.0, 0.0]]))


def test_a_manifest_reads_back_as_written(tmp_path: Path) -> None:
    manifest = Manifest.read(find_model().with_suffix(".json"))
    manifest.write(tmp_path / "again.json")
    assert Manifest.read(tmp_path / "again.json") == manifest
    assert [path.name for path in tmp_path.iterdir()] == ["again.json"]
