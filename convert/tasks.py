"""What differs between converting models that read one digit and models that read a strip; all else is the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from convert.calibration import best_temperature, expected_of, sure_threshold
from convert.examples import SIDE, Examples, labelled_examples
from convert.gates import DIGIT_GATES, STRIP_GATES, Gates
from convert.judges import Chances, Judge, LabelJudge, TextJudge
from convert.network import keras_probabilities, with_logits
from convert.representative import calibration_digits, heldback_digits
from convert.run_folder import Run
from convert.strip_calibration import calibrated_strips
from convert.strip_examples import calibration_strips, heldback_strips
from convert.strip_network import keras_frames
from edge.errors import ModelError
from edge.inference.classifier import Classifier, softmax
from edge.inference.manifest import DIGITS, Manifest
from edge.inference.strip import LABELS, ROWS
from edge.values import NOT_A_DIGIT, Image


class Task(Protocol):
    """How models of one task are converted and judged.

    unit is what one input is called; gates what is asked unless said otherwise; shape a Keras network's input without
    the batch; outputs how many dimensions its output has; probe the smallest input (H, W, 1) that shows a file loads;
    exact_end whether an int8 model's last layer stays in float32.
    """

    name: str
    unit: str
    gates: Gates
    shape: tuple[int | None, ...]
    outputs: int
    probe: tuple[int, int, int]
    exact_end: bool

    def calibration(self, file: Path) -> tuple[Image, ...]:
        """Inputs (H, W, 1) uint8 in a run's representative.npz to learn ranges from. Raises ModelError."""

    def heldback(self, file: Path) -> Examples | None:
        """Inputs there that were never trained on; None without the file. Raises ModelError."""

    def ending_in_logits(self, network: Any) -> Any:
        """The Keras network as it is exported. Raises ModelError if it does not end as it should."""

    def calibrated(self, manifest: Manifest, content: bytes, heldback: Examples) -> Manifest:
        """The manifest with what makes confidence mean something, learnt from held-back inputs, at least one."""

    def examples(self, run: Run, labels: tuple[str, ...], data: Path | None) -> Examples:
        """What Keras and TFLite are compared on. Raises SourceError or ModelError if there is nothing."""

    def keras(self, network: Any, examples: Examples, labels: tuple[str, ...]) -> Chances:
        """What the Keras network, whose outputs are labels, says of the examples."""

    def chances(self, manifest: Manifest, logits: npt.NDArray[np.float32], labels: tuple[str, ...]) -> Chances:
        """The same, of a TFLite model's logits."""

    def judge(self, labels: tuple[str, ...]) -> Judge:
        """Who decides on them."""


class DigitTask:
    """One digit of 28×28 pixels, one label."""

    name, unit, gates = "digit", "digit", DIGIT_GATES
    shape: tuple[int | None, ...] = (SIDE, SIDE, 1)
    outputs, probe, exact_end = 2, (SIDE, SIDE, 1), False

    def calibration(self, file: Path) -> tuple[Image, ...]:
        """See Task."""
        return tuple(calibration_digits(file))

    def heldback(self, file: Path) -> Examples | None:
        """See Task."""
        return heldback_digits(file)

    def ending_in_logits(self, network: Any) -> Any:
        """See Task."""
        return with_logits(network)

    def calibrated(self, manifest: Manifest, content: bytes, heldback: Examples) -> Manifest:
        """The manifest with temperature, threshold, what to expect, held-back accuracy.

        Raises ModelError for foreign labels.
        """
        if heldback.labels.min() < 0 or heldback.labels.max() >= len(manifest.labels):
            raise ModelError(
                f"{manifest.name}: held-back labels go beyond the {len(manifest.labels)} of the run; train again"
            )
        logits = Classifier(manifest, content).logits(heldback.tensors)
        temperature = best_temperature(logits, heldback.labels)
        none = manifest.labels.index(NOT_A_DIGIT) if NOT_A_DIGIT in manifest.labels else None
        right = int((logits.argmax(axis=1) == heldback.labels).sum())
        threshold = sure_threshold(logits, heldback.labels, temperature, none=none)
        return replace(
            manifest,
            temperature=temperature,
            threshold=threshold,
            expected=expected_of(logits, heldback.labels, temperature, threshold, none=none),
            metrics={"heldback": {"n": len(heldback), "accuracy": round(100 * right / len(heldback), 3)}},
        )

    def examples(self, run: Run, labels: tuple[str, ...], data: Path | None) -> Examples:
        """Data, or MNIST's test half, or what was held back of a run that knows other labels."""
        if data is not None or set(DIGITS) <= set(labels):
            return labelled_examples(data, labels)
        heldback = heldback_digits(run.digits_file)
        if heldback is None:
            known = ", ".join(labels)
            raise ModelError(
                f"{run.digits_file}: missing, and MNIST has not the labels {known}; copy the run folder whole"
            )
        return heldback

    def keras(self, network: Any, examples: Examples, labels: tuple[str, ...]) -> Chances:
        """(n, labels) probabilities."""
        return keras_probabilities(network, examples.tensors)

    def chances(self, manifest: Manifest, logits: npt.NDArray[np.float32], labels: tuple[str, ...]) -> Chances:
        """(n, labels) probabilities in the run's order of labels."""
        return softmax(logits)[:, [manifest.labels.index(label) for label in labels]]

    def judge(self, labels: tuple[str, ...]) -> Judge:
        """See Task."""
        return LabelJudge(labels=labels)


class StripTask:
    """A line of digits, 32 pixels high and as wide as it is; one text."""

    name, unit, gates = "strip", "number", STRIP_GATES
    shape: tuple[int | None, ...] = (ROWS, None, 1)
    outputs, probe = 3, (ROWS, 32, 1)
    # Over its frames a network's logits span a hundred: in 256 steps of them one text in sixty becomes another.
    exact_end = True

    def calibration(self, file: Path) -> tuple[Image, ...]:
        """See Task."""
        return tuple(calibration_strips(file).inputs())

    def heldback(self, file: Path) -> Examples | None:
        """See Task."""
        return heldback_strips(file)

    def ending_in_logits(self, network: Any) -> Any:
        """The network itself: it was trained on logits."""
        return network

    def calibrated(self, manifest: Manifest, content: bytes, heldback: Examples) -> Manifest:
        """See Task."""
        return calibrated_strips(manifest, content, heldback)

    def examples(self, run: Run, labels: tuple[str, ...], data: Path | None) -> Examples:
        """The strips of data, a file like a run's representative.npz, or those that were held back of the run."""
        heldback = heldback_strips(data or run.digits_file)
        if heldback is None or not len(heldback):
            raise ModelError(f"{data or run.digits_file}: no held-back strips to compare on; copy the run folder whole")
        return heldback

    def keras(self, network: Any, examples: Examples, labels: tuple[str, ...]) -> Chances:
        """(n, T, 11) probabilities, digits in order and blank last; nan where a strip ended."""
        return keras_frames(network, examples)[:, :, [labels.index(label) for label in LABELS]]

    def chances(self, manifest: Manifest, logits: npt.NDArray[np.float32], labels: tuple[str, ...]) -> Chances:
        """The same."""
        shifted = np.exp(logits - logits.max(axis=2, keepdims=True))
        found: Chances = shifted / shifted.sum(axis=2, keepdims=True)
        return found

    def judge(self, labels: tuple[str, ...]) -> Judge:
        """See Task."""
        return TextJudge()


TASKS: dict[str, Task] = {task.name: task for task in (DigitTask(), StripTask())}
