"""The pixels of a page that a job has read, from the file that it came from."""

from __future__ import annotations

from pathlib import Path

from edge.errors import SourceError
from edge.forms.job.job_page import JobPage
from edge.forms.job.work import FULL_PX, hash_pixels
from edge.forms.values import FormPage
from edge.sources.files import BadPage, read_pages
from edge.values import Page


def reopen(page: JobPage) -> Page:
    """The page as the job saw it, grey where it is a JPEG.

    Raises SourceError if its file is gone, cannot be opened, or shows something else by now.
    """
    return reopen_at(page.page, page.place)


def reopen_at(read: FormPage, place: str) -> Page:
    """The same, of what was read of the page at a place, `SOURCE#PAGE`."""
    if read.error is not None:
        raise SourceError(f"{place}: it could not be read: {read.error}")
    found = next(read_pages(Path(read.source), lean_px=FULL_PX, numbers=(read.page_number,)), None)
    if found is None or isinstance(found, BadPage):
        cause = found.message if found else "it has fewer pages by now"
        raise SourceError(f"{place}: {cause}; put the file back where it was read")
    if hash_pixels(found.pixels) != read.sha256:
        raise SourceError(f"{place}: the file shows something else than when it was read; put that one back")
    return found
