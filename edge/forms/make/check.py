"""Whether a template is good, and whether its boxes sit on a scan where they should."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge.counted import counted
from edge.errors import SourceError, UsageError
from edge.forms.make.overlay import Bgr, as_color, label, outline_mm
from edge.forms.register import Laid, lay
from edge.forms.sheet.page_code import PX_PER_MM, code_box_mm, read_code
from edge.forms.template import Field, Template, load_template
from edge.sinks.pictures import write_picture
from edge.sources.files import BadPage, read_pages
from edge.values import Image

# BGR, to be told from ink and from the light lines of the boxes
_CELL: Bgr = (200, 90, 20)
_MARK: Bgr = (40, 140, 0)
_CODE: Bgr = (160, 40, 160)
_FOUND_BY = {
    "marks": "its corner marks",
    "frame": "its printed rectangle",
    "reference": "a blank of it",
    "none": "its edges",
}


def check_template(path: Path, scan: Path | None = None, output: Path | None = None) -> str:
    """What a template describes, in lines for people; with a scan also how well its first page is laid over it.

    output: where to draw cells, names, marks and code over the scan. Raises UsageError with file, line and key of every
    mistake in the template, or if there is a picture to write and no scan to draw on; SourceError if the scan cannot be
    opened or the form is not found on it.
    """
    template = load_template(path)
    lines = _describe(path, template)
    if scan is None:
        if output is not None:
            raise UsageError(
                f"{output}: there is no scan to draw on; name one: edge forms check {path} SCAN -o {output}"
            )
        return "\n".join(lines)
    page = next(read_pages(scan), None)
    if page is None or isinstance(page, BadPage):
        raise SourceError(f"{scan}: {page.message if page else 'it has no pages; scan it again'}")
    laid = _lay(page.pixels, template)
    lines.append(_registered(scan, laid))
    if output is not None:
        write_picture(output, draw_laid(page.pixels, template, laid))
        lines.append(f"{output}: drawn")
    return "\n".join(lines)


def _lay(pixels: Image, template: Template) -> Laid:
    """A page laid over the template; where it may lie in any turn, a reader says in which it can be read."""
    if template.orientation == "upright":
        return lay(pixels, [template])
    from edge.forms.reader import FormReader  # opens a model

    return FormReader.open([template]).lay(pixels)


def draw_laid(pixels: Image, template: Template, laid: Laid) -> Image:
    """A copy of a page (H, W) or (H, W, 3), as BGR, with the cells, names, marks and code of the form drawn over it."""
    picture = as_color(pixels)
    sheet = laid.sheet
    if sheet is None:
        return picture
    for box in template.marks.boxes_mm(template.size_mm) if template.marks else ():
        outline_mm(picture, sheet, box, _MARK)
    if template.registration == "frame":
        outline_mm(picture, sheet, (0, 0, *template.size_mm), _MARK)
    place = code_box_mm(template)
    if place and read_code(sheet.cut(pixels, place, PX_PER_MM)):
        outline_mm(picture, sheet, place, _CODE)
    for slot in template.slots(laid.form_page):
        for cell in slot.cells_mm:
            outline_mm(picture, sheet, cell, _CELL)
    for field in template.fields:
        if field.page == laid.form_page:
            left, top, width, height = field.box_mm
            right, bottom = left + width, top + height
            corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
            label(picture, field.name, sheet.points(corners), _CELL)
    return picture


def _registered(scan: Path, laid: Laid) -> str:
    registration = laid.registration
    if laid.sheet is None:
        raise SourceError(f"{scan}: the form is not found: {registration.reason}")
    off = "" if registration.residual_mm is None else f", print {registration.residual_mm:.2f} mm off on average"
    turn = f", to be turned by {registration.rotation_deg}°" if registration.rotation_deg else ""
    why = f": {registration.reason}" if registration.reason else ""
    return f"{scan}: page {laid.form_page} of the form, registration {registration.status}{off}{turn}{why}"


def _describe(path: Path, template: Template) -> list[str]:
    width, height = template.size_mm
    pages = counted(template.pages, "page")
    return [
        f"{path}: good; form {template.name}, version {template.version}: {pages} of {width:g} × {height:g} mm, "
        f"found by {_FOUND_BY[template.registration]}",
        *(_describe_field(field) for field in template.fields),
    ]


def _describe_field(field: Field) -> str:
    across, down = field.box_mm[2] / field.columns, field.box_mm[3] / field.rows
    count = field.rows * field.columns
    what = (
        "a number"
        if field.kind == "number" and count == 1
        else f"{count} {'numbers' if field.kind == 'number' else 'digits'}"
    )
    rules = [
        "required" if field.required else "",
        f"check {field.check}" if field.check else "",
        f"{field.range[0]} to {field.range[1]}" if field.range else "",
        f"{counted(len(field.values), 'value')} allowed" if field.values else "",
    ]
    told = "".join(f", {rule}" for rule in rules if rule)
    return f"  page {field.page}: {field.name}, {field.layout} of {what}, {across:.1f} × {down:.1f} mm each{told}"
