"""One sheet that shows how a Reading came about: the picture, the ink, the pieces, the tensors and what was said."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from edge.imaging import typeset
from edge.imaging.annotate import GREEN, ORANGE
from edge.reading.evidence import Evidence, SeenDigit, SeenStrip
from edge.values import NOT_A_DIGIT, Box, Digit, Image, Reading

_WIDTH = 1080
_PANEL_PX = 190
# Neighbouring pieces in unlike colours; BGR, legible on white.
_PIECES = ((190, 110, 20), (60, 60, 200), (40, 140, 60), (160, 40, 150))
_COLORS = {"read": GREEN, "review": ORANGE, "empty": typeset.GREY}


def explain(pixels: Image, reading: Reading, evidence: Evidence | None, *, threshold: float, name: str = "") -> Image:
    """The sheet (h, w, 3) BGR of one Reading of pixels (H, W) or (H, W, 3); evidence None where no ink was found.

    threshold is the one it was read with; name is written on top. All that is shown was noted while reading.
    """
    rows = [_head(reading, name), *_why(reading, evidence, threshold), _pictures(pixels, reading, evidence)]
    if evidence is not None and evidence.strip is not None:
        rows += [
            _title("strip tensor, and its columns' probabilities (-: no digit)"),
            _strip(evidence.strip, reading.text),
            *_cards("digits of the strip", _cut_cards(evidence.strip, reading, threshold)),
        ]
    if evidence is not None:
        rows += _cards("28x28 tensors", _seen_cards(evidence.digits, threshold))
    return typeset.margin(typeset.above(rows, gap=10), 20)


def _head(reading: Reading, name: str) -> Image:
    color = _COLORS[reading.status]
    parts = [typeset.badge(reading.status, color)]
    if reading.text:
        parts.insert(0, typeset.text(reading.text, px=26, bold=True))
    parts.append(typeset.text(f"{100 * reading.confidence:.1f} %", px=16, color=color))
    head = typeset.beside(parts, gap=18, middle=True)
    return typeset.above([typeset.text(name, px=9, color=typeset.GREY), head]) if name else head


def _why(reading: Reading, evidence: Evidence | None, threshold: float) -> list[Image]:
    """A line for each reason why the status is what it is."""
    sure = reading.confidence >= threshold
    compared = f"confidence {reading.confidence:.3f}, threshold {threshold:.3f}"
    if reading.status == "empty":
        reasons = ["no ink was found"]
    elif reading.status == "read":
        reasons = [f"sure: {compared}"]
    else:
        reasons = [] if sure else [f"not sure enough: {compared}"]
        reasons += _doubts(evidence) if evidence is not None else ()
        reasons = reasons or ["the ink is not plain"]
    return [typeset.text(reason, px=10, color=typeset.BLACK) for reason in reasons]


def _doubts(evidence: Evidence) -> list[str]:
    """What the reader doubted, and the pieces that the digit network takes for no digit."""
    others = [at for at, seen in enumerate(evidence.digits, 1) if seen.prediction.label == NOT_A_DIGIT]
    which = ", ".join(str(at) for at in others)
    return [*evidence.doubts, *([f"piece {which} looks like no digit"] if others else [])]


def _title(words: str) -> Image:
    return typeset.text(words, px=9, color=typeset.GREY)


def _pictures(pixels: Image, reading: Reading, evidence: Evidence | None) -> Image:
    """The part of the page as given, and beside or below it the ink with its pieces."""
    panels = [typeset.above([_title("as given"), _crop(pixels, reading)])]
    if evidence is not None:
        title = "ink, and the pieces it was cut into" if evidence.boxes else "ink"
        panels.append(typeset.above([_title(title), _ink(evidence)]))
    return typeset.wrapped(panels, width=_WIDTH, gap=16)


def _crop(pixels: Image, reading: Reading) -> Image:
    """The reading's place on the page with its own height of what is around it, its digits' boxes drawn."""
    height, width = pixels.shape[:2]
    around, box = reading.box.height, reading.box
    left, top = max(0, box.left - around), max(0, box.top - around)
    cut = pixels[top : min(height, box.bottom + around), left : min(width, box.right + around)]
    picture = cast(Image, cv2.cvtColor(cut, cv2.COLOR_GRAY2BGR)) if cut.ndim == 2 else cut
    boxes = [digit.box.moved(-left, -top) for digit in reading.digits]
    return _with_boxes(picture, boxes)


def _ink(evidence: Evidence) -> Image:
    return _with_boxes(typeset.on_paper(evidence.ink), list(evidence.boxes))


def _with_boxes(picture: Image, boxes: list[Box]) -> Image:
    """The picture fitted into a panel, boxes in its own pixels drawn around what they hold."""
    height, width = picture.shape[:2]
    factor = min(_PANEL_PX / height, (_WIDTH - 40) / width)
    factor = float(int(factor)) if factor >= 2 else factor
    panel = typeset.enlarged(picture, factor)
    for at, box in enumerate(boxes):
        corners = [round(side * factor) for side in box.as_list()]
        cv2.rectangle(panel, (corners[0], corners[1]), (corners[2] - 1, corners[3] - 1), _PIECES[at % len(_PIECES)], 1)
    return typeset.framed(panel)


def _strip(strip: SeenStrip, digits: str) -> Image:
    """The strip's tensor, the span of each digit under it, and a row of shades for each label."""
    rows, columns = strip.tensor.shape
    gutter = 14
    factor = min(3.0, (_WIDTH - gutter) / columns)
    width = round(columns * factor)
    tensor = cv2.resize(strip.tensor, (width, round(rows * factor)), interpolation=cv2.INTER_NEAREST)
    spans = np.full((22, width, 3), 255, np.uint8)
    for at, ((first, last), digit) in enumerate(zip(strip.spans, digits, strict=False)):
        left, right, color = round(first * factor), max(round(last * factor) - 1, 0), _PIECES[at % len(_PIECES)]
        cv2.line(spans, (left, 2), (right, 2), color, 2)
        name = typeset.text(digit, px=11, color=color, bold=True)
        x = min(max(0, (left + right - name.shape[1]) // 2), max(0, width - name.shape[1]))
        spans[5 : 5 + min(17, name.shape[0]), x : x + name.shape[1]] = name[:17, : width - x]
    shades = cv2.resize((255 * strip.shares.T).astype(np.uint8), (width, 11 * len(strip.labels)), interpolation=0)
    names = [typeset.text(label if len(label) == 1 else "-", px=7, color=typeset.GREY)[:11] for label in strip.labels]
    labels = np.full((shades.shape[0], gutter, 3), 255, np.uint8)
    for at, name in enumerate(names):
        labels[11 * at : 11 * at + name.shape[0], : min(gutter, name.shape[1])] = name[:, :gutter]
    blank = np.full((1, gutter, 3), 255, np.uint8)
    pieces = [typeset.beside([blank, piece], gap=0) for piece in (typeset.on_paper(tensor), spans)]
    return typeset.above([*pieces, typeset.beside([labels, typeset.on_paper(shades)], gap=0)], gap=2)


def _cards(what: str, cards: list[Image]) -> list[Image]:
    """The cards in rows under their title; nothing for none."""
    if not cards:
        return []
    return [_title(f"{what}, and the probability of each label"), typeset.wrapped(cards, width=_WIDTH)]


def _seen_cards(digits: tuple[SeenDigit, ...], threshold: float) -> list[Image]:
    """A card for each tensor that the digit network saw."""
    return [_seen_card(seen, _PIECES[at % len(_PIECES)], threshold) for at, seen in enumerate(digits)]


def _cut_cards(strip: SeenStrip, reading: Reading, threshold: float) -> list[Image]:
    """A card for each digit that the number network found."""
    found = zip(strip.spans, reading.digits, strict=False)
    return [
        _cut_card(strip, span, digit, _PIECES[at % len(_PIECES)], threshold) for at, (span, digit) in enumerate(found)
    ]


def _seen_card(seen: SeenDigit, color: typeset.Color, threshold: float) -> Image:
    said = seen.prediction
    shares = {said.label: said.confidence, **dict(said.alternatives)}
    ranked = sorted(shares.items(), key=lambda pair: (pair[0] == NOT_A_DIGIT, pair[0]))
    name = "no digit" if said.label == NOT_A_DIGIT else said.label
    sure = said.confidence >= threshold and said.label != NOT_A_DIGIT
    return _card(typeset.enlarged(seen.tensor, 5), name, said.confidence, ranked, color, sure=sure)


def _cut_card(
    strip: SeenStrip, span: tuple[float, float], digit: Digit, color: typeset.Color, threshold: float
) -> Image:
    """A digit of a strip: its columns, and the probabilities of the digits in its place."""
    cut = strip.tensor[:, int(span[0]) : int(np.ceil(span[1]))]
    shares = {digit.digit: digit.confidence, **dict(digit.alternatives)}
    ranked = [(str(label), shares.get(label, 0.0)) for label in range(10)]
    sure = digit.confidence >= threshold
    return _card(typeset.enlarged(cut, 4), str(digit.digit), digit.confidence, ranked, color, sure=sure)


def _card(
    tensor: Image, name: str, confidence: float, shares: list[tuple[str, float]], color: typeset.Color, *, sure: bool
) -> Image:
    status = GREEN if sure else ORANGE
    width = 142
    seen = typeset.framed(typeset.on_paper(tensor), color, px=2)
    said = [typeset.text(name, px=13, bold=True), typeset.text(f"{100 * confidence:.1f} %", px=10, color=status)]
    caption = typeset.beside(said, middle=True)
    return typeset.above([seen, caption, typeset.bars(shares, width=width, height=44, best=status)], gap=4)
