"""A first template is good as it is: it can be printed, found and read without a change."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import SinkError, UsageError
from edge.forms.make.new import CELL_MM, write_first_template
from edge.forms.reader import FormReader
from edge.forms.sheet.page_code import code_box_mm
from edge.forms.template import load_template
from edge.values import Page
from tests.forms.pen import written
from tests.forms.sheets import lit, printed, skewed


@settings(max_examples=20, deadline=None)
@given(cell=st.floats(*CELL_MM), paper=st.sampled_from(["a4", "letter"]))
def test_it_is_a_good_template_with_one_of_each_kind(
    tmp_path_factory: pytest.TempPathFactory, cell: float, paper: str
) -> None:
    file = tmp_path_factory.mktemp("new") / "my form (2).toml"
    write_first_template(file, paper=paper, cell_mm=cell)  # type: ignore[arg-type]
    template = load_template(file)
    assert template.name == "my-form-2"
    assert {(field.kind, field.layout) for field in template.fields} == {
        ("digit", "row"), ("number", "row"), ("digit", "grid"),
    }  # fmt: skip
    assert any(field.check for field in template.fields) and any(field.range for field in template.fields)
    assert any(field.required for field in template.fields)
    assert code_box_mm(template) is not None
    assert template.size_mm == ((210.0, 297.0) if paper == "a4" else (215.9, 279.4))
    for field in template.fields:
        if field.kind == "digit":
            assert field.box_mm[2] / field.columns == pytest.approx(cell, abs=0.01)


def test_nothing_is_written_over(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        write_first_template(file, paper="a4", cell_mm=8)
    assert file.read_text() == "mine"


def test_cells_that_fit_no_sheet_and_folders_that_are_not_there(tmp_path: Path) -> None:
    for cell in (4.9, 13.0, float("nan")):
        with pytest.raises(UsageError, match="--cell-mm"):
            write_first_template(tmp_path / "a.toml", paper="a4", cell_mm=cell)
    with pytest.raises(SinkError, match="cannot be written"):
        write_first_template(tmp_path / "absent" / "a.toml", paper="a4", cell_mm=8)
    assert list(tmp_path.iterdir()) == []


# A clustered dot that grows from its middle, 65 lines an inch at 400 dpi: coarse.
DOT = np.array(
    [[34, 25, 26, 27, 28, 35], [24, 12, 13, 14, 15, 29], [23, 11, 1, 2, 16, 30],
     [22, 10, 4, 3, 17, 31], [21, 9, 8, 7, 18, 32], [33, 20, 19, 6, 5, 36]]
)  # fmt: skip


def values_of(rng: np.random.Generator) -> dict[str, str]:
    visitors = {f"visitors[{row},{column}]": str(rng.integers(0, 10)) for row in (1, 3) for column in range(1, 8)}
    return {"meter": "4539148801", "week": "07", "total": "2650"} | visitors


def test_a_black_printer_makes_dots_of_the_lines_and_they_drop_out_too(tmp_path: Path) -> None:
    write_first_template(tmp_path / "first.toml", paper="a4", cell_mm=8)
    template = load_template(tmp_path / "first.toml")
    fine = cv2.cvtColor(printed(template, dpi=400).pixels, cv2.COLOR_BGR2GRAY)
    rows, columns = fine.shape
    dots = np.tile((255 - (DOT - 0.5) / 36 * 255).astype(np.uint8), (rows // 6 + 1, columns // 6 + 1))[:rows, :columns]
    black = np.where((fine == 255) | (fine > dots), np.uint8(255), np.uint8(0))
    scan = printed(template, dpi=200)
    size = (scan.pixels.shape[1], scan.pixels.shape[0])
    scan = replace(scan, pixels=cv2.merge([cv2.resize(black, size, interpolation=cv2.INTER_AREA)] * 3))
    rng = np.random.default_rng(11)
    values = values_of(rng)
    made = lit(skewed(written(scan, template, values, rng), 2.0, 1.0), rng, darkest=0.8, noise=4, quality=80)
    read = FormReader.open([template]).read(Page(pixels=made.pixels, source="scan.jpg"), "1")
    assert read.registration is not None and read.registration.status == "ok"
    right = [one.value == values.get(one.name, "") for one in read.fields]
    assert sum(right) >= len(right) - 1
    assert all(one.status == "empty" for one in read.fields if one.name not in values)


@pytest.mark.parametrize(("paper", "cell"), [("a4", 8.0), ("letter", 6.0)])
def test_blank_prints_it_and_read_reads_it_unchanged(tmp_path: Path, paper: str, cell: float) -> None:
    write_first_template(tmp_path / "first.toml", paper=paper, cell_mm=cell)  # type: ignore[arg-type]
    template = load_template(tmp_path / "first.toml")
    reader = FormReader.open([template])
    known = right = sure = wrong = 0
    for seed in range(3):
        rng = np.random.default_rng((7, seed))
        values = values_of(rng)
        made = skewed(written(printed(template, dpi=150), template, values, rng), float(rng.uniform(-4, 4)), 1.0)
        made = lit(made, rng, darkest=0.7, noise=4, quality=80)
        read = reader.read(Page(pixels=made.pixels, source="scan.jpg"), str(seed))
        assert read.registration is not None and read.registration.status == "ok", read.registration
        assert read.template == "first" and len(read.fields) == 31
        for one in read.fields:
            expected = values.get(one.name, "")
            known += bool(expected)
            right += bool(expected) and one.value == expected
            sure += bool(expected) and one.status == "read"
            wrong += one.status != "review" and one.value != expected
    assert known == 51
    assert right >= 0.95 * known and sure >= 0.8 * known and wrong <= 1
