"""What pages are known to say: a CSV of file, field, value and kind, as labelled data and people make it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal, TypeAlias, get_args

from edge.errors import SourceError

# A digit or number by hand or print, an empty field, ink that is not its value, and what people read differently.
Kind: TypeAlias = Literal["hand", "print", "blank", "other", "ambiguous"]
_COLUMNS = ("file", "field", "value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a field is known to say: its value, "" where there is none, and what kind of ink it is."""

    value: str
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truth:
    """Known fields by page, (file, page), and name; a file is a name, or as much of its path as was given."""

    pages: Mapping[tuple[str, int], Mapping[str, Known]]

    def of(self, source: str, page: int) -> Mapping[str, Known]:
        """What is known of a page, by field: the entry with the longest part of its path; empty if none is."""
        parts = PurePath(source).parts
        for first in range(len(parts)):
            known = self.pages.get((PurePath(*parts[first:]).as_posix(), page))
            if known is not None:
                return known
        return {}


def read_truth(path: Path) -> Truth:
    """The truth in a CSV file with the columns file, field, value, and perhaps kind (`hand`) and page (1).

    Raises SourceError with file and line if it cannot be read, or says two things of one field.
    """
    pages: dict[tuple[str, int], dict[str, Known]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream)
            missing = [name for name in _COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                raise SourceError(
                    f"{path}:1: no column {', '.join(missing)}; the first line names file,field,value,kind"
                )
            for row in rows:
                place = f"{path}:{rows.line_num}"
                fields = pages.setdefault((PurePath(row["file"] or "").as_posix(), _page(row, place)), {})
                known = Known(value=(row["value"] or "").strip(), kind=_kind(row, place))
                if fields.setdefault(row["field"] or "", known) != known:
                    raise SourceError(f"{place}: {row['file']} {row['field']} was said to be otherwise above; mend one")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or "it is not CSV in UTF-8"
        raise SourceError(f"{path}: cannot be read: {reason}; check the path, save it as CSV") from error
    if not pages:
        raise SourceError(f"{path}: knows of no field; add lines of file,field,value,kind")
    return Truth(pages=pages)


def _page(row: Mapping[str, str | None], place: str) -> int:
    text = row.get("page") or "1"
    if not (text.isascii() and text.isdigit() and len(text) < 7 and int(text) > 0):
        raise SourceError(f"{place}: page {text[:20]!r}; pages count 1, 2, 3")
    return int(text)


def _kind(row: Mapping[str, str | None], place: str) -> Kind:
    text = row.get("kind") or ("hand" if row["value"] else "blank")
    for kind in get_args(Kind):
        if text == kind:
            found: Kind = kind
            return found
    raise SourceError(f"{place}: kind {text[:20]!r}; it is one of {', '.join(get_args(Kind))}")
