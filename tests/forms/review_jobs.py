"""Jobs for review: pages of printed digits on disk, read with known mistakes, and one of a hundred thousand values."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edge.forms.job.crops import cut_doubtful
from edge.forms.job.generation import FormOutline, Generation
from edge.forms.job.job_page import StoredPage
from edge.forms.job.ledger import Ledger, Run
from edge.forms.job.tiles import cut_tiles
from edge.forms.job.work import hash_pixels
from edge.forms.values import FieldReading, FormPage, Registration
from edge.values import Box, Image, Page

ROWS, COLUMNS, CELL_PX = 5, 8, 40
NAMES = tuple(f"g[{row},{column}]" for row in range(1, ROWS + 1) for column in range(1, COLUMNS + 1))
GRID = Generation(
    forms=(FormOutline(name="grid", version=1, sha256="grid/1", columns=NAMES, required=()),),
    model="m",
    strip_model="s",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A job, and what stands in each of its values, by (hash of the page, field)."""

    job: Path
    truth: Mapping[tuple[str, str], str]


def make_job(
    folder: Path, pages: int = 6, *, generation: Generation = GRID, tiles: bool = True, alphabet: str = "0123456789"
) -> Made:
    """A job of pages of forty digits of an alphabet: every fourth is for review, and half of these were read wrong.

    So was every twentieth of the sure ones; as the next digit, always.
    """
    truth: dict[tuple[str, str], str] = {}
    folder.mkdir(parents=True, exist_ok=True)
    with Ledger(folder / "job", create=True) as ledger:
        paths = [folder / f"{number}.png" for number in range(1, pages + 1)]
        run = ledger.begin(generation, [str(path) for path in paths])
        for position, path in enumerate(paths):
            rng = random.Random(position)
            digits = [rng.choice(alphabet) for _ in NAMES]
            pixels = draw(digits)
            assert cv2.imwrite(str(path), pixels)
            page = Page(pixels=pixels, source=str(path))
            read = FormPage(
                source=str(path),
                page_number=1,
                sha256=hash_pixels(pixels),
                template="grid",
                registration=Registration(status="ok", method="none", residual_mm=0.1),
                fields=tuple(reading(number, digit, rng) for number, digit in enumerate(digits)),
            )
            truth |= {(read.sha256, name): digit for name, digit in zip(NAMES, digits, strict=True)}
            ledger.note_file(run, position, file=f"file {position}")
            ledger.set_count(run, f"file {position}", 1)
            cut = cut_tiles(page, read) if tiles else None
            ledger.record(run, f"file {position}", StoredPage.of(read), cut_doubtful(page, read), cut)
        ledger.end(run)
    return Made(job=folder / "job", truth=truth)


def draw(digits: list[str]) -> Image:
    """A page of printed cells with a digit in each."""
    pixels = np.full((ROWS * CELL_PX, COLUMNS * CELL_PX), 235, np.uint8)
    for digit, (row, column) in zip(digits, itertools.product(range(ROWS), range(COLUMNS)), strict=True):
        left, top = column * CELL_PX, row * CELL_PX
        cv2.rectangle(pixels, (left, top), (left + CELL_PX - 1, top + CELL_PX - 1), 190, 1)
        cv2.putText(pixels, digit, (left + 11, top + 30), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 40, 2, cv2.LINE_AA)
    return pixels


def reading(number: int, digit: str, rng: random.Random) -> FieldReading:
    row, column = divmod(number, COLUMNS)
    doubtful = number % 4 == 0
    wrong = number % 8 == 0 or number % 20 == 9
    said = str((int(digit) + 1) % 10) if wrong else digit
    left, top = column * CELL_PX, row * CELL_PX
    right, bottom = left + CELL_PX, top + CELL_PX
    return FieldReading(
        name=NAMES[number],
        value=said,
        raw=said,
        confidence=round(rng.uniform(0.3, 0.8) if doubtful else rng.uniform(0.97, 1.0), 4),
        status="review" if doubtful else "read",
        box=Box(left=left, top=top, right=right, bottom=bottom),
        quad=((left, top), (right, top), (right, bottom), (left, bottom)),
        alternatives=((digit, 0.2),) if wrong else (("5", 0.1),),
        reason=f"not sure enough, may be {digit}" if doubtful else None,
    )


def make_crowd(job: Path, *, pages: int = 2_500, each: int = 40) -> Run:
    """A job in which pages × each values wait, put straight into its tables."""
    rng = random.Random(1)
    fields = [
        {
            "name": f"f{number:02}", "value": str(number % 10), "raw": str(number % 10), "confidence": 0.5,
            "status": "review", "box": {"left": 2, "top": 2, "right": 14, "bottom": 12},
            "quad": [[2, 2], [14, 2], [14, 12], [2, 12]], "repaired": False, "alternatives": [["3", 0.2]],
            "reason": "not sure enough",
        }
        for number in range(each)
    ]  # fmt: skip
    laid = {"status": "ok", "method": "none", "residual_mm": 0.1, "rotation_deg": 0, "reason": None}
    with Ledger(job, create=True) as ledger:
        run = ledger.begin(GRID, [f"{number}.png" for number in range(pages)])
        key = run.generation_id
        with ledger.change() as db:
            for number in range(pages):
                page = f"{number:064x}"
                db.execute(
                    "UPDATE input SET file = ? WHERE run = ? AND position = ?", (f"file {number}", run.id, number)
                )
                db.execute("INSERT INTO file VALUES (?, ?, 1)", (key, f"file {number}"))
                db.execute("INSERT INTO place VALUES (?, ?, 1, ?, NULL)", (key, f"file {number}", page))
                content = {"sha256": page, "template": "grid", "registration": laid, "fields": fields}
                db.execute(
                    "INSERT INTO page (generation, sha256, content, ms, read_at) VALUES (?, ?, ?, 1.0, '2026')",
                    (key, page, json.dumps(content)),
                )
                leaf = db.execute("INSERT INTO leaf (generation, page) VALUES (?, ?)", (key, page)).lastrowid
                db.executemany(
                    "INSERT INTO value VALUES (?, ?, ?, ?, ?, 1, 2)",
                    ((leaf, place, f"f{place:02}", str(place % 10), rng.random()) for place in range(each)),
                )
    return run
