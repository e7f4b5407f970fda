"""What of a page a person may have to look at: its values with how far each is in doubt, as the ledger lists them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from edge.forms.fields.settle import is_only_unsure
from edge.forms.values import FieldReading, FormPage


class Doubt(IntEnum):
    """How a value was read: sure, for review as its confidence is low, for review for what its ink or place is.

    CELL: it is no value but one digit of a value, which is asked for only among others that are alike.
    """

    SURE = 0
    UNSURE = 1
    REFUSED = 2
    CELL = 3


class State(IntEnum):
    """What a person has to do with a value: nothing any more, nothing if all others are trusted, look at it."""

    JUDGED = 0
    SURE = 1
    WAITING = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewValue:
    """A value as the list has it, or one digit of a row of cells, whose field is `NAME#CELL`, from 1.

    position: that of its FieldReading in the page's fields, from 0, and of digits behind all of these.
    """

    position: int
    field: str
    text: str
    confidence: float
    doubt: Doubt

    @property
    def place(self) -> tuple[int, int]:
        """Which of the page's fields it is, from 0, and which of its cells, from 1; 0 for the whole."""
        cell, number = divmod(self.position, _FIELDS)
        return number, cell


# More fields no page has.
_FIELDS = 1_000_000
# Between the name of a row of cells and the number of one; no field's name has it.
OF_CELL = "#"


def review_values(page: FormPage) -> tuple[ReviewValue, ...]:
    """The values of a page but those that are surely empty, then the digits of the rows of which all cells are filled.

    A page that may be laid wrong has no sure values.
    """
    listed = [(position, one) for position, one in enumerate(page.fields) if is_listed(page, one)]
    values = [
        ReviewValue(
            position=position, field=one.name, text=one.value, confidence=one.confidence, doubt=_doubt(page, one)
        )
        for position, one in listed
    ]
    digits = [
        ReviewValue(
            position=cell * _FIELDS + position,
            field=f"{one.name}{OF_CELL}{cell}",
            text=digit,
            confidence=_digit_confidence(one, cell - 1),
            doubt=Doubt.CELL,
        )
        for position, one in listed
        if one.cells > 1 and len(one.value) == one.cells
        for cell, digit in enumerate(one.value, 1)
    ]
    return (*values, *sorted(digits, key=lambda digit: digit.position))


def _digit_confidence(one: FieldReading, place: int) -> float:
    """About how sure one digit of a value is: what else may stand there, or an even share of the value's own doubt."""
    others = sum(
        share for text, share in one.alternatives if len(text) == len(one.value) and text[place] != one.value[place]
    )
    if others > 0:
        return one.confidence / (one.confidence + others)
    return float(one.confidence ** (1 / len(one.value)))


def is_listed(page: FormPage, one: FieldReading) -> bool:
    """Whether a value of a page is one that a person may be shown."""
    return one.status != "empty" or _may_be_elsewhere(page)


def note_values(db: sqlite3.Connection, generation: int, sha256: str, values: Iterable[ReviewValue]) -> int:
    """List the values of a page that was read; what a person said of them before stays said. The page's id."""
    leaf = db.execute("INSERT INTO leaf (generation, page) VALUES (?, ?)", (generation, sha256)).lastrowid or 0
    said = {
        field: State.WAITING if kind == "odd" else State.JUDGED
        for field, kind in db.execute("SELECT field, kind FROM correction WHERE page = ?", (sha256,))
    }
    db.executemany(
        "INSERT INTO value (leaf, position, field, text, confidence, doubt, state) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (leaf, one.position, one.field, one.text, one.confidence, int(one.doubt),
             int(_state(one, said)))
            for one in values
        ),
    )  # fmt: skip
    return leaf


def _state(one: ReviewValue, said: Mapping[str, State]) -> State:
    """What there is to do with a value, or one digit of it, after what people said of values."""
    if one.doubt is Doubt.CELL:
        known = one.field in said or one.field.partition(OF_CELL)[0] in said
        return State.JUDGED if known else State.SURE
    return said.get(one.field, State.WAITING if one.doubt else State.SURE)


def _doubt(page: FormPage, one: FieldReading) -> Doubt:
    if one.status == "read":
        return Doubt.SURE
    laid_well = not _may_be_elsewhere(page)
    return Doubt.UNSURE if laid_well and one.reason is not None and is_only_unsure(one.reason) else Doubt.REFUSED


def _may_be_elsewhere(page: FormPage) -> bool:
    return page.registration is None or page.registration.status != "ok"
