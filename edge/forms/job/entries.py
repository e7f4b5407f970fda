"""What people say of values: noted once and for all, one after the other, and what of it counts."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from edge.errors import UsageError
from edge.forms.job.job_page import Judged, JudgedAs, page_from_json
from edge.forms.job.review_values import OF_CELL, Doubt, State

# Longer than any number a form has; a longer text was pasted by mistake.
MOST_DIGITS = 40
MOST_NAME = 60
# What people put between digits, and tables leave out.
_BETWEEN = str.maketrans("", "", " \u00a0\u2009\u202f.,'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a person says of a value: it is this; value None: nobody can read it, or, odd, another look is needed.

    seen: the revision of the value that the person saw, None to write over whatever there is. took_s: how long they
    looked.
    """

    page: str
    field: str
    value: str | None
    odd: bool = False
    seen: int | None = None
    took_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """What was not noted, and why: there is no such value, or theirs, which another person said meanwhile."""

    said: Said
    theirs: Judged | None = None

    def __str__(self) -> str:
        if self.theirs is None:
            return f"the job has no value {self.said.field} on this page"
        what = "that it looks odd" if self.theirs.kind == "odd" else "that nobody can read it"
        what = f"{self.theirs.value or 'nothing'!r}" if self.theirs.kind in ("accepted", "corrected") else what
        return f"{self.theirs.name or 'somebody'} has said {what} meanwhile, at {self.theirs.made_at}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """What came of what was said at once: how many values were noted, and what was refused."""

    noted: int
    refused: tuple[Refused, ...] = ()


def clean_value(text: str) -> str:
    """The digits of a text that a person typed for a value, without what stands between them; "" for nothing written.

    Raises UsageError if there is anything else in it.
    """
    digits = text.strip().translate(_BETWEEN)
    if len(digits) > MOST_DIGITS or (digits and not (digits.isascii() and digits.isdigit())):
        raise UsageError(f"{_shown(text)}: a value is digits only, {MOST_DIGITS} at most; or mark it as unreadable")
    return digits


def clean_name(text: str) -> str:
    """The name of a person on one line, without control characters. Raises UsageError if it is empty or long."""
    name = " ".join("".join(c if unicodedata.category(c)[0] != "C" else " " for c in text[:1000]).split())
    if not 1 <= len(name) <= MOST_NAME:
        raise UsageError(f"name {_shown(text)}: it has 1 to {MOST_NAME} characters")
    return name


def enter(
    db: sqlite3.Connection, said: Sequence[Said], *, name: str = "", token: str | None = None, needed: int = 1
) -> Entered:
    """Note what a person said, inside a transaction; what another has said since they looked is left as it is.

    token: of one press of a key; a second time under it nothing is noted again. needed: how many names must say the
    same for it to count.
    """
    if token is not None and db.execute("SELECT 1 FROM entry WHERE token = ? LIMIT 1", (token,)).fetchone():
        return Entered(noted=len(said))
    refused, batch = [], None
    for one in map(_of_whole, said):
        found = _read(db, one.page, one.field)
        standing = db.execute(
            "SELECT entry, kind, value, name, made_at FROM correction WHERE page = ? AND field = ?",
            (one.page, one.field),
        ).fetchone()
        odd_already = standing is not None and standing[1] == "odd"
        if one.odd and odd_already:
            continue  # another digit of the same value
        if found is None or (OF_CELL in one.field and one.value != found[0]):  # of a digit: it is as read, or odd
            refused.append(Refused(said=one))
        elif one.seen is not None and standing is not None and standing[0] != one.seen and not odd_already:
            refused.append(Refused(said=one, theirs=_judged(*standing[1:])))
        else:
            batch = _append(db, one, found, name=name, token=token, batch=batch)
            settle(db, one.page, one.field, needed=needed)
            _complete(db, one, name=name, token=token, batch=batch)
    return Entered(noted=len(said) - len(refused), refused=tuple(refused))


def undo(
    db: sqlite3.Connection, name: str, *, token: str | None = None, needed: int = 1
) -> tuple[tuple[str, str], ...]:
    """Take back what that name said last, or under a token, inside a transaction; tell of which values, (page, field).

    Of these, one that another has judged since stays as it is and is not told. A second time under a token tells the
    same and does nothing.
    """
    said, value = ("token = ?", token) if token is not None else ("NOT undone AND ? IS NULL", token)
    last = db.execute(
        f"SELECT batch FROM entry WHERE name = ? AND {said} ORDER BY id DESC LIMIT 1",  # noqa: S608
        (name, value),
    ).fetchone()
    if last is None:
        return ()
    back = []
    for entry, page, field in db.execute(
        "SELECT id, page, field FROM entry WHERE batch = ? ORDER BY id", last
    ).fetchall():
        db.execute("UPDATE entry SET undone = 1 WHERE id = ?", (entry,))
        later = db.execute(
            "SELECT 1 FROM entry WHERE page = ? AND field = ? AND id > ? AND NOT undone", (page, field, entry)
        )
        if needed > 1 or later.fetchone() is None:
            settle(db, page, field, needed=needed)
            back.append((page, field))
    return tuple(back)


def settle(db: sqlite3.Connection, page: str, field: str, *, needed: int = 1) -> None:
    """Let count for a value what was said last, or what so many names agree on; nothing if there is none."""
    rows = db.execute(
        "SELECT id, kind, value, name, made_at FROM entry WHERE page = ? AND field = ? AND NOT undone ORDER BY id",
        (page, field),
    ).fetchall()
    chosen = _agreed(rows, needed)
    if chosen is None:
        db.execute("DELETE FROM correction WHERE page = ? AND field = ?", (page, field))
    else:
        entry, kind, value, name, made_at = chosen
        db.execute(
            "INSERT OR REPLACE INTO correction (page, field, value, made_at, kind, name, entry) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (page, field, value, made_at, kind, name, entry),
        )
    judged = chosen is not None and chosen[1] != "odd"
    odd = chosen is not None and chosen[1] == "odd"
    state = f"{int(State.JUDGED)}" if judged else f"{int(State.WAITING)}" if odd else _AS_READ
    leaves = "SELECT id FROM leaf WHERE page = ?"
    db.execute(f"UPDATE value SET state = {state} WHERE leaf IN ({leaves}) AND field = ?", (page, field))  # noqa: S608
    # The digits of a value of which something is said are asked for no more.
    cells = int(State.SURE if chosen is None else State.JUDGED)
    db.execute(
        f"UPDATE value SET state = ? WHERE leaf IN ({leaves}) AND doubt = ? AND substr(field, 1, ?) = ?",  # noqa: S608
        (cells, page, int(Doubt.CELL), len(field) + 1, field + OF_CELL),
    )


def judged_of(db: sqlite3.Connection, page: str) -> Mapping[str, Judged]:
    """What counts of what was said of a page's values, by field."""
    rows = db.execute("SELECT field, kind, value, name, made_at FROM correction WHERE page = ? ORDER BY field", (page,))
    return {field: _judged(*rest) for field, *rest in rows}


def forget_said(db: sqlite3.Connection, limit: str) -> None:
    """Delete, inside a transaction, all that was listed and said of the pages that were read before a time."""
    old = "SELECT generation, sha256 FROM page WHERE read_at < ?"
    leaves = f"SELECT id FROM leaf WHERE (generation, page) IN ({old})"  # noqa: S608
    db.execute(f"DELETE FROM value WHERE leaf IN ({leaves})", (limit,))  # noqa: S608
    db.execute(f"DELETE FROM tile WHERE leaf IN ({leaves})", (limit,))  # noqa: S608
    db.execute("DELETE FROM entry WHERE page IN (SELECT sha256 FROM page WHERE read_at < ?)", (limit,))


_AS_READ = f"CASE WHEN doubt IN (1, 2) THEN {int(State.WAITING)} ELSE {int(State.SURE)} END"
_Row = tuple[int, str, str, str, str]


def _agreed(rows: Iterable[_Row], needed: int) -> _Row | None:
    """Of entries in their order the one that counts, under the names of all who say so where several are needed."""
    last: dict[str, _Row] = {}
    for row in rows:
        last.pop(row[3].casefold(), None)
        last[row[3].casefold()] = row
    latest = list(last.values())
    if not latest:
        return None
    if needed < 2 or latest[-1][1] == "odd":
        return latest[-1]
    for row in reversed(latest):
        same = [one for one in latest if (one[1] == "unreadable", one[2]) == (row[1] == "unreadable", row[2])]
        if len(same) >= needed:
            return (*same[-1][:3], " + ".join(one[3] for one in same), same[-1][4])
    return None


def _of_whole(said: Said) -> Said:
    """What is said of a digit that looks odd is said of its whole value: that is what is looked at again."""
    return replace(said, field=said.field.partition(OF_CELL)[0]) if said.odd else said


def _complete(db: sqlite3.Connection, one: Said, *, name: str, token: str | None, batch: int | None) -> None:
    """Accept a row of cells when the last of its digits is accepted."""
    field, of_cell, _ = one.field.partition(OF_CELL)
    if not of_cell:
        return
    left = db.execute(
        "SELECT count(*) FROM value JOIN leaf ON leaf.id = value.leaf WHERE page = ? AND substr(field, 1, ?) = ? "
        "AND state > 0",
        (one.page, len(field) + 1, field + OF_CELL),
    ).fetchone()
    read = _read(db, one.page, field)
    if left == (0,) and read is not None and field not in judged_of(db, one.page):
        whole = replace(one, field=field, value=read[0], took_s=None)
        _append(db, whole, read, name=name, token=token, batch=batch)
        settle(db, one.page, field)


def _append(
    db: sqlite3.Connection, one: Said, read: tuple[str, bool], *, name: str, token: str | None, batch: int | None
) -> int:
    text, sure = read
    kind: JudgedAs = (
        "odd" if one.odd else "unreadable" if one.value is None else "accepted" if one.value == text else "corrected"
    )
    entry = db.execute(
        "INSERT INTO entry (page, field, kind, value, name, made_at, took_s, was, was_sure, batch, token) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (one.page, one.field, kind, one.value or "", name, now(), one.took_s, text, sure, batch or 0, token),
    ).lastrowid
    if batch is None:
        db.execute("UPDATE entry SET batch = id WHERE id = ?", (entry,))
    return batch or entry or 0


def _read(db: sqlite3.Connection, page: str, field: str) -> tuple[str, bool] | None:
    """What was read as a value last, and whether for sure; None if no generation has such a value."""
    found = db.execute(
        "SELECT text, doubt = 0 FROM value JOIN leaf ON leaf.id = value.leaf WHERE page = ? AND field = ? "
        "ORDER BY leaf.id DESC LIMIT 1",
        (page, field),
    ).fetchone()
    if found is not None:
        return str(found[0]), bool(found[1])
    for (content,) in db.execute("SELECT content FROM page WHERE sha256 = ? AND NOT forgotten", (page,)):
        fields = page_from_json(content, source="", page_number=1, ms=0.0).fields
        if any(one.name == field for one in fields):  # not listed: surely empty
            return "", True
    return None


def _judged(kind: JudgedAs, value: str, name: str, made_at: str) -> Judged:
    return Judged(kind=kind, value=value, name=name, made_at=made_at)


def _shown(text: str) -> str:
    """A text from outside as a message may quote it."""
    return repr(text[:20]) + ("…" if len(text) > 20 else "")


def iso_time(time: datetime) -> str:
    """UTC, as the ledger has it: these texts compare as the times do."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> str:
    """The time now, as the ledger has it."""
    return iso_time(datetime.now(UTC))
