"""Output that is never half a line and, in a file, never half a file under its name."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from edge.errors import SinkError


class WholeOutput:
    """Writes whole lines to stdout or a file, flushing each; what was written before a fault stays whole lines.

    A file appears under its name when the block ends well; until then, and after a fault, it is FILE.part.
    """

    def __init__(self, output: Path | None) -> None:
        """Open stdout (None) or `output`.part. Raises SinkError if that cannot be written."""
        self._output = output
        self._name = "stdout" if output is None else str(output)
        try:
            self._stream: BinaryIO = sys.stdout.buffer if output is None else part_of(output).open("wb", buffering=0)
        except OSError as error:
            raise write_fault(self._name, error) from error
        self._good = 0
        self._whole = True

    def __enter__(self) -> Self:
        return self

    def put(self, text: str) -> None:
        """Write one or more whole lines. Raises SinkError if the place is full or gone."""
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
            raise write_fault(self._name, error) from error
        self._good += len(content)

    def abandon(self) -> None:
        """What was written is not all there is: the file stays FILE.part when the block ends."""
        self._whole = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._output is None:
            return
        try:
            os.fsync(self._stream.fileno())
            self._stream.close()
            if kind is None and self._whole:
                part_of(self._output).replace(self._output)
        except OSError as fault:
            if kind is None:
                raise write_fault(self._name, fault) from fault


def part_of(output: Path) -> Path:
    """Where a file is written until it is complete."""
    return output.with_name(output.name + ".part")


def write_whole(output: Path, content: bytes) -> None:
    """Write a file aside and rename it. Raises SinkError if that fails."""
    part = part_of(output)
    try:
        part.write_bytes(content)
        part.replace(output)
    except OSError as error:
        raise write_fault(str(output), error) from error


def write_fault(name: str, error: OSError) -> SinkError:
    """What to say when a place cannot be written."""
    return SinkError(f"{name}: cannot be written: {error.strerror or error}; choose another place or make room")
