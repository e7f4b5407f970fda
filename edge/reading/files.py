"""Files to readings: every page of every file, in order, whatever is wrong with some of them."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from edge.errors import SinkError
from edge.reading.reader import Reader
from edge.sinks.pages import PageResult, PagesSink
from edge.sources.files import BadPage, expand_paths, read_pages
from edge.values import Page, Reading

log = logging.getLogger(__name__)

# A person watching wants to see movement; a log wants a line now and then.
_TERMINAL_S = 0.2
_LOG_S = 20.0


def read_files(
    paths: Iterable[str],
    reader: Reader,
    sink: PagesSink,
    *,
    max_megapixels: float,
    annotate_to: Path | None = None,
) -> int:
    """Read every page behind paths into sink, in order; the number of pages that could not be opened.

    Raises SinkError if the sink or the folder for annotated pages cannot be written.
    """
    found = expand_paths(paths)
    if found.skipped:
        log.warning("%d files in folders are neither images, TIFF nor PDF and were passed over", found.skipped)
    failed = 0
    for result, page in _with_progress(_results(found.files, reader, max_megapixels), len(found.files)):
        sink.write(result)
        failed += result.error is not None
        if annotate_to is not None and page is not None:
            _write_annotated(annotate_to, page, result.readings)
    return failed


def _results(files: Iterable[Path], reader: Reader, max_megapixels: float) -> Iterator[tuple[PageResult, Page | None]]:
    for file in files:
        pages = read_pages(file, max_megapixels=max_megapixels)
        while True:
            start = time.perf_counter()
            page = next(pages, None)
            if page is None:
                break
            if isinstance(page, BadPage):
                yield PageResult(source=page.source, page_number=page.page_number, error=page.message), None
                continue
            readings = reader.read(page.pixels)
            height, width = page.pixels.shape[:2]
            ms = 1000 * (time.perf_counter() - start)
            yield (
                PageResult(
                    source=page.source,
                    page_number=page.page_number,
                    width=width,
                    height=height,
                    ms=ms,
                    readings=readings,
                ),
                page,
            )


def _with_progress(
    results: Iterator[tuple[PageResult, Page | None]], files: int
) -> Iterator[tuple[PageResult, Page | None]]:
    """The same results; says on stderr how far it is, unless --quiet asked for silence."""
    watched = sys.stderr.isatty()
    silent = not log.isEnabledFor(logging.WARNING)
    start = last = time.monotonic()
    done = pages = 0
    source = None
    for pages, item in enumerate(results, 1):
        yield item
        done += item[0].source != source
        source = item[0].source
        now = time.monotonic()
        if not silent and now - last >= (_TERMINAL_S if watched else _LOG_S):
            last = now
            line = f"{done} of {files} files, {pages} pages, {pages / (now - start):.0f} pages/s"
            sys.stderr.write(f"\r{line}\x1b[K" if watched else f"{line}\n")
            sys.stderr.flush()
    if watched and last != start:
        sys.stderr.write("\r\x1b[K")


def _write_annotated(folder: Path, page: Page, readings: tuple[Reading, ...]) -> None:
    """Write the page with its readings drawn on it; the name tells the path and the page."""
    import cv2

    from edge.imaging.annotate import annotate

    path = Path(page.source)
    parts = [part for part in path.parts if part not in ("/", "..", ".")]
    suffix = "" if page.page_number == 1 else f"#{page.page_number}"
    target = folder / ("_".join(parts) + suffix + ".png")
    good, content = cv2.imencode(".png", annotate(page.pixels, readings))
    if not good:
        raise SinkError(f"{target}: OpenCV cannot write this picture")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")
        part.write_bytes(content.tobytes())
        part.replace(target)
    except OSError as error:
        raise SinkError(f"{target}: cannot be written: {error.strerror}; choose another folder or make room") from error
