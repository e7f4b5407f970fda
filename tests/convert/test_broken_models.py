"""Models broken on purpose: the gate, or the manifest, must catch each of them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def edit_manifest(model: Path, change: Callable[[dict[str, Any]], None]) -> None:
    manifest = model.with_suffix(".json")
    told = json.loads(manifest.read_text())
    change(told)
    manifest.write_text(json.dumps(told))


def swap_labels(model: Path, first: int, second: int) -> None:
    def swap(told: dict[str, Any]) -> None:
        labels = told["labels"]
        labels[first], labels[second] = labels[second], labels[first]

    edit_manifest(model, swap)


def with_content(model: Path, content: bytes) -> None:
    """Put other bytes into a model, and their sha256 into its manifest: the checksum does not help then."""
    model.write_bytes(content)
    edit_manifest(model, lambda told: told.update(sha256=hashlib.sha256(content).hexdigest()))


def weights_of(model: Path) -> tuple[bytes, int, int]:
    """A model's bytes, and where its largest weights start and end."""
    from ai_edge_litert import schema_py_generated as schema

    content = model.read_bytes()
    root = schema.ModelT.InitFromPackedBuf(content)
    largest = max((buffer.data for buffer in root.buffers if buffer.data is not None), key=len)
    start = content.index(np.asarray(largest, np.uint8).tobytes())
    return content, start, start + len(largest)


@pytest.fixture
def judged(edge_convert: Callable[..., Any], run_folder: Path, digits_file: Path) -> Callable[..., Any]:
    """Parity of one model on 200 digits."""
    return lambda model, *more: edge_convert("parity", run_folder, model, "--data", digits_file, "--limit", 200, *more)


@pytest.mark.parametrize("recipe", ["float32", "int8"])
def test_an_unbroken_copy_passes(judged: Callable[..., Any], own_model: Callable[[str], Path], recipe: str) -> None:
    assert judged(own_model(recipe)).code == 0


def test_swapped_labels_break_the_gate_after_everything_is_printed(
    judged: Callable[..., Any], own_model: Callable[[str], Path]
) -> None:
    model = own_model("int8")
    swap_labels(model, 3, 8)
    ended = judged(model)
    assert ended.code == 20
    assert re.search(r"lecture-int8 +litert", ended.out) and "recommended: none" in ended.out
    assert "points below Keras" in ended.err and "agrees with Keras on" in ended.err


def test_a_wrong_input_scale_in_the_manifest_is_caught(
    judged: Callable[..., Any], own_model: Callable[[str], Path]
) -> None:
    model = own_model("int8")
    edit_manifest(model, lambda told: told["input"].update(scale=1.0))
    ended = judged(model)
    assert ended.code == 20 and "its input is uint8" in ended.err


def test_a_wrong_scale_in_the_file_and_in_the_manifest_breaks_the_gate(
    judged: Callable[..., Any], own_model: Callable[[str], Path]
) -> None:
    from ai_edge_litert import schema_py_generated as schema

    model = own_model("int8")
    content = bytearray(model.read_bytes())
    root = schema.ModelT.InitFromPackedBuf(bytes(content))
    graph = root.subgraphs[0]
    # The input as the quantizer's own operator gets it: sixteen times too bright.
    told = np.float32(graph.tensors[graph.inputs[0]].quantization.scale[0])
    content = content.replace(told.tobytes(), np.float32(told * 16).tobytes())
    with_content(model, bytes(content))
    edit_manifest(model, lambda manifest: manifest["input"].update(scale=float(np.float32(told * 16))))
    assert judged(model).code == 20


@pytest.mark.parametrize("recipe", ["float32", "int8"])
def test_a_zeroed_layer_breaks_the_gate(
    judged: Callable[..., Any], own_model: Callable[[str], Path], recipe: str
) -> None:
    model = own_model(recipe)
    content, start, end = weights_of(model)
    with_content(model, content[:start] + bytes(end - start) + content[end:])
    ended = judged(model)
    assert ended.code == 20 and "points below Keras" in ended.err


def test_the_second_half_of_the_weights_lost_breaks_the_gate(
    judged: Callable[..., Any], own_model: Callable[[str], Path]
) -> None:
    model = own_model("float32")
    content, start, end = weights_of(model)
    middle = (start + end) // 2
    with_content(model, content[:middle] + bytes(end - middle) + content[end:])
    assert judged(model).code == 20


def test_a_file_cut_short_does_not_match_its_checksum(
    judged: Callable[..., Any], own_model: Callable[[str], Path]
) -> None:
    model = own_model("int8")
    model.write_bytes(model.read_bytes()[:-1000])
    ended = judged(model)
    assert ended.code == 4 and "sha256" in ended.err


@pytest.mark.parametrize("share", [0.0001, 0.5, 0.99])
def test_a_file_cut_short_is_caught_even_if_its_checksum_was_renewed(
    judged: Callable[..., Any], own_model: Callable[[str], Path], share: float
) -> None:
    model = own_model("int8")
    content = model.read_bytes()
    with_content(model, content[: int(len(content) * share)])
    ended = judged(model)
    assert ended.code == 20, ended.err  # refused, or the runtime crashed: in another process, so here it is a result


def test_one_bit_of_a_weight_does_not_match_the_checksum(
    judged: Callable[..., Any], own_model: Callable[[str], Path]
) -> None:
    model = own_model("int8")
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(bytes(content))
    assert judged(model).code == 4


def test_a_missing_manifest_is_said(judged: Callable[..., Any], own_model: Callable[[str], Path]) -> None:
    model = own_model("int8")
    model.with_suffix(".json").unlink()
    ended = judged(model)
    assert ended.code == 4 and "no manifest" in ended.err


def test_labels_of_another_run_are_refused(judged: Callable[..., Any], own_model: Callable[[str], Path]) -> None:
    model = own_model("int8")
    edit_manifest(model, lambda told: told.update(labels=list("ABCDEFGHIJ")))
    ended = judged(model)
    assert ended.code == 4 and "not a model of this run" in ended.err


def test_a_model_that_one_runtime_refuses_fails_unless_its_manifest_says_so(
    judged: Callable[..., Any], own_model: Callable[[str], Path], tflite_python: Path, run_folder: Path, tmp_path: Path
) -> None:
    import tensorflow as tf

    from convert.network import foreign_noise_held_back, load_network, with_logits

    model = own_model("dynamic")
    with foreign_noise_held_back():
        with_logits(load_network(run_folder / "model.keras")).export(tmp_path / "saved", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "saved"))
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        with_content(model, bytes(converter.convert()))
    ended = judged(model, "--runtime-python", tflite_python)
    assert ended.code == 20 and "version" in ended.err
    edit_manifest(model, lambda told: told.update(runtimes=["litert"]))
    ended = judged(model, "--runtime-python", tflite_python)
    assert ended.code == 0 and "its manifest does not name it" in ended.out


def test_a_page_shows_each_differing_digit_and_loads_nothing(
    edge_convert: Callable[..., Any],
    own_model: Callable[[str], Path],
    run_folder: Path,
    digits_file: Path,
    tmp_path: Path,
) -> None:
    model = own_model("float32")
    swap_labels(model, 3, 5)
    page, report = tmp_path / "parity.html", tmp_path / "parity.json"
    ended = edge_convert(
        "parity", run_folder, model, "--data", digits_file, "--limit", 100, "--html", page, "--report", report
    )
    assert ended.code == 20
    (figures,) = json.loads(report.read_text())["models"]
    html = page.read_text()
    assert html.count("<img ") == html.count("data:image/png;base64,iVBOR") == len(figures["differing"]) > 5
    assert not re.findall(r"(?:src|href)=\"(?!data:)|https?://|<script", html)
    for index in figures["differing"]:
        assert f"#{index}, is " in html
