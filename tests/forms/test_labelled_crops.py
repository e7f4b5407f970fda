"""Digits for learning out of a job: as the network saw them, labelled by what people said, with whence they are."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import UsageError
from edge.forms.fields.cells import find_cells
from edge.forms.job.batch import JobSettings, read_job
from edge.forms.job.entries import Said, enter
from edge.forms.job.export import export_all
from edge.forms.job.kept_forms import keep_forms, kept_form
from edge.forms.job.labelled_crops import COLUMNS, write_crops
from edge.forms.job.ledger import Ledger
from edge.forms.job.reopen import reopen
from edge.forms.register import lay
from edge.forms.template import Field, Marks, Template
from edge.imaging.tensors import digit_tensors
from tests.forms.known_forms import FORM
from tests.forms.sheets import mnist_digits

CELL_PX = 60
CARD = Template(
    name="card",
    version=1,
    registration="none",
    size_mm=(80.0, 40.0),
    fields=(
        Field(name="row", kind="digit", box_mm=(8.0, 4.0, 48.0, 8.0), columns=6),
        Field(name="grid", kind="digit", layout="grid", box_mm=(8.0, 20.0, 32.0, 16.0), rows=2, columns=4),
    ),
    sha256="card/1",
)


def card(digits: str, row: str) -> np.ndarray:
    """A card of 400 × 800 pixels with a row and eight digits of a grid in it, MNIST test digits."""
    images, labels = mnist_digits()
    pixels = np.full((400, 800), 250, np.uint8)
    for text, left, top, columns in ((row, 80, 40, 6), (digits, 80, 200, 4)):
        for place, digit in enumerate(text):
            if digit == " ":
                continue
            x, y = left + 80 * (place % columns) + 10, top + 80 * (place // columns) + 10
            ink = cv2.resize(images[np.flatnonzero(labels == int(digit))[place]], (CELL_PX, CELL_PX))
            part = pixels[y : y + CELL_PX, x : x + CELL_PX]
            part[:] = np.minimum(part, 250 - 0.8 * ink).astype(np.uint8)
    return pixels


@pytest.fixture
def job(tmp_path: Path) -> Path:
    for number, (digits, row) in enumerate((("70123456", "314 59"), ("8941 762", "271828")), 1):
        assert cv2.imwrite(str(tmp_path / f"{number}.png"), card(digits, row))
    settings = JobSettings(workers=1, threshold=0.999999)
    scans = [tmp_path / "1.png", tmp_path / "2.png"]
    read_job(scans, (CARD,), tmp_path / "job", settings, output=tmp_path / "out.jsonl")
    return tmp_path / "job"


def lines(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "labels.csv").read_text().splitlines()))


def test_digits_are_those_that_the_network_saw_and_say_whence_they_are(job: Path, tmp_path: Path) -> None:
    with Ledger(job) as ledger:
        first = next(iter(ledger.all_pages()))
        page = first.page.sha256
        said = [
            Said(page=page, field="row", value="31459"),
            Said(page=page, field="grid[1,1]", value="1"),
            Said(page=page, field="grid[1,2]", value=""),
            Said(page=page, field="grid[1,3]", value=None),
            Said(page=page, field="grid[1,4]", value="22"),
        ]
        with ledger.change() as db:
            assert enter(db, said, name="Ann").noted == 5
        pixels = reopen(first).pixels
    cut = write_crops(job, tmp_path / "crops")
    found = lines(tmp_path / "crops")
    assert cut.digits == len(found) and not cut.missing and tuple(found[0]) == COLUMNS
    own = [line for line in found if line["page"] == page and line["by"] == "Ann"]
    assert [(line["field"], line["cell"], line["label"], line["kind"]) for line in own] == [
        ("row", "1", "3", own[0]["kind"]), ("row", "2", "1", own[0]["kind"]), ("row", "3", "4", own[0]["kind"]),
        ("row", "5", "5", own[0]["kind"]), ("row", "6", "9", own[0]["kind"]),
        ("grid[1,1]", "1", "1", "corrected"), ("grid[1,2]", "1", "none", "corrected"),
        ("grid[1,3]", "1", "", "unreadable"), ("grid[1,4]", "1", "", "corrected"),
    ]  # fmt: skip
    others = [line for line in found if line["by"] == ""]
    assert others and {(line["label"], line["kind"]) for line in others} == {("", "waiting")}
    assert all(line["source"].endswith(".png#1") for line in found)
    sheet = lay(pixels, (CARD,)).sheet
    assert sheet is not None
    (cells,) = find_cells(pixels, sheet, CARD.fields[:1])
    inked = digit_tensors([cell.glyph.ink for cell in cells if cell.glyph is not None])
    for line, tensor in zip(own, inked, strict=False):
        picture = cv2.imread(str(tmp_path / "crops" / line["file"]), cv2.IMREAD_UNCHANGED)
        assert picture is not None and np.array_equal(picture, tensor[:, :, 0])


def test_a_page_whose_file_is_gone_is_told_and_the_others_are_cut(job: Path, tmp_path: Path) -> None:
    whole = write_crops(job, tmp_path / "crops")
    (tmp_path / "1.png").unlink()
    (told,) = export_all(job, None, review=None, crops=tmp_path / "fewer")
    assert "1 page is left out: " in told and "1.png#1" in told
    assert 0 < len(lines(tmp_path / "fewer")) < whole.digits


def test_a_job_keeps_its_templates_as_they_were(tmp_path: Path) -> None:
    rich = Template(
        name="rich",
        version=3,
        registration="reference",
        size_mm=(100.0, 50.0),
        fields=(
            Field(name="a", kind="number", box_mm=(1.0, 2.0, 30.0, 9.0), check="luhn", range=(0, 9), values=("1", "2")),
            Field(name="b", kind="digit", layout="grid", box_mm=(1.0, 20.0, 9.0, 9.0), column_labels=("x",), label="B"),
        ),
        sha256="rich",
        marks=Marks(ids=(4, 5, 6, 7)),
        reference=(tmp_path / "blank.png").resolve(),
        title="<b>",
    )
    with Ledger(tmp_path / "job", create=True) as ledger:
        keep_forms(ledger, (rich, FORM, CARD))
        assert [kept_form(ledger, one.sha256) for one in (rich, FORM, CARD)] == [rich, FORM, CARD]
        assert kept_form(ledger, "other") is None


def test_nothing_to_export_is_said(job: Path) -> None:
    with pytest.raises(UsageError, match="say what to export"):
        list(export_all(job, None, review=None, crops=None))
