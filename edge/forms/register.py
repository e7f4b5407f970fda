"""A page laid over its form: which template it is of, where its millimetres lie, and how exactly that is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from edge.forms.bending import unbend
from edge.forms.code import PX_PER_MM, PageCode, code_box_mm, read_code
from edge.forms.frame import Framed, find_frames, lay_by_frame, turned
from edge.forms.marks import FoundMarks, find_marks, lay_by_marks, mark_edges
from edge.forms.printed import Measured, Pieces, field_lines, measure
from edge.forms.sheet_map import Floats, SheetMap
from edge.forms.template import Template
from edge.forms.values import FAILED_MM, REVIEW_MM, Method, Registration
from edge.imaging.ink import to_grey
from edge.values import Image, check_pixels


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Laid:
    """A page over its form: template None and sheet None where it is of none; form_page counts from 1."""

    registration: Registration
    template: Template | None = None
    form_page: int = 1
    sheet: SheetMap | None = None


Judge = Callable[[Laid], float]

# Lines of cells are looked for within so many mm, and within this part of the smallest cell.
_REACH_MM, _REACH_PART = 1.6, 0.3
# The part of the template's printed lines that a page shows, or it may be another form.
_SIDES_SHOWN, _LINES_SHOWN = 0.6, 0.4
# So well does a frame that is the right one show its lines: none other is looked at.
_SURE_SIDES, _SURE_LINES = 0.75, 0.7
# A frame seen from aside is so many times as wide or as high for its width.
_ASPECT = 1.6
# Turns that show fewer lines than the best by this are not read.
_WORSE = 0.15
# A sheet's picture is as wide for its height as the template says, but for this part.
_SAME_SHAPE = 0.03
# Cells reach so many mm over the picture's edge before a page counts as cut off.
_CUT_OFF_MM = 1.0


def lay(pixels: Image, templates: Sequence[Template], *, judge: Judge | None = None) -> Laid:
    """The page in pixels (H, W) grey or (H, W, 3) BGR laid over the one of templates that it is of.

    judge: how well the page reads when laid in a certain way, more is better; it decides between quarter turns where
    the template's orientation is `auto`, and between templates that fit alike. Never raises for what is on a page:
    one that is of no template comes back with a failed registration that says why.
    """
    check_pixels(pixels)
    grey = to_grey(pixels)
    failures: list[Registration] = []
    best: list[Laid] = []
    for method, ways in (("marks", _by_marks), ("frame", _by_frame), ("none", _by_picture)):
        own = [template for template in templates if template.registration == method]
        if not own:
            continue
        for laid in ways(grey, own):
            if laid.sheet is None:
                failures.append(laid.registration)
            else:
                best.append(laid)
        if any(laid.registration.status == "ok" for laid in best):
            break
    if best:
        return _best(best, judge)
    if failures:
        return Laid(registration=failures[0])
    return Laid(registration=_failed("none", "no template was given; name one with --template"))


def _best(ways: list[Laid], judge: Judge | None) -> Laid:
    """The way that reads best of those that are laid best."""
    ranks = {"ok": 0, "review": 1, "failed": 2}
    top = min(ranks[way.registration.status] for way in ways)
    ways = [way for way in ways if ranks[way.registration.status] == top]
    if judge is None or len(ways) == 1:
        return ways[0]
    return max(ways, key=judge)


def _failed(method: Method, reason: str) -> Registration:
    return Registration(status="failed", method=method, reason=reason)


def _judged(method: Method, sheet: SheetMap, residual: float | None, doubts: list[str]) -> Registration:
    """The registration of a page that was laid: what its residual and the doubts make of it."""
    if residual is not None and residual > FAILED_MM:
        return Registration(
            status="failed",
            method=method,
            residual_mm=residual,
            rotation_deg=sheet.rotation_deg,
            reason=f"printed lines are {residual:.1f} mm off the template's; is this page of another form?",
        )
    if residual is not None and residual > REVIEW_MM:
        doubts = [f"printed lines are {residual:.2f} mm off the template's; scan the page flat", *doubts]
    return Registration(
        status="review" if doubts else "ok",
        method=method,
        residual_mm=residual,
        rotation_deg=sheet.rotation_deg,
        reason="; ".join(doubts) or None,
    )


def _reach(lines: Pieces) -> float:
    """How far lines may be looked for without meeting their neighbours, in mm."""
    lengths = np.hypot(*(lines.ends - lines.starts).T)
    return min(_REACH_MM, _REACH_PART * float(lengths.min())) if len(lines) else _REACH_MM


def _cut_off(sheet: SheetMap, template: Template, page: int, pixels: Image) -> list[str]:
    """Why cells are not to be trusted that lie outside of the picture."""
    boxes = [slot.box_mm for slot in template.slots(page)]
    if not boxes:
        return []
    corners = np.array([[(x, y), (x + w, y), (x + w, y + h), (x, y + h)] for x, y, w, h in boxes])
    px = sheet.points(corners.reshape(-1, 2))
    over = _CUT_OFF_MM * sheet.px_per_mm((boxes[0][0], boxes[0][1]))
    height, width = pixels.shape
    outside = (px < -over).any(axis=1) | (px[:, 0] > width + over) | (px[:, 1] > height + over)
    if not outside.any():
        return []
    return ["fields lie beyond the picture's edge; scan the whole sheet"]


def _by_marks(grey: Image, templates: Sequence[Template]) -> Iterator[Laid]:
    """The page laid by its corner marks, over the template that its page code names."""
    found: dict[str, FoundMarks] = {}
    laid: list[tuple[Template, SheetMap, list[int]]] = []
    for template in templates:
        if template.marks is None:
            continue
        name = template.marks.dictionary
        if name not in found:
            ids = frozenset(i for t in templates if t.marks and t.marks.dictionary == name for i in t.marks.ids)
            found[name] = find_marks(grey, name, ids)
        by_marks = lay_by_marks(grey, template, found[name])
        if by_marks is not None:
            laid.append((template, *by_marks))
    if not laid:
        seen = sum(len(f.ids) for f in found.values())
        yield Laid(
            registration=_failed(
                "marks", f"{seen or 'none'} of the corner marks found, at least 2 are needed; scan the whole sheet"
            )
        )
        return
    codes = [_code(grey, sheet, template) for template, sheet, _ in laid]
    read = next((code for code in codes if code is not None), None)
    if read is not None:
        laid = [(t, s, r) for (t, s, r), code in zip(laid, codes, strict=True) if code is not None and code.is_of(t)]
        if not laid:
            yield Laid(
                registration=_failed(
                    "marks",
                    f"the page code says {read.name}, version {read.version}, page {read.page}: "
                    "none of the templates; add it with --template",
                )
            )
            return
        template, sheet, rows = laid[0]
        yield _settled(grey, template, sheet, rows, read.page, [])
        return
    shapes = {template.name for template, _, _ in laid}
    if len(shapes) > 1:
        yield Laid(
            registration=_failed("marks", "no page code can be read, and the marks are those of several templates")
        )
        return
    template, sheet, rows = laid[0]
    doubts = [] if template.pages == 1 else ["no page code can be read: which page of the form this is, is a guess"]
    yield _settled(grey, template, sheet, rows, 1, doubts)


def _code(grey: Image, sheet: SheetMap, template: Template) -> PageCode | None:
    box = code_box_mm(template)
    return None if box is None else read_code(sheet.cut(grey, box, PX_PER_MM))


def _settled(grey: Image, template: Template, sheet: SheetMap, rows: list[int], page: int, doubts: list[str]) -> Laid:
    """A page laid by marks made exact along the boxes of its fields, where they show."""
    assert template.marks is not None
    edges, lines = mark_edges(template.marks, template.size_mm, rows), field_lines(template, page)
    reach = _reach(lines)
    seen = [measure(grey, sheet, edges, reach_mm=0.4)]
    if len(lines):
        seen.append(measure(grey, sheet, lines, reach_mm=reach))
        sheet = unbend(sheet, seen, template.size_mm, degree=3)
        seen = [measure(grey, sheet, edges, reach_mm=0.4), measure(grey, sheet, lines, reach_mm=reach)]
    residual = _residual(seen)
    if len(rows) == 2:
        doubts = ["only 2 of 4 corner marks found; scan the whole sheet", *doubts]
    doubts += _cut_off(sheet, template, page, grey)
    return Laid(registration=_judged("marks", sheet, residual, doubts), template=template, form_page=page, sheet=sheet)


def _residual(seen: Sequence[Measured]) -> float | None:
    off = np.concatenate([m.offsets[m.good] for m in seen])
    return float(np.sqrt(np.mean(off**2))) if off.size else None


def _by_frame(grey: Image, templates: Sequence[Template]) -> Iterator[Laid]:
    """The page laid by its largest printed rectangle, over the template whose inner lines it has."""
    quads = find_frames(grey)
    ways: list[tuple[float, Laid]] = []
    for template in templates:
        for corners in quads:
            tried = list(_turns(grey, template, corners))
            ways += tried
            if any(score >= _SURE_SIDES + _SURE_LINES for score, _ in tried):
                break
    if not ways:
        yield Laid(
            registration=_failed(
                "frame", "no printed rectangle found that is shaped like the template's; photograph the whole frame"
            )
        )
        return
    best = max(score for score, _ in ways)
    yield from (laid for score, laid in ways if score >= best - _WORSE)


def _turns(grey: Image, template: Template, corners: Floats) -> Iterator[tuple[float, Laid]]:
    """The template laid over a rectangle in each turn that its shape allows, with a score for the lines it shows."""
    lines = field_lines(template, 1)
    for quarters in range(4 if template.orientation == "auto" else 1):
        own = turned(corners, quarters)
        if not 1 / _ASPECT < _aspect(own) * template.size_mm[1] / template.size_mm[0] < _ASPECT:
            continue
        framed = lay_by_frame(grey, own, template.size_mm, lines)
        if framed is None or framed.sides_shown < _SIDES_SHOWN:
            continue
        yield framed.sides_shown + framed.inner_shown, _of_frame(grey, template, framed)


def _aspect(corners: Floats) -> float:
    """Width for height of a rectangle seen from aside, by the means of its opposite sides."""
    sides = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
    return float((sides[0] + sides[2]) / max(sides[1] + sides[3], 1e-6))


def _of_frame(grey: Image, template: Template, framed: Framed) -> Laid:
    doubts = []
    if framed.inner_shown < _LINES_SHOWN:
        doubts.append(
            f"only {framed.inner_shown:.0%} of the cells' lines are where the template has them; is it another form?"
        )
    doubts += _cut_off(framed.sheet, template, 1, grey)
    registration = _judged("frame", framed.sheet, framed.residual_mm, doubts)
    return Laid(registration=registration, template=template, sheet=framed.sheet)


def _by_picture(grey: Image, templates: Sequence[Template]) -> Iterator[Laid]:
    """The picture as it is, as the sheet of each template that it has the shape of."""
    for template in templates:
        for quarters in range(4 if template.orientation == "auto" else 1):
            sheet = _whole_picture(grey, template.size_mm, quarters)
            across, down = (sheet.px_per_mm((0, 0)),) * 2
            width, height = grey.shape[::-1] if quarters % 2 == 0 else grey.shape
            shape = (width / height) * (template.size_mm[1] / template.size_mm[0])
            del across, down
            doubts = [] if abs(math.log(shape)) <= _SAME_SHAPE else ["the picture is not shaped like the sheet"]
            yield Laid(registration=_judged("none", sheet, None, doubts), template=template, sheet=sheet)


def _whole_picture(grey: Image, size_mm: tuple[float, float], quarters: int) -> SheetMap:
    """The map of a sheet that fills a picture, in a quarter turn."""
    height, width = grey.shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64) - 0.5
    origin, right, _, below = turned(corners, quarters)
    matrix = np.eye(3)
    matrix[:2, 0], matrix[:2, 1], matrix[:2, 2] = (right - origin) / size_mm[0], (below - origin) / size_mm[1], origin
    return SheetMap(homography=matrix)
