"""Confidence of whole texts that means something: a strip model's temperature and threshold from held-back strips."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from convert.calibration import COLDEST, HOTTEST, smallest, threshold_for
from convert.examples import Examples
from edge.imaging.strips import BUCKET, PAD
from edge.inference.ctc import Ranked, rank
from edge.inference.manifest import Expected, Manifest
from edge.inference.strip import ROWS, StripReader
from edge.reading.line import SURE_AT_A_GLANCE, VIEWS
from edge.values import Image

# Held-back strips are nearly as hard as paper: of cheques that were as sure, half as many again were wrong, some of
# them by their label alone. Whatever is held back, a text that is wrong once in four is not read.
LOWEST_THRESHOLD = 0.75
WRONG_ALLOWED = 0.016
# A text taken for impossible and right, or the other way round, shall not outweigh all others.
_LEAST = 1e-4


def calibrated_strips(manifest: Manifest, content: bytes, heldback: Examples) -> Manifest:
    """The manifest with temperature, threshold, what to expect and the percentage of held-back texts that are right.

    Each strip is read as the edge reads it: at a glance, and in more views if that is not sure.
    """
    reader = StripReader(manifest, content)
    found = [_read(reader, strip) for strip in heldback.inputs()]
    right = np.array([said.texts[0] == text for said, text in zip(found, heldback.labels.tolist(), strict=True)])
    temperature = best_text_temperature(found, right)
    confidence = np.array([said.shares(temperature)[0] for said in found])
    threshold = threshold_for(confidence, ~right, allowed=WRONG_ALLOWED, lowest=LOWEST_THRESHOLD)
    nothing = np.array([not said.texts[0] for said in found])
    return replace(
        manifest,
        temperature=temperature,
        threshold=threshold,
        expected=Expected(
            n=len(found),
            confidence=min(1.0, float(confidence.mean())),
            unsure=float((nothing | (confidence < threshold)).mean()),
            none=float(nothing.mean()),
        ),
        metrics={"heldback": {"n": len(heldback), "accuracy": round(100 * float(right.mean()), 3)}},
    )


def best_text_temperature(found: Sequence[Ranked], right: npt.NDArray[np.bool_]) -> float:
    """The temperature at which confidences tell best (log-likelihood) which first texts (n,) are right."""

    def loss(cold: float) -> float:
        confidence = np.array([said.shares(1 / cold)[0] for said in found])
        return -float(np.log(np.maximum(np.where(right, confidence, 1 - confidence), _LEAST)).mean())

    return round(1 / smallest(loss, 1 / HOTTEST, 1 / COLDEST), 4)


def _read(reader: StripReader, strip: Image) -> Ranked:
    """What the edge makes of a (32, W, 1) strip."""
    first = reader.frames(stretched(strip, *VIEWS[0]))
    glance = rank([first])
    if glance.margin >= SURE_AT_A_GLANCE:
        return glance
    return rank([first, *(reader.frames(stretched(strip, *view)) for view in VIEWS[1:])])


def stretched(strip: Image, width: float, height: float) -> Image:
    """Another view (32, W', 1) of a (32, W, 1) strip, as near as can be to what its ink would have given."""
    columns = BUCKET * math.ceil(((strip.shape[1] - 2 * PAD) * width + 2 * PAD) / BUCKET)
    middle = (ROWS - 1) / 2
    matrix = np.array([[width, 0.0, PAD * (1 - width)], [0.0, height, middle * (1 - height)]])
    return np.asarray(cv2.warpAffine(strip, matrix, (columns, ROWS), flags=cv2.INTER_LINEAR))[:, :, None]
