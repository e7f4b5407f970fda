"""A list of the values that a field may have: the first column of a CSV file."""

from __future__ import annotations

import csv
from pathlib import Path

from edge.errors import UsageError

_MOST_BYTES = 64_000_000
_LONGEST_NUMBER = 30


def read_roster(path: Path, *, longest: int | None = None) -> tuple[str, ...]:
    """The texts of digits in a file's first column, in its order, each once; leading zeros stay.

    A first line that is no number is a heading. Raises UsageError with file and line if the file cannot be read, lists
    nothing, or has a text that is not digits or longer than `longest`.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such file; check the path, which starts at the template's folder")
    limit = min(longest or _LONGEST_NUMBER, _LONGEST_NUMBER)
    values: dict[str, None] = {}
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UsageError(f"{path}: more than {_MOST_BYTES // 1_000_000} MB; this is not a list of values")
        with path.open(encoding="utf-8-sig", newline="") as stream:
            start = stream.readline()
            stream.seek(0)
            lines = csv.reader(stream, delimiter=";" if start.count(";") > start.count(",") else ",")
            for line, row in enumerate(lines, 1):
                text = row[0].strip() if row else ""
                if not text or (line == 1 and not text[0].isdigit()):
                    continue
                if not (text.isascii() and text.isdigit()) or len(text) > limit:
                    raise UsageError(
                        f"{path}:{line}: the field holds 1 to {limit} digits, not {text[:40]!r}; mend or remove it"
                    )
                values[text] = None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or "it is not CSV in UTF-8"
        raise UsageError(f"{path}: cannot be read: {reason}; check its permissions, save it as CSV") from error
    if not values:
        raise UsageError(f"{path}: lists no values; its first column should")
    return tuple(values)
