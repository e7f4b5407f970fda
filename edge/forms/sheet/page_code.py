"""The page code, a QR code that names form, version and page: its text, its place on the sheet, and reading it back."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edge.forms.sheet.code_squares import read_squares
from edge.forms.template import BoxMm, Template, touches
from edge.imaging.ink import to_grey
from edge.values import Image

# The code's own squares are SIDE_MM wide: with the longest name 33 of them, each 3 pixels at 150 dpi. Around them stays
# a quiet zone of 4 squares (ISO/IEC 18004).
SIDE_MM = 18.0
QUIET_MM = 2.9
BOX_MM = SIDE_MM + 2 * QUIET_MM
# What the reader of a code likes best, in pixels for one millimetre.
PX_PER_MM = 8.0
# From the sheet's edge where a template has no marks that say how near one may print.
EDGE_MM = 8.0
# Between a printed rectangle and the code below it; what A4 leaves for both.
GAP_MM = 2.0
_PAPER_MM = (210.0, 297.0)

_TEXT = re.compile(r"inkedge:([A-Za-z0-9_](?:[A-Za-z0-9_ .-]{0,38}[A-Za-z0-9_])?):([1-9][0-9]{0,5}):([1-9][0-9]?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCode:
    """Which page of which version of which form a sheet is; version and page count from 1."""

    name: str
    version: int
    page: int

    @property
    def text(self) -> str:
        """What stands in the code."""
        return f"inkedge:{self.name}:{self.version}:{self.page}"

    def is_of(self, template: Template) -> bool:
        """Whether the sheet is a page of this form, in this version."""
        return (self.name, self.version) == (template.name, template.version) and self.page <= template.pages


def parse_code(text: str) -> PageCode | None:
    """The page code that a text is; None for anything else, such as a code that somebody stuck onto the sheet."""
    found = _TEXT.fullmatch(text)
    return PageCode(name=found[1], version=int(found[2]), page=int(found[3])) if found else None


def read_code(pixels: Image, likely: PageCode | None = None) -> PageCode | None:
    """The page code in an upright cut of code_box_mm, (side, side) or (side, side, 3), PX_PER_MM or so; None without.

    The cut may lie up to a millimetre off. likely: a code of about that length is tried first, which saves time.
    """
    letters = len(likely.text) if likely else 0
    text = read_squares(to_grey(pixels), side_mm=SIDE_MM, quiet_mm=QUIET_MM, letters=letters)
    return parse_code(text) if text else None


def code_box_mm(template: Template) -> BoxMm | None:
    """Where all pages of a form have their code, quiet zone included; None if there is no room, or it is not ours.

    One place for all pages, for it is read before the page is known: the first of the places in the middle, right and
    left of the lower and upper edge that no field and no mark touches; below a printed rectangle where paper allows.
    Coordinates are those of the template, so that the place below a rectangle lies beyond its size_mm.
    """
    if template.registration == "reference":
        return None
    width, height = template.size_mm
    if template.registration == "frame" and _fits_paper(width, height + GAP_MM + BOX_MM):
        return (width - BOX_MM) / 2, height + GAP_MM, BOX_MM, BOX_MM
    marks = template.marks
    near = marks.inset_mm if marks else EDGE_MM
    taken = [field.box_mm for field in template.fields]
    beside = near
    if marks:
        taken += marks.boxes_mm(template.size_mm)
        beside += marks.size_mm
    for top in (height - near - BOX_MM, near):
        for left in ((width - BOX_MM) / 2, width - beside - BOX_MM, beside):
            box = (left, top, BOX_MM, BOX_MM)
            if left >= 0 and top >= 0 and not any(touches(box, other) for other in taken):
                return box
    return None


def _fits_paper(width: float, height: float) -> bool:
    short, long = _PAPER_MM
    return any(
        width <= across - 2 * EDGE_MM and height <= down - 2 * EDGE_MM
        for across, down in ((short, long), (long, short))
    )
