"""A form's geometry in millimetres, origin top left: its sheet, its marks, its fields."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from edge.forms.values import Method

Kind: TypeAlias = Literal["digit", "number"]
Layout: TypeAlias = Literal["row", "grid"]
Orientation: TypeAlias = Literal["upright", "auto"]
BoxMm: TypeAlias = tuple[float, float, float, float]  # left, top, width, height

# Boxes are written with two decimals: neighbours may seem to overlap by their rounding.
ROUNDING_MM = 0.05


def touches(one: BoxMm, other: BoxMm) -> bool:
    """Whether two boxes have more in common than the rounding of their figures."""
    return all(
        min(one[axis] + one[axis + 2], other[axis] + other[axis + 2]) - max(one[axis], other[axis]) > ROUNDING_MM
        for axis in (0, 1)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """ArUco marks in the corners; ids clockwise from the top left, inset from the sheet's edges to an outer corner."""

    dictionary: str = "DICT_4X4_50"
    ids: tuple[int, int, int, int] = (0, 1, 2, 3)
    size_mm: float = 8.0
    inset_mm: float = 8.0

    def boxes_mm(self, size_mm: tuple[float, float]) -> tuple[BoxMm, BoxMm, BoxMm, BoxMm]:
        """Where they stand on a sheet of size_mm (width, height), in the order of the ids."""
        near = self.inset_mm
        right, bottom = (side - self.inset_mm - self.size_mm for side in size_mm)
        places = ((near, near), (right, near), (right, bottom), (near, bottom))
        one, two, three, four = ((left, top, self.size_mm, self.size_mm) for left, top in places)
        return one, two, three, four


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A named place for values on one page of the form; cells divide box_mm evenly, without gaps.

    layout: `row` joins its cells into one value, `grid` has a value a cell. check: a python-stdnum module; range: the
    least and largest number; values: the texts that are allowed. None is no such rule. label is what the printed form
    says beside it; None: its name. column_labels and row_labels stand beside the cells of a grid; None: their numbers.
    """

    name: str
    kind: Kind
    box_mm: BoxMm
    layout: Layout = "row"
    page: int = 1
    rows: int = 1
    columns: int = 1
    required: bool = False
    check: str | None = None
    range: tuple[int, int] | None = None
    values: tuple[str, ...] | None = None
    label: str | None = None
    column_labels: tuple[str, ...] | None = None
    row_labels: tuple[str, ...] | None = None

    def slots(self) -> tuple[Slot, ...]:
        """Its values in reading order: one for a row or a number, one a cell for a grid."""
        left, top, width, height = self.box_mm
        across, down = width / self.columns, height / self.rows
        cells = [
            [(left + column * across, top + row * down, across, down) for column in range(self.columns)]
            for row in range(self.rows)
        ]
        if self.layout == "row":
            return (Slot(name=self.name, field=self, cells_mm=tuple(cell for row in cells for cell in row)),)
        return tuple(
            Slot(name=f"{self.name}[{row},{column}]", field=self, cells_mm=(cell,))
            for row, line in enumerate(cells, 1)
            for column, cell in enumerate(line, 1)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """Where one value stands: its name in the outputs, its field, its cells in mm from left to right."""

    name: str
    field: Field
    cells_mm: tuple[BoxMm, ...]

    @property
    def box_mm(self) -> BoxMm:
        """The box around all cells."""
        left = min(cell[0] for cell in self.cells_mm)
        top = min(cell[1] for cell in self.cells_mm)
        right = max(cell[0] + cell[2] for cell in self.cells_mm)
        bottom = max(cell[1] + cell[3] for cell in self.cells_mm)
        return left, top, right - left, bottom - top


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A form: name and version stand in its page code; size_mm (width, height) is that of what is registered.

    sha256 is of all that decides what is read, rosters and reference included: another one is another generation of
    results. title and note are printed at the top of a blank form, and decide nothing.
    """

    name: str
    version: int
    registration: Method
    size_mm: tuple[float, float]
    fields: tuple[Field, ...]
    sha256: str
    orientation: Orientation = "upright"
    marks: Marks | None = None
    reference: Path | None = None
    title: str | None = None
    note: str | None = None

    @property
    def pages(self) -> int:
        """How many pages the form has."""
        return max((field.page for field in self.fields), default=1)

    def slots(self, page: int) -> tuple[Slot, ...]:
        """The values of one of its pages, in the template's order."""
        return _slots_of(self, page)

    def slot_boxes(self, page: int) -> npt.NDArray[np.float64]:
        """The boxes of slots(page), (n, 4): left, top, width, height in mm."""
        return _slot_boxes_of(self, page)

    def __hash__(self) -> int:
        """That of what decides: a roster of thousands is not gone through again for each look into a cache."""
        return hash((self.name, self.version, self.sha256))


@lru_cache(maxsize=256)
def _slot_boxes_of(template: Template, page: int) -> npt.NDArray[np.float64]:
    boxes = np.array([slot.box_mm for slot in template.slots(page)], np.float64).reshape(-1, 4)
    boxes.setflags(write=False)
    return boxes


@lru_cache(maxsize=256)
def _slots_of(template: Template, page: int) -> tuple[Slot, ...]:
    return tuple(slot for field in template.fields if field.page == page for slot in field.slots())


def load_template(path: Path) -> Template:
    """The template that a TOML file describes.

    Raises UsageError with file, line and key of every mistake in it.
    """
    from edge.forms.template_file import read_template  # what reads a template knows the classes above

    return read_template(path)
