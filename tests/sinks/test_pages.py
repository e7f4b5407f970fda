"""Readings of files as CSV: a row a reading, whatever their names hold."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from edge.sinks.pages import PageResult, open_pages_sink


@pytest.mark.parametrize("name", ["a\rb.png", "a\nb.png", "a\r\nb.png", 'a"b.png', "a,b.png", " a.png", "ä;b.png"])
def test_any_name_reads_back_and_lines_end_with_a_line_feed(name: str, tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    with open_pages_sink("csv", file) as sink:
        for number in (1, 2):
            sink.write(PageResult(source=name, page_number=number, error="cut\roff"))
    content = file.read_bytes().decode()
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [(row["source"], row["page"], row["error"]) for row in rows] == [
        (name, "1", "cut\roff"),
        (name, "2", "cut\roff"),
    ]
    assert content.splitlines(keepends=True)[0].endswith("error\n") and content.endswith('off"\n')
