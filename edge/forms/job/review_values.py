"""What of a page a person may have to look at: its values with how far each is in doubt, as the ledger lists them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from edge.forms.fields.settle import is_only_unsure
from edge.forms.values import FieldReading, FormPage


class Doubt(IntEnum):
    """How a value was read: sure, for review as its confidence is low, for review for what its ink or place is."""

    SURE = 0
    UNSURE = 1
    REFUSED = 2


class State(IntEnum):
    """What a person has to do with a value: nothing any more, nothing if all others are trusted, look at it."""

    JUDGED = 0
    SURE = 1
    WAITING = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewValue:
    """A value as the list has it; position: that of its FieldReading in the page's fields, from 0."""

    position: int
    field: str
    text: str
    confidence: float
    doubt: Doubt


def review_values(page: FormPage) -> tuple[ReviewValue, ...]:
    """The values of a page but those that are surely empty; a page that may be laid wrong has no sure ones."""
    return tuple(
        ReviewValue(
            position=position, field=one.name, text=one.value, confidence=one.confidence, doubt=_doubt(page, one)
        )
        for position, one in enumerate(page.fields)
        if is_listed(page, one)
    )


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
             int(said.get(one.field, State.WAITING if one.doubt else State.SURE)))
            for one in values
        ),
    )  # fmt: skip
    return leaf


def _doubt(page: FormPage, one: FieldReading) -> Doubt:
    if one.status == "read":
        return Doubt.SURE
    laid_well = not _may_be_elsewhere(page)
    return Doubt.UNSURE if laid_well and one.reason is not None and is_only_unsure(one.reason) else Doubt.REFUSED


def _may_be_elsewhere(page: FormPage) -> bool:
    return page.registration is None or page.registration.status != "ok"
