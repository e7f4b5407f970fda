"""One image that holds one handwritten number; and what makes Readings of digits that were read singly."""

from __future__ import annotations

import math

import cv2
import numpy as np

from edge.imaging.glyphs import find_blobs
from edge.imaging.ink import ink_mask, is_light_on_dark, lift_ink, noise_floor, otsu, to_grey
from edge.imaging.rules import drop_ruled_lines
from edge.imaging.segments import cut_numbers
from edge.imaging.strips import strip_ink
from edge.imaging.tensors import digit_tensors
from edge.inference.classifier import Classifier
from edge.inference.strip import LABELS, StripReader
from edge.reading.evidence import Evidence, SeenStrip, Trace, seen_digits
from edge.reading.line import VIEWS, ReadLine, read_strip
from edge.values import NOT_A_DIGIT, Box, Digit, Glyph, Image, Mask, Prediction, Reading, Status

# The height that number images are brought to: digits of 25 to 50 px, enough for a 20 px tensor.
_STRIP_PX = 64
# Too many digits for any number: a texture.
_MOST_DIGITS = 40
# A text so much more probable than the next one, in nats, needs no second look.
_SURE_AT_A_GLANCE = 6.0


def to_digit(prediction: Prediction, box: Box) -> Digit:
    """The Digit of a Prediction: the best of the ten digits, its confidence the network's own for that digit."""
    ranked = [(prediction.label, prediction.confidence), *prediction.alternatives]
    digits = [(int(label), share) for label, share in ranked if label != NOT_A_DIGIT]
    (digit, confidence), rest = digits[0], digits[1:]
    return Digit(digit=digit, confidence=confidence, box=box, alternatives=tuple(rest[:3]))


def to_reading(digits: tuple[Digit, ...], box: Box, threshold: float, *, plain: bool = True) -> Reading:
    """The Reading of a number's digits from left to right, at least one.

    Digits are taken as independent, so the text's confidence is the product of theirs. It is `read` from threshold on,
    if the ink is plain.
    """
    confidence = math.prod(digit.confidence for digit in digits)
    return Reading(
        text="".join(str(digit.digit) for digit in digits),
        confidence=confidence,
        status="read" if plain and confidence >= threshold else "review",
        box=box,
        digits=digits,
    )


def surety(glyphs: tuple[Glyph, ...], classifier: Classifier) -> float:
    """How sure the network is, 0 to 1, that each glyph is a digit: the geometric mean over them, 0.0 for none."""
    predictions = classifier.predict(digit_tensors([glyph.ink for glyph in glyphs]))
    shares = [0.0 if p.label == NOT_A_DIGIT else p.confidence for p in predictions]
    return float(math.prod(shares) ** (1 / len(shares))) if shares else 0.0


def find_number(pixels: Image, classifier: Classifier) -> tuple[tuple[Glyph, ...], bool]:
    """The digit Glyphs of one handwritten number, (H, W) grey or (H, W, 3) BGR, and whether there is any ink.

    Boxes are in pixels of the image as given. Raises ShapeError if pixels are not an image.
    """
    grey = to_grey(pixels)
    height, width = grey.shape
    if is_light_on_dark(grey):
        grey = cv2.bitwise_not(grey)
    scale = _STRIP_PX / height
    shape = (max(1, min(round(width * scale), 4096)), _STRIP_PX)
    grey = cv2.resize(grey, shape, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    ink = cv2.GaussianBlur(lift_ink(grey, reach_px=_STRIP_PX // 3), (3, 3), 0)
    level = max(otsu(ink), noise_floor(ink))
    mask = ink_mask(ink, low=0.85 * level, high=1.25 * level)
    mask = drop_ruled_lines(mask, writing_px=_STRIP_PX / 2)
    mask = _drop_edges(mask)
    if not mask.any():
        return (), False
    soft = np.where(cv2.dilate(mask.view(np.uint8), np.ones((3, 3), np.uint8)), ink, 0).astype(np.uint8)
    numbers = cut_numbers(soft, lambda parts: surety(parts, classifier))
    glyphs = tuple(glyph for number in numbers for glyph in number)
    across, down = width / shape[0], height / shape[1]
    return tuple(Glyph(box=_stretched(glyph.box, across, down), ink=glyph.ink) for glyph in glyphs), True


def _drop_edges(mask: Mask) -> Mask:
    """The mask without low blobs that touch its border: rests of a line or of writing above or below."""
    blobs = find_blobs(mask)
    left, top, right, bottom = blobs.boxes.T
    height, width = mask.shape
    touches = (left == 0) | (top == 0) | (right == width) | (bottom == height)
    dropped = np.flatnonzero(touches & (bottom - top < 0.35 * height)) + 1
    kept: Mask = mask & ~np.isin(blobs.labels, dropped)
    return kept


def _stretched(box: Box, across: float, down: float) -> Box:
    """The box with its sides multiplied, at least a pixel in size."""
    left, top = int(box.left * across), int(box.top * down)
    right, bottom = max(left + 1, round(box.right * across)), max(top + 1, round(box.bottom * down))
    return Box(left=left, top=top, right=right, bottom=bottom)


def cut_number(pixels: Image, classifier: Classifier, threshold: float, trace: Trace | None = None) -> Reading:
    """The one Reading of an image (H, W) or (H, W, 3) that holds one handwritten number. Raises ShapeError."""
    height, width = pixels.shape[:2]
    whole = Box(left=0, top=0, right=width, bottom=height)
    glyphs, any_ink = find_number(pixels, classifier)
    if not glyphs or len(glyphs) > _MOST_DIGITS:
        # That nothing is written there is as sure as the extraction; what the ink is, nobody said.
        return Reading(text="", confidence=0.0 if any_ink else 1.0, status="review" if any_ink else "empty", box=whole)
    tensors = digit_tensors([glyph.ink for glyph in glyphs])
    predictions = classifier.predict(tensors)
    plain = all(prediction.label != NOT_A_DIGIT for prediction in predictions)
    boxes = tuple(glyph.box for glyph in glyphs)
    digits = tuple(to_digit(p, box) for p, box in zip(predictions, boxes, strict=True))
    reading = to_reading(digits, Box.around([digit.box for digit in digits]), threshold, plain=plain)
    if trace is not None:
        trace.add(Evidence(reading=reading, ink=to_grey(pixels), boxes=boxes, digits=seen_digits(tensors, predictions)))
    return reading


def read_number(pixels: Image, strips: StripReader, threshold: float, trace: Trace | None = None) -> Reading:
    """The one Reading of an image (H, W) or (H, W, 3) that holds one handwritten number. Raises ShapeError."""
    height, width = pixels.shape[:2]
    whole = Box(left=0, top=0, right=width, bottom=height)
    grey = to_grey(pixels)
    strip = strip_ink(grey)
    if strip.empty:
        # That nothing is written there is as sure as the extraction.
        return Reading(text="", confidence=1.0, status="empty", box=whole)
    line = read_strip(strip, strips, divide=False)
    if line.numbers and line.numbers[0].prediction.margin < _SURE_AT_A_GLANCE:
        line = read_strip(strip, strips, views=len(VIEWS), divide=False)
    if line.numbers:
        (number,) = line.numbers
        found = number.prediction
        status: Status = "read" if found.confidence >= threshold else "review"
        reading = Reading(
            text=found.text, confidence=found.confidence, status=status, box=number.box, digits=number.digits
        )
    else:
        # There is ink, and it is no digit.
        reading = Reading(text="", confidence=0.0, status="review", box=whole)
    if trace is not None:
        trace.add(Evidence(reading=reading, ink=strip.ink, strip=_seen(line)))
    return reading


def _seen(line: ReadLine) -> SeenStrip:
    """What the network got and said, for people to see."""
    spans = [(float(left), float(right)) for number in line.numbers for left, right in number.edges]
    return SeenStrip(
        tensor=line.tensor.values[:, :, 0], labels=LABELS, shares=line.frames.astype(np.float32), spans=tuple(spans)
    )
