"""The form as a PDF to print: marks in the corners, light boxes, names, a hint how to write, the page code."""

from __future__ import annotations

import logging
from pathlib import Path

import cv2

from edge.errors import UsageError
from edge.forms.make.form_words import LINE, Words
from edge.forms.make.print_sheet import PrintSheets, Rgb, dark_boxes, qr_boxes
from edge.forms.sheet.page_code import BOX_MM, QUIET_MM, SIDE_MM, PageCode, code_box_mm
from edge.forms.template import BoxMm, Field, Template

# A form that is found by its rectangle is printed on the first of these that it fits: A4 and Letter, either way.
PAPERS_MM = ((210.0, 297.0), (215.9, 279.4), (297.0, 210.0), (279.4, 215.9))
_MARGIN_MM = 8.0
_HEAD_MM = 32.0
_LINE_MM, _OUTLINE_MM, _CORNER_MM, _FRAME_MM = 0.3, 0.45, 1.0, 0.8
_BLACK: Rgb = (0, 0, 0)

_log = logging.getLogger(__name__)


def write_blank(template: Template, output: Path) -> None:
    """Write the form as a vector PDF, one sheet a page.

    Raises UsageError for a file of another suffix, if the form is one of the user's own (registration = "reference"),
    if several pages could not be told apart for want of room for the page code, or if reportlab is absent; SinkError if
    it cannot be written.
    """
    if output.suffix.lower() != ".pdf":
        raise UsageError(f"{output}: a blank form is a PDF; name it FILE.pdf")
    if template.registration == "reference":
        raise UsageError(
            f"{template.name}: its pages are laid over {template.reference}; print that, or draw a form of its own "
            'with registration = "marks"'
        )
    code = code_box_mm(template)
    if code is None and template.pages > 1:
        raise UsageError(
            f"{template.name}: its {template.pages} pages need a page code, and no edge has {BOX_MM:g} mm free for it; "
            "move fields away from the middle of the lower edge"
        )
    if code is None:
        _log.warning("%s: no edge has room for a page code; in a mixed pile its pages are not known", template.name)
    paper, offset = _paper(template, code)
    sheets = PrintSheets(paper_mm=paper, title=template.title or template.name, offset_mm=offset)
    for page in range(1, template.pages + 1):
        fields = [field for field in template.fields if field.page == page]
        _draw_anchors(sheets, template)
        for field in fields:
            _draw_cells(sheets, field)
        words = Words(sheets, template, fields, code, top_mm=_MARGIN_MM - offset[1])
        words.draw_names()
        words.draw_head()
        if code:
            _draw_code(sheets, PageCode(name=template.name, version=template.version, page=page), code)
            words.draw_foot(page)
        sheets.end_page()
    sheets.save(output)


def _paper(template: Template, code: BoxMm | None) -> tuple[tuple[float, float], tuple[float, float]]:
    """Width and height of the paper, and where on it the template's origin lies."""
    if template.registration != "frame":
        return template.size_mm, (0.0, 0.0)
    width, height = template.size_mm
    full = max(height, code[1] + code[3]) if code else height
    for across, down in PAPERS_MM:
        if width + 2 * _MARGIN_MM <= across and full + 2 * _MARGIN_MM <= down:
            spare = down - full - 2 * _MARGIN_MM
            return (across, down), ((across - width) / 2, _MARGIN_MM + min(spare, _HEAD_MM))
    return (width + 2 * _MARGIN_MM, full + 2 * _MARGIN_MM), (_MARGIN_MM, _MARGIN_MM)


def _draw_anchors(sheets: PrintSheets, template: Template) -> None:
    """What the page is found by: its marks, or the rectangle."""
    if template.registration == "frame":
        sheets.frame((0, 0, *template.size_mm), _BLACK, _FRAME_MM)
    marks = template.marks
    if marks is None:
        return
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, marks.dictionary))
    side = dictionary.markerSize + 2  # the black border is one square wide
    for number, box in zip(marks.ids, marks.boxes_mm(template.size_mm), strict=True):
        squares = cv2.aruco.generateImageMarker(dictionary, number, side)
        sheets.boxes(dark_boxes((squares == 0).tolist(), box))


def _draw_code(sheets: PrintSheets, code: PageCode, box: BoxMm) -> None:
    sheets.boxes(qr_boxes(code.text, (box[0] + QUIET_MM, box[1] + QUIET_MM, SIDE_MM, SIDE_MM)))


def _draw_cells(sheets: PrintSheets, field: Field) -> None:
    left, top, width, height = field.box_mm
    for column in range(1, field.columns):
        x = left + width * column / field.columns
        sheets.line(((x, top), (x, top + height)), LINE, _LINE_MM)
    for row in range(1, field.rows):
        y = top + height * row / field.rows
        sheets.line(((left, y), (left + width, y)), LINE, _LINE_MM)
    sheets.frame(field.box_mm, LINE, _OUTLINE_MM, _CORNER_MM)
