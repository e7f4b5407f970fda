"""One cell, one digit: read what its ink is."""

from __future__ import annotations

from edge.imaging.cells import Cell, find_digit
from edge.inference.classifier import Classifier
from edge.reading.evidence import Evidence, SeenDigit, Trace
from edge.reading.looks import look_at
from edge.reading.number import to_digit, to_reading
from edge.values import NOT_A_DIGIT, Box, Image, Reading

__all__ = ["Cell", "find_digit", "read_digit"]


def read_digit(pixels: Image, classifier: Classifier, threshold: float, trace: Trace | None = None) -> Reading:
    """The one Reading of a cell (H, W) grey or (H, W, 3) BGR that holds one digit or none.

    A blank cell's confidence is 1: that nothing is there is as sure as the extraction. Raises ShapeError.
    """
    height, width = pixels.shape[:2]
    cell = find_digit(pixels)
    seen: tuple[SeenDigit, ...] = ()
    if cell.glyph is None:
        reading = Reading(text="", confidence=1.0, status="empty", box=Box(left=0, top=0, right=width, bottom=height))
    else:
        look = look_at(cell.glyph.ink, classifier)
        prediction = look.prediction
        digit = to_digit(prediction, cell.glyph.box)
        plain = not cell.doubts and prediction.label != NOT_A_DIGIT
        reading = to_reading((digit,), digit.box, threshold, plain=plain)
        seen = (look,)
    if trace is not None:
        boxes = () if cell.place is None else (cell.place,)
        trace.add(Evidence(reading=reading, ink=cell.ink, boxes=boxes, digits=seen, doubts=cell.doubts))
    return reading
