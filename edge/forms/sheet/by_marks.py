"""Pages with corner marks: laid by them, made exact along the print, and sorted by their page code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from edge.forms.sheet.bending import unbend
from edge.forms.sheet.by_code import WHICH_PAGE, code_on, of_no_template
from edge.forms.sheet.laid import Laid, failed, judged, likeness
from edge.forms.sheet.marks import FoundMarks, find_marks, lay_by_marks, mark_edges
from edge.forms.sheet.page_code import PageCode, code_box_mm
from edge.forms.sheet.printed import Measured, Pieces, field_lines, measure, residual_mm
from edge.forms.sheet.sheet_map import SheetMap
from edge.forms.template import Marks, Template
from edge.values import Image

# Lines of boxes are looked for within so many mm, and within this part of the smallest box: first where the paper may
# be bent, then where it is nearly flat.
_FAR_MM, _NEAR_MM, _PART = 2.5, 1.0, 0.3
_EDGE_REACH_MM = 0.4
_EDGE_STATIONS = 3
# Print that lies this well needs no correction for a bend.
_FLAT_MM = 0.08
# A page without a code that shows less of the form's print than this, where it shows least, is of another form.
_OWN_PRINT = 0.25
# Marks that are some have at least this part of their edges.
_EDGES_SHOWN = 0.5

_Sheets: TypeAlias = dict[tuple[Marks, tuple[float, float]], "_ByMarks | None"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _ByMarks:
    """A sheet laid by the marks of some of its corners."""

    sheet: SheetMap
    rows: tuple[int, ...]


def by_marks(grey: Image, templates: Sequence[Template]) -> Laid:
    """The page in grey pixels (H, W) over the one of templates with marks that its page code names.

    Without a code that can be read it is of the only template whose marks it has, or of none.
    """
    laid = _sheets(grey, templates)
    ways = [(template, way) for template in templates if (way := laid[_kind(template)]) is not None]
    if not ways:
        return failed("marks", "fewer than 2 of the corner marks found; scan the whole sheet, sharp and flat")
    # templates that have their code at the same place of the same sheet are one way to read it
    places = {(_kind(template), code_box_mm(template)): (way, template) for template, way in ways}
    codes = [code for way, template in places.values() if (code := code_on(grey, way.sheet, template))]
    if codes:
        return _named(grey, ways, codes)
    if len(ways) > 1:
        names = " and ".join(template.name for template, _ in ways[:3])
        return failed("marks", f"the page code cannot be read, and {names} have the same marks; scan it sharper")
    template, way = ways[0]
    doubts = [WHICH_PAGE] if template.pages > 1 else []
    tried = [_settled(grey, template, way, page, doubts) for page in range(1, template.pages + 1)]
    best = max(tried, key=lambda one: one.likeness)
    if best.likeness < _OWN_PRINT and code_box_mm(template) is not None:
        return failed("marks", f"neither the page code nor the boxes of {template.name} are on it; name its template")
    return best


def _named(grey: Image, ways: Sequence[tuple[Template, _ByMarks]], codes: Sequence[PageCode]) -> Laid:
    """The page over the template that one of its codes names."""
    for template, way in ways:
        for code in codes:
            if code.is_of(template):
                return _settled(grey, template, way, code.page, [])
    return of_no_template("marks", codes[0])


def _kind(template: Template) -> tuple[Marks, tuple[float, float]]:
    """What the place of a sheet depends on: templates that share it are laid once."""
    return template.marks or Marks(), template.size_mm


def _sheets(grey: Image, templates: Sequence[Template]) -> _Sheets:
    """The sheet of each kind of marks, None where they are not on the page."""
    found: dict[str, FoundMarks] = {}
    for name in {_kind(template)[0].dictionary for template in templates}:
        wanted = {
            mark for template in templates if _kind(template)[0].dictionary == name for mark in _kind(template)[0].ids
        }
        found[name] = find_marks(grey, name, frozenset(wanted))
    laid: _Sheets = {}
    for marks, size_mm in dict.fromkeys(_kind(template) for template in templates):
        way = lay_by_marks(grey, marks, size_mm, found[marks.dictionary])
        laid[marks, size_mm] = way and _ByMarks(sheet=way[0], rows=way[1])
    return laid


def _settled(grey: Image, template: Template, way: _ByMarks, page: int, doubts: Sequence[str]) -> Laid:
    """A page laid by marks made exact along the boxes of its fields, where they show."""
    marks, size_mm = _kind(template)
    edges, lines = mark_edges(marks, size_mm, way.rows), field_lines(template, page)
    sheet, seen = way.sheet, _seen(grey, way.sheet, edges, lines, _NEAR_MM)
    if (residual_mm(seen) or 0.0) > _FLAT_MM or (len(lines) and seen[1].shown.mean() < 0.9):
        # bent, or a photo of three marks, whose perspective is not known well
        for degree, reach in ((2, _FAR_MM), (3, _NEAR_MM)):
            bent = unbend(sheet, _seen(grey, sheet, edges, lines, reach), size_mm, degree=degree)
            after = _seen(grey, bent, edges, lines, _NEAR_MM)
            if _better(after, seen):
                sheet, seen = bent, after
    residual = residual_mm(seen)
    doubts = list(doubts)
    if len(way.rows) == 2:
        doubts.insert(0, "only 2 of 4 corner marks found; scan the whole sheet")
    if seen[0].shown.mean() < _EDGES_SHOWN:
        doubts.insert(0, "the corner marks are blurred or not the form's; scan it sharper")
    return judged(
        "marks",
        template,
        page,
        sheet,
        grey,
        residual_mm=residual,
        likeness=likeness(template, page, seen[1]) if len(lines) else 1.0,
        doubts=doubts,
    )


def _seen(grey: Image, sheet: SheetMap, edges: Pieces, lines: Pieces, reach_mm: float) -> tuple[Measured, ...]:
    seen = measure(grey, sheet, edges, reach_mm=_EDGE_REACH_MM, stations=_EDGE_STATIONS)
    if not len(lines):
        return (seen,)
    reach = min(reach_mm, _PART * float(np.hypot(*(lines.ends - lines.starts).T).min()))
    return seen, measure(grey, sheet, lines, reach_mm=reach)


def _better(after: Sequence[Measured], before: Sequence[Measured]) -> bool:
    """Whether a correction shows more of the print at its places, or as much of it more exactly."""
    shown = [sum(int(m.shown.sum()) for m in seen) for seen in (after, before)]
    if abs(shown[0] - shown[1]) > 0.05 * max(shown):
        return shown[0] > shown[1]
    return (residual_mm(after) or 0.0) < (residual_mm(before) or 0.0)
