"""A folder of labelled digits is read whole, or refused with the place and the cause."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import SourceError
from edge.inference.manifest import DIGITS
from tests.train.writers import write_folder
from train.corrections import holds_corrections, read_corrections
from train.lessons import LABELS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    images = rng.integers(0, 255, (40, 28, 28), np.uint8)
    return write_folder(tmp_path / "crops", images, np.arange(40) % 10, pages=8)


def test_no_page_is_in_both_parts_and_nothing_is_lost(folder: Path) -> None:
    found = read_corrections(folder, LABELS, seed=1)
    assert found.pages == (6, 2) and len(found.x) + len(found.x_heldback) == 40
    taught = {image.tobytes() for image in found.x}
    assert not taught & {image.tobytes() for image in found.x_heldback}
    again = read_corrections(folder, LABELS, seed=1)
    assert again.sha256 == found.sha256 and np.array_equal(again.x, found.x)
    other = read_corrections(folder, LABELS, seed=2)
    assert not np.array_equal(other.x_heldback, found.x_heldback)


def test_what_has_no_label_or_one_the_network_does_not_know_is_left_out(folder: Path) -> None:
    table = (folder / "labels.csv").read_text().splitlines()
    table[1], table[2] = table[1].replace(",0,", ",,"), table[2].replace(",1,", ",none,")
    (folder / "labels.csv").write_text("\n".join(table) + "\n")
    digits, all_labels = read_corrections(folder, DIGITS, seed=1), read_corrections(folder, LABELS, seed=1)
    assert len(digits.x) + len(digits.x_heldback) == 38
    assert len(all_labels.x) + len(all_labels.x_heldback) == 39
    assert 10 in np.concatenate((all_labels.y, all_labels.y_heldback))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0000.png,11,page-0,s", "label '11'"),
        ("../0000.png,1,page-0,s", "no name of a picture"),
        ("/etc/passwd.png,1,page-0,s", "no name of a picture"),
        ("gone.png,1,page-0,s", "No such file"),
        ("large.png,1,page-0,s", "28×28"),
        ("text.png,1,page-0,s", "28×28"),
        ("cut.png,1,page-0,s", "damaged"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(folder: Path, line: str, said: str) -> None:
    cv2.imwrite(str(folder / "large.png"), np.zeros((29, 28), np.uint8))
    (folder / "text.png").write_text("no picture")
    (folder / "cut.png").write_bytes((folder / "0000.png").read_bytes()[:60])
    with (folder / "labels.csv").open("a") as stream:
        stream.write(line + "\n")
    with pytest.raises(SourceError, match=r"labels\.csv:42: ") as refused:
        read_corrections(folder, LABELS, seed=1)
    assert said in str(refused.value)


def test_one_page_alone_cannot_be_judged(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "one", np.zeros((5, 28, 28), np.uint8), np.arange(5), pages=1)
    with pytest.raises(SourceError, match="1 pages"):
        read_corrections(folder, LABELS, seed=1)


def test_a_table_without_pages_is_refused(folder: Path) -> None:
    (folder / "labels.csv").write_text("file,label\n0000.png,1\n")
    with pytest.raises(SourceError, match="no column page"):
        read_corrections(folder, LABELS, seed=1)


def test_snapshots_are_known_and_want_labels(tmp_path: Path) -> None:
    assert not holds_corrections(tmp_path)
    (tmp_path / "a-e1.json").write_text(json.dumps({"id": "a-e1"}))
    (tmp_path / "a-e1.png").write_bytes(b"")
    assert holds_corrections(tmp_path)
    with pytest.raises(SourceError, match="snapshots without labels"):
        read_corrections(tmp_path, LABELS, seed=1)
