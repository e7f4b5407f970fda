"""The reader of forms: a page in, its registration and the value of each of its fields out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import ModelError, UsageError
from edge.forms.fields.cells import CellInk, find_cells
from edge.forms.fields.context import ReadCell, in_context
from edge.forms.fields.rules import Rules
from edge.forms.fields.settle import Value, value_of_cells
from edge.forms.fields.struck import STRUCK, is_struck
from edge.forms.register import lay
from edge.forms.sheet.laid import Laid
from edge.forms.sheet.sheet_map import Floats, SheetMap
from edge.forms.template import Field, Slot, Template
from edge.forms.values import FieldReading, FormPage
from edge.imaging.tensors import digit_tensors
from edge.inference.classifier import Classifier
from edge.reading.looks import look_again
from edge.values import NOT_A_DIGIT, Box, Image, Page, Prediction

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
        laid = self.lay(page.pixels)
        fields: tuple[FieldReading, ...] = ()
        template = None if laid.registration.status == "failed" else laid.template
        if template is not None and laid.sheet is not None:
            fields = self._fields(page, template, laid.sheet, laid.form_page)
            if laid.registration.reason is not None:
                fields = tuple(_in_doubt(field, laid.registration.reason) for field in fields)
        return FormPage(
            source=page.source,
            page_number=page.page_number,
            sha256=sha256,
            template=None if template is None else template.name,
            registration=laid.registration,
            fields=fields,
        )

    def lay(self, pixels: Image) -> Laid:
        """A page (H, W) or (H, W, 3) laid over the template that it is of, turned as it reads best."""
        return lay(pixels, self.templates, judge=partial(self._likeness, pixels))

    def _fields(self, page: Page, template: Template, sheet: SheetMap, form_page: int) -> tuple[FieldReading, ...]:
        fields = [field for field in template.fields if field.page == form_page]
        digits = [field for field in fields if field.kind == "digit"]
        cells = iter(in_context(tuple(zip(digits, self._cells(page.pixels, sheet, digits), strict=True))))
        slots = template.slots(form_page)
        values: list[Value] = []
        for field, own in groupby(slots, key=attrgetter("field")):
            rules = self._rules[template.sha256, field.name]
            if field.kind == "number":
                values.append(self._number(page.pixels, sheet, field, rules))
            else:
                held = iter(next(cells))
                threshold = self._threshold(self.classifier)
                rows = [[next(held) for _ in slot.cells_mm] for slot in own]
                values += [value_of_cells(row, field, rules, threshold) for row in rows]
        return tuple(_placed(slots, template.slot_boxes(form_page), values, sheet, page)) if slots else ()

    def _threshold(self, model: Classifier | StripReader) -> float:
        return model.manifest.threshold if self._named_threshold is None else self._named_threshold

    def _number(self, pixels: Image, sheet: SheetMap, field: Field, rules: Rules) -> Value:
        from edge.forms.fields.boxed_number import read_boxed_number  # only forms with such a field pay for it

        strips = self._open_strips()
        return read_boxed_number(pixels, sheet, field, strips, rules, self._threshold(strips))

    def _cells(self, pixels: Image, sheet: SheetMap, fields: Sequence[Field]) -> list[list[ReadCell]]:
        """What the cells of each of some fields of digits hold, in reading order."""
        return [[self._read_cell(cell, said) for cell, said in cells] for cells in self._seen(pixels, sheet, fields)]

    def _seen(
        self, pixels: Image, sheet: SheetMap, fields: Sequence[Field]
    ) -> list[list[tuple[CellInk, Prediction | None]]]:
        """The ink of each of the fields' cells and what the network says of it at one look, None of no ink."""
        found = find_cells(pixels, sheet, fields)
        inked = [cell.glyph.ink for cells in found for cell in cells if cell.glyph is not None]
        said = iter(self.classifier.predict(digit_tensors(inked)))
        return [[(cell, None if cell.glyph is None else next(said)) for cell in cells] for cells in found]

    def _read_cell(self, cell: CellInk, said: Prediction | None) -> ReadCell:
        """A cell with what the network says of its glyph, None if it has none."""
        if said is None or cell.glyph is None:
            return ReadCell()
        doubts = cell.doubts
        if not doubts and said.label != NOT_A_DIGIT:
            said = look_again(cell.glyph.ink, said, self.classifier)
            # What is not sure is for review as it is.
            sure = said.confidence >= self._threshold(self.classifier)
            if sure and is_struck(cell.glyph.ink, said, self.classifier.predict):
                doubts = (STRUCK,)
        return ReadCell(prediction=said, doubts=doubts, dark=cell.dark)

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
                (cells,) = self._seen(pixels, laid.sheet, (_middle_rows(field),))
                inked = [said for _, said in cells if said is not None]
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


def _side_by_side(slot: Slot) -> int:
    """How many cells a slot has in a line; 0 for a number's box, and where they stand in several lines."""
    in_a_line = slot.field.kind == "digit" and (slot.field.layout == "grid" or slot.field.rows == 1)
    return len(slot.cells_mm) if in_a_line else 0


def _in_doubt(field: FieldReading, reason: str) -> FieldReading:
    """The field of a page that may be laid wrong: nothing in it is sure, wherever it was read."""
    if field.status != "read":
        return field
    return replace(field, status="review", reason=reason)


def _placed(
    slots: Sequence[Slot], sides: Floats, values: Sequence[Value], sheet: SheetMap, page: Page
) -> list[FieldReading]:
    """The FieldReadings of slots' values, boxes and quads in pixels of the page as given.

    sides (n, 4): the slots' left, top, width, height in mm.
    """
    low, high = sides[:, :2], sides[:, :2] + sides[:, 2:]
    clockwise = np.stack((low, np.stack((high[:, 0], low[:, 1]), 1), high, np.stack((low[:, 0], high[:, 1]), 1)), 1)
    scale = np.array((page.width / page.pixels.shape[1], page.height / page.pixels.shape[0]))
    corners = sheet.points(clockwise.reshape(-1, 2)).reshape(-1, 4, 2) * scale
    size = np.array((page.width, page.height))
    first = np.clip(np.floor(corners.min(axis=1)), 0, size - 1).astype(int)
    last = np.maximum(np.clip(np.ceil(corners.max(axis=1)), 1, size).astype(int), first + 1)
    found = []
    for slot, value, quad, start, end in zip(
        slots, values, np.round(corners, 1).tolist(), first.tolist(), last.tolist(), strict=True
    ):
        a, b, c, d = ((x, y) for x, y in quad)
        found.append(
            FieldReading(
                name=slot.name,
                value=value.value,
                raw=value.raw,
                confidence=value.confidence,
                status=value.status,
                box=Box(left=start[0], top=start[1], right=end[0], bottom=end[1]),
                quad=(a, b, c, d),
                repaired=value.value != value.raw,
                alternatives=value.alternatives,
                reason=value.reason,
                cells=_side_by_side(slot),
            )
        )
    return found
