"""What a worker process does: it opens its models once, then reads the pages it is given, one after the other."""

from __future__ import annotations

import hashlib
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol, TypeAlias

import cv2
import numpy as np

from edge.errors import EdgeError, ModelError
from edge.forms.job.crops import cut_doubtful
from edge.forms.job.job_page import StoredPage
from edge.forms.job.shown import Showing, Shown
from edge.forms.job.tiles import cut_tiles
from edge.forms.values import FormPage
from edge.sources.decode import quiet_opencv
from edge.sources.files import MAX_MEGAPIXELS, BadPage, count_pages, read_pages
from edge.values import Image, Page

# A JPEG is decoded as grey, at its own size: digits in cells need every pixel, and none of its colours.
FULL_PX = 1 << 30
CHANGED = "the file changed while it was read; run it again when nothing writes to it"


class PageReader(Protocol):
    """What reads a page: FormReader, or what stands in for it."""

    def read(self, page: Page, sha256: str) -> FormPage:
        """The FormPage of a page whose content has that hash."""


OpenReader: TypeAlias = Callable[[], PageReader]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Size and times of a file: if they differ, it is not the file that was hashed."""

    size: int
    modified_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> Stamp | None:
        """That of a file now, None if there is none."""
        try:
            said = path.stat()
        except OSError:
            return None
        return cls(size=said.st_size, modified_ns=said.st_mtime_ns, inode=said.st_ino)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Pages of one file to read, from 1; count: tell first how many it has. file is the sha256 of its bytes."""

    path: Path
    file: str
    stamp: Stamp | None
    numbers: tuple[int, ...]
    count: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The models are open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The models cannot be opened."""

    error: EdgeError


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A file has so many pages."""

    file: str
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDone:
    """A page was read, or ended in an error; crops are PNG by field, tiles the JPEG of its single digits.

    shown: how it is put out, where that was asked for and it was read.
    """

    file: str
    page: StoredPage
    crops: tuple[tuple[str, bytes], ...] = ()
    tiles: bytes | None = None
    shown: Shown | None = None


Message: TypeAlias = Ready | Refused | Counted | PageDone


def serve(connection: Connection, open_reader: OpenReader, parent: int, showing: Showing | None = None) -> None:
    """Answer each Task with a Counted, if asked for, and a PageDone a page, until the other end is closed.

    What goes through the pipe is a tuple of messages: that a file has but one page is told with the page.
    """
    die_with(parent)
    cv2.setNumThreads(1)
    quiet_opencv()
    try:
        reader = open_reader()
    except EdgeError as error:
        connection.send((Refused(error=error),))
        return
    try:
        connection.send((Ready(),))
        while True:
            held: tuple[Message, ...] = ()
            for message in answers(connection.recv(), reader, showing):
                held += (message,)
                if not isinstance(message, Counted) or message.pages > 1:
                    connection.send(held)
                    held = ()
    except ModelError as error:  # one that is opened only when a field wants it
        connection.send((Refused(error=error),))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def answers(task: Task, reader: PageReader, showing: Showing | None = None) -> Iterator[Message]:
    """What a worker says to a task; whatever is wrong with a page, its PageDone says it.

    showing: how pages are put out, if they are.
    Raises ModelError if a model that a field wants cannot be used.
    """
    if task.count:
        yield Counted(file=task.file, pages=count_pages(task.path))
    found = _pages(task, task.numbers)
    for place, number in enumerate(task.numbers, 1):
        try:
            yield _read_next(task, number, found, reader, showing)
        except ModelError:
            raise
        except Exception as error:  # one page must not cost the others
            cause = "there is not enough memory for it; take fewer --workers"
            if not isinstance(error, MemoryError):
                traceback.print_exc(file=sys.stderr)
                cause = f"a bug of inkedge ({type(error).__name__}); please report it with the lines on stderr"
            yield _failed(task, number, cause)
            found = _pages(task, task.numbers[place:])  # what raised inside gives no more pages


def _pages(task: Task, numbers: tuple[int, ...]) -> Iterator[Page | BadPage]:
    return read_pages(task.path, lean_px=FULL_PX, max_megapixels=MAX_MEGAPIXELS, numbers=numbers)


def _read_next(
    task: Task, number: int, found: Iterator[Page | BadPage], reader: PageReader, showing: Showing | None
) -> PageDone:
    start = time.perf_counter()
    page = next(found, None)
    decoded_s = time.perf_counter() - start
    if task.stamp != Stamp.of(task.path) or page is None or page.page_number != number:
        return _failed(task, number, CHANGED)
    if isinstance(page, BadPage):
        return _failed(task, number, page.message)
    sha256 = hash_pixels(page.pixels)
    start = time.perf_counter()
    read = reader.read(page, sha256)
    ms = 1000 * (decoded_s + time.perf_counter() - start)
    read = replace(read, ms=round(ms, 1))
    return PageDone(
        file=task.file,
        page=StoredPage.of(read),
        crops=cut_doubtful(page, read),
        tiles=cut_tiles(page, read),
        shown=None if showing is None else showing.of(read),
    )


def _failed(task: Task, number: int, error: str) -> PageDone:
    return PageDone(file=task.file, page=StoredPage.of(error_page(task, number, error)))


def error_page(task: Task, number: int, error: str) -> FormPage:
    """The FormPage of a page that could not be read."""
    return FormPage(source=str(task.path), page_number=number, sha256="", error=error)


def hash_pixels(pixels: Image) -> str:
    """The sha256, in hex, of what a page shows: the same for a copy in another file, or in another kind of file."""
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def die_with(parent: int) -> None:
    """Let the kernel end this process when the parent's ends (Linux; elsewhere it ends with its next answer)."""
    if sys.platform == "linux":
        import ctypes
        import signal

        pr_set_pdeathsig = 1  # <linux/prctl.h>
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    if os.getppid() != parent:  # it went before we asked
        os._exit(1)
