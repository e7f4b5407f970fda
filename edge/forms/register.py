"""A page laid over its form: which template it is of, where its millimetres lie, and how exactly that is known."""

from __future__ import annotations

from collections.abc import Sequence

from edge.forms.sheet.by_frame import by_frame
from edge.forms.sheet.by_marks import by_marks
from edge.forms.sheet.by_picture import by_picture
from edge.forms.sheet.by_reference import by_reference
from edge.forms.sheet.laid import Judge, Laid, failed
from edge.forms.sheet.sheet_map import SheetMap
from edge.forms.template import Template
from edge.imaging.ink import to_grey
from edge.values import Image, check_pixels

__all__ = ["Judge", "Laid", "SheetMap", "lay"]

_RANK = {"ok": 0, "review": 1, "failed": 2}


def lay(pixels: Image, templates: Sequence[Template], *, judge: Judge | None = None) -> Laid:
    """The page in pixels (H, W) grey or (H, W, 3) BGR laid over the one of templates that it is of.

    judge: how well the page reads when laid in a certain way, more is better; it decides between quarter turns where
    the template's orientation is `auto`, and between templates that fit alike. Never raises for what is on a page:
    one that is of no template comes back with a failed registration that says why.
    Raises ShapeError if pixels are not an image, SourceError if the blank of a template cannot be read any more.
    """
    check_pixels(pixels)
    grey = to_grey(pixels)
    own = {
        method: [template for template in templates if template.registration == method]
        for method in ("marks", "frame", "reference", "none")
    }
    ways: list[Laid] = []
    if own["marks"]:
        ways.append(by_marks(grey, own["marks"]))
    if own["frame"] and not _any_ok(ways):
        ways += by_frame(grey, own["frame"])
    if own["reference"] and not _any_ok(ways):
        ways += by_reference(grey, own["reference"])
    if own["none"] and not _any_ok(ways):
        ways += by_picture(grey, own["none"], alone=len(templates) == 1)
    if not ways:
        return failed("none", "no template was given; name one with --template")
    if all(way.sheet is None for way in ways):
        return _none_of(ways)
    return _best(ways, judge)


def _none_of(ways: Sequence[Laid]) -> Laid:
    """What to say of a page that is of no template: all there is to say, once."""
    reasons = dict.fromkeys(way.registration.reason or "" for way in ways)
    return failed(ways[0].registration.method, "; ".join(reasons))


def _any_ok(ways: Sequence[Laid]) -> bool:
    return any(way.registration.status == "ok" for way in ways)


def _best(ways: Sequence[Laid], judge: Judge | None) -> Laid:
    """The way that reads best, without a judge the one that is laid best; the first of equals."""
    ways = sorted((way for way in ways if way.sheet is not None), key=lambda way: _RANK[way.registration.status])
    near = [way for way in ways if way.registration.status != "failed"]
    if judge is None or len(near) < 2:
        return ways[0]
    return max(near, key=judge)
