"""What a Keras strip network says of strips of many widths."""

from __future__ import annotations

from typing import Any

import numpy as np

from convert.examples import Examples
from convert.judges import Chances

# Strips of one width per call of the Keras model.
_BATCH = 64


def keras_frames(network: Any, strips: Examples) -> Chances:
    """(n, T, labels) float32 probabilities of the longest strip's T frames; nan beyond a shorter strip's end.

    Each strip is read at its own width, for padding would change what a network sees at its end.
    """
    inputs = list(strips.inputs())
    widths = np.array([strip.shape[1] for strip in inputs])
    answers: list[tuple[int, Chances]] = []
    for width in np.unique(widths).tolist():
        rows = np.flatnonzero(widths == width)
        for start in range(0, len(rows), _BATCH):
            part = rows[start : start + _BATCH].tolist()
            batch = np.stack([inputs[row] for row in part]).astype(np.float32) / 255
            logits = np.asarray(network(batch, training=False))
            chances = np.exp(logits - logits.max(axis=2, keepdims=True))
            answers += zip(part, chances / chances.sum(axis=2, keepdims=True), strict=True)
    longest = max((len(own) for _, own in answers), default=0)
    frames = np.full((len(inputs), longest, network.output_shape[2]), np.nan, np.float32)
    for row, own in answers:
        frames[row, : len(own)] = own
    return frames
