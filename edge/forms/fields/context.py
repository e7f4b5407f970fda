"""What the cells of a page tell about each other: how dark its writing is, and whether a column is one of digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge.forms.template import Field
from edge.imaging.cells import HARDLY_DARKER
from edge.imaging.ink import quantile
from edge.values import NOT_A_DIGIT, Prediction

# Digits that are surer than this tell how a page's writing looks; fewer of them than that say nothing.
_SURE, _FEWEST = 0.95, 5
# Ink paler than this part of the page's writing is a trace: rubbed out, or shining through.
_TRACE = 0.28
# In a column with so many cells written on, of which this part is no digit, nothing is a digit for sure.
_COLUMN, _MARKS = 8, 0.6
_PALE = "much paler than the other writing"
_AMONG_MARKS = "most of its column is no digits"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCell:
    """What a cell holds: the network's Prediction, None if it is blank; doubts say why it may be no plain digit.

    dark: how much of the light the ink's darkest tenth absorbs, 0 to 255.
    """

    prediction: Prediction | None = None
    doubts: tuple[str, ...] = ()
    dark: float = 0.0

    @property
    def is_digit(self) -> bool:
        """True if the ink is most likely one plain digit."""
        return self.prediction is not None and self.prediction.label != NOT_A_DIGIT and not self.doubts


def in_context(fields: Sequence[tuple[Field, Sequence[ReadCell]]]) -> tuple[tuple[ReadCell, ...], ...]:
    """The cells of each field of a page, in reading order, with what all of them say of each.

    Traces that are no plain digit are blank; a digit as pale as a trace, or in a column of marks, is in doubt.
    """
    sure = [
        cell.dark
        for _, cells in fields
        for cell in cells
        if cell.is_digit and cell.prediction is not None and cell.prediction.confidence >= _SURE
    ]
    pale = _TRACE * quantile(np.array(sure), 0.5) if len(sure) >= _FEWEST else 0.0
    return tuple(
        _among_marks(tuple(_not_a_trace(cell, pale) for cell in cells), field.columns if field.layout == "grid" else 0)
        for field, cells in fields
    )


def _not_a_trace(cell: ReadCell, pale: float) -> ReadCell:
    """The cell, if its ink is paler than pale in doubt, or blank where that is no digit in the digit's place."""
    if cell.prediction is None or cell.dark >= pale:
        return cell
    faint = cell.doubts == (HARDLY_DARKER,) and replace(cell, doubts=()).is_digit
    if cell.is_digit or (faint and cell.prediction.confidence >= _SURE):
        return replace(cell, doubts=(_PALE,))
    return ReadCell()


def _among_marks(cells: tuple[ReadCell, ...], columns: int) -> tuple[ReadCell, ...]:
    """The cells of a grid with so many columns, those in columns of marks in doubt; 0 columns for what is no grid."""
    found = list(cells)
    for column in range(columns):
        inked = [cell for cell in cells[column::columns] if cell.prediction is not None]
        marks = sum(not cell.is_digit for cell in inked)
        if len(inked) >= _COLUMN and marks >= _MARKS * len(inked):
            for i in range(column, len(cells), columns):
                if cells[i].is_digit:
                    found[i] = replace(cells[i], doubts=(_AMONG_MARKS,))
    return tuple(found)
