"""Where the readings of files go: text, CSV or JSON lines, a page at a time, on stdout or in a file."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from edge.errors import SinkError
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
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


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


class PagesSink:
    """Writes whole pages, flushing each; what was written before a fault stays whole lines.

    A file appears under its name when the block ends well; until then, and after a fault, it is FILE.part.
    """

    def __init__(self, output_format: str, output: Path | None) -> None:
        """Open stdout (None) or `output`.part. Raises SinkError if that cannot be written."""
        self._header, self._line = _FORMATS[output_format]
        self._output = output
        self._name = "stdout" if output is None else str(output)
        try:
            self._stream: BinaryIO = sys.stdout.buffer if output is None else _part(output).open("wb", buffering=0)
        except OSError as error:
            raise _fault(self._name, error) from error
        self._good = 0

    def __enter__(self) -> Self:
        self._put(self._header)
        return self

    def write(self, page: PageResult) -> None:
        """Write one page. Raises SinkError if the place is full or gone."""
        self._put(self._line(page))

    def _put(self, text: str) -> None:
        content = text.encode("utf-8", "surrogateescape")
        try:
            rest = memoryview(content)
            while rest:  # an unbuffered write may take less than all
                rest = rest[self._stream.write(rest) :]
            self._stream.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            if self._output is not None:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._stream.fileno(), self._good)
            raise _fault(self._name, error) from error
        self._good += len(content)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._output is None:
            return
        try:
            os.fsync(self._stream.fileno())
            self._stream.close()
            if kind is None:
                _part(self._output).replace(self._output)
        except OSError as fault:
            if kind is None:
                raise _fault(self._name, fault) from fault


def open_pages_sink(output_format: str, output: Path | None) -> PagesSink:
    """A sink for `text`, `csv` or `jsonl` on stdout, or in a file. Raises SinkError if it cannot be written."""
    return PagesSink(output_format, output)


def _part(output: Path) -> Path:
    return output.with_name(output.name + ".part")


def _fault(name: str, error: OSError) -> SinkError:
    return SinkError(f"{name}: cannot be written: {error.strerror or error}; choose another place or make room")
