"""Which values of a job a person should look at next, in the order they like, and how many are left."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, get_args

from edge.forms.job.job_page import Judged, page_from_json
from edge.forms.job.ledger import Ledger
from edge.forms.job.review_values import OF_CELL, State
from edge.forms.values import FieldReading, FormPage

Order: TypeAlias = Literal["risk", "field", "page"]
ORDERS: tuple[Order, ...] = get_args(Order)
# A leaf whose page some input of the job shows, as it was read in the run that had the input last.
_CURRENT = """EXISTS (SELECT 1 FROM place JOIN input ON input.file = place.file JOIN run ON run.id = input.run
 AND run.generation = place.generation WHERE place.page = leaf.page AND place.generation = leaf.generation)"""
_KEYS = MappingProxyType(
    {"risk": "v.confidence, v.leaf, v.position", "field": "v.position, v.field, v.confidence, v.leaf"}
)
_BUCKETS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A value that waits: the page's hash, the field's name, what was read, by which generation, and its leaf.

    after: where the list goes on behind it, as `waiting` takes it.
    """

    page: str
    field: str
    text: str
    confidence: float
    generation: int
    leaf: int
    position: int
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A value as a person sees it: its reading, its page, where that lies, what was said of it, and its revision.

    others: (name, value) of all who said something, "?" for nobody can read it.
    """

    page: FormPage
    place: str
    generation: int
    reading: FieldReading
    said: Judged | None = None
    revision: int = 0
    others: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """How much there is to do at a share of errors: values to look at, and those judged so far.

    below: what is less sure than this is looked at; None: what the run held for review.
    """

    error: float | None
    waiting: int
    judged: int
    below: float | None = None


class ReviewQueue:
    """The values of one job that a person may look at; sees the ledger as it is at each question."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def waiting(
        self,
        order: Order,
        most: int,
        *,
        after: str = "",
        below: float | None = None,
        unsaid_by: str | None = None,
        passed_over: Callable[[str, str], bool] = lambda page, field: False,
    ) -> tuple[Open, ...]:
        """Up to so many values that wait, in an order, behind a place in it.

        below: all that is less sure than this, and what no confidence helps; None: what the run held for review.
        unsaid_by: only those of which that name has said nothing yet. passed_over: (page, field) that is left out.
        """
        found: list[Open] = []
        known: set[tuple[str, str]] = set()
        while len(found) < most:
            size = 2 * most
            rows = self._rows(order, size, after, below, unsaid_by)
            for one in rows:
                after = one.after
                key = (one.page, one.field)
                if key not in known and not passed_over(*key):
                    known.add(key)
                    found.append(one)
                    if len(found) == most:
                        break
            if len(rows) < size:
                break
        return tuple(found)

    def alike(self, text: str, most: int, *, unsaid_by: str | None = None, sure_too: bool = True) -> tuple[Open, ...]:
        """Up to so many open values of one digit, or of none, that were read as this text, the least sure first."""
        state = "v.state > 0" if sure_too else f"v.state = {int(State.WAITING)}"
        rows = self._ledger.rows(
            f"SELECT leaf.page, v.field, v.text, v.confidence, leaf.generation, v.leaf, v.position "  # noqa: S608
            f"FROM value v JOIN leaf ON leaf.id = v.leaf WHERE v.text = ? AND {state} AND v.state > 0 AND {_CURRENT} "
            f"AND NOT EXISTS (SELECT 1 FROM correction c WHERE c.page = leaf.page AND c.field = v.field) "
            f"{_UNSAID if unsaid_by is not None else ''} ORDER BY v.confidence LIMIT ?",
            text,
            *([unsaid_by] if unsaid_by is not None else []),
            most,
        )
        return tuple(_open(row) for row in rows)

    def seen(self, page: str, field: str) -> Seen | None:
        """A value as a person sees it, as its page was read last, of a digit of it the whole; None if there is none."""
        field = field.partition(OF_CELL)[0]
        found = self._ledger.row(
            """SELECT page.content, input.source, place.number, place.generation FROM place
               JOIN input ON input.file = place.file
               JOIN run ON run.id = input.run AND run.generation = place.generation
               JOIN page ON page.generation = place.generation AND page.sha256 = place.page
               WHERE place.page = ? ORDER BY run.id DESC, input.position LIMIT 1""",
            page,
        )
        if found is None:
            return None
        content, source, number, generation = found
        name = os.fsdecode(source)
        read = page_from_json(content, source=name, page_number=number, ms=0.0)
        reading = next((one for one in read.fields if one.name == field), None)
        if reading is None:
            return None
        said = self._ledger.row(
            "SELECT kind, value, name, made_at, entry FROM correction WHERE page = ? AND field = ?", page, field
        )
        others = self._ledger.rows(
            "SELECT name, CASE kind WHEN 'unreadable' THEN '?' ELSE value END FROM entry "
            "WHERE page = ? AND field = ? AND NOT undone AND kind <> 'odd' ORDER BY id",
            page,
            field,
        )
        return Seen(
            page=read,
            place=f"{name}#{number}",
            generation=generation,
            reading=reading,
            said=None if said is None else Judged(kind=said[0], value=said[1], name=said[2], made_at=said[3]),
            revision=0 if said is None else said[4],
            others=tuple(dict(others).items()),
        )

    def left(self, error: float | None = None, *, unsaid_by: str | None = None) -> Left:
        """How many values wait at a share of errors, 0 to 1, among all that the table has; None: as the run held them.

        What is left unseen is expected to hold so many errors by its own confidences, which the manifest calibrates.
        """
        judged = self._judged()
        if error is None:
            return Left(error=None, waiting=self._count("v.state = 2", unsaid_by), judged=judged)
        must, buckets = 0, []
        for bucket, trusted, count, wrong in self._ledger.rows(
            f"""SELECT CAST(v.confidence * {_BUCKETS} AS INT) b, NOT (v.state = 2 AND v.doubt <> 1) trusted, count(*),
                sum(1 - v.confidence) FROM value v WHERE v.state > 0 AND v.doubt < 3
                AND v.leaf IN (SELECT id FROM leaf WHERE {_CURRENT}) GROUP BY b, trusted ORDER BY b DESC"""  # noqa: S608
        ):
            if trusted:
                buckets.append((int(bucket), int(count), float(wrong)))
            else:
                must += int(count)
        allowed = error * (judged + must + sum(count for _, count, _ in buckets))
        below, waiting = 0.0, must
        for bucket, count, wrong in buckets:
            allowed -= wrong
            if allowed < 0:
                below = max(below, (bucket + 1) / _BUCKETS)
                waiting += count
        return Left(error=error, waiting=waiting, judged=judged, below=below)

    def disputed(self, most: int = 100) -> tuple[tuple[str, str], ...]:
        """Values (page, field) of which two names say different things, and no two agree."""
        rows = self._ledger.rows(
            """SELECT page, field FROM entry WHERE NOT undone AND kind <> 'odd' AND instr(field, '#') = 0 AND NOT EXISTS
               (SELECT 1 FROM correction c WHERE c.page = entry.page AND c.field = entry.field) GROUP BY page, field
               HAVING count(DISTINCT lower(name)) > 1 ORDER BY min(id) LIMIT ?""",
            most,
        )
        return tuple((page, field) for page, field in rows)

    def counts(self) -> dict[str, int]:
        """How many open values of one digit, or of none, were read as each text."""
        rows = self._ledger.rows(
            f"""SELECT v.text, count(*) FROM value v WHERE v.state > 0 AND length(v.text) <= 1
                AND v.leaf IN (SELECT id FROM leaf WHERE {_CURRENT}) GROUP BY v.text"""  # noqa: S608
        )
        return {text: int(count) for text, count in rows}

    def choice(self, name: str) -> str | None:
        """What was chosen for the review of this job under a name."""
        found = self._ledger.row("SELECT value FROM choice WHERE name = ?", name)
        return None if found is None else str(found[0])

    def choose(self, name: str, value: str) -> None:
        """Choose for the review of this job, for everybody who works at it."""
        with self._ledger.change() as db:
            db.execute("INSERT OR REPLACE INTO choice VALUES (?, ?)", (name, value))

    def _judged(self) -> int:
        found = self._ledger.row("SELECT count(*) FROM correction WHERE kind <> 'odd' AND instr(field, '#') = 0")
        return 0 if found is None else int(found[0])

    def _count(self, condition: str, unsaid_by: str | None) -> int:
        found = self._ledger.row(
            f"SELECT count(*) FROM value v JOIN leaf ON leaf.id = v.leaf WHERE {condition} "  # noqa: S608
            f"AND v.leaf IN (SELECT id FROM leaf WHERE {_CURRENT}) {_UNSAID if unsaid_by is not None else ''}",
            *([unsaid_by] if unsaid_by is not None else []),
        )
        return 0 if found is None else int(found[0])

    def _rows(self, order: Order, most: int, after: str, below: float | None, unsaid_by: str | None) -> list[Open]:
        values: list[object] = []
        where = [f"v.state = {int(State.WAITING)}"]
        if below is not None:
            where = ["v.state > 0 AND v.doubt < 3 AND (v.confidence < ? OR (v.state = 2 AND v.doubt <> 1))"]
            values.append(below)
        if unsaid_by is not None:
            where.append(_UNSAID.removeprefix("AND "))
            values.append(unsaid_by)
        keys = _KEYS.get(order, "i.run, i.position, p.number, v.position")
        place = _after(after, keys.count(",") + 1)
        if place:
            where.append(f"({keys}) > ({', '.join('?' * len(place))})")
            values += place
        if order == "page":
            tables = """input i CROSS JOIN run ON run.id = i.run
                CROSS JOIN place p ON p.file = i.file AND p.generation = run.generation
                CROSS JOIN leaf ON leaf.generation = p.generation AND leaf.page = p.page
                CROSS JOIN value v ON v.leaf = leaf.id"""
        else:
            # Its planner would take the index of what waits, and sort all of that for each question.
            index = "INDEXED BY value_field" if order == "field" else ""
            tables = f"value v {index} JOIN leaf ON leaf.id = v.leaf"
            where.append("v.state > 0")
            where.append(_CURRENT)
        rows = self._ledger.rows(
            "SELECT leaf.page, v.field, v.text, v.confidence, leaf.generation, v.leaf, v.position, "  # noqa: S608
            f"json_array({keys}) FROM {tables} WHERE {' AND '.join(where)} ORDER BY {keys} LIMIT ?",
            *values,
            most,
        )
        return [_open(row) for row in rows]


# By the value: its planner would take the index of names, and go through all that a name said for each value.
_UNSAID = (
    "AND NOT EXISTS (SELECT 1 FROM entry e INDEXED BY entry_value WHERE e.page = leaf.page AND e.field = v.field "
    "AND e.name = ? AND NOT e.undone AND e.kind <> 'odd')"
)


def _open(row: Sequence[Any]) -> Open:
    page, field, text, confidence, generation, leaf, position, *after = row
    return Open(
        page=page,
        field=field,
        text=text,
        confidence=confidence,
        generation=generation,
        leaf=leaf,
        position=position,
        after=after[0] if after else "",
    )


def _after(text: str, keys: int) -> list[Any]:
    """The place in a list that `Open.after` says, [] for its beginning or what is no such place."""
    try:
        place = json.loads(text) if text else []
    except ValueError:
        return []
    good = isinstance(place, list) and len(place) == keys and all(isinstance(one, str | int | float) for one in place)
    return place if good else []
