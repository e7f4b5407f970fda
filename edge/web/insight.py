"""What the networks saw of the newest frame, as JSON for a page: ink, pieces, 28x28 tensors, and what they said."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any, Protocol

import cv2
import numpy as np

from edge.live.loop import Step
from edge.reading.evidence import Evidence, SeenDigit, SeenStrip, Trace
from edge.values import NOT_A_DIGIT, Box, Digit, Image, Reading

MOST_READINGS = 12  # a page full of numbers is not understood at a glance anyway


class TracingReader(Protocol):
    """Turns pixels into readings and notes how."""

    @property
    def threshold(self) -> float:
        """The confidence from which a reading is sure."""

    def read(self, pixels: Image, trace: Trace | None = None) -> tuple[Reading, ...]:
        """Readings of pixels (H, W) grey or (H, W, 3) BGR uint8."""


class InsightMaker:
    """Reads the newest frame once more, noting what was seen; call it again and again, None is no newer frame.

    It has a reader of its own, opened when somebody first looks: an interpreter serves one thread.
    """

    def __init__(
        self, newest: Callable[[], Step | None], open_reader: Callable[[], TracingReader], roi: Box | None
    ) -> None:
        self._newest = newest
        self._open_reader = open_reader
        self._roi = roi
        self._reader: TracingReader | None = None
        self._made_of: Step | None = None

    def forget_reader(self) -> None:
        """Open a new one for the next look: the run reads with other settings now."""
        self._reader = None

    def __call__(self) -> str | None:
        """JSON: frame, threshold, and for each of at most 12 readings what `seen_json` has."""
        step, reader = self._newest(), self._reader
        if step is None or step is self._made_of:
            return None
        if reader is None:
            self._reader = reader = self._open_reader()
        self._made_of = step
        trace = Trace()
        pixels, roi = step.frame.pixels, self._roi
        if roi is not None:
            pixels = np.ascontiguousarray(pixels[roi.top : roi.bottom, roi.left : roi.right])
        readings = reader.read(pixels, trace)
        found = [(reading, trace.of(reading)) for reading in readings if reading.status != "empty"]
        content = {
            "frame": step.frame.index,
            "threshold": round(reader.threshold, 4),
            "readings": [seen_json(reading, evidence) for reading, evidence in found[:MOST_READINGS]],
            "more": max(0, len(found) - MOST_READINGS),
        }
        return json.dumps(content)


def seen_json(reading: Reading, evidence: Evidence | None) -> dict[str, Any]:
    """One reading and what the networks saw: pictures as base64 PNG, dark ink on white, tensors as 784 base64 bytes.

    digits: what the digit network got, each with its probabilities; strip: what the number network got.
    """
    said = {"text": reading.text, "confidence": round(reading.confidence, 4), "status": reading.status}
    if evidence is None:
        return {**said, "doubts": [], "ink": None, "digits": [], "strip": None}
    return {
        **said,
        "doubts": list(evidence.doubts),
        "ink": {"png": _png(evidence.ink), "boxes": [box.as_list() for box in evidence.boxes]},
        "digits": [_digit_json(seen) for seen in evidence.digits],
        "strip": _strip_json(evidence.strip, reading.digits) if evidence.strip else None,
    }


def _digit_json(seen: SeenDigit) -> dict[str, Any]:
    said = seen.prediction
    shares = {said.label: said.confidence, **dict(said.alternatives)}
    ranked = sorted(shares.items(), key=lambda pair: (pair[0] == NOT_A_DIGIT, pair[0]))
    return {
        "label": said.label,
        "confidence": round(said.confidence, 4),
        "tensor": base64.b64encode(np.ascontiguousarray(seen.tensor).tobytes()).decode(),
        "shares": [[label, round(share, 3)] for label, share in ranked],
    }


def _strip_json(strip: SeenStrip, digits: tuple[Digit, ...]) -> dict[str, Any]:
    height, width = strip.tensor.shape
    said = [
        {
            "label": str(digit.digit),
            "confidence": round(digit.confidence, 4),
            "span": [round(first, 1), round(last, 1)],
            "shares": [[str(at), round(_share(digit, at), 3)] for at in range(10)],
        }
        for (first, last), digit in zip(strip.spans, digits, strict=False)
    ]
    return {"png": _png(strip.tensor), "width": width, "height": height, "digits": said}


def _share(digit: Digit, label: int) -> float:
    return digit.confidence if label == digit.digit else dict(digit.alternatives).get(label, 0.0)


def _png(ink: Image) -> str:
    _, content = cv2.imencode(".png", cv2.bitwise_not(ink), (cv2.IMWRITE_PNG_COMPRESSION, 3))
    return base64.b64encode(content.tobytes()).decode()
