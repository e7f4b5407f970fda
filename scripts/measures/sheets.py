"""Forms of our own there and back: printed, filled in with MNIST test digits, scanned badly, read by the command."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import cv2

from edge.forms.template import load_template
from tests.forms.sheets import scanned

# So many pages lie on the disk at a time, a megabyte each.
_AT_A_TIME = 20
# 40 cells of 8 mm, for scripts/bench reads as many.
TEMPLATE = """
name = "sheets"
[page]
registration = "marks"
size_mm = [210.0, 297.0]
[marks]
[[field]]
name = "grid"
kind = "digit"
layout = "grid"
box_mm = [30.0, 60.0, 64.0, 40.0]
rows = 5
columns = 8
"""
# As many in four rows that stand apart, as identifiers do.
ROWS_TEMPLATE = """
name = "rows"
[page]
registration = "marks"
size_mm = [210.0, 297.0]
[marks]
""" + "".join(
    f"""
[[field]]
name = "number_{row}"
kind = "digit"
layout = "row"
box_mm = [30.0, {60 + 20 * row}.0, 80.0, 8.0]
columns = 10
"""
    for row in range(4)
)


def draw_sheets(folder: Path, first_seed: int, count: int) -> Iterator[Path]:
    """Folders in folder like forms/NAME/, of some pages each, count in all: images/, template.toml, truth.csv."""
    for first in range(first_seed, first_seed + count, _AT_A_TIME):
        place = folder / f"{first:06d}"
        (place / "images").mkdir(parents=True)
        (place / "template.toml").write_text(TEMPLATE, encoding="utf-8")
        template = load_template(place / "template.toml")
        with (place / "truth.csv").open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(("file", "field", "value", "kind"))
            for seed in range(first, min(first + _AT_A_TIME, first_seed + count)):
                made = scanned(template, seed)
                cv2.imwrite(str(place / "images" / f"{seed}.jpg"), made.pixels, (cv2.IMWRITE_JPEG_QUALITY, 98))
                rows.writerows((f"{seed}.jpg", name, value, "hand") for name, value in made.values.items())
        yield place
