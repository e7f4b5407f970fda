"""What a worker says of pages that are damaged at random, and what memory it takes for large ones and for many."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.forms.job.work import PageDone, Stamp, Task, answers
from edge.forms.reader import FormReader
from edge.forms.template import Field, Template
from edge.sources import files
from tests.sources.samples import pdf, scanned_pdf, write

SHEET = Template(
    name="sheet",
    version=1,
    registration="none",
    size_mm=(210.0, 297.0),
    fields=(
        Field(name="row", kind="digit", box_mm=(20.0, 20.0, 80.0, 10.0), columns=8, required=True),
        Field(name="free", kind="number", box_mm=(20.0, 60.0, 60.0, 12.0)),
    ),
    sha256="sheet/1",
)


@cache
def reader() -> FormReader:
    return FormReader.open((SHEET,))


def drawn(height: int, width: int) -> np.ndarray:
    """A page with some strokes where its fields are."""
    page = np.full((height, width, 3), 245, np.uint8)
    for left in range(width // 9, width // 2, width // 24):
        for top in (height // 13, height // 5):
            cv2.line(page, (left, top), (left + width // 90, top + height // 45), (60, 40, 30), max(1, width // 300))
    return page


@cache
def whole(kind: str) -> bytes:
    if kind == ".pdf":
        return pdf((60, 80), (80, 60))
    if kind == ".tif":
        return cv2.imencodemulti(".tif", [drawn(297, 210), drawn(210, 297)])[1].tobytes()
    return cv2.imencode(kind, drawn(297, 210))[1].tobytes()


def said(path: Path, *numbers: int) -> list[PageDone]:
    task = Task(path=path, file="x", stamp=Stamp.of(path), numbers=numbers or (1,))
    return [message for message in answers(task, reader()) if isinstance(message, PageDone)]


@settings(max_examples=80, deadline=None, derandomize=True)
@given(data=st.data(), kind=st.sampled_from([".png", ".jpg", ".tif", ".bmp", ".webp", ".pdf"]))
def test_bytes_that_are_damaged_at_random_give_a_page_or_an_error_of_ours(
    data: st.DataObject, kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = bytearray(whole(kind))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))
    path = write(tmp_path_factory.getbasetemp() / f"fuzzed{kind}", bytes(content[:cut]))
    pages = said(path, 1, 2)
    assert [page.page.number for page in pages] == [1, 2]
    for page in pages:
        assert page.page.error is None or "bug" not in page.page.error, page.page.error


def test_a_file_that_is_replaced_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", whole(".png"))
    stamp = Stamp.of(path)
    write(path, whole(".jpg"))
    for given_stamp, number in ((stamp, 1), (Stamp.of(path), 2)):
        task = Task(path=path, file="x", stamp=given_stamp, numbers=(number,))
        (page,) = answers(task, reader())
        assert isinstance(page, PageDone) and "changed while it was read" in (page.page.error or "")


def test_a_page_that_takes_all_memory_does_not_cost_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.tif", whole(".tif"))
    decode = files.decode_image

    def fail_first(*arguments: object, index: int = 0) -> np.ndarray:
        if index == 0:
            raise MemoryError
        return decode(*arguments, index=index)

    monkeypatch.setattr(files, "decode_image", fail_first)
    first, second = said(path, 1, 2)
    assert "not enough memory" in (first.page.error or "") and second.page.error is None


LARGE = """
import sys
from pathlib import Path
from tests.faults.memory import peak_kb
from tests.faults.test_job_pages import said
(page,) = said(Path(sys.argv[1]))
assert page.page.error is None, page.page.error
print(peak_kb() / 1024)
"""


@pytest.mark.parametrize("name", ["a.png", "a.pdf"])
def test_a_colour_page_of_600_dpi_takes_less_than_400_megabytes(name: str, tmp_path: Path) -> None:
    if name == "a.pdf":
        write(tmp_path / name, scanned_pdf(drawn(7016, 4961), (595.28, 841.89)))
    else:
        cv2.imwrite(str(tmp_path / name), drawn(7016, 4961), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    done = subprocess.run(
        [sys.executable, "-c", LARGE, str(tmp_path / name)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 400


MANY = """
import sys
from pathlib import Path
from tests.faults.test_job_pages import said
def now():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4 / 1024
for number in range(150):
    said(Path(sys.argv[1 + number % 3]))
    if number == 45:
        before = now()
print(now() - before)
"""


def test_memory_does_not_grow_from_page_to_page(tmp_path: Path) -> None:
    files = [write(tmp_path / f"a{kind}", whole(kind)) for kind in (".png", ".jpg", ".pdf")]
    done = subprocess.run(
        [sys.executable, "-c", MANY, *map(str, files)], capture_output=True, text=True, timeout=300
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 6
