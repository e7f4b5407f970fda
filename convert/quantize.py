"""A run and a recipe become NAME.tflite and NAME.json, calibrated by the edge's own readers."""

from __future__ import annotations

import hashlib
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from convert.calibration import LOWEST_THRESHOLD
from convert.network import check_shapes, foreign_noise_held_back, load_network
from convert.recipes import RECIPES, Recipe
from convert.run_folder import Run
from convert.runtimes import RuntimeAt, loads_in, this_runtime
from convert.tasks import TASKS
from edge.errors import ModelError, SinkError
from edge.inference.manifest import Manifest, TensorSpec
from edge.inference.runtime import open_interpreter
from edge.values import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantized:
    """One written model: its file, its manifest and its size in bytes."""

    file: Path
    manifest: Manifest
    size: int


def quantize(
    run: Run, recipes: Sequence[Recipe], out: Path, *, others: Sequence[RuntimeAt] = ()
) -> Iterator[Quantized]:
    """Write MODEL-RECIPE.tflite and MODEL-RECIPE.json into out for each recipe, and yield each as soon as it is there.

    others are interpreters, beside this one, in which it is tried whether the file loads. Everything a recipe needs is
    checked before the first file is written. Raises ModelError for a run that cannot be quantized, SinkError for an out
    that cannot be written.
    """
    task = TASKS[run.task]
    inputs = task.calibration(run.digits_file) if any(recipe.needs_digits for recipe in recipes) else ()
    heldback = task.heldback(run.digits_file)
    network = load_network(run.model_file)
    check_shapes(network, run.model_file, task.shape, task.outputs)
    labels = run.labels_for(network.output_shape[-1])
    _make_folder(out)
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "saved"
        _export(task.ending_in_logits(network), saved)
        for recipe in recipes:
            content = to_tflite(saved, recipe, inputs, exact_end=task.exact_end)
            manifest = _manifest(run, recipe, labels, content)
            if heldback is not None and len(heldback):
                manifest = task.calibrated(manifest, content, heldback)
            yield _write(out, manifest, content, recipe, others)


def to_tflite(saved: Path, recipe: Recipe, inputs: Sequence[Image], *, exact_end: bool = False) -> bytes:
    """The .tflite bytes of a SavedModel by a recipe; inputs (H, W, 1) uint8 to learn ranges from where it needs them.

    exact_end leaves the last convolution of an int8 model, and the model's input and output, in float32.

    Raises ModelError if TensorFlow's converter refuses.
    """
    with foreign_noise_held_back():
        import tensorflow as tf

        converter = tf.lite.TFLiteConverter.from_saved_model(str(saved))
        if recipe.weights != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if recipe.weights == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if recipe.weights == "int8" and recipe.activations == "float32":
            # Without it the dense layers are of a version that tflite-runtime 2.14 does not know; accuracy is the same.
            converter._experimental_disable_per_channel_quantization_for_dense_layers = True
        if recipe.needs_digits:
            converter.representative_dataset = lambda: ([one[None].astype(np.float32) / 255] for one in inputs)
            integer_only = {
                "int8": tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
                "int16": tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
            }
            converter.target_spec.supported_ops = [integer_only[recipe.activations]]
            converter.inference_input_type = converter.inference_output_type = tf.dtypes.as_dtype(recipe.boundary)
        try:
            exact = exact_end and recipe.activations == "int8"
            content: bytes = _with_exact_end(tf, converter, saved) if exact else converter.convert()
        except Exception as error:  # the converter has an error class of its own for each of its layers
            reason = " ".join(str(error).split())[:300]
            raise ModelError(f"recipe {recipe.name}: TensorFlow does not convert this network: {reason}") from error
    return content


def _with_exact_end(tf: Any, converter: Any, saved: Path) -> bytes:
    """What an int8 converter makes of a SavedModel, its last convolution and the reshaping after it left in float32.

    A converter itself quantizes all or nothing; TensorFlow's debugger of quantization can leave layers out, by name.
    """
    plain = open_interpreter(to_tflite(saved, RECIPES["float32"], ()))
    names = {details["index"]: details["name"] for details in plain.get_tensor_details()}
    operators: list[dict[str, Any]] = getattr(plain, "_get_ops_details", list)()
    last = [names[op["outputs"][0]] for op in operators if op["op_name"] == "CONV_2D"][-1]
    converter.inference_input_type = converter.inference_output_type = tf.float32
    options = tf.lite.experimental.QuantizationDebugOptions(denylisted_nodes=[last], denylisted_ops=["RESHAPE"])
    with warnings.catch_warnings(action="ignore"):  # of the interpreter that it opens, which TensorFlow will drop
        debugger = tf.lite.experimental.QuantizationDebugger(
            converter=converter, debug_dataset=converter.representative_dataset, debug_options=options
        )
        content: bytes = debugger.get_nondebug_quantized_model()
    return content


def _export(network: Any, saved: Path) -> None:
    """Write a network as SavedModel with one picture as input, of any width if the network takes any.

    The detour freezes the variables: straight from Keras, calibrating for int8 fails at READ_VARIABLE. The fixed batch
    keeps shapes out of the graph that tflite-runtime would have to compute.
    """
    with foreign_noise_held_back():
        import keras

        one = keras.InputSpec(shape=(1, *network.input_shape[1:]), dtype="float32", name="ink")
        network.export(saved, format="tf_saved_model", input_signature=[one], verbose=False)


def _manifest(run: Run, recipe: Recipe, labels: tuple[str, ...], content: bytes) -> Manifest:
    interpreter = open_interpreter(content)
    return Manifest(
        name=f"{run.name}-{recipe.name}",
        task=run.task,
        sha256=hashlib.sha256(content).hexdigest(),
        input=TensorSpec.of(interpreter.get_input_details()[0]),
        output=TensorSpec.of(interpreter.get_output_details()[0]),
        output_kind="logits",
        labels=labels,
        preprocessing=run.preprocessing,
        threshold=LOWEST_THRESHOLD,
        training=run.training,
        recipe=recipe.name,
    )


def _write(out: Path, manifest: Manifest, content: bytes, recipe: Recipe, others: Sequence[RuntimeAt]) -> Quantized:
    file = out / f"{manifest.name}.tflite"
    part = out / f"{manifest.name}.tflite.part"
    try:
        part.write_bytes(content)
        part.replace(file)
        manifest = replace(manifest, runtimes=_runtimes(file, manifest, recipe, others))
        manifest.write(file.with_suffix(".json"))
    except OSError as error:
        raise SinkError(f"{file}: cannot be written: {error.strerror}; choose another --out") from error
    return Quantized(file=file, manifest=manifest, size=len(content))


def _runtimes(file: Path, manifest: Manifest, recipe: Recipe, others: Sequence[RuntimeAt]) -> tuple[str, ...]:
    """Where the file loads: tried in the interpreters at hand, otherwise as known of the recipe."""
    tried = {this_runtime().name: True}  # the manifest was made from its tensors
    tried |= {other.name: loads_in(other, file, manifest, TASKS[manifest.task].probe) for other in others}
    known = [name for name in recipe.known_good if name not in tried]
    return tuple(sorted([name for name, loads in tried.items() if loads] + known))


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(f"{out}: cannot be made a folder: {error.strerror}; choose another --out") from error
