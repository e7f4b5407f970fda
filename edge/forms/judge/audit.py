"""A page of a job as it was read: its boxes, values and confidences drawn on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge.errors import UsageError
from edge.forms.job.job_page import JobPage
from edge.forms.job.ledger import Ledger
from edge.forms.job.reopen import reopen
from edge.forms.make.overlay import Bgr, as_color, label, outline
from edge.forms.values import FieldReading
from edge.imaging.annotate import GREEN, ORANGE
from edge.sinks.pictures import write_picture
from edge.values import Image, Page

_EMPTY: Bgr = (170, 170, 170)
_CORRECTED: Bgr = (190, 60, 140)


def write_audit(job: Path, place: str, output: Path) -> str:
    """Draw what was read of a page, `SOURCE` or `SOURCE#PAGE`, into a PNG file, and say it in a line.

    Raises JobError if the job is absent or broken, UsageError if it has no such page, SourceError if the page's file is
    gone or changed, SinkError if the picture cannot be written.
    """
    with Ledger(job) as ledger, ledger.still():
        found = _find(ledger, place)
    if found is None:
        raise UsageError(f"job {job}: it has no page {place}; name SOURCE#PAGE as the table has them")
    write_picture(output, draw_page(reopen(found), found))
    counts = [
        f"{sum(one.status == status for one in found.page.fields)} {status}" for status in ("read", "review", "empty")
    ]
    registration = found.page.registration
    laid = (
        ""
        if registration is None
        else f"; registration {registration.status}" + (f": {registration.reason}" if registration.reason else "")
    )
    name = found.place.encode(errors="backslashreplace").decode()  # names on disk need not be valid text
    return f"{name}: {', '.join(counts)}{laid}"


def draw_page(page: Page, found: JobPage) -> Image:
    """A copy of a page (H, W) or (H, W, 3), as BGR, with every field's box, value and confidence.

    `read` is green, `review` orange with a question mark, corrected violet, `empty` a thin grey box.
    """
    picture = as_color(page.pixels)
    scale = np.array((page.pixels.shape[1] / page.width, page.pixels.shape[0] / page.height))
    for one in found.page.fields:
        corners = np.array(one.quad) * scale
        text, color = _said(one, found)
        outline(picture, corners, color)
        if text:
            label(picture, text, corners, color, inside=one.name.endswith("]"))  # cells of a grid touch
    return picture


def _said(one: FieldReading, found: JobPage) -> tuple[str, Bgr]:
    if one.name in found.corrections:
        return f"{found.corrections[one.name]} corrected", _CORRECTED
    if one.status == "empty":
        return "", _EMPTY
    sure = one.status == "read"
    repaired = f" was {one.raw}" if one.repaired else ""
    return f"{one.value}{'' if sure else '?'} {100 * one.confidence:.0f}%{repaired}", GREEN if sure else ORANGE


def _find(ledger: Ledger, place: str) -> JobPage | None:
    """The page at a place; the first of a source for a source alone."""
    pages = list(ledger.all_pages())
    exact = next((page for page in pages if page.place == place), None)
    return exact or next((page for page in pages if page.page.source == place), None)
