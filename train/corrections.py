"""Digits that people labelled: a folder of 28×28 pictures and labels.csv, as the edge leaves it."""

from __future__ import annotations

import csv
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edge.errors import SourceError
from edge.inference.manifest import DIGITS
from edge.values import NOT_A_DIGIT
from train.data import Images, Labels

LABELS = "labels.csv"
# A few kilobytes make a 28×28 picture; a folder of a million would be no hand's work.
_MOST_PICTURE_BYTES, _MOST_ROWS = 100_000, 1_000_000
# The share of pages whose digits judge and never teach.
HELDBACK_SHARE = 0.25
# A plain file name: what lies elsewhere is not this folder's.
_NAME = re.compile(r"[^/\\\0]+\.png", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Corrections:
    """Labelled digits in two parts that share no page: images (n, 28, 28) uint8, labels (n,) as indices into `labels`.

    page: which page (n,) each taught one is of. pages: how many are taught, and how many held back. sha256 is over
    pictures, labels and pages.
    """

    x: Images
    y: Labels
    page: Labels
    x_heldback: Images
    y_heldback: Labels
    pages: tuple[int, int]
    sha256: str
    source: str


def holds_corrections(folder: Path) -> bool:
    """Whether a folder was left by the edge: with labels.csv, or snapshots that wait for one."""
    return folder.is_dir() and ((folder / LABELS).is_file() or _is_snapshots(folder))


def read_corrections(folder: Path, labels: tuple[str, ...], *, seed: int) -> Corrections:
    """The labelled digits of a folder; what has no label, or one that `labels` does not hold, is left out.

    labels.csv has at least the columns file, label and page. A part of the pages, drawn by the seed, is held back.
    Raises SourceError, with file and line, for what is damaged, and if fewer than two pages have labelled digits.
    """
    images, said, pages = [], [], []
    for line, row in _rows(folder):
        if not row["label"]:
            continue
        if row["label"] not in (*DIGITS, NOT_A_DIGIT):
            raise SourceError(f"{folder / LABELS}:{line}: label {row['label']!r}; it is a digit, none, or empty")
        if row["label"] in labels:
            images.append(_picture(folder, row["file"], line))
            said.append(labels.index(row["label"]))
            pages.append(row["page"])
    known = sorted(set(pages))
    if len(known) < 2:
        raise SourceError(
            f"{folder}: labelled digits of {len(known)} pages; a part is held back by page, so two are the least. "
            "Review more of them (edge forms review)"
        )
    x, y, page = np.stack(images), np.array(said, np.int64), np.array([known.index(one) for one in pages])
    order = np.random.default_rng(seed).permutation(len(known))
    held = np.isin(page, order[: max(1, round(HELDBACK_SHARE * len(known)))])
    digest = hashlib.sha256(x.tobytes() + y.tobytes() + "\0".join(pages).encode())
    return Corrections(
        x=x[~held],
        y=y[~held],
        page=page[~held],
        x_heldback=x[held],
        y_heldback=y[held],
        pages=(len(set(page[~held])), len(set(page[held]))),
        sha256=digest.hexdigest(),
        source=str(folder.resolve()),
    )


def _rows(folder: Path) -> list[tuple[int, dict[str, str]]]:
    place = folder / LABELS
    if not place.is_file():
        raise SourceError(
            f"{folder}: snapshots without labels; write {LABELS} beside them, with the columns file,label,page: "
            "ID-0.png,7,desk"
        )
    try:
        with place.open(newline="", encoding="utf-8-sig") as stream:
            table = csv.DictReader(stream)
            missing = [name for name in ("file", "label", "page") if name not in (table.fieldnames or ())]
            if missing:
                raise SourceError(
                    f"{place}: no column {', '.join(missing)}; `edge forms export JOB --crops` writes them"
                )
            found = []
            for row in table:
                found.append((table.line_num, {name: (row[name] or "").strip() for name in ("file", "label", "page")}))
                if len(found) > _MOST_ROWS:
                    raise SourceError(f"{place}: more than {_MOST_ROWS:,} lines; give fewer")
            return found
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(
            f"{place}: {getattr(error, 'strerror', None) or error}; write it again as UTF-8 CSV"
        ) from error


def _picture(folder: Path, name: str, line: int) -> Images:
    place = f"{folder / LABELS}:{line}: {name!r}"
    if not _NAME.fullmatch(name):
        raise SourceError(f"{place}: no name of a picture in this folder; give NAME.png")
    try:
        content = (folder / name).read_bytes()
    except (OSError, ValueError) as error:
        raise SourceError(
            f"{place}: {getattr(error, 'strerror', None) or error}; put it there, or take the line out"
        ) from error
    wanted = b"\x89PNG\r\n\x1a\n"
    # Width and height stand in the first 24 bytes: a picture of another size is not decoded at all.
    if len(content) > _MOST_PICTURE_BYTES or content[:8] != wanted or content[16:24] != b"\0\0\0\x1c\0\0\0\x1c":
        raise SourceError(f"{place}: no PNG of 28×28 pixels; take the line out, or export it again")
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    if pixels is None or pixels.shape != (28, 28):
        raise SourceError(f"{place}: damaged; take the line out, or export it again")
    return np.asarray(pixels, np.uint8)


def _is_snapshots(folder: Path) -> bool:
    """Whether a record with a picture beside it lies there, as `edge run --snapshots` writes them."""
    return any(path.with_suffix(".png").exists() for path in list(folder.glob("*.json"))[:100])
