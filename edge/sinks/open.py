"""A sink by its SPEC."""

from __future__ import annotations

from pathlib import Path

from edge.errors import UsageError
from edge.sinks.base import Sink
from edge.sinks.lines import Format

_FILE_FORMATS: dict[str, Format] = {"jsonl": "jsonl", "csv": "csv"}


def open_sink(spec: str) -> Sink:
    """The sink of a SPEC: jsonl:PATH or csv:PATH. Raises UsageError for another, SinkError if it cannot be written."""
    kind, separator, rest = spec.partition(":")
    if kind in _FILE_FORMATS and separator and rest:
        from edge.sinks.file import FileSink

        return FileSink(Path(rest), _FILE_FORMATS[kind])
    raise UsageError(f"sink {spec!r}: use jsonl:PATH or csv:PATH")
