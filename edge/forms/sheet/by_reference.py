"""Pages of a form without marks, laid by the features of its blank and made exact along its printed edges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edge.forms.sheet.bending import unbend
from edge.forms.sheet.laid import Laid, failed, judged, likeness
from edge.forms.sheet.printed import measure, residual_mm
from edge.forms.sheet.reference import Blank, Features, find_features, lay_by_features, open_blanks
from edge.forms.template import Template
from edge.values import Image

# The page's edges are looked for within so many mm, each time less, with a bend of a degree.
_STEPS = ((1.5, 1), (1.2, 2), (0.8, 3))
_LAST_MM = 0.8
# A map whose print is a millimetre further off is the worse one, even if it shows so much more of it.
_PER_MM = 2.0
# A page that shows less of the blank's print than this is another form.
_LEAST_SHOWN = 0.2


def by_reference(grey: Image, templates: Sequence[Template]) -> tuple[Laid, ...]:
    """The page in grey pixels (H, W) over the pages of templates whose blanks it resembles, the likest first.

    One way that failed where it resembles none. Raises SourceError if a blank cannot be read.
    """
    features = find_features(grey)
    ways = [way for template in templates for way in _pages(grey, features, template)]
    if not ways:
        reason = "the page has too little in common with the form's blank; scan the whole sheet, sharp and flat"
        return (failed("reference", reason),)
    ways.sort(key=lambda way: -way.likeness)
    return tuple(way for way in ways if way.likeness >= ways[0].likeness - 0.1)


def _pages(grey: Image, features: Features, template: Template) -> Iterator[Laid]:
    if template.reference is None:
        return
    blanks = open_blanks(template.reference, template.size_mm, template.sha256)
    for page, blank in enumerate(blanks[: template.pages], 1):
        laid = _laid(grey, features, template, page, blank)
        if laid is not None and laid.likeness >= _LEAST_SHOWN:
            yield laid


def _laid(grey: Image, features: Features, template: Template, page: int, blank: Blank) -> Laid | None:
    best: Laid | None = None
    most = 0.0
    for sheet in lay_by_features(features, blank):
        for reach, degree in _STEPS:
            seen = measure(grey, sheet, blank.edges, reach_mm=reach)
            sheet = unbend(sheet, [seen], template.size_mm, degree=degree)  # noqa: PLW2901
        seen = measure(grey, sheet, blank.edges, reach_mm=_LAST_MM)
        residual, shown = residual_mm([seen]), likeness(template, page, seen)
        fit = shown - _PER_MM * (residual or 0.0)
        if best is None or fit > most:
            most = fit
            best = judged("reference", template, page, sheet, grey, residual_mm=residual, likeness=shown)
    return best
