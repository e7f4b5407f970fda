"""A folder of bad scans: each costs its own page and says why, the good ones are read, and nothing is silent."""

from __future__ import annotations

import logging
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.forms.job.batch import JobSettings, read_job
from edge.forms.job.ledger import Ledger
from tests.forms.stand_in import SLIP, StandIn, write_page
from tests.sources.samples import bomb, pdf, write

_LOCK = (
    b"trailer<</Encrypt<</Filter/Standard/V 1/R 2/P -4/O<" + b"28" * 32 + b">/U<" + b"28" * 32 + b">>>"
    b"/ID[<00112233445566778899aabbccddeeff><00112233445566778899aabbccddeeff>]"
)


def _tiff_bomb(folder: Path) -> bytes:
    """A TIFF of a few bytes whose header says 60,000 × 60,000 pixels."""
    small = folder / "small.tif"
    assert cv2.imwrite(str(small), np.zeros((8, 8), np.uint8))
    content = small.read_bytes()
    small.unlink()
    for tag in (256, 257):  # ImageWidth, ImageLength: SHORT or LONG, one value (TIFF 6.0)
        for kind, size in ((3, 2), (4, 4)):
            old = tag.to_bytes(2, "little") + kind.to_bytes(2, "little") + (1).to_bytes(4, "little")
            place = content.find(old)
            if place >= 0:
                value = (60_000).to_bytes(size, "little")
                content = content[: place + 8] + value + content[place + 8 + size :]
    return content


@pytest.fixture
def bad(tmp_path: Path) -> dict[str, str]:
    """Files by name with a word of what is wrong with each."""
    scans = tmp_path / "scans"
    scans.mkdir()
    kinds = {
        "bomb.png": (bomb(), "megapixels"),
        "bomb.tif": (_tiff_bomb(scans), "megapixels"),
        "broken.pdf": (b"%PDF-1.4\nnothing of the sort", "damaged"),
        "cut.png": (b"\x89PNG\r\n\x1a\n", "cut off"),
        "empty.jpg": (b"", "empty"),
        "encrypted.pdf": (pdf((72, 72)).replace(b"trailer<<", _LOCK), "password"),
        "no_pages.pdf": (pdf(), "damaged"),
        "ten_metres.pdf": (pdf((14400, 28346)), "megapixels"),
    }
    for name, (content, _) in kinds.items():
        write(scans / name, content)
    return {name: word for name, (_, word) in kinds.items()}


def test_each_bad_file_is_an_error_of_its_own(
    bad: dict[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scans = tmp_path / "scans"
    for number in range(3):
        write_page(scans / f"good{number}.png", 7 + number)
    (scans / "notes.txt").write_text("not a scan")
    (scans / "table.csv").write_text("a,b\n")
    absent = tmp_path / "absent.png"
    settings = JobSettings(workers=1, open_reader=StandIn(folder=tmp_path))
    with caplog.at_level(logging.INFO):
        outcome = read_job([scans, absent], (SLIP,), tmp_path / "job", settings, output=tmp_path / "out.jsonl")
    assert outcome.exit_code == 3 and outcome.errors == len(bad) + 1 and outcome.pages == len(bad) + 4
    assert "2 files in folders are neither images, TIFF nor PDF" in caplog.text
    with Ledger(tmp_path / "job") as ledger:
        told = {Path(page.page.source).name: page.page.error for page in ledger.all_pages()}
    assert {name: error for name, error in told.items() if name.startswith("good")} == dict.fromkeys(
        ("good0.png", "good1.png", "good2.png")
    )
    for name, word in (bad | {"absent.png": "no such file"}).items():
        assert word in (told[name] or ""), (name, told[name])
