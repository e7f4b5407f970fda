"""A printed form: what finds it, what sorts it, what the pen meets, and nothing in the cells."""

import logging
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from edge.errors import SinkError, UsageError
from edge.forms.make.blank import write_blank
from edge.forms.register import lay
from edge.forms.sheet.page_code import BOX_MM, PX_PER_MM, PageCode, code_box_mm, parse_code, read_code
from edge.forms.template import BoxMm, Field, Marks, Template, touches
from edge.forms.template_file import read_template
from edge.values import Image

Matrix = npt.NDArray[np.float64]

ROW = Field(name="account", kind="digit", box_mm=(30.0, 60.0, 80.0, 8.0), columns=10, required=True)
GRID = Field(
    name="hours", kind="digit", layout="grid", box_mm=(30.0, 90.0, 56.0, 40.0), rows=5, columns=7, range=(0, 8)
)
NUMBER = Field(name="sum", kind="number", box_mm=(120.0, 60.0, 60.0, 12.0), page=2)
A4, LETTER = (210.0, 297.0), (215.9, 279.4)


def sheet(*fields: Field, size: tuple[float, float] = A4, name: str = "sheet", version: int = 1) -> Template:
    return Template(
        name=name, version=version, registration="marks", size_mm=size, fields=fields, sha256="", marks=Marks()
    )


def pages_of(template: Template, folder: Path, dpi: int) -> list[Image]:
    import pypdfium2

    write_blank(template, folder / "blank.pdf")
    document = pypdfium2.PdfDocument(folder / "blank.pdf")
    try:
        return [page.render(scale=dpi / 72).to_numpy()[:, :, :3].copy() for page in document]
    finally:
        document.close()


def cut(page: Image, box: BoxMm, per_mm: float, shift_mm: tuple[float, float] = (0, 0)) -> Image:
    """The box of a page of per_mm pixels a mm, as a registered page gives it."""
    step = per_mm / PX_PER_MM
    to_page = np.array([[step, 0, (box[0] + shift_mm[0]) * per_mm], [0, step, (box[1] + shift_mm[1]) * per_mm]])
    side = round(BOX_MM * PX_PER_MM)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(page, to_page, (side, side), flags=flags), np.uint8)


def jpeg(page: Image, quality: int) -> Image:
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 1), np.uint8)


@pytest.mark.parametrize("name", ["a", "sheet", "n" * 40])
def test_the_code_of_each_page_is_read_back_from_a_poor_scan(tmp_path: Path, name: str) -> None:
    template = sheet(ROW, NUMBER, name=name, version=999_999 if len(name) > 5 else 7)
    box = code_box_mm(template)
    assert box is not None
    rng = np.random.default_rng(1)
    per_mm = 150 / 25.4
    for number, page in enumerate(pages_of(template, tmp_path, 150), 1):
        scan = jpeg(page, 60).astype(np.float32) * np.linspace(0.6, 1, page.shape[1], dtype=np.float32)[None, :, None]
        scan[-300:] += rng.normal(0, 10, scan[-300:].shape)
        scan = np.clip(scan, 0, 255).astype(np.uint8)
        for shift in ((0.0, 0.0), (0.8, -0.9)):
            code = read_code(cut(scan, box, per_mm, shift))
            assert code == PageCode(name=name, version=template.version, page=number)
            assert code.is_of(template)


def test_where_there_is_no_code_none_is_read() -> None:
    rng = np.random.default_rng(2)
    side = round(BOX_MM * PX_PER_MM)
    assert read_code(np.full((side, side), 255, np.uint8)) is None
    for _ in range(10):
        noise = cv2.blur(rng.integers(0, 256, (side, side), dtype=np.uint8), (5, 5))
        assert read_code(np.asarray(noise, np.uint8)) is None
    # a code of somebody else, of the same size
    other = cv2.QRCodeEncoder.create().encode("https://example.org")
    sized = cv2.resize(other, (side, side), interpolation=cv2.INTER_NEAREST)
    assert read_code(np.asarray(sized, np.uint8)) is None


@pytest.mark.parametrize(
    "text", ["", "inkedge:a:1", "inkedge:a:0:1", "inkedge:a:1:100", "inkedge:../a:1:1", "inkedge:=a:1:1", "edge:a:1:1"]
)
def test_the_text_of_a_code_is_taken_with_care(text: str) -> None:
    assert parse_code(text) is None


def test_the_text_of_a_code_goes_there_and_back() -> None:
    code = PageCode(name="a b-c_9", version=12, page=3)
    assert parse_code(code.text) == code


@pytest.mark.parametrize("size", [A4, LETTER])
def test_marks_and_sheet_have_their_true_size(tmp_path: Path, size: tuple[float, float]) -> None:
    template = sheet(ROW, size=size)
    (page,) = pages_of(template, tmp_path, 200)
    per_mm = 200 / 25.4
    assert page.shape[1] / per_mm == pytest.approx(size[0], abs=0.2)
    assert page.shape[0] / per_mm == pytest.approx(size[1], abs=0.2)
    detector = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50))
    corners, ids, _ = detector.detectMarkers(page)
    found = {int(one[0]): corner[0] / per_mm for one, corner in zip(np.reshape(ids, (-1, 1)), corners, strict=True)}
    assert sorted(found) == [0, 1, 2, 3]
    for number, (left, top, side, _) in enumerate(template.marks.boxes_mm(size) if template.marks else ()):
        expected = np.array([(left, top), (left + side, top), (left + side, top + side), (left, top + side)])
        assert np.abs(found[number] - expected).max() < 0.2


def test_the_lines_of_boxes_keep_four_fifths_of_the_papers_light_and_cells_are_clean(tmp_path: Path) -> None:
    template = sheet(ROW, GRID)
    (page,) = pages_of(template, tmp_path, 300)
    per_mm = 300 / 25.4
    grey = cv2.cvtColor(page, cv2.COLOR_BGR2GRAY)
    for slot in template.slots(1):
        for left, top, width, height in slot.cells_mm:
            x, y = round(left * per_mm), round(top * per_mm)
            right, bottom = round((left + width) * per_mm), round((top + height) * per_mm)
            edge, clean = round(0.4 * per_mm), round(0.8 * per_mm)
            assert grey[y + clean : bottom - clean, x + clean : right - clean].min() == 255
            around = grey[y - edge : bottom + edge, x - edge : right + edge]
            assert 0.8 * 255 <= around.min() < 0.9 * 255  # seen by a person, and no ink
            red = page[y - edge : bottom + edge, x - edge : right + edge, 2]
            assert red.min() >= 250  # gone under a red lamp


def test_a_form_is_vectors_only_and_the_same_bytes_every_time(tmp_path: Path) -> None:
    import pypdfium2

    write_blank(sheet(ROW, NUMBER), tmp_path / "a.pdf")
    write_blank(sheet(ROW, NUMBER), tmp_path / "b.pdf")
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pdf", "b.pdf"]
    document = pypdfium2.PdfDocument(tmp_path / "a.pdf")
    try:
        assert len(document) == 2
        kinds = {item.type for page in document for item in page.get_objects()}
        texts = [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()
    assert pypdfium2.raw.FPDF_PAGEOBJ_IMAGE not in kinds
    assert "account" in texts[0] and "required" in texts[0] and "page 1 of 2" in texts[0]
    assert "sum" in texts[1] and "page 2 of 2" in texts[1]


def test_a_form_found_by_its_rectangle_is_printed_with_it(tmp_path: Path) -> None:
    template = Template(
        name="box",
        version=2,
        registration="frame",
        size_mm=(170.0, 120.0),
        fields=(Field(name="grid", kind="digit", layout="grid", box_mm=(0.0, 0.0, 170.0, 120.0), rows=6, columns=10),),
        sha256="",
    )
    (page,) = pages_of(template, tmp_path, 150)
    laid = lay(page, [template])
    assert laid.registration.status == "ok" and laid.sheet is not None
    box = code_box_mm(template)
    assert box is not None and box[1] > 120.0
    assert read_code(laid.sheet.cut(page, box, PX_PER_MM)) == PageCode(name="box", version=2, page=1)


def test_what_cannot_be_printed_says_why(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    output = tmp_path / "a.pdf"
    own = Template(
        name="own", version=1, registration="reference", size_mm=A4, fields=(ROW,), sha256="", reference=Path("b.png")
    )
    with pytest.raises(UsageError, match=r"laid over b\.png; print that"):
        write_blank(own, output)
    full = [Field(name=f"f{n}", kind="number", box_mm=(20.0, top, 170.0, 100.0)) for n, top in enumerate((17.0, 180.0))]
    with pytest.raises(UsageError, match="its 2 pages need a page code"):
        write_blank(sheet(*full, NUMBER), output)
    with pytest.raises(UsageError, match=r"a\.png: a blank form is a PDF; name it FILE\.pdf"):
        write_blank(sheet(ROW), tmp_path / "a.png")
    with pytest.raises(UsageError, match="the font of printed forms has no λ"):
        write_blank(sheet(Field(name="a", kind="digit", box_mm=(30.0, 60.0, 8.0, 8.0), label="λ")), output)
    assert list(tmp_path.iterdir()) == []
    with caplog.at_level(logging.WARNING):
        write_blank(sheet(*full), output)
    assert "no edge has room for a page code" in caplog.text
    with pytest.raises(SinkError, match="cannot be written"):
        write_blank(sheet(ROW), tmp_path / "absent" / "a.pdf")


@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_printed_into_a_cell_wherever_the_fields_are(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    fields: list[Field] = []
    taken = list(Marks().boxes_mm(A4))
    for number in range(30):
        width, height = float(rng.integers(10, 100)), float(rng.integers(8, 40))
        box = (float(rng.integers(0, A4[0] - width)), float(rng.integers(0, A4[1] - height)), width, height)
        if any(touches(box, one) for one in taken):
            continue
        taken.append(box)
        grid = number % 2 == 1
        fields.append(
            Field(
                name=f"field {number}",
                kind="digit",
                box_mm=box,
                columns=2,
                rows=2 if grid else 1,
                layout="grid" if grid else "row",
                label="A label that is rather long",
            )
        )
    assert len(fields) > 3
    long = sheet(*fields)
    long = replace(long, title="A title that goes on " * (1 + 3 * (seed % 2)), note="And a note that never ends " * 9)
    (page,) = pages_of(long, tmp_path, 60)
    per_mm = 60 / 25.4
    for field in fields:
        for slot in field.slots():
            for left, top, width, height in slot.cells_mm:
                inner = page[
                    int((top + 1) * per_mm) : int((top + height - 1) * per_mm),
                    int((left + 1) * per_mm) : int((left + width - 1) * per_mm),
                ]
                assert inner.min() > 225  # but for the light of a round corner
    for left, top, side, _ in Marks().boxes_mm(A4):  # with their quiet zone
        around = page[int((top - 1) * per_mm) : int(top * per_mm), int(left * per_mm) : int((left + side) * per_mm)]
        assert around.min() == 255


def test_the_example_of_the_contract_can_be_printed(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text(
        'name = "sudoku"\n[page]\nregistration = "frame"\nsize_mm = [180.0, 180.0]\norientation = "auto"\n'
        '[[field]]\nname = "grid"\nkind = "digit"\nlayout = "grid"\nbox_mm = [0.0, 0.0, 180.0, 180.0]\n'
        "rows = 9\ncolumns = 9\n"
    )
    (page,) = pages_of(read_template(tmp_path / "t.toml"), tmp_path, 50)
    assert page.shape[:2] == (585, 414)  # A4


def test_every_field_keeps_its_name_however_crowded_the_form_is(tmp_path: Path) -> None:
    import pypdfium2

    fields = [
        Field(
            name=f"f{row}-{column}",
            kind="digit",
            box_mm=(22.0 + column * 44, 20.0 + row * 12, 40.0, 8.0),
            columns=5,
            label=f"Field {row}.{column} with a name" + " that has no end" * (column == 1),
        )
        for row in range(19)
        for column in range(4)
    ]
    write_blank(sheet(*fields), tmp_path / "blank.pdf")
    document = pypdfium2.PdfDocument(tmp_path / "blank.pdf")
    try:
        text = document[0].get_textpage().get_text_range()
    finally:
        document.close()
    for field in fields:
        assert f"Field {field.name[1:].replace('-', '.')} with a name" in text
