"""Which form and page a laid page is of, by its page code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edge.forms.sheet.laid import Laid, failed
from edge.forms.sheet.page_code import PX_PER_MM, PageCode, code_box_mm, read_code
from edge.forms.sheet.sheet_map import SheetMap
from edge.forms.template import Template
from edge.forms.values import Method, Registration
from edge.values import Image

WHICH_PAGE = "the page code cannot be read, so which page of the form this is, is a guess; scan it sharper"


def code_on(grey: Image, sheet: SheetMap, template: Template) -> PageCode | None:
    """The page code at its place on a sheet in grey pixels (H, W); None if none can be read there."""
    box = code_box_mm(template)
    if box is None:
        return None
    own = PageCode(name=template.name, version=template.version, page=1)
    return read_code(sheet.cut(grey, box, PX_PER_MM), own)


def of_no_template(method: Method, code: PageCode) -> Laid:
    """A page whose code names a form that was not asked for."""
    return failed(
        method,
        f"the page code says {code.name}, version {code.version}, page {code.page}, which no template is of; "
        "name its template too",
    )


def by_code(grey: Image, ways: Sequence[Laid]) -> tuple[Laid, ...]:
    """The ways of laying a page that its page code agrees with, one that failed if it names another form.

    Without a code all of them, for review where the form has several pages. The code can be read where a way is right,
    so that it tells the turn as well.
    """
    read = [
        code_on(grey, way.sheet, way.template) if way.sheet is not None and way.template is not None else None
        for way in ways
    ]
    codes = [code for code in read if code is not None]
    if not codes:
        return tuple(_guessed(way) if way.template is not None and way.template.pages > 1 else way for way in ways)
    right = tuple(
        way
        for way, code in zip(ways, read, strict=True)
        if code is not None and way.template is not None and code.is_of(way.template) and code.page == way.form_page
    )
    return right or (of_no_template(ways[0].registration.method, codes[0]),)


def _guessed(way: Laid) -> Laid:
    """The way, whose page is a guess, for review."""
    was = way.registration
    registration = Registration(
        status="review" if was.status == "ok" else was.status,
        method=was.method,
        residual_mm=was.residual_mm,
        rotation_deg=was.rotation_deg,
        reason="; ".join(filter(None, (was.reason, WHICH_PAGE))),
    )
    return replace(way, registration=registration)
