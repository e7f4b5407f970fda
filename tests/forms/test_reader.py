"""Pages to values: boxes of any darkness, strokes over their lines, marks that are no digits, numbers, turned pages."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import UsageError
from edge.forms.reader import FormReader
from edge.forms.template import Field, Template
from edge.forms.values import FieldReading, FormPage
from edge.values import Image, Page

from .sheets import mnist_digits

pytestmark = pytest.mark.edge_only

_CELL_MM = 8.0
_PAPER, _PEN = 245.0, 40.0
_GRID = Field(name="grid", kind="digit", layout="grid", box_mm=(10.0, 10.0, 96.0, 48.0), rows=6, columns=12)
_ROW = Field(name="row", kind="digit", box_mm=(10.0, 10.0, 64.0, 8.0), columns=8)
_NUMBER = Field(name="number", kind="number", box_mm=(10.0, 10.0, 60.0, 9.0))


def _template(*fields: Field, size_mm: tuple[float, float] = (116.0, 68.0), auto: bool = False) -> Template:
    return Template(
        name="drawn",
        version=1,
        registration="none",
        size_mm=size_mm,
        fields=fields,
        sha256="drawn",
        orientation="auto" if auto else "upright",
    )


@lru_cache(maxsize=8)
def _reader(template: Template) -> FormReader:
    return FormReader.open([template])


def _read(pixels: Image, template: Template) -> FormPage:
    return _reader(template).read(Page(pixels=pixels, source="a.png"), "0")


def _paper(template: Template, px_per_mm: float = 8.0) -> Image:
    width, height = (round(side * px_per_mm) for side in template.size_mm)
    return np.full((height, width), _PAPER).astype(np.uint8)


def _boxes(pixels: Image, field: Field, *, dark: int, px: int = 2, px_per_mm: float = 8.0) -> None:
    left, top, width, height = (round(side * px_per_mm) for side in field.box_mm)
    for i in range(field.rows + 1):
        y = top + round(i * height / field.rows)
        cv2.line(pixels, (left, y), (left + width, y), dark, px)
    for i in range(field.columns + 1):
        x = left + round(i * width / field.columns)
        cv2.line(pixels, (x, top), (x, top + height), dark, px)


def _write(pixels: Image, digit: Image, x: float, y: float, high: float) -> None:
    """A digit of a 28×28 picture, so many pixels high, its middle at x, y."""
    side = round(1.4 * high)
    soft = np.clip(cv2.resize(digit, (side, side), interpolation=cv2.INTER_CUBIC) / 255.0, 0, 1)
    left, top = round(x - side / 2), round(y - side / 2)
    place = pixels[top : top + side, left : left + side]
    place[:] = np.minimum(place, place * (1 - soft) + _PEN * soft)


def _scanned(pixels: Image, rng: np.random.Generator) -> Image:
    soft = cv2.GaussianBlur(pixels, (3, 3), 0) + rng.normal(0, 4, pixels.shape)
    return np.clip(soft, 0, 255).astype(np.uint8)


def _fill(
    pixels: Image, field: Field, rng: np.random.Generator, *, off: float = 0.0, px_per_mm: float = 8.0
) -> list[str]:
    """A digit into each cell, up to off of a cell beside its middle; what they are."""
    images, labels = mnist_digits()
    told = []
    for slot in field.slots():
        for left, top, width, height in slot.cells_mm:
            i = int(rng.integers(len(images)))
            x, y = (left + width / 2, top + height / 2) + rng.uniform(-off, off, 2) * (width, height)
            _write(pixels, images[i], x * px_per_mm, y * px_per_mm, 0.72 * height * px_per_mm)
            told.append(str(labels[i]))
    return told


def _hits(fields: tuple[FieldReading, ...], told: list[str]) -> int:
    return sum(field.value == text for field, text in zip(fields, told, strict=True))


@pytest.mark.parametrize(("dark", "px"), [(245, 1), (190, 2), (90, 2), (0, 4)])
@pytest.mark.parametrize(("off", "least"), [(0.0, 70), (0.2, 66)])
def test_the_box_goes_and_the_digit_stays_also_across_its_line(dark: int, px: int, off: float, least: int) -> None:
    template, rng = _template(_GRID), np.random.default_rng(8)
    pixels = _paper(template)
    _boxes(pixels, _GRID, dark=dark, px=px)
    told = _fill(pixels, _GRID, rng, off=off)
    page = _read(_scanned(pixels, rng), template)
    assert len(page.fields) == 72
    assert _hits(page.fields, told) >= least
    # The foot of a 2 that lies in a line all along cannot be told from it.
    assert sum(f.status == "read" and f.value != text for f, text in zip(page.fields, told, strict=True)) <= 1


@pytest.mark.parametrize("dark", [245, 90])
def test_faint_pencil_is_not_lost_beside_dark_print(dark: int) -> None:
    template, rng = _template(_GRID), np.random.default_rng(20)
    written = _paper(template)
    told = _fill(written, _GRID, rng)
    pixels = (_PAPER - (_PAPER - written) * 30 / (_PAPER - _PEN)).astype(np.uint8)
    _boxes(pixels, _GRID, dark=dark)
    page = _read(_scanned(pixels, rng), template)
    assert _hits(page.fields, told) >= 68
    assert sum(field.status == "empty" for field in page.fields) <= 1


@pytest.mark.parametrize("px_per_mm", [5.9, 11.8])
def test_pages_of_other_resolutions_read_the_same(px_per_mm: float) -> None:
    template, rng = _template(_GRID), np.random.default_rng(9)
    pixels = _paper(template, px_per_mm)
    _boxes(pixels, _GRID, dark=150, px_per_mm=px_per_mm)
    told = _fill(pixels, _GRID, rng, px_per_mm=px_per_mm)
    assert _hits(_read(_scanned(pixels, rng), template).fields, told) >= 69


def test_a_large_grid_is_read_in_its_order() -> None:
    field = replace(_GRID, box_mm=(10.0, 10.0, 100.0, 95.0), rows=19, columns=20)
    template, rng = _template(field, size_mm=(120.0, 115.0)), np.random.default_rng(21)
    pixels = _paper(template)
    _boxes(pixels, field, dark=150)
    told = _fill(pixels, field, rng)
    assert _hits(_read(_scanned(pixels, rng), template).fields, told) >= 370


@pytest.mark.parametrize("dark", [245, 190, 90, 0])
def test_blank_cells_are_empty(dark: int) -> None:
    template, rng = _template(_GRID), np.random.default_rng(10)
    pixels = _paper(template)
    _boxes(pixels, _GRID, dark=dark, px=3)
    page = _read(_scanned(pixels, rng), template)
    assert {(field.status, field.value) for field in page.fields} == {("empty", "")}


def _marks(pixels: Image) -> int:
    """Ticks, squares, crosses, blots and question marks into every other cell of the grid; how many."""
    cells = [slot.box_mm for slot in _GRID.slots()][::2]
    for i, (left, top, _, _) in enumerate(cells):
        at = np.array([left, top]) * 8
        shapes = (
            [[(14, 34), (26, 48), (50, 14)]],
            [[(16, 16), (48, 16), (48, 48), (16, 48), (16, 16)]],
            [[(16, 16), (48, 48)], [(16, 48), (48, 16)]],
            [[(10, y), (54, y + 2)] for y in range(16, 50, 5)],
            [[(22, 22), (28, 13), (38, 13), (43, 22), (40, 29), (33, 36), (33, 43)], [(33, 51), (34, 53)]],
        )
        for line in shapes[i % len(shapes)]:
            cv2.polylines(pixels, [np.array(line, np.int32) + at.astype(np.int32)], False, int(_PEN), 3, cv2.LINE_AA)
    return len(cells)


def test_marks_are_for_review_and_what_they_say_is_why() -> None:
    template, rng = _template(_GRID), np.random.default_rng(11)
    pixels = _paper(template)
    _boxes(pixels, _GRID, dark=150)
    count = _marks(pixels)
    page = _read(_scanned(pixels, rng), template)
    inked = [field for field in page.fields if field.status != "empty"]
    assert len(inked) == count
    assert sum(field.status == "read" for field in inked) <= 1
    assert all(field.reason for field in inked if field.status == "review")


@pytest.mark.parametrize("beside_mm", [0.5, 1.2])
def test_a_tall_1_beside_or_on_a_pale_line_is_not_lost(beside_mm: float) -> None:
    template, rng = _template(_GRID), np.random.default_rng(19)
    pixels = _paper(template)
    _boxes(pixels, _GRID, dark=205)
    x, top = round((10 + 16 + beside_mm) * 8), (10 + 8) * 8
    cv2.line(pixels, (x, top + 3), (x, top + 61), int(_PEN), 5)
    page = _read(_scanned(pixels, rng), template)
    assert [field.name for field in page.fields if field.status != "empty"] == ["grid[2,3]"]


def test_a_row_is_one_value_with_blanks_around_it() -> None:
    template, rng = _template(_ROW), np.random.default_rng(12)
    pixels = _paper(template)
    _boxes(pixels, _ROW, dark=120)
    images, labels = mnist_digits()
    chosen = [int(np.flatnonzero(labels == digit)[3]) for digit in (0, 0, 4, 2)]
    for place, i in enumerate(chosen):
        _write(pixels, images[i], (10 + 8 * (place + 1.5)) * 8, 14 * 8, 46)
    (field,) = _read(_scanned(pixels, rng), template).fields
    assert (field.value, field.status, field.repaired) == ("0042", "read", False)
    assert field.quad[0] == pytest.approx((79.5, 79.5), abs=1)
    assert field.box.width == pytest.approx(512, abs=2)


def test_a_value_that_its_rules_mend_says_so() -> None:
    plain, rng = _template(_ROW), np.random.default_rng(13)
    pixels = _paper(plain)
    told = "".join(_fill(pixels, _ROW, rng))
    pixels = _scanned(pixels, rng)
    (read,) = _read(pixels, plain).fields
    other = read.value[:-1] + str((int(read.value[-1]) + 1) % 10)
    for allowed in ((told,), (other,)):
        template = replace(plain, fields=(replace(_ROW, values=allowed),), sha256="".join(allowed))
        (field,) = _read(pixels, template).fields
        assert field.raw == read.raw
        assert field.repaired == (field.value != field.raw)
        assert field.value in allowed or field.status == "review"


@pytest.mark.parametrize("dark", [245, 170, 0])
def test_a_free_number_is_read_without_its_box(dark: int) -> None:
    template, rng = _template(_NUMBER), np.random.default_rng(14)
    pixels = _paper(template)
    _boxes(pixels, _NUMBER, dark=dark, px=3)
    images, labels = mnist_digits()
    for place, digit in enumerate((5, 0, 3, 8)):
        i = int(np.flatnonzero(labels == digit)[1])
        _write(pixels, images[i], 120 + 46 * place, 117 + 3 * place, 54)
    pixels = _scanned(pixels, rng)
    (field,) = _read(pixels, template).fields
    assert field.value == "5038"
    for roster, status in ((("5038", "5088", "12"), "read"), (("7777",), "review")):
        allowed = replace(template, fields=(replace(_NUMBER, values=roster),), sha256=roster[0])
        (field,) = _read(pixels, allowed).fields
        assert (field.value, field.status, field.repaired) == ("5038", status, False)


def test_an_empty_number_box_is_empty() -> None:
    template, rng = _template(_NUMBER), np.random.default_rng(15)
    pixels = _paper(template)
    _boxes(pixels, _NUMBER, dark=0, px=3)
    (field,) = _read(_scanned(pixels, rng), template).fields
    assert (field.status, field.value) == ("empty", "")


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_page_is_turned_as_it_reads_best(turns: int) -> None:
    field = replace(_GRID, box_mm=(10.0, 10.0, 48.0, 48.0), columns=6)
    template, rng = _template(field, size_mm=(68.0, 68.0), auto=True), np.random.default_rng(16)
    pixels = _paper(template)
    _boxes(pixels, field, dark=120)
    told = _fill(pixels, field, rng)
    page = _read(np.ascontiguousarray(np.rot90(_scanned(pixels, rng), turns)), template)
    assert page.registration is not None and page.registration.rotation_deg == 90 * turns
    assert _hits(page.fields, told) >= 34


def test_places_are_told_in_pixels_of_the_page_as_given() -> None:
    template, rng = _template(_GRID), np.random.default_rng(17)
    pixels = _paper(template)
    _fill(pixels, _GRID, rng)
    lean = Page(pixels=pixels, source="a.pdf", size=(2 * pixels.shape[1], 2 * pixels.shape[0]))
    page = _reader(template).read(lean, "0")
    assert page.fields[0].box.width == pytest.approx(128, abs=2)
    assert page.fields[-1].box.right <= lean.width


def test_nothing_is_sure_on_a_page_that_may_be_laid_wrong() -> None:
    template, rng = _template(_GRID), np.random.default_rng(18)
    pixels = _paper(template)
    _fill(pixels, _GRID, rng)
    squeezed = cv2.resize(pixels, (pixels.shape[1], round(0.9 * pixels.shape[0])), interpolation=cv2.INTER_AREA)
    page = _read(squeezed, template)
    assert page.registration is not None and page.registration.status == "review"
    assert page.fields and not any(field.status == "read" for field in page.fields)
    assert page.registration.reason in {field.reason for field in page.fields}


def test_a_page_of_no_template_has_a_reason_and_no_fields() -> None:
    template = replace(_template(_GRID), registration="frame", sha256="framed")
    page = _read(_paper(template), template)
    assert (page.template, page.fields) == (None, ())
    assert page.registration is not None and page.registration.status == "failed" and page.registration.reason


def test_an_impossible_threshold_is_refused() -> None:
    with pytest.raises(UsageError, match="threshold"):
        FormReader.open([_template(_GRID)], threshold=1.5)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(40, 40), (7, 300), (400, 700)]), st.booleans())
def test_no_picture_is_too_strange(seed: int, shape: tuple[int, int], colour: bool) -> None:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (*rng.integers(1, 40, 2), 3) if colour else rng.integers(1, 40, 2), np.uint8)
    pixels = cv2.resize(small, shape[::-1], interpolation=int(rng.choice([cv2.INTER_NEAREST, cv2.INTER_CUBIC])))
    template = _template(_GRID, replace(_NUMBER, box_mm=(70.0, 58.0, 40.0, 8.0)))
    page = _read(np.ascontiguousarray(pixels), template)
    assert all(field.box.right <= page_width for field in page.fields for page_width in [shape[1]])
    assert all(0 <= field.confidence <= 1 for field in page.fields)
