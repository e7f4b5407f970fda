"""Where the readings of files go: text, CSV or JSON lines, a page at a time, on stdout or in a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from edge.sinks.whole import WholeOutput
from edge.values import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class PageResult:
    """What came of one page: its size in pixels and its readings, or an error and none; ms from decoding to reading."""

    source: str
    page_number: int
    width: int = 0
    height: int = 0
    ms: float = 0.0
    error: str | None = None
    readings: tuple[Reading, ...] = ()


def reading_json(reading: Reading) -> dict[str, Any]:
    """One Reading as the JSON of every output has it."""
    return {
        "text": reading.text,
        "confidence": round(reading.confidence, 4),
        "status": reading.status,
        "box": reading.box.as_list(),
        "digits": [
            {
                "digit": digit.digit,
                "confidence": round(digit.confidence, 4),
                "box": digit.box.as_list(),
                "alternatives": [[other, round(share, 4)] for other, share in digit.alternatives],
            }
            for digit in reading.digits
        ],
    }


def _jsonl(page: PageResult) -> str:
    content = {
        "source": page.source,
        "page": page.page_number,
        "width": page.width,
        "height": page.height,
        "ms": round(page.ms, 1),
        "error": page.error,
        "readings": [reading_json(reading) for reading in page.readings],
    }
    # Names on disk need not be valid text; escapes keep the line valid UTF-8 whatever they are.
    return json.dumps(content) + "\n"


CSV_COLUMNS = ("source", "page", "text", "confidence", "status", "left", "top", "right", "bottom", "error")


def _csv(page: PageResult) -> str:
    """A row a reading; a page without readings gives one row too, so that none seems lost."""
    start = [page.source, page.page_number]
    rows: list[list[object]] = [
        [*start, reading.text, f"{reading.confidence:.4f}", reading.status, *reading.box.as_list(), ""]
        for reading in page.readings
    ] or [[*start, "", "", "", "", "", "", "", page.error or ""]]
    return "".join(map(_csv_row, rows))


def _csv_row(row: list[object]) -> str:
    """A row that ends with a line feed; a carriage return in a name is quoted too.

    The writer quotes what its own line end holds, and before Python 3.13 nothing else that ends lines.
    """
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(row)
    return text.getvalue().removesuffix("\r\n") + "\n"


def _text(page: PageResult) -> str:
    """A line a reading: where, text, how sure; what is not sure bears a question mark."""
    place = page.source if page.page_number == 1 else f"{page.source}#{page.page_number}"
    if page.error is not None:
        return f"{place}: error: {page.error}\n"
    if not page.readings:
        return f"{place}: nothing found\n"
    words = {"read": "", "review": "?", "empty": "(empty)"}
    return "".join(
        f"{place}: {reading.text}{words[reading.status]}" + f"  {100 * reading.confidence:.1f}%\n"
        for reading in page.readings
    )


_FORMATS: dict[str, tuple[str, Callable[[PageResult], str]]] = {
    "text": ("", _text),
    "csv": (",".join(CSV_COLUMNS) + "\n", _csv),
    "jsonl": ("", _jsonl),
}


class PagesSink(WholeOutput):
    """Writes whole pages of readings in one format, its header first."""

    def __init__(self, output_format: str, output: Path | None) -> None:
        """Open stdout (None) or `output`.part. Raises SinkError if that cannot be written."""
        super().__init__(output)
        self._header, self._line = _FORMATS[output_format]

    def __enter__(self) -> Self:
        self.put(self._header)
        return self

    def write(self, page: PageResult) -> None:
        """Write one page. Raises SinkError if the place is full or gone."""
        self.put(self._line(page))


def open_pages_sink(output_format: str, output: Path | None) -> PagesSink:
    """A sink for `text`, `csv` or `jsonl` on stdout, or in a file. Raises SinkError if it cannot be written."""
    return PagesSink(output_format, output)
