"""Scans that already align: the picture is the sheet."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from edge.forms.frame import turned
from edge.forms.laid import Laid, judged
from edge.forms.sheet_map import SheetMap
from edge.forms.template import Template
from edge.values import Image

# A sheet's picture is as wide for its height as the template says, but for this part.
_SAME_SHAPE = 0.03


def by_picture(grey: Image, templates: Sequence[Template]) -> tuple[Laid, ...]:
    """The picture as the sheet of each of templates, in the turns that it has the shape for."""
    return tuple(laid for template in templates for laid in _turns(grey, template))


def _turns(grey: Image, template: Template) -> Iterator[Laid]:
    ways = [
        (abs(math.log(_wider(grey, template, quarters))), quarters)
        for quarters in range(4 if template.orientation == "auto" else 1)
    ]
    least = min(off for off, _ in ways)
    for off, quarters in ways:
        if off > max(least, _SAME_SHAPE):
            continue
        doubts = [] if off <= _SAME_SHAPE else ["the picture is not shaped like the sheet; scan all of it and no more"]
        sheet = _whole(grey, template.size_mm, quarters)
        yield judged("none", template, 1, sheet, grey, residual_mm=None, doubts=doubts)


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
