"""A free number in one box of a form: its ink without the box, read whole by the number network."""

from __future__ import annotations

import cv2
import numpy as np

from edge.forms.fields.lifted import lift_grid
from edge.forms.fields.pieces import find_pieces
from edge.forms.fields.rules import Rules
from edge.forms.fields.settle import Value, nothing_written, valued
from edge.forms.sheet.sheet_map import SheetMap
from edge.forms.template import Field
from edge.imaging.cells import PALEST_WRITING
from edge.imaging.ink import quantile
from edge.imaging.strips import strip_of_ink
from edge.inference.ctc import log_probabilities, rank
from edge.inference.strip import StripReader
from edge.reading.line import ReadLine, read_strip
from edge.values import Image

# Writing is at least so high, as a part of its box; what is lower all in all is a speck or a rest of the box.
_LOWEST = 0.24
# Ink outside of the number's box by so much of it is another line's.
_PAD_PX = 4
# Hypotheses of the number that roster entries are looked for beside.
_BESIDE = 4


def read_boxed_number(
    pixels: Image, sheet: SheetMap, field: Field, strips: StripReader, rules: Rules, threshold: float
) -> Value:
    """The Value of a field of kind `number` on a page's pixels (H, W) or (H, W, 3)."""
    ink = _writing(pixels, sheet, field)
    if ink is None:
        return nothing_written(field)
    line = read_strip(strip_of_ink(ink), strips, divide=False)
    if not line.numbers:
        return Value(value="", raw="", confidence=0.0, status="review", reason="ink that is no number")
    return valued(rules.settle_texts(_texts(line, strips, rules)), (), threshold)


def _writing(pixels: Image, sheet: SheetMap, field: Field) -> Image | None:
    """The soft ink (h, w) of what is written in a field's box and nothing else; None if that is nothing."""
    lifted = lift_grid(pixels, sheet, field.box_mm, 1, 1)
    pieces = find_pieces(lifted)
    own = pieces.of_cell(0, 0)
    if not own:
        return None
    height = int(lifted.ys[1] - lifted.ys[0])
    box = pieces.blobs.box(*own)
    mask = pieces.blobs.mask(own, box).view(np.bool_)
    ink = lifted.ink[box.top : box.bottom, box.left : box.right]
    if max(pieces.boxes[i][3] - pieces.boxes[i][1] for i in own) < _LOWEST * height:
        return None
    if quantile(ink[mask], 0.9) < max(PALEST_WRITING, 1.5 * float(lifted.floors[0, 0])):
        return None
    near = cv2.dilate(mask.view(np.uint8), np.ones((3, 3), np.uint8))
    soft = cv2.bitwise_and(ink, ink, mask=near)
    return np.asarray(cv2.copyMakeBorder(soft, *(_PAD_PX,) * 4, cv2.BORDER_CONSTANT, value=0), np.uint8)


def _texts(line: ReadLine, strips: StripReader, rules: Rules) -> list[tuple[str, float]]:
    """What a line may say, with probabilities, the most probable first; what the rules allow near it, too."""
    found = line.numbers[0].prediction
    texts = {found.text: found.confidence} | dict(found.alternatives)
    if not rules or (rules.broken_by(found.text) is None and found.confidence > 0.5):
        return list(texts.items())
    # The views agree on the first; the others are known from the first view alone.
    temperature = strips.manifest.temperature
    ranked = rank([line.frames])
    for text, share in zip(ranked.texts, ranked.shares(temperature).tolist(), strict=True):
        texts.setdefault(text, share * (1 - found.confidence))
    close = {entry for text in ranked.texts[:_BESIDE] for entry in rules.near(text)} - texts.keys()
    if close:
        entries = sorted(close)
        scores = log_probabilities([line.frames], [found.text, *entries])[0]
        shares = np.exp((scores[1:] - scores[0]) / temperature) * found.confidence
        texts |= dict(zip(entries, shares.tolist(), strict=True))
    return [(found.text, texts.pop(found.text)), *sorted(texts.items(), key=lambda one: -one[1])]
