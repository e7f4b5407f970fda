"""Whether a template fits a scan is said in words and shown in a picture."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import SourceError, UsageError
from edge.forms.make.check import check_template
from edge.forms.make.new import write_first_template
from edge.forms.template import load_template
from tests.forms.sheets import printed


@pytest.fixture
def template(tmp_path: Path) -> Path:
    write_first_template(tmp_path / "first.toml", paper="a4", cell_mm=8)
    return tmp_path / "first.toml"


def scan_of(template: Path, tmp_path: Path) -> Path:
    pixels = np.rot90(printed(load_template(template), dpi=100).pixels)
    assert cv2.imwrite(str(tmp_path / "scan.png"), pixels)
    return tmp_path / "scan.png"


def test_a_good_template_is_described(template: Path) -> None:
    first, *fields = check_template(template).splitlines()
    assert "good; form first, version 1: 1 page of 210 × 297 mm, found by its corner marks" in first
    assert fields == [
        "  page 1: meter, row of 10 digits, 8.0 × 8.0 mm each, required, check luhn",
        "  page 1: week, row of 2 digits, 8.0 × 8.0 mm each, 1 to 53",
        "  page 1: total, row of a number, 64.0 × 12.0 mm each",
        "  page 1: visitors, grid of 28 digits, 8.0 × 8.0 mm each",
    ]


def test_a_scan_is_judged_and_the_cells_are_drawn_where_they_are(template: Path, tmp_path: Path) -> None:
    scan = scan_of(template, tmp_path)
    told = check_template(template, scan, tmp_path / "drawn" / "check.png")
    assert "page 1 of the form, registration ok" in told and "to be turned by 90°" in told
    before, after = cv2.imread(str(scan)), cv2.imread(str(tmp_path / "drawn" / "check.png"))
    assert before is not None and after is not None and before.shape == after.shape
    # the line between the first two boxes of the meter number: light before, strong after
    per_mm = 100 / 25.4
    x, y = round((52 + 4) * per_mm), before.shape[0] - round((20 + 8) * per_mm)
    place = np.s_[y - 3 : y + 4, x - 2 : x + 3]
    assert before[place].min() > 150 and after[place].min() < 80
    assert (before[20:60] != after[20:60]).mean() < 0.05  # and nothing over the rest of the page


def test_a_scan_that_is_not_the_form_ends_with_the_cause(template: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "white.png"), np.full((400, 300), 255, np.uint8))
    with pytest.raises(SourceError, match="the form is not found"):
        check_template(template, tmp_path / "white.png", tmp_path / "check.png")
    with pytest.raises(SourceError, match="no such file"):
        check_template(template, tmp_path / "absent.png")
    with pytest.raises(UsageError, match="no scan to draw on"):
        check_template(template, None, tmp_path / "check.png")
    assert not (tmp_path / "check.png").exists()


def test_the_commands_make_check_and_print_a_form(tmp_path: Path) -> None:
    def edge(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "edge", "forms", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)

    made = edge("new", "-o", "a.toml", "--paper", "letter", "--cell-mm", "7")
    assert (made.returncode, made.stdout) == (0, "")
    again = edge("new", "-o", "a.toml")
    assert again.returncode == 2 and "error: a.toml: is there already" in again.stderr
    assert edge("blank", "a.toml", "-o", "a.pdf").returncode == 0
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    checked = edge("check", "a.toml", "a.pdf", "-o", "a.png")
    assert checked.returncode == 0 and "registration ok" in checked.stdout, checked.stderr
    (tmp_path / "a.toml").write_text((tmp_path / "a.toml").read_text().replace("luhn", "lunh"))
    wrong = edge("check", "a.toml")
    assert wrong.returncode == 2 and wrong.stderr.startswith("error: a.toml:")
    assert not wrong.stdout
