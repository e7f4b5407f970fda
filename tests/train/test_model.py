"""The networks are the ones promised, and only sound files of digit networks are opened."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from edge.errors import ModelError, UsageError
from train.model import Architecture, build, compile_model, convnet, load, open_keras, transfer
from train.run import load_trained


def test_lecture_is_the_networks_of_the_lecture() -> None:
    network = build("lecture", 10)
    assert network.count_params() == 485_514
    kinds = [type(layer).__name__ for layer in network.layers]
    assert kinds == ["Conv2D", "MaxPooling2D", "Conv2D", "MaxPooling2D", "Flatten", "Dense", "Dense"]
    conv1, _, conv2, _, _, dense, last = network.layers
    assert [(c.filters, c.kernel_size, c.padding) for c in (conv1, conv2)] == [
        (64, (3, 3), "valid"),
        (128, (3, 3), "valid"),
    ]
    assert (dense.units, last.units) == (128, 10)
    assert [layer.activation.__name__ for layer in (conv1, conv2, dense, last)] == ["relu", "relu", "relu", "softmax"]


def test_an_unknown_network_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no such network; there is lecture, paper, teacher"):
        build("papyrus", 10)


@pytest.mark.parametrize("filters", [(16,), (16, 32), (16, 32, 64)])
def test_every_depth_the_search_tries_is_a_network(filters: tuple[int, ...]) -> None:
    network = convnet(Architecture(filters=filters, units=32, dropout=0.2), 10)
    assert network.output_shape == (None, 10)
    assert sum(type(layer).__name__ == "Conv2D" for layer in network.layers) == len(filters)


def test_transfer_freezes_what_it_takes_over_and_needs_a_flatten() -> None:
    new = transfer(build("lecture", 10), 4, freeze=True)
    assert new.output_shape == (None, 4)
    assert [layer.name for layer in new.layers if layer.trainable] == ["dense", "probabilities"]
    keras = open_keras()
    bare = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Reshape((784,)), keras.layers.Dense(10)])
    with pytest.raises(ModelError, match="no Flatten"):
        transfer(bare, 4, freeze=True)


def test_transfer_from_a_network_that_ends_in_a_mean_keeps_all_but_the_softmax() -> None:
    new = transfer(build("paper", 11), 4, freeze=True)
    assert new.output_shape == (None, 4)
    assert [layer.name for layer in new.layers if layer.trainable and layer.weights] == ["probabilities"]


def test_paper_is_small_and_its_teacher_is_not_so_small() -> None:
    paper, teacher = build("paper", 11), build("teacher", 11)
    assert paper.output_shape == teacher.output_shape == (None, 11)
    # As int8 a parameter is a byte, and some 8,000 are tensors' names, scales and operators: 50,000 is the limit.
    assert paper.count_params() < 41_500 < teacher.count_params()


def test_a_decay_of_weights_makes_it_adamw() -> None:
    network = build("paper", 11)
    compile_model(network, 0.003, weight_decay=0.001)
    assert type(network.optimizer).__name__ == "AdamW" and network.optimizer.weight_decay == 0.001
    compile_model(network, 0.001)
    assert type(network.optimizer).__name__ == "Adam" and float(network.optimizer.learning_rate) == pytest.approx(0.001)


def test_both_formats_load_with_adam_and_the_same_weights(trained: Path) -> None:
    keras_file, h5_file = load(trained / "model.keras"), load(trained / "model.h5")
    for network in (keras_file, h5_file):
        assert type(network.optimizer).__name__ == "Adam"
        # 540 digits in batches of 32 are 17 steps an epoch.
        assert int(network.optimizer.iterations) == 34
    for one, other in zip(keras_file.get_weights(), h5_file.get_weights(), strict=True):
        assert (one == other).all()
    for one, other in zip(keras_file.optimizer.variables, h5_file.optimizer.variables, strict=True):
        assert (one.numpy() == other.numpy()).all()


def network_of(*layers: Any, shape: tuple[int, ...] = (28, 28, 1)) -> Any:
    keras = open_keras()
    return keras.Sequential([keras.Input(shape), *layers])


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_code_in_a_file_is_not_run(tmp_path: Path, suffix: str) -> None:
    layers = open_keras().layers
    file = tmp_path / f"evil.{suffix}"
    network_of(layers.Lambda(lambda x: x), layers.Flatten(), layers.Dense(10, "softmax")).save(file)
    with pytest.raises(ModelError, match="Lambda layer, which is code"):
        load(file)


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_networks_for_other_things_are_refused(tmp_path: Path, suffix: str) -> None:
    layers = open_keras().layers
    file = tmp_path / f"other.{suffix}"
    network_of(layers.Flatten(), layers.Dense(10, "softmax"), shape=(32, 32, 3)).save(file)
    with pytest.raises(ModelError, match=r"takes \(None, 32, 32, 3\)"):
        load(file)
    network_of(layers.Flatten(), layers.Dense(10)).save(file, overwrite=True)
    with pytest.raises(ModelError, match="does not end in softmax"):
        load(file)
    network_of(layers.Flatten(), layers.Dense(10), layers.Softmax()).save(file, overwrite=True)
    assert load(file).output_shape == (None, 10)


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_broken_files_are_named(trained: Path, tmp_path: Path, suffix: str) -> None:
    whole = (trained / f"model.{suffix}").read_bytes()
    file = tmp_path / f"model.{suffix}"
    for content in (whole[: len(whole) // 2], b"", b"no model\n"):
        file.write_bytes(content)
        with pytest.raises(ModelError, match=rf"model.{suffix}: broken, or not a Keras model"):
            load(file)


def test_a_foreign_archive_is_named(tmp_path: Path) -> None:
    file = tmp_path / "foreign.keras"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", '{"class_name": "Evil", "module": "os"}')
    with pytest.raises(ModelError, match=r"foreign.keras: broken, or not a Keras model"):
        load(file)


def test_what_run_means(trained: Path, tmp_path: Path) -> None:
    assert load_trained(trained).labels == tuple("0123456789")
    assert load_trained(trained / "model.h5").record is not None
    for place, message in (
        (tmp_path, "holds neither model.keras nor model.h5"),
        (tmp_path / "nothing", "no such run folder"),
        (trained / "run.json", "not a run folder, .keras or .h5"),
    ):
        with pytest.raises(ModelError, match=message):
            load_trained(place)


def test_a_record_that_does_not_fit_its_model_is_refused(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_bytes((trained / "model.keras").read_bytes())
    text = (trained / "run.json").read_text()
    (tmp_path / "run.json").write_text(text.replace('"9"\n', '"9", "none"\n'))
    with pytest.raises(ModelError, match="10 outputs for 11 labels"):
        load_trained(tmp_path)
    for broken in (text[:100], text.replace('"settings"', '"sittings"'), text.replace('"epochs": 2', '"epochs": -1')):
        (tmp_path / "run.json").write_text(broken)
        with pytest.raises(ModelError, match=r"run.json: damaged"):
            load_trained(tmp_path)
    (tmp_path / "run.json").write_text(text.replace('"format": 1', '"format": 2'))
    with pytest.raises(ModelError, match="format 2 is not 1"):
        load_trained(tmp_path)
