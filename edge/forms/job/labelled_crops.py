"""A job's digits as the network saw them, with what people said they are: what a network learns from, and whence.

A page is opened and laid over its form once more, so that a digit goes through the very preparation that reading has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from edge.counted import counted
from edge.errors import SourceError
from edge.forms.fields.cells import find_cells
from edge.forms.job.job_page import Copies, JobPage, Judged
from edge.forms.job.kept_forms import kept_form
from edge.forms.job.ledger import Ledger
from edge.forms.job.reopen import reopen
from edge.forms.job.tables import Cell, csv_text
from edge.forms.register import lay
from edge.forms.sheet.laid import Laid
from edge.forms.template import Slot, Template
from edge.forms.values import FieldReading
from edge.imaging.tensors import digit_tensors
from edge.sinks.whole import WholeOutput, write_fault, write_whole
from edge.values import NOT_A_DIGIT, Image

LABELS = "labels.csv"
COLUMNS = ("file", "label", "page", "source", "field", "cell", "read", "confidence", "by", "kind")
# Of the kinds of what people said, and of what nobody has looked at yet.
WAITING = "waiting"


@dataclass(slots=True, kw_only=True)
class Cut:
    """How many digits went into a folder, how many of them have a label, and which pages could not be opened."""

    folder: Path
    digits: int = 0
    labelled: int = 0
    missing: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        text = f"{counted(self.digits, 'digit')} in {self.folder}, {self.labelled} of them labelled"
        if self.missing:
            text += f"; {counted(len(self.missing), 'page is', 'pages are')} left out: {self.missing[0]}"
        return text


def write_crops(job: Path, folder: Path) -> Cut:
    """Write each digit of a job that a person judged, or should, as 28×28 PNG into a folder, and labels.csv beside.

    Ink is white on black, as networks see it. label: the digit; `none` where nothing is written; "" where it is not
    known. Raises JobError if the job is absent or broken, SinkError if the folder cannot be written.
    """
    cut = Cut(folder=folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_fault(str(folder), error) from error
    with Ledger(job) as ledger, WholeOutput(folder / LABELS) as labels:
        labels.put(csv_text([COLUMNS]))
        for page in map(Copies().mark, ledger.all_pages()):
            chosen = {one.name: one for one in page.page.fields if one.name in page.judged or one.status == "review"}
            if not chosen:
                continue
            try:
                found = list(_digits(ledger, page, chosen))
            except SourceError as error:
                cut.missing.append(str(error).encode(errors="backslashreplace").decode())
                continue
            for row, picture in found:
                write_whole(folder / str(row[0]), cv2.imencode(".png", picture)[1].tobytes())
                labels.put(csv_text([row]))
                cut.digits += 1
                cut.labelled += row[1] != ""
    return cut


def _digits(ledger: Ledger, page: JobPage, chosen: dict[str, FieldReading]) -> Iterator[tuple[tuple[Cell, ...], Image]]:
    """The line of labels.csv and the picture of each digit in the chosen values of a page."""
    template = _template(ledger, page)
    pixels = reopen(page).pixels
    known = page.page.registration

    def as_before(laid: Laid) -> float:
        return float(known is not None and laid.registration.rotation_deg == known.rotation_deg)

    laid = lay(pixels, (template,), judge=as_before)
    if laid.sheet is None:
        raise SourceError(f"{page.place}: it is not found to be {template.name} any more; read the job again")
    fields = [
        one
        for one in template.fields
        if one.kind == "digit" and one.page == laid.form_page and any(slot.name in chosen for slot in one.slots())
    ]
    for one, cells in zip(fields, find_cells(pixels, laid.sheet, fields), strict=True):
        inks = iter(cells)
        for slot in one.slots():
            own = [(place, next(inks).glyph) for place, _ in enumerate(slot.cells_mm, 1)]
            inked = [(place, glyph.ink) for place, glyph in own if glyph is not None]
            if slot.name in chosen:
                yield from _of_slot(page, slot, chosen[slot.name], inked)


def _of_slot(
    page: JobPage, slot: Slot, reading: FieldReading, inked: Sequence[tuple[int, Image]]
) -> Iterator[tuple[tuple[Cell, ...], Image]]:
    said = page.judged.get(reading.name)
    labels = _labels(said, len(inked))
    read = reading.raw if len(reading.raw) == len(inked) else " " * len(inked)
    tensors = digit_tensors([ink for _, ink in inked])
    for (cell, _), label, digit, tensor in zip(inked, labels, read, tensors, strict=True):
        name = re.sub(r"[^A-Za-z0-9]", "_", slot.name)
        row = (
            f"{page.page.sha256[:8]}-{name}-{cell}.png",
            label,
            page.page.sha256,
            page.place,
            reading.name,
            cell,
            digit.strip(),
            round(reading.confidence, 4),
            "" if said is None else said.name,
            WAITING if said is None else said.kind,
        )
        yield row, tensor[:, :, 0]


def _labels(said: Judged | None, digits: int) -> Sequence[str]:
    """The label of each of so many inked cells of a value, from what a person said of the whole."""
    if said is None or said.kind in ("unreadable", "odd"):
        return [""] * digits
    if not said.value:
        return [NOT_A_DIGIT] * digits
    return said.value if len(said.value) == digits else [""] * digits


def _template(ledger: Ledger, page: JobPage) -> Template:
    outline = next((one for one in page.generation.forms if one.name == page.page.template), None)
    template = None if outline is None else kept_form(ledger, outline.sha256)
    if template is None:
        raise SourceError(
            f"{page.place}: the job was begun by an older inkedge, which kept no template; run `edge forms read` again"
        )
    return template
