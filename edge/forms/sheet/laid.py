"""What laying a page over a form gives, and how far it is to be trusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from edge.forms.sheet.printed import Measured, Stations
from edge.forms.sheet.sheet_map import SheetMap
from edge.forms.template import Template
from edge.forms.values import FAILED_MM, REVIEW_MM, Method, Registration
from edge.values import Image, Mask

# Cells reach so many mm over the picture's edge before a page counts as cut off.
_CUT_OFF_MM = 1.0
# Paper in a photo is bent by less than this part of the form's longer side.
_MOST_BENT = 0.05
# Print within so many mm of a field's quarter tells whether the field is where it should be, if it is so many pieces.
_AROUND_MM, _ENOUGH = 8.0, 6
# Shadow and blur may take this part of it in one place, but not everywhere.
_SHADE = 0.2
# The part of its print that a page shows everywhere, or it may be another form, or laid wrong.
_LEAST_SHOWN = 0.4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Laid:
    """A page over its form: template and sheet are None where it is of none; form_page counts from 1.

    likeness: the part of the template's print that the page shows, 0 to 1, in the place where it shows least.
    """

    registration: Registration
    template: Template | None = None
    form_page: int = 1
    sheet: SheetMap | None = None
    likeness: float = 1.0


Judge: TypeAlias = Callable[[Laid], float]


def likeness(template: Template, page: int, seen: Measured) -> float:
    """The part of the print that is shown where least is: in the quarters of each of a page's fields; 1 without print.

    A map that fits one end of a sheet and not the other must not be taken for a good one.
    """
    if not len(seen.shown):
        return 1.0
    near = _around(template, page, seen.stations)
    shares = (near & seen.shown).sum(axis=1) / near.sum(axis=1) + _SHADE
    return min(float(seen.shown.mean()), float(shares.min(initial=1.0)))


@lru_cache(maxsize=64)
def _around(template: Template, page: int, stations: Stations) -> Mask:
    """Which of n pieces of print are around each quarter of a page's fields: (quarters with enough of them, n)."""
    boxes = np.array([field.box_mm for field in template.fields if field.page == page]).reshape(-1, 4)
    starts, half = boxes[:, :2], boxes[:, 2:] / 2
    quarters = np.array([(0, 0), (1, 0), (0, 1), (1, 1)])
    low = (starts[:, None] + quarters * half[:, None]).reshape(-1, 1, 2)
    high = low + np.repeat(half, 4, axis=0)[:, None]
    middles = stations.places.mean(axis=1)
    near = (np.maximum(low - middles, middles - high) <= _AROUND_MM).all(axis=2)
    return np.asarray(near[near.sum(axis=1) >= _ENOUGH], np.bool_)


def failed(method: Method, reason: str) -> Laid:
    """A page that is of no template."""
    return Laid(registration=Registration(status="failed", method=method, reason=reason))


def judged(
    method: Method,
    template: Template,
    page: int,
    sheet: SheetMap,
    pixels: Image,
    *,
    residual_mm: float | None,
    likeness: float = 1.0,
    doubts: Sequence[str] = (),
) -> Laid:
    """A page that was laid: what its residual, the cells' place in pixels (H, W) and the doubts make of it."""
    off = residual_mm or 0.0
    doubts = [*doubts, *_cut_off(sheet, template, page, pixels), *_bent(sheet)]
    if off > FAILED_MM:
        doubts = [f"printed lines are {off:.1f} mm off their places, so this is another form; name its template too"]
    elif off > REVIEW_MM:
        doubts.insert(0, f"printed lines are {off:.2f} mm off their places; scan the page flat")
    if likeness < _LEAST_SHOWN:
        doubts.append(
            f"in places only {likeness:.0%} of the form's print is where the template has it; is this another form?"
        )
    registration = Registration(
        status="failed" if off > FAILED_MM else "review" if doubts else "ok",
        method=method,
        residual_mm=residual_mm,
        rotation_deg=sheet.rotation_deg,
        reason="; ".join(doubts) or None,
    )
    return Laid(registration=registration, template=template, form_page=page, sheet=sheet, likeness=likeness)


def _bent(sheet: SheetMap) -> list[str]:
    """Why a map is not to be trusted that had to be bent more than paper bends: its rectangle may be another."""
    if sheet.bend is None:
        return []
    size = np.array(sheet.bend.size_mm)
    across, down = np.meshgrid(np.linspace(0, size[0], 5), np.linspace(0, size[1], 5))
    most = float(np.abs(sheet.bend.offsets(np.stack((across.ravel(), down.ravel()), axis=1))).max())
    return [f"the paper seems bent by {most:.0f} mm; scan it flat"] if most > _MOST_BENT * size.max() else []


def _cut_off(sheet: SheetMap, template: Template, page: int, pixels: Image) -> list[str]:
    """Why cells are not to be trusted that lie outside of the picture."""
    boxes = template.slot_boxes(page)
    if not len(boxes):
        return []
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    corners = (low, high, np.stack((low[:, 0], high[:, 1]), axis=1), np.stack((high[:, 0], low[:, 1]), axis=1))
    px = sheet.points(np.concatenate(corners))
    over = _CUT_OFF_MM * sheet.px_per_mm((float(boxes[0, 0]), float(boxes[0, 1])))
    height, width = pixels.shape[:2]
    outside = (px < -over) | (px > (width + over, height + over))
    return ["fields lie beyond the picture's edge; scan the whole sheet"] if outside.any() else []
