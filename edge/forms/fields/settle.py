"""From what the networks say of a field's cells to its value: text, confidence, and whether a person must look."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.forms.fields.context import ReadCell
from edge.forms.fields.rules import Rules, Settled
from edge.forms.template import Field
from edge.inference.manifest import DIGITS
from edge.values import NOT_A_DIGIT, Prediction, Status

# Another digit is told of if it has this part of the best one's probability.
_WORTH_TELLING = 0.01
_ALTERNATIVES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A field's value as FieldReading has it, wherever it stands."""

    value: str
    raw: str
    confidence: float
    status: Status
    alternatives: tuple[tuple[str, float], ...] = ()
    reason: str | None = None


def value_of_cells(cells: Sequence[ReadCell], field: Field, rules: Rules, threshold: float) -> Value:
    """The Value of a slot's cells, at least one, from left to right.

    Blank cells may stand before and after the digits. A value is `read` from threshold on, if all its ink is plain.
    """
    inked = [place for place, cell in enumerate(cells) if cell.prediction is not None]
    if not inked:
        return nothing_written(field)
    reasons = [doubt for cell in cells for doubt in cell.doubts]
    said = [cell.prediction for cell in cells if cell.prediction is not None]
    reasons += ["no digit" for prediction in said if prediction.label == NOT_A_DIGIT]
    if inked[-1] - inked[0] >= len(inked):
        reasons.append("a blank cell between digits")
    if not rules:
        return valued(_as_read(said), reasons, threshold)
    chances = np.zeros((len(said), 10))
    for row, prediction in zip(chances, said, strict=True):
        for label, share in _ranked(prediction):
            if label in DIGITS:
                row[int(label)] = share
    return valued(rules.settle(chances), reasons, threshold)


def _as_read(said: Sequence[Prediction]) -> Settled:
    """The Settled text of a row without rules: each cell's best digit, and what else a doubtful one may be."""
    ranked = [[one for one in _ranked(prediction) if one[0] in DIGITS] for prediction in said]
    text = "".join([digits[0][0] for digits in ranked])
    confidence = math.prod(digits[0][1] for digits in ranked)
    rivals = [
        (text[:place] + digit + text[place + 1 :], confidence * share / digits[0][1])
        for place, digits in enumerate(ranked)
        for digit, share in digits[1:3]
        if share > _WORTH_TELLING * digits[0][1]
    ]
    rivals.sort(key=lambda one: -one[1])
    return Settled(value=text, raw=text, confidence=confidence, alternatives=tuple(rivals[:_ALTERNATIVES]))


def _ranked(prediction: Prediction) -> tuple[tuple[str, float], ...]:
    """Every label with its probability, the most probable first."""
    return ((prediction.label, prediction.confidence), *prediction.alternatives)


def nothing_written(field: Field) -> Value:
    """The Value of a field without ink; that nothing is there is as sure as the extraction, so its confidence is 1."""
    if field.required:
        return Value(value="", raw="", confidence=1.0, status="review", reason="nothing is written, and it is required")
    return Value(value="", raw="", confidence=1.0, status="empty")


def valued(settled: Settled, reasons: Sequence[str], threshold: float) -> Value:
    """A Settled text with its status: `review` if there is a reason, the text is not sure or breaks a rule."""
    why = list(dict.fromkeys(reasons))
    if settled.reason is not None:
        why.append(settled.reason)
    elif settled.confidence < threshold:
        why.append(_unsure(settled))
    return Value(
        value=settled.value,
        raw=settled.raw,
        confidence=settled.confidence if math.isfinite(settled.confidence) else 0.0,
        status="review" if why else "read",
        alternatives=settled.alternatives,
        reason="; ".join(why) or None,
    )


def _unsure(settled: Settled) -> str:
    if settled.value != settled.raw:
        return f"{settled.raw} breaks a rule, and {settled.value} is not sure enough"
    return "not sure enough" + (f", may be {settled.alternatives[0][0]}" if settled.alternatives else "")


def is_only_unsure(reason: str) -> bool:
    """Whether the reason of a value for review is its confidence and nothing else."""
    return "not sure enough" in reason and ";" not in reason
