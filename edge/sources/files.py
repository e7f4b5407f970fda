"""Image files, multi-page TIFF and PDF as Pages; folders and globs as files."""

from __future__ import annotations

import glob
import hashlib
import os
import stat
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path

import numpy as np

from edge.errors import SourceError
from edge.sources.decode import check_size, decode_image, decode_lean
from edge.sources.headers import Content, Kind, find_kind, read_header
from edge.sources.tiff import tiff_pages
from edge.values import Page

MAX_MEGAPIXELS = 100.0
# Files up to this size are read whole, which is quicker; larger ones are mapped into memory, so that one of gigabytes
# that is refused for its header costs nothing.
_READ_BYTES = 16 << 20
SUFFIXES = frozenset(
    ".png .jpg .jpeg .jpe .jfif .tif .tiff .bmp .dib .gif .webp .pbm .pgm .ppm .pnm .pdf".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BadPage:
    """A page that could not be opened: where, and a message with cause and remedy."""

    source: str
    page_number: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFiles:
    """Files in the order to read them, and how many in folders were passed over for their suffix."""

    files: tuple[Path, ...]
    skipped: int = 0


def expand_paths(paths: Iterable[str | Path]) -> FoundFiles:
    """Files behind paths: a file is itself whatever its name, a folder and a glob what they hold; order is kept.

    A folder gives its files with a known suffix, recursively, in code-point order of the relative path; hidden ones
    are passed over, links to files followed, links to folders not (they may loop). A path that does not exist, a
    glob that matches nothing and a folder that cannot be listed stay in the list: read_pages says what is wrong.
    """
    files: list[Path] = []
    skipped = 0
    for path in paths:
        for match in _matches(path):
            if match.is_dir():
                found = _walk(match)
                files.extend(found.files)
                skipped += found.skipped
            else:
                files.append(match)
    return FoundFiles(files=tuple(files), skipped=skipped)


def _matches(path: str | Path) -> list[Path]:
    if glob.has_magic(str(path)) and not os.path.lexists(path):
        # glob.glob, not Path.glob: absolute patterns, and hidden files left out as in a shell
        matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207
        return [Path(match) for match in matches] or [Path(path)]
    return [Path(path)]


def _walk(folder: Path) -> FoundFiles:
    names: list[str] = []
    skipped = 0
    closed: list[str] = []
    for parent, folders, files in os.walk(folder, onerror=lambda error: closed.append(str(error.filename))):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            place = Path(parent, name)
            if name.startswith("."):
                continue
            if place.suffix.lower() in SUFFIXES and not place.is_dir():
                names.append(place.relative_to(folder).as_posix())
            else:
                skipped += 1
    names += [Path(place).relative_to(folder).as_posix() for place in closed]
    return FoundFiles(files=tuple(folder / name for name in sorted(names)), skipped=skipped)


def read_pages(
    path: Path,
    *,
    max_megapixels: float = MAX_MEGAPIXELS,
    lean_px: int | None = None,
    numbers: Collection[int] | None = None,
) -> Iterator[Page | BadPage]:
    """Every page of one file, in order, each decoded when it is asked for.

    lean_px: a JPEG is given as a grey picture whose longer side is at least so many pixels, which takes a part of the
    time, and a PDF's page in grey; None gives all there is. numbers: the pages wanted, from 1; None for all.
    A page that cannot be read, and a file that cannot be opened, is a BadPage; nothing is raised for bad input.
    """
    source = str(path)
    number = 0
    try:
        for number, page in enumerate(_open_pages(path, max_megapixels, lean_px, numbers), 1):
            if isinstance(page, SourceError):
                yield BadPage(source=source, page_number=number, message=str(page))
            elif page is not None:
                yield page
    except SourceError as error:
        if numbers is None or number + 1 in numbers:
            yield BadPage(source=source, page_number=number + 1, message=str(error))


def count_pages(path: Path) -> int:
    """How many pages read_pages gives for a file, bad ones included; at least one, and nothing is decoded."""
    number = 0
    try:
        with _opened(path) as (kind, content):
            if kind == "pdf":
                from edge.sources.pdf import count_pdf_pages

                return count_pdf_pages(path)
            for _ in tiff_pages(content) if kind == "tiff" else (content,):
                number += 1
    except SourceError:
        return number + 1
    return max(number, 1)


def hash_file(path: Path) -> str:
    """The sha256 of a file's bytes, in hex. Raises SourceError if it cannot be read."""
    try:
        with os.fdopen(_open_regular(path), "rb", buffering=0) as stream:
            if os.fstat(stream.fileno()).st_size <= _READ_BYTES:
                return hashlib.sha256(stream.read()).hexdigest()
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        raise SourceError(_explain(path, error)) from error


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Kind, Content]]:
    """A file's kind and content, which is b"" for a PDF: PDFium opens that itself."""
    try:
        with os.fdopen(_open_regular(path), "rb", buffering=0) as stream:
            kind = find_kind(stream.read(1024))
            content: Content = b""
            if kind != "pdf" and os.fstat(stream.fileno()).st_size <= _READ_BYTES:
                stream.seek(0)
                content = stream.read()
            elif kind != "pdf":
                # Not closed by hand: that fails while an array still points into it. It goes with its last user.
                content = mmap(stream.fileno(), 0, access=ACCESS_READ)
        yield kind, content
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise SourceError(_explain(path, error)) from error


def _open_pages(
    path: Path, max_megapixels: float, lean_px: int | None, numbers: Collection[int] | None
) -> Iterator[Page | SourceError | None]:
    """Every page in order, None for one that is not wanted."""
    with _opened(path) as (kind, content):
        if kind == "pdf":
            from edge.sources.pdf import pdf_pages

            pages = pdf_pages(path, max_megapixels=max_megapixels, numbers=numbers, grey=lean_px is not None)
            for number, rendered in enumerate(pages, 1):
                if isinstance(rendered, np.ndarray):
                    yield Page(pixels=rendered, source=str(path), page_number=number)
                else:
                    yield rendered
            return
        number = 0
        headers = tiff_pages(content) if kind == "tiff" else iter((read_header(kind, content),))
        for number, header in enumerate(headers, 1):
            if numbers is not None and number not in numbers:
                yield None
                continue
            try:
                check_size(header.width, header.height, max_megapixels)
                size = None
                if header.kind == "jpeg" and lean_px is not None:
                    pixels, size = decode_lean(header, content, least_px=lean_px)
                else:
                    pixels = decode_image(header, content, index=number - 1)
                yield Page(pixels=pixels, source=str(path), page_number=number, size=size)
            except SourceError as error:
                yield error
        if not number:
            raise SourceError("the TIFF has no pages; save it again")


def _open_regular(path: Path) -> int:
    """A descriptor, by an open() that does not wait for the other end of a pipe, and takes regular files only."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise IsADirectoryError if stat.S_ISDIR(mode) else SourceError("this is not a file but a device or a pipe")
    return descriptor


def _explain(path: Path, error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        if glob.has_magic(str(path)):
            return "no file matches; check the pattern"
        return "no such file; check the path"
    if isinstance(error, PermissionError):
        return "it may not be read; check its permissions"
    if isinstance(error, IsADirectoryError):
        return "the folder cannot be listed; check its permissions"
    reason = getattr(error, "strerror", None) or error
    return f"it cannot be opened: {reason}; check the path"
