"""Files to readings: every page of every file, in order, whatever is wrong with some of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from edge.reading.evidence import Trace
from edge.reading.progress import Progress, say_skipped
from edge.reading.reader import Reader
from edge.sinks.pages import PageResult, PagesSink
from edge.sources.files import BadPage, expand_paths, read_pages
from edge.values import Page, Reading

log = logging.getLogger(__name__)

# Writing is looked for on a picture with a longer side of at least so many pixels. Where its digits are lower than
# _LOW_PX there, it is read from a finer one.
LEAN_PX = 1000
_FINER = 2
_LOW_PX = 18
_SHRUNK = 1.5

Readings: TypeAlias = tuple[Reading, ...]


def read_files(
    paths: Iterable[str],
    reader: Reader,
    sink: PagesSink,
    *,
    max_megapixels: float,
    annotate_to: Path | None = None,
    explain_to: Path | None = None,
) -> int:
    """Read every page behind paths into sink, in order; the number of pages that could not be opened.

    annotate_to: a folder for each page with its readings drawn on it; explain_to: for a sheet a reading that shows how
    it came about. Raises SinkError if the sink or one of the folders cannot be written.
    """
    found = expand_paths(paths)
    say_skipped(found.skipped)
    failed = 0
    trace = None if explain_to is None else Trace()
    for result, page in _with_progress(_results(found.files, reader, max_megapixels, trace), len(found.files)):
        sink.write(result)
        failed += result.error is not None
        if page is None:
            continue
        if annotate_to is not None:
            _write_annotated(annotate_to, _in_full(page, max_megapixels), result)
        if explain_to is not None and trace is not None:
            _write_explained(explain_to, _in_full(page, max_megapixels), result, reader.threshold, trace)
            trace.clear()
    return failed


def _results(
    files: Iterable[Path], reader: Reader, max_megapixels: float, trace: Trace | None
) -> Iterator[tuple[PageResult, Page | None]]:
    lean_px = LEAN_PX if reader.mode == "page" else None
    for file in files:
        pages = read_pages(file, max_megapixels=max_megapixels, lean_px=lean_px)
        while True:
            start = time.perf_counter()
            page = next(pages, None)
            if page is None:
                break
            if isinstance(page, BadPage):
                yield PageResult(source=page.source, page_number=page.page_number, error=page.message), None
                continue
            page, readings = _read_page(page, reader, max_megapixels, trace)
            ms = 1000 * (time.perf_counter() - start)
            yield (
                PageResult(
                    source=page.source,
                    page_number=page.page_number,
                    width=page.width,
                    height=page.height,
                    ms=ms,
                    readings=readings,
                ),
                page,
            )


def _read_page(page: Page, reader: Reader, max_megapixels: float, trace: Trace | None) -> tuple[Page, Readings]:
    """The readings of a page; where a lean picture shows small writing or none, of a finer one, which is given back.

    trace then holds more than these readings.
    """
    readings = reader.read(page.pixels, trace, size=page.size)
    heights = sorted(digit.box.height for reading in readings for digit in reading.digits)
    shrunk = page.width / page.pixels.shape[1]
    if shrunk < _SHRUNK or (heights and heights[len(heights) // 2] >= _LOW_PX * shrunk):
        return page, readings
    finer = next(read_pages(Path(page.source), max_megapixels=max_megapixels, lean_px=_FINER * LEAN_PX))
    if isinstance(finer, BadPage):  # it is being replaced while we read
        return page, readings
    return finer, reader.read(finer.pixels, trace, size=finer.size)


def _in_full(page: Page, max_megapixels: float) -> Page:
    """The page with its own pixels, for people to look at."""
    if page.size is None:
        return page
    full = next(read_pages(Path(page.source), max_megapixels=max_megapixels))
    return page if isinstance(full, BadPage) else full


def _with_progress(
    results: Iterator[tuple[PageResult, Page | None]], files: int
) -> Iterator[tuple[PageResult, Page | None]]:
    """The same results; says on stderr how far it is."""
    progress = Progress(files)
    done = 0
    source = None
    for pages, item in enumerate(results, 1):
        yield item
        done += item[0].source != source
        source = item[0].source
        progress.say(done, pages)
    progress.end()


def _write_annotated(folder: Path, page: Page, result: PageResult) -> None:
    """Write the page with its readings drawn on it."""
    from edge.imaging.annotate import annotate
    from edge.sinks.pictures import picture_path, write_picture

    write_picture(picture_path(folder, page), annotate(page.pixels, result.readings))


def _write_explained(folder: Path, page: Page, result: PageResult, threshold: float, trace: Trace) -> None:
    """Write a sheet for each reading of the page, numbered from 1 in the order of the output."""
    from edge.reading.explain import explain
    from edge.sinks.pictures import picture_path, write_picture

    for number, reading in enumerate(result.readings, 1):
        name = f"{Path(page.source).name}  page {page.page_number}  reading {number}"
        sheet = explain(page.pixels, reading, trace.of(reading), threshold=threshold, name=name)
        write_picture(picture_path(folder, page, number), sheet)
