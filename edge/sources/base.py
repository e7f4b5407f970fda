"""What every source of frames can do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol, Self

from edge.closing import Closing
from edge.values import Frame


class Source(Protocol):
    """Frames from somewhere, in order, until it ends or is closed.

    name is the SPEC it was opened with, without secrets. live: frames are made whether or not they are fetched (a
    camera), and only the newest is worth reading; otherwise every frame is given. moving: frames follow one another in
    time (a camera, a video); otherwise each is a picture of its own. sensor: pixels come from a sensor of this machine
    as it made them, whose noise makes no two frames alike. broken: how many pictures came so far that did not decode.
    Iterating raises SourceError when the source gives nothing or is lost; iterating again opens it again, also while an
    earlier iteration is held up in a driver. Closing an iteration gives the device back.
    """

    name: str
    live: bool
    moving: bool
    sensor: bool

    @property
    def broken(self) -> int:
        """Pictures so far that did not decode."""

    def __iter__(self) -> Iterator[Frame]: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def close(self) -> None:
        """Give back what is held; as often as wanted."""


class SourceBase(Closing):
    """A source as context manager; the rest is up to the class."""

    sensor = False
    broken = 0

    def close(self) -> None:
        """Give back what is held; as often as wanted."""


@contextmanager
def opened(source: Source) -> Iterator[Iterator[Frame]]:
    """One iteration of the source, closed at the end: what it holds is free before the source is opened again."""
    frames = iter(source)
    try:
        yield frames
    finally:
        close = getattr(frames, "close", None)  # a generator's; an Iterator need not have it
        if close is not None:
            close()
