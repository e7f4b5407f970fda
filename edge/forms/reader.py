"""The reader of forms: a page in, its registration and the value of each of its fields out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import ModelError, UsageError
from edge.forms.cells import find_cells
from edge.forms.context import ReadCell, in_context
from edge.forms.laid import Laid
from edge.forms.register import lay
from edge.forms.rules import Rules
from edge.forms.settle import Value, value_of_cells
from edge.forms.sheet_map import SheetMap
from edge.forms.template import Field, Slot, Template
from edge.forms.values import FieldReading, FormPage, Quad
from edge.imaging.tensors import digit_tensors
from edge.inference.classifier import Classifier
from edge.values import NOT_A_DIGIT, Box, Image, Page

if TYPE_CHECKING:
    from edge.inference.strip import StripReader

# How a page lies is judged by about so many cells.
_SAMPLED = 27


class FormReader:
    """Reads pages of one or several templates; not for two threads at once."""

    def __init__(
        self,
        templates: Sequence[Template],
        classifier: Classifier,
        open_strips: Callable[[], StripReader],
        *,
        threshold: float | None = None,
    ) -> None:
        """open_strips gives the reader of whole numbers, opened the first time that a field wants it.

        Raises ModelError if the model does not read digits, UsageError for an impossible threshold or check.
        """
        if threshold is not None and not 0.0 <= threshold <= 1.0:
            raise UsageError(f"threshold {threshold}: a confidence lies in 0 to 1")
        if not classifier.manifest.reads_digits:
            raise ModelError(
                f"model {classifier.manifest.name}: its labels are {', '.join(classifier.labels)}, "
                "not the ten digits, so it cannot read forms; use a digit model"
            )
        self.templates = tuple(templates)
        self.classifier = classifier
        self._open_strips = open_strips
        self._named_threshold = threshold
        self._rules = {(t.sha256, field.name): Rules(field) for t in self.templates for field in t.fields}

    @classmethod
    def open(
        cls,
        templates: Sequence[Template],
        *,
        model: str | Path | None = None,
        strip_model: str | Path | None = None,
        threshold: float | None = None,
    ) -> FormReader:
        """A reader with models by their shipped names, as .tflite files, or the defaults.

        threshold is the confidence from which a value is sure, None each model's own. Raises ModelError if a model
        cannot be used, UsageError for an impossible threshold or a check that is not there.
        """
        open_strips = cache(partial(_open_strips, strip_model))
        if strip_model is not None:
            open_strips()  # a mistake in its name shows before anything is read
        return cls(templates, Classifier.open(model), open_strips, threshold=threshold)

    def read(self, page: Page, sha256: str) -> FormPage:
        """The FormPage of a page whose content has that hash; its ms are left 0.

        A page that is none of the templates' has no fields, and a registration that failed with its reason; on one that
        may be laid wrong no value is `read`.
        """
        laid = lay(page.pixels, self.templates, judge=partial(self._likeness, page.pixels))
        fields: tuple[FieldReading, ...] = ()
        if laid.template is not None and laid.sheet is not None:
            fields = self._fields(page, laid.template, laid.sheet, laid.form_page)
            if laid.registration.reason is not None:
                fields = tuple(_in_doubt(field, laid.registration.reason) for field in fields)
        return FormPage(
            source=page.source,
            page_number=page.page_number,
            sha256=sha256,
            template=None if laid.template is None else laid.template.name,
            registration=laid.registration,
            fields=fields,
        )

    def _fields(self, page: Page, template: Template, sheet: SheetMap, form_page: int) -> tuple[FieldReading, ...]:
        fields = [field for field in template.fields if field.page == form_page]
        digits = [field for field in fields if field.kind == "digit"]
        cells = iter(in_context([(field, self._cells(page.pixels, sheet, field)) for field in digits]))
        found = []
        for field in fields:
            rules = self._rules[template.sha256, field.name]
            if field.kind == "number":
                values = [self._number(page.pixels, sheet, field, rules)]
            else:
                own = iter(next(cells))
                threshold = self._threshold(self.classifier)
                rows = [[next(own) for _ in slot.cells_mm] for slot in field.slots()]
                values = [value_of_cells(row, field, rules, threshold) for row in rows]
            slots = zip(field.slots(), values, strict=True)
            found += [_placed(slot, value, sheet, page) for slot, value in slots]
        return tuple(found)

    def _threshold(self, model: Classifier | StripReader) -> float:
        return model.manifest.threshold if self._named_threshold is None else self._named_threshold

    def _number(self, pixels: Image, sheet: SheetMap, field: Field, rules: Rules) -> Value:
        from edge.forms.numbers import read_boxed_number  # only forms with such a field pay for it

        strips = self._open_strips()
        return read_boxed_number(pixels, sheet, field, strips, rules, self._threshold(strips))

    def _cells(self, pixels: Image, sheet: SheetMap, field: Field) -> list[ReadCell]:
        found = find_cells(pixels, sheet, field)
        said = iter(
            self.classifier.predict(digit_tensors([cell.glyph.ink for cell in found if cell.glyph is not None]))
        )
        return [
            ReadCell() if cell.glyph is None else ReadCell(prediction=next(said), doubts=cell.doubts, dark=cell.dark)
            for cell in found
        ]

    def _likeness(self, pixels: Image, laid: Laid) -> float:
        """How well a page reads as it is laid, 0 to 1: how sure the network is of its digits, judged by some cells."""
        if laid.template is None or laid.sheet is None:
            return 0.0
        fields = [field for field in laid.template.fields if field.page == laid.form_page]
        shares: list[float] = []
        for field in sorted(fields, key=lambda one: one.kind):  # digits first
            if len(shares) >= _SAMPLED:
                break
            if field.kind == "number":
                number = self._number(
                    pixels, laid.sheet, field, Rules(replace(field, check=None, values=None, range=None))
                )
                shares += [number.confidence] * (number.status != "empty")
            else:
                cells = self._cells(pixels, laid.sheet, _middle_rows(field))
                inked = [cell.prediction for cell in cells if cell.prediction is not None]
                shares += [0.0 if one.label == NOT_A_DIGIT else one.confidence for one in inked]
        return sum(shares) / len(shares) if shares else 0.0


def _middle_rows(field: Field) -> Field:
    """The field, or if it is large its middle rows, in which some cells are."""
    rows = min(field.rows, max(1, round(_SAMPLED / field.columns)))
    left, top, width, height = field.box_mm
    first, high = (field.rows - rows) // 2, height / field.rows
    return replace(field, rows=rows, box_mm=(left, top + first * high, width, rows * high))


def _open_strips(model: str | Path | None) -> StripReader:
    from edge.inference.strip import StripReader  # only who reads whole numbers pays for it

    return StripReader.open(model)


def _in_doubt(field: FieldReading, reason: str) -> FieldReading:
    """The field of a page that may be laid wrong: nothing in it is sure, wherever it was read."""
    if field.status != "read":
        return field
    return replace(field, status="review", reason=reason)


def _placed(slot: Slot, value: Value, sheet: SheetMap, page: Page) -> FieldReading:
    """The FieldReading of a slot's Value, its box and quad in pixels of the page as given."""
    left, top, width, height = slot.box_mm
    corners_mm = np.array([(left, top), (left + width, top), (left + width, top + height), (left, top + height)])
    scale = np.array((page.width / page.pixels.shape[1], page.height / page.pixels.shape[0]))
    corners = sheet.points(corners_mm) * scale
    a, b, c, d = ((round(float(x), 1), round(float(y), 1)) for x, y in corners)
    quad: Quad = (a, b, c, d)
    return FieldReading(
        name=slot.name,
        value=value.value,
        raw=value.raw,
        confidence=value.confidence,
        status=value.status,
        box=_box_around(corners, page.width, page.height),
        quad=quad,
        repaired=value.value != value.raw,
        alternatives=value.alternatives,
        reason=value.reason,
    )


def _box_around(corners: np.ndarray, width: int, height: int) -> Box:
    """The Box around corners (n, 2) as far as it lies on the page, at least one pixel."""
    low = np.clip(np.floor(corners.min(axis=0)), 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)), 1, (width, height)).astype(int)
    right, bottom = np.maximum(high, low + 1).tolist()
    return Box(left=int(low[0]), top=int(low[1]), right=right, bottom=bottom)
