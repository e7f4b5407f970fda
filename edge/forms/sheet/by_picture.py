"""Scans that already align: the picture is the sheet, moved by as little as its boxes are off."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from edge.forms.sheet.bending import unbend
from edge.forms.sheet.by_code import by_code
from edge.forms.sheet.frame import turned
from edge.forms.sheet.laid import Laid, judged
from edge.forms.sheet.printed import field_lines, measure, residual_mm
from edge.forms.sheet.sheet_map import SheetMap
from edge.forms.template import Template
from edge.values import Image

# A sheet's picture is as wide for its height as the template says, but for this part.
_SAME_SHAPE = 0.03
# Lines of boxes are looked for within so many mm; a sheet shows them if it shows this part of them.
_REACH_MM, _REACH_PART, _SHOWN = 2.0, 0.3, 0.6


def by_picture(grey: Image, templates: Sequence[Template], *, alone: bool = True) -> tuple[Laid, ...]:
    """The grey picture (H, W) as each page of each template, in the turns that it has the shape for.

    alone: there are no other forms it could be of; otherwise boxes have to show where the template has them.
    """
    ways = [
        laid
        for template in templates
        for page in range(1, template.pages + 1)
        for laid in _turns(grey, template, page, alone=alone)
    ]
    return by_code(grey, ways)


def _turns(grey: Image, template: Template, page: int, *, alone: bool) -> Iterator[Laid]:
    ways = [
        (abs(math.log(_wider(grey, template, quarters))), quarters)
        for quarters in range(4 if template.orientation == "auto" else 1)
    ]
    least = min(off for off, _ in ways)
    for off, quarters in ways:
        if off > max(least, _SAME_SHAPE):
            continue
        doubts = [] if off <= _SAME_SHAPE else ["the picture is not shaped like the sheet; scan all of it and no more"]
        sheet, residual = _moved(grey, template, page, _whole(grey, template.size_mm, quarters))
        if residual is None and not alone:
            doubts.append("none of the form's boxes show, so this may be another form; sort the pages by hand")
        yield judged("none", template, page, sheet, grey, residual_mm=residual, doubts=doubts)


def _moved(grey: Image, template: Template, page: int, sheet: SheetMap) -> tuple[SheetMap, float | None]:
    """The sheet moved onto the boxes of its page and what they are off then; as it is and None if they do not show."""
    lines = field_lines(template, page)
    if not len(lines):
        return sheet, None
    reach = min(_REACH_MM, _REACH_PART * float(np.hypot(*(lines.ends - lines.starts).T).min()))
    moved = unbend(sheet, [measure(grey, sheet, lines, reach_mm=reach)], template.size_mm, degree=1)
    seen = measure(grey, moved, lines, reach_mm=reach)
    return (moved, residual_mm([seen])) if seen.shown.mean() >= _SHOWN else (sheet, None)


def _wider(grey: Image, template: Template, quarters: int) -> float:
    """How many times as wide for its height the picture is as the sheet, after quarter turns."""
    height, width = grey.shape if quarters % 2 == 0 else grey.shape[::-1]
    return float(width / height) * (template.size_mm[1] / template.size_mm[0])


def _whole(grey: Image, size_mm: tuple[float, float], quarters: int) -> SheetMap:
    """The map of a sheet that fills a picture, in a quarter turn."""
    height, width = grey.shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64) - 0.5
    origin, right, _, below = turned(corners, quarters)
    matrix = np.eye(3)
    matrix[:2] = np.stack(((right - origin) / size_mm[0], (below - origin) / size_mm[1], origin), axis=1)
    return SheetMap(homography=matrix)
