"""A first template is good as it is: it can be printed, found and read without a change."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import SinkError, UsageError
from edge.forms.code import code_box_mm
from edge.forms.new import CELL_MM, write_first_template
from edge.forms.template import load_template


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
