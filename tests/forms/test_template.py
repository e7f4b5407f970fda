"""A template says what it means, or every mistake in it is told with its line and key."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.errors import UsageError
from edge.forms.checksum import load_check
from edge.forms.template import Marks, Template, load_template
from edge.toml.lines import find_lines

GOOD = """\
name = "sheet"
[page]
version = 3
registration = "marks"
size_mm = [210.0, 297]

[marks]
ids = [4, 5, 6, 7]

[[field]]
name = "account"
kind = "digit"
box_mm = [20.0, 40.0, 80.0, 8.0]
columns = 10
required = true
check = "luhn"
range = [0, 9999999999]
values = "roster.csv"

[[field]]
name = "marks"
kind = "digit"
layout = "grid"
page = 2
box_mm = [
  20.0, # left
  40.0,
  24.0, 16.0]
rows = 2
columns = 3

[[field]]
name = "amount"
kind = "number"
box_mm = [20, 60, 50, 12]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "roster.csv").write_text("account,name\n0000000018,Ada\n0000000026,Grace\n0000000018,again\n")
    return tmp_path


def load(folder: Path, text: str) -> Template:
    file = folder / "sheet.toml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    return load_template(file)


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(UsageError) as caught:
        load(folder, text)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{folder / 'sheet.toml'}") for line in lines)
    return [line.removeprefix(f"{folder / 'sheet.toml'}") for line in lines]


def test_a_good_template_is_what_it_says(folder: Path) -> None:
    template = load(folder, GOOD)
    assert (template.name, template.version, template.registration, template.pages) == ("sheet", 3, "marks", 2)
    assert template.marks == Marks(dictionary="DICT_4X4_50", ids=(4, 5, 6, 7), size_mm=8.0, inset_mm=8.0)
    account, grid, amount = template.fields
    assert account.values == ("0000000018", "0000000026")
    assert account.range == (0, 9_999_999_999) and account.check == "luhn" and account.required
    assert [slot.name for slot in grid.slots()] == [f"marks[{row},{column}]" for row in (1, 2) for column in (1, 2, 3)]
    assert grid.slots()[4].box_mm == pytest.approx((28.0, 48.0, 8.0, 8.0))
    assert amount.kind == "number" and amount.layout == "row" and amount.page == 1 and not amount.required


def test_defaults_are_the_documented_ones(folder: Path) -> None:
    template = load(
        folder,
        'name="a"\n[page]\nregistration="none"\nsize_mm=[100,100]\n'
        '[[field]]\nname="b"\nkind="digit"\nbox_mm=[0,0,10,10]\n',
    )
    field = template.fields[0]
    assert (template.version, template.orientation, template.marks) == (1, "upright", None)
    assert (field.page, field.layout, field.rows, field.columns, field.required) == (1, "row", 1, 1, False)
    assert (field.check, field.range, field.values) == (None, None, None)


def test_the_hash_follows_what_is_read_and_not_what_is_printed(folder: Path) -> None:
    plain = load(folder, GOOD).sha256
    assert (
        load(folder, "# comment\n" + GOOD.replace('name = "amount"', 'name = "amount"\nlabel = "Sum"')).sha256 == plain
    )
    assert load(folder, GOOD.replace("[20, 60,", "[20, 61,")).sha256 != plain
    (folder / "roster.csv").write_text("0000000018\n")
    assert load(folder, GOOD).sha256 != plain


ONE_MISTAKE = [
    # what is replaced, by what, the line, the key, and a word of the message
    ('name = "sheet"', "", 1, "name", "missing"),
    ('name = "sheet"', 'name = "../sheet"', 1, "name", "letters"),
    ('name = "sheet"', 'name = "=cmd()"', 1, "name", "letters"),
    ('name = "sheet"', 'nmae = "sheet"\nname = "sheet"', 1, "nmae", "did you mean name?"),
    ("version = 3", "version = true", 3, "page.version", "whole number"),
    ("version = 3", "version = 0", 3, "page.version", "whole number"),
    ('"marks"', '"mark"', 4, "page.registration", "marks, frame, reference, none"),
    ("[210.0, 297]", "[210.0, -297]", 5, "page.size_mm", "20 to 1500 mm"),
    ("[210.0, 297]", '"A4"', 5, "page.size_mm", "[width, height] in mm"),
    ("[210.0, 297]", "[inf, 297]", 5, "page.size_mm", "[width, height] in mm"),
    ("[4, 5, 6, 7]", "[4, 5, 6, 4]", 8, "marks.ids", "different"),
    ("[4, 5, 6, 7]", "[4, 5, 6, 50]", 8, "marks.ids", "from 0 to 49"),
    ("[4, 5, 6, 7]", '[4, 5, 6, 7]\ndictionary = "DICT_3X3"', 9, "marks.dictionary", "DICT_4X4_50"),
    ("[4, 5, 6, 7]", "[4, 5, 6, 7]\ninset_mm = 100", 7, "marks.size_mm", "do not fit"),
    ('name = "amount"', 'name = "Account"', 33, "field[3].name", "another field"),
    ('name = "amount"', 'name = "source"', 33, "field[3].name", "column of its own"),
    ('name = "amount"', 'name = "a.b"', 33, "field[3].name", "letters"),
    ('kind = "number"', "", 32, "field[3].kind", "missing"),
    ('kind = "number"', 'kind = "letters"', 34, "field[3].kind", "digit, number"),
    ('kind = "number"', 'kind = "number"\ncolumns = 4', 35, "field[3].columns", "one box"),
    ('kind = "number"', 'kind = "number"\nlayout = "grid"', 32, "field[3].columns", "each number its own field"),
    ("[20, 60, 50, 12]", "[20, 60, 50]", 35, "field[3].box_mm", "[left, top, width, height]"),
    ("[20, 60, 50, 12]", "[20, 60, 50, 0]", 35, "field[3].box_mm", "0.0 mm"),
    ("[20, 60, 50, 12]", "[180, 60, 50, 12]", 35, "field[3].box_mm", "beyond"),
    ("[20, 60, 50, 12]", "[20, -1, 50, 12]", 35, "field[3].box_mm", "beyond"),
    ("[20, 60, 50, 12]", "[20, 47, 50, 12]", 35, "field[3].box_mm", "overlaps the box of field 'account'"),
    ("[20, 60, 50, 12]", "[10, 10, 50, 12]", 35, "field[3].box_mm", "one of the marks"),
    ("columns = 3", "colums = 3", 30, "field[2].colums", "did you mean columns?"),
    ("columns = 10", "columns = 201", 14, "field[1].columns", "from 1 to 200"),
    ("columns = 10", "columns = 90", 13, "field[1].box_mm", "0.9 × 8.0 mm"),
    ("required = true", 'required = "yes"', 15, "field[1].required", "true or false"),
    ('check = "luhn"', 'check = "lunh"', 16, "field[1].check", "python-stdnum"),
    ('check = "luhn"', 'check = "os.path"', 16, "field[1].check", "python-stdnum"),
    ('check = "luhn"', 'check = "exceptions"', 16, "field[1].check", "checks no numbers"),
    ("[0, 9999999999]", "[7, 6]", 17, "field[1].range", "upside down"),
    ("[0, 9999999999]", "[0, 1.5]", 17, "field[1].range", "whole numbers"),
    ("[0, 9999999999]", "[10_000_000_000, 10_000_000_001]", 17, "field[1].range", "more digits"),
    ('"roster.csv"', '"rooster.csv"', 18, "field[1].values", "no such file"),
    ("rows = 2", "rows = 0", 29, "field[2].rows", "from 1 to 200"),
    ("rows = 2", 'rows = 2\nrow_labels = ["a"]', 30, "field[2].row_labels", "must be 2 texts"),
    ("page = 2", "page = 99", 24, "field[2].page", "from 1 to 50"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "key", "word"), ONE_MISTAKE)
def test_a_mistake_is_told_with_line_key_and_cause(
    folder: Path, old: str, new: str, line: int, key: str, word: str
) -> None:
    told = mistakes(folder, GOOD.replace(old, new, 1))
    assert len(told) == 1, told
    assert told[0].startswith(f":{line}: {key}: ")
    assert word in told[0]


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines(folder: Path) -> None:
    text = GOOD.replace("version = 3", "version = -3").replace('"luhn"', '"lunh"').replace("rows = 2", "rows = -2")
    told = mistakes(folder, text + "[extra]\n")
    assert [re.match(r":(\d+): ([^:]+)", line).groups() for line in told] == [  # type: ignore[union-attr]
        ("3", "page.version"), ("16", "field[1].check"), ("29", "field[2].rows"), ("36", "extra"),
    ]  # fmt: skip


def test_what_is_no_template_at_all_is_said_too(folder: Path) -> None:
    assert "(at line 2, column" in mistakes(folder, 'name = "a"\nsize = 1 2\n')[0]
    assert "at least one" in mistakes(folder, 'name="a"\n[page]\nregistration="none"\nsize_mm=[100,100]\n')[0]
    assert "nested too deeply" in mistakes(folder, "a = " + "[" * 30_000)[0]
    assert "not TOML" in mistakes(folder, "a = " + "9" * 5_000)[0]
    assert "this is not a file of settings" in mistakes(folder, "#" * 1_000_001)[0]
    with pytest.raises(UsageError, match="no such file"):
        load_template(folder / "absent.toml")
    with pytest.raises(UsageError, match="folder or a device"):
        load_template(folder)
    (folder / "latin.toml").write_bytes(b'name = "caf\xe9"')
    with pytest.raises(UsageError, match="UTF-8"):
        load_template(folder / "latin.toml")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("", "lists no values"),
        ("name\n12\n1x\n", "roster.csv:3"),
        ("12345678901\n", "1 to 10 digits"),
        ("12\n٣\n", "roster.csv:2"),
        ("\0\n", "roster.csv"),
    ],
)
def test_a_roster_that_cannot_be_right_is_refused(folder: Path, content: str, word: str) -> None:
    (folder / "roster.csv").write_text(content)
    (told,) = mistakes(folder, GOOD)
    assert told.startswith(":18: field[1].values: ") and word in told


def test_a_reference_has_to_be_a_picture_that_can_be_opened(folder: Path) -> None:
    own = GOOD.replace('registration = "marks"', 'registration = "reference"').replace(
        "[marks]\nids = [4, 5, 6, 7]\n", ""
    )
    assert "page.reference: is missing" in mistakes(folder, own)[0]
    own = own.replace("size_mm = ", 'reference = "blank.png"\nsize_mm = ')
    assert "no such file" in mistakes(folder, own)[0]
    (folder / "blank.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    assert ":5: page.reference: " in mistakes(folder, own)[0]
    cv2.imwrite(str(folder / "blank.png"), np.full((60, 40), 255, np.uint8))
    first = load(folder, own)
    assert first.reference == folder / "blank.png"
    cv2.imwrite(str(folder / "blank.png"), np.full((60, 40), 250, np.uint8))
    assert load(folder, own).sha256 != first.sha256


def test_what_belongs_to_another_registration_is_told_and_does_no_harm(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = GOOD.replace('"marks"', '"frame"', 1).replace("size_mm = ", 'reference = "absent.png"\nsize_mm = ', 1)
    template = load(folder, text)
    assert template.marks is None and template.reference is None
    assert "[marks]: has no effect" in caplog.text and "page.reference: has no effect" in caplog.text


def test_neighbours_whose_rounded_edges_meet_do_not_overlap(folder: Path) -> None:
    columns = "".join(
        f'[[field]]\nname = "c{number}"\nkind = "digit"\nbox_mm = [{left}, 4.99, 17.08, 151.71]\nrows = 17\n'
        for number, left in enumerate((128.64, 145.72, 162.8))
    )
    template = load(folder, f'name = "t"\n[page]\nregistration = "frame"\nsize_mm = [180.0, 156.7]\n{columns}')
    assert len(template.fields) == 3


def test_lines_are_found_past_long_strings_and_lists() -> None:
    text = 'a = """\n[not]\nb = 1\n"""\nc = [ # ]\n  "]",\n]\n[[t]]\nx.y = 1\n[[t]]\n\n"x" = {z = 1}\n[t.deep]\n'
    assert find_lines(text) == {
        ("a",): 1, ("c",): 5, ("t", 0): 8, ("t", 0, "x"): 9, ("t", 0, "x", "y"): 9,
        ("t", 1): 10, ("t", 1, "x"): 12, ("t", "deep"): 13,
    }  # fmt: skip


def test_checks_are_python_stdnums_and_never_raise() -> None:
    luhn = load_check("luhn")
    assert luhn("79927398713") and not luhn("79927398710") and not luhn("") and not luhn("x")
    assert load_check("iso7064.mod_97_10")("9999123456789012141490")


PARTS = st.sampled_from(
    [*GOOD.splitlines(), "[[field]]", "[page]", "[marks]", "= 1", "page = 1", 'field = "x"', "marks = []", "[[page]]",
     "box_mm = [1e308, 1e308, 1e308, 1e308]", "box_mm = [nan, 0, 9, 9]", "rows = 99999999999999999999",
     f"columns = 0x{'f' * 5_000}", 'values = "/dev/zero"', 'values = "\\u0000"', 'values = "."',
     'reference = "\\u0000"', 'check = "iso7064"', 'check = "__init__"', 'name = "\\ud7ff"', '"\\"" = 1', "'''"]
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(st.text(max_size=200), st.lists(PARTS, max_size=30).map("\n".join)), seed=st.data())
def test_whatever_the_text_it_is_a_template_or_a_usage_error(folder: Path, text: str, seed: st.DataObject) -> None:
    lines = GOOD.splitlines()
    for _ in range(seed.draw(st.integers(0, 3))):
        lines[seed.draw(st.integers(0, len(lines) - 1))] = seed.draw(PARTS)
    for content in (text, "\n".join(lines)):
        try:
            assert load(folder, content).fields
        except UsageError as error:
            assert str(error).startswith(str(folder))
