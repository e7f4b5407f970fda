"""The reader of forms with a pause before each page, so that a kill falls among them on any machine.

As a program it reads a batch with it: `python -m tests.forms.paced JOB OUTPUT WORKERS PAUSE_S SCANS...`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from edge.forms.job.work import PageReader
from edge.forms.reader import FormReader
from edge.forms.values import FormPage
from edge.values import Image, Page
from tests.forms.known_forms import FORM, SCORES
from tests.forms.sheets import filled, lit
from tests.forms.stand_in import read_batch

SHEET = replace(FORM, fields=(FORM.fields[0], replace(SCORES, rows=2)))


@dataclass(frozen=True, kw_only=True)
class Paced:
    """Opens a FormReader of SHEET that waits pause_s before each page."""

    pause_s: float

    def __call__(self) -> PageReader:
        return _PacedReader(FormReader.open([SHEET]), self.pause_s)


class _PacedReader:
    def __init__(self, reader: FormReader, pause_s: float) -> None:
        self._reader, self._pause_s = reader, pause_s

    def read(self, page: Page, sha256: str) -> FormPage:
        time.sleep(self._pause_s)
        return self._reader.read(page, sha256)


def sheets(count: int) -> Iterator[Image]:
    """Filled pages of SHEET, small, the same for the same count."""
    for seed in range(count):
        rng = np.random.default_rng((77, seed))
        made = filled(SHEET, rng, dpi=110, part=0.8)
        yield lit(made, rng, darkest=0.8, noise=3, quality=85).pixels


def write_sheets(folder: Path, count: int) -> None:
    """So many files: JPEGs, one page twice, one multi-page TIFF, one that is garbage."""
    pages = list(sheets(count - 2))
    for number, page in enumerate(pages[4:]):
        assert cv2.imwrite(str(folder / f"p{number:02}.jpg"), page)
    assert cv2.imwritemulti(str(folder / "long.tif"), pages[:4])
    (folder / "q.jpg").write_bytes((folder / "p01.jpg").read_bytes())
    (folder / "broken.jpg").write_bytes(b"no picture")


if __name__ == "__main__":
    read_batch(SHEET, lambda pause_s, job: Paced(pause_s=pause_s))
