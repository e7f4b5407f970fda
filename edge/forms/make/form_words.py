"""What a printed form says: title, hint how to write, names of the fields, and the page code in plain words."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TypeAlias

from edge.forms.make.print_sheet import PrintSheets, Rgb
from edge.forms.make.sample_digits import SAMPLE_DIGITS
from edge.forms.template import BoxMm, Field, Template, touches

# What the pen meets must vanish beside what the pen leaves. In grey (BT.601) these lines keep 82 % of the paper's
# light, under the red lamp of a scanner all of it; of what a pen draws 20 to 60 % is left. Red is also as far from
# blue ink as a colour can be.
LINE: Rgb = (1.0, 0.76, 0.66)
_DARK: Rgb = (0.16, 0.16, 0.2)
_GREY: Rgb = (0.42, 0.42, 0.47)
_PEN: Rgb = (0.1, 0.16, 0.45)
_HINT = "Please write one digit to a box, with a dark pen, like this:"
_POINT_MM = 25.4 / 72
_TITLE_PT, _NAME_PT, _SMALL_PT, _TINY_PT = 17.0, 8.5, 8.0, 6.5
# Between a box and what is printed beside it, so that a box that is cut a little too large stays clean.
_CLEAR_MM = 1.7
# Names in full size, and where fields are crowded smaller and nearer: size in pt, clear space in mm.
_NAME_SIZES = ((_NAME_PT, _CLEAR_MM), (7.0, 1.3), (6.0, 1.0))
_NOTE_MM = 2.5
_SAMPLE_MM = 7.0
_MARGIN_MM = 8.0

Place: TypeAlias = tuple[float, float]  # left end of a baseline

_log = logging.getLogger(__name__)


class Words:
    """Words of one page, set where no field, mark or code is; what finds no room is left out.

    top_mm is how far up one may print, in the template's coordinates: above 0 where the page is found by a rectangle.
    """

    def __init__(
        self, sheets: PrintSheets, template: Template, fields: list[Field], code: BoxMm | None, *, top_mm: float
    ) -> None:
        self._sheets = sheets
        self._template = template
        self._fields = fields
        self._code = code
        self._top = template.marks.inset_mm if template.marks else top_mm
        self._taken = [field.box_mm for field in fields]
        self._side = 0.0 if template.registration == "frame" else _MARGIN_MM
        if template.marks:
            self._taken += [_with_quiet(box) for box in template.marks.boxes_mm(template.size_mm)]
            self._side = template.marks.inset_mm + template.marks.size_mm + 4.0
        if code:
            self._taken.append(code)

    def draw_names(self) -> None:
        """Each field's name above its box, else left of it or below; cells of grids by their labels or numbers."""
        for field in self._fields:
            if field.layout == "grid":
                self._label_cells(field)
        for field in self._fields:
            self._name(field)

    def draw_head(self) -> None:
        """Title, note, and the hint with ten written digits, as far as there is room above the first field."""
        top, left = self._top, self._side
        right = self._template.size_mm[0] - self._side
        # marks stand beside this strip, what else begins or reaches below its top ends it
        ends = [
            box[1] - top for box in self._taken if box[0] < right and left < box[0] + box[2] and box[1] + box[3] > top
        ]
        free = -top - _CLEAR_MM if self._template.registration == "frame" else min([*ends, self._template.size_mm[1]])
        if free < 8:
            return
        title = self._template.title or self._template.name
        size_pt = min(_TITLE_PT, _TITLE_PT * (right - left) / self._sheets.width_mm(title, _TITLE_PT, bold=True))
        if size_pt < _NAME_PT:
            size_pt, title = _NAME_PT, self._shortened(title, _NAME_PT, right - left)
        self._sheets.text((left, top + 6), title, size_pt=size_pt, color=_DARK, bold=True)
        y = top + 12.5
        if self._template.note and free > 14:
            note = self._shortened(self._template.note, _NAME_PT, right - left, bold=False)
            self._sheets.text((left, y), note, size_pt=_NAME_PT, color=_DARK)
            y += 5.5
        if free < y - top + _SAMPLE_MM + 4:
            return
        wide = self._sheets.width_mm(_HINT, _NAME_PT) + 3
        if left + wide + 10 * _SAMPLE_MM <= right:
            self._sheets.text((left, y + 1.2), _HINT, size_pt=_NAME_PT, color=_GREY)
            self._draw_samples(left + wide, y - _SAMPLE_MM / 2 + 0.2)
        elif left + 10 * _SAMPLE_MM <= right:
            if free >= y - top + _SAMPLE_MM + 9 and left + wide - 3 <= right:
                self._sheets.text((left, y), _HINT, size_pt=_NAME_PT, color=_GREY)
                y += 6
            self._draw_samples(left, y - _SAMPLE_MM / 2 + 0.2)

    def draw_foot(self, page: int) -> None:
        """The page code in words, beside the code."""
        if self._code is None:
            return
        left, top, width, height = self._code
        template = self._template
        lines = (template.name, f"version {template.version}", f"page {page} of {template.pages}")
        wide = max(self._sheets.width_mm(line, _SMALL_PT) for line in lines)
        for x in (left + width, left - wide):
            if self._is_free((x, top + 3, wide, height - 6)):
                for number, line in enumerate(lines):
                    place = (x, top + height / 2 - 2.6 + 3.6 * number)
                    self._sheets.text(place, line, size_pt=_SMALL_PT, color=_GREY)
                return

    def _draw_samples(self, left: float, top: float) -> None:
        box = (left, top, 10 * _SAMPLE_MM, _SAMPLE_MM)
        for column in range(1, 10):
            x = left + column * _SAMPLE_MM
            self._sheets.line(((x, top), (x, top + _SAMPLE_MM)), LINE, 0.3)
        self._sheets.frame(box, LINE, 0.45, 1.0)
        high = _SAMPLE_MM * 0.68
        for number, strokes in enumerate(SAMPLE_DIGITS):
            x, y = left + (number + 0.5) * _SAMPLE_MM, top + (_SAMPLE_MM - high) / 2
            for stroke in strokes:
                self._sheets.line([(x + a * high, y + b * high) for a, b in stroke], _PEN, 0.45)

    def _name(self, field: Field) -> None:
        """Set a field's name where there is room for it, smaller or shortened if need be."""
        name, note = field.label or field.name, _note(field)
        for size_pt, clear in _NAME_SIZES:
            for place in self._places(field, name, note, size_pt, clear):
                if place is not None:
                    self._set_name(place, name, note, size_pt)
                    return
        size_pt, clear = _NAME_SIZES[-1]
        short = self._shortened(name, size_pt, field.box_mm[2])
        above = next(self._places(field, short, "", size_pt, clear))
        if above is not None:
            self._set_name(above, short, "", size_pt)
        else:
            _log.warning("%s: no room to print its name; move it away from its neighbours", field.name)

    def _set_name(self, place: Place, name: str, note: str, size_pt: float) -> None:
        self._sheets.text(place, name, size_pt=size_pt, color=_DARK, bold=True)
        if note:
            wide = self._sheets.width_mm(name, size_pt, bold=True)
            self._sheets.text((place[0] + wide + _NOTE_MM, place[1]), note, size_pt=size_pt, color=_GREY)

    def _places(self, field: Field, name: str, note: str, size_pt: float, clear: float) -> Iterator[Place | None]:
        """Above, left of, below, right of a field: the end of a baseline there, taken, or None if there is no room.

        What is straight above another field is that one's.
        """
        left, top, width, height = field.box_mm
        high = size_pt * _POINT_MM
        wide = self._sheets.width_mm(name, size_pt, bold=True)
        wide += self._sheets.width_mm(note, size_pt) + _NOTE_MM if note else 0.0
        for x, y in (
            (left, top - clear - _numbers_mm(field)),
            (left - wide - clear, top + height / 2 + high * 0.35),
            (left, top + height + clear + high * 0.8),
            (left + width + clear, top + height / 2 + high * 0.35),
        ):
            box = (x, y - high * 0.8, wide, high)
            others = (_above(other) for other in self._fields if other is not field)
            free = not any(touches(box, other) for other in others)
            yield (x, y) if free and self._claim(box) else None

    def _shortened(self, name: str, size_pt: float, width: float, *, bold: bool = True) -> str:
        while len(name) > 1 and self._sheets.width_mm(name, size_pt, bold=bold) > width:
            name = name.rstrip("…")[:-1].rstrip() + "…"
        return name

    def _label_cells(self, field: Field) -> None:
        """Set the labels of a grid's columns above it and those of its rows left of it, if there is room for all."""
        left, top, width, height = field.box_mm
        across, down = width / field.columns, height / field.rows
        high = _TINY_PT * _POINT_MM
        columns = field.column_labels or tuple(str(one + 1) for one in range(field.columns))
        if (field.columns > 1 or field.column_labels) and self._claim((left, top - 1.2 - high, width, high)):
            for column, label in enumerate(columns):
                place = (left + (column + 0.5) * across, top - 1.3)
                text = self._shortened(label, _TINY_PT, across)
                self._sheets.text(place, text, size_pt=_TINY_PT, color=_GREY, anchor="middle")
        rows = field.row_labels or tuple(str(one + 1) for one in range(field.rows))
        wide = max(self._sheets.width_mm(label, _TINY_PT) for label in rows)
        if (field.rows > 1 or field.row_labels) and self._claim((left - _CLEAR_MM - wide, top, wide, height)):
            for row, label in enumerate(rows):
                place = (left - _CLEAR_MM, top + (row + 0.5) * down + high * 0.35)
                self._sheets.text(place, label, size_pt=_TINY_PT, color=_GREY, anchor="right")

    def _claim(self, box: BoxMm) -> bool:
        """Take a place for words; False if something is there."""
        if not self._is_free(box):
            return False
        self._taken.append(box)
        return True

    def _is_free(self, box: BoxMm) -> bool:
        left, top, width, height = box
        across, down = self._template.size_mm
        if self._code is not None:
            down = max(down, self._code[1] + self._code[3])  # below a printed rectangle
        inside = left >= 0 and left + width <= across and top >= self._top - 0.01 and top + height <= down
        return inside and not any(touches(box, other) for other in self._taken)


def _with_quiet(mark: BoxMm) -> BoxMm:
    """A mark's box with the white around it that a detector wants, a quarter of its side."""
    left, top, side, _ = mark
    quiet = side / 4
    return left - quiet, top - quiet, side + 2 * quiet, side + 2 * quiet


def _above(field: Field) -> BoxMm:
    """The strip above a field that holds its name, if only just."""
    left, top, width, _ = field.box_mm
    size_pt, clear = _NAME_SIZES[-1]
    high = size_pt * _POINT_MM
    return left, top - clear - _numbers_mm(field) - 0.8 * high, width, high


def _numbers_mm(field: Field) -> float:
    """How high the numbers of a grid's columns stand above it."""
    return 3.2 if field.layout == "grid" and (field.columns > 1 or field.column_labels) else 0.0


def _note(field: Field) -> str:
    parts = [f"{field.range[0]} to {field.range[1]}"] if field.range else []
    return ", ".join(parts + ["required"] * field.required)
