"""Forms found by their largest printed rectangle, in the turn that reads best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from edge.forms.sheet.by_code import by_code
from edge.forms.sheet.frame import find_frames, lay_by_frame, turned
from edge.forms.sheet.laid import Laid, failed, judged, likeness
from edge.forms.sheet.printed import field_lines
from edge.forms.sheet.sheet_map import Floats
from edge.forms.template import Template
from edge.values import Image

# The part of its sides that a rectangle shows.
_SIDES_SHOWN = 0.6
# So well does a rectangle that is the right one show its sides and lines: none other is looked at.
_SURE = 1.45
# Seen from aside a rectangle is at most so many times as wide for its height.
_ASPECT = 1.6
# Ways that show less than the best by this are not read.
_WORSE = 0.3


def by_frame(grey: Image, templates: Sequence[Template]) -> tuple[Laid, ...]:
    """The ways in which a printed rectangle on grey pixels (H, W) may be that of a template, upright first.

    One way that failed where there is none. Forms are told apart by their page codes, or by the lines of their cells.
    """
    ways: list[tuple[float, Laid]] = []
    for corners in find_frames(grey):
        tried = [
            way
            for template in templates
            for page in range(1, template.pages + 1)
            for way in _turns(grey, template, page, corners)
        ]
        ways += tried
        if any(score >= _SURE for score, _ in tried):
            break
    if not ways:
        reason = (
            "no printed rectangle of the template's shape and lines found; photograph all of it, sharp and flat, "
            "or name the template of this form"
        )
        return (failed("frame", reason),)
    best = max(score for score, _ in ways)
    return by_code(grey, [laid for score, laid in ways if score >= best - _WORSE])


def _turns(grey: Image, template: Template, page: int, corners: Floats) -> Iterator[tuple[float, Laid]]:
    """A form's page laid over a rectangle in each turn that its shape allows, with a score for the print it shows."""
    lines = field_lines(template, page)
    for quarters in range(4 if template.orientation == "auto" else 1):
        own = turned(corners, quarters)
        if not 1 / _ASPECT < _aspect(own) * template.size_mm[1] / template.size_mm[0] < _ASPECT:
            continue
        framed = lay_by_frame(grey, own, template.size_mm, lines)
        if framed is None or framed.sides_shown < _SIDES_SHOWN:
            continue
        score = framed.sides_shown + framed.inner_shown
        yield (
            score,
            judged(
                "frame",
                template,
                page,
                framed.sheet,
                grey,
                residual_mm=framed.residual_mm,
                likeness=likeness(template, page, framed.inner),
            ),
        )


def _aspect(corners: Floats) -> float:
    """Width for height of a rectangle seen from aside, by the means of its opposite sides."""
    sides = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
    return float((sides[0] + sides[2]) / max(sides[1] + sides[3], 1e-6))
