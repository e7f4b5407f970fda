"""Corrections out of a spreadsheet that `export --review` wrote and a person filled in; the file is not trusted."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.counted import counted
from edge.errors import SourceError, UsageError
from edge.forms.job.entries import Said, clean_name, clean_value, enter
from edge.forms.job.ledger import Ledger
from edge.forms.job.review_book import EMPTY, UNREADABLE
from edge.forms.job.spreadsheet import library

_NEEDED = ("value", "field", "sha256", "revision")
# Of a workbook's parts but the pictures, unpacked: hundreds of thousands of lines.
_MOST_BYTES = 256 << 20
_MOST_LINES = 200_000
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """How many lines were noted, said what is so already, or were left empty; the others are refused, by number."""

    path: Path
    noted: int
    already: int
    left_empty: int
    refused: tuple[tuple[int, str], ...]

    @property
    def exit_code(self) -> int:
        """3 if a line was refused, else 0."""
        return 3 if self.refused else 0

    def lines(self) -> list[str]:
        """What became of the file: each refused line with its number, then the sum."""
        told = [f"{self.path}:{line}: {why}; the other lines were taken" for line, why in self.refused]
        parts = [f"{counted(self.noted, 'value')} noted"]
        if self.already:
            parts.append(f"{counted(self.already, 'was', 'were')} so already")
        parts += [f"{counted(self.left_empty, 'line')} left empty", f"{len(self.refused)} refused"]
        return [*told, f"{self.path}: " + ", ".join(parts)]


def correct_job(job: Path, path: Path, name: str) -> Corrected:
    """Note what a person filled into a workbook under a name; a line that fits no value is left out, and told.

    Raises SourceError if the file cannot be read or is no such workbook, UsageError if openpyxl is absent or the name
    is none, JobError if the job is absent or broken.
    """
    name = clean_name(name)
    refused: list[tuple[int, str]] = []
    said: list[tuple[int, Said]] = []
    left_empty = 0
    for line, row in _rows(path):
        try:
            found = _said(row)
        except UsageError as error:
            refused.append((line, str(error)))
            continue
        if found is None:
            left_empty += 1
        else:
            said.append((line, found))
    already = 0
    with Ledger(job) as ledger, ledger.change(forever=True) as db:
        entered = enter(db, [one for _, one in said], name=name)
    by_said = {id(one): line for line, one in said}
    for one in entered.refused:
        same = one.theirs is not None and one.theirs.kind != "odd"
        if same and one.theirs is not None and one.theirs.value == (one.said.value or ""):
            already += 1
        else:
            refused.append((by_said[id(one.said)], str(one)))
    return Corrected(
        path=path, noted=entered.noted, already=already, left_empty=left_empty, refused=tuple(sorted(refused))
    )


def _said(row: Mapping[str, Any]) -> Said | None:
    """What a line says; None if its value was left empty. Raises UsageError if it says nothing that can be."""
    cell = row["value"]
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        raise UsageError(f"value {str(cell)[:20]!r} is not a number; format the cell as text and type the digits")
    if isinstance(cell, float):
        if not cell.is_integer():
            raise UsageError(f"value {cell}: a value is digits only; format the cell as text")
        cell = int(cell)
    text = str(cell).strip()
    value = None if text.casefold() == UNREADABLE else "" if text.casefold() == EMPTY else clean_value(text)
    page, field, revision = (row[name] for name in ("sha256", "field", "revision"))
    if not (isinstance(page, str) and _SHA256.fullmatch(page)) or not isinstance(field, str):
        raise UsageError("its columns sha256 and field name no value of the job")
    if isinstance(revision, bool) or not isinstance(revision, int | float) or revision < 0:
        raise UsageError("its column revision is no number; export the file again")
    return Said(page=page, field=field, value=value, seen=int(revision))


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The lines of the first sheet by the names of its columns, with their numbers, from 2."""
    openpyxl = library("openpyxl", "forms")
    _check_size(path)
    book = None
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=False, keep_links=False)
        rows = book.worksheets[0].iter_rows(values_only=True, max_row=_MOST_LINES)
        names = [str(name) for name in next(rows, ())]
        places = _places(path, names)
        for line, row in enumerate(rows, 2):
            yield line, {name: row[place] if place < len(row) else None for name, place in places.items()}
    except SourceError:
        raise
    except Exception as error:  # whatever openpyxl and its parsers make of a file that is none of theirs
        raise SourceError(
            f"{path}: cannot be read as a spreadsheet ({type(error).__name__}); save it as .xlsx again"
        ) from error
    finally:
        if book is not None:
            book.close()


def _places(path: Path, names: Sequence[str]) -> Mapping[str, int]:
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise SourceError(
            f"{path}: no column {', '.join(missing)}; `edge forms export JOB --review FILE.xlsx` writes such a file"
        )
    return {name: names.index(name) for name in _NEEDED}


def _check_size(path: Path) -> None:
    """Raise SourceError if a file is no zip, or unpacks to more than a spreadsheet of words does."""
    try:
        with zipfile.ZipFile(path) as parts:
            size = sum(part.file_size for part in parts.infolist() if not part.filename.startswith("xl/media/"))
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror or error}; check the path") from error
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise SourceError(f"{path}: this is no spreadsheet; name the .xlsx that was filled in") from error
    if size > _MOST_BYTES:
        raise SourceError(f"{path}: it unpacks to {size >> 20} MB; save only its filled lines as .xlsx")
