"""The circle of docs/learn.md at a small size: read, review, export, learn, convert, install, read, roll back."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from convert import cli as convert_cli
from edge.forms.job.entries import Said
from edge.forms.job.ledger import Ledger
from edge.inference.manifest import load_model
from edge.web.review.desk import Desk
from tests.train.writers import in_hand
from train import cli as train_cli
from train import correction_lessons
from train.model import open_keras
from train.run import Record

PAPER = Path(__file__).parent.parent / "models" / "paper"
ROWS, COLUMNS, CELL_PX = 6, 8, 80
# So many pages are corrected, and so many more are read with the model of before and with the one that learned.
TAUGHT, MORE = 4, 3
FORM = f"""name = "card"
[page]
registration = "none"
size_mm = [80.0, 64.0]
[[field]]
name = "grid"
kind = "digit"
layout = "grid"
box_mm = [8.0, 8.0, {COLUMNS * 8.0}, {ROWS * 8.0}]
rows = {ROWS}
columns = {COLUMNS}
"""


def edge(folder: Path, *words: object, ends: int = 0) -> str:
    """An `edge` command in a folder, and its stdout."""
    command = [sys.executable, "-m", "edge", *map(str, words)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == ends, done.stderr
    return done.stdout


def draw_card(images: np.ndarray) -> np.ndarray:
    """A page of 48 digits (48, 28, 28), 10 px a millimetre."""
    pixels = np.full((640, 800), 245, np.uint8)
    for place, image in enumerate(images):
        row, column = divmod(place, COLUMNS)
        left, top = 80 + CELL_PX * column + 12, 80 + CELL_PX * row + 12
        part = pixels[top : top + 56, left : left + 56]
        part[:] = np.minimum(part, 245 - 0.8 * cv2.resize(image, (56, 56))).astype(np.uint8)
    return pixels


def values(printed: str) -> dict[tuple[str, str], str]:
    """What `edge forms read` read, by (scan, field)."""
    pages = [json.loads(line) for line in printed.splitlines()]
    return {(Path(page["source"]).name, one["name"]): one["value"] for page in pages for one in page["fields"]}


def review(job: Path, truth: dict[tuple[str, str], str]) -> None:
    """Somebody who knows what stands there looks at all digits in sheets of those alike, then at the odd ones."""
    with Ledger(job) as ledger:
        names = {page.page.sha256: Path(page.page.source).name for page in ledger.all_pages()}
    with closing(Desk(job)) as desk:
        for text in ("", *"0123456789"):
            while sheet := desk.alike("Ann", text, 60):
                odd = [truth[names[one.page], one.field] != text for one in sheet]
                said = [
                    Said(page=one.page, field=one.field, value=None if is_odd else text, odd=is_odd)
                    for one, is_odd in zip(sheet, odd, strict=True)
                ]
                desk.enter("Ann", said, f"{text} {sheet[0].page}{sheet[0].field}")
        while found := desk.next_values("Ann", "risk", after="", most=12):
            for one, _ in found:
                said = [Said(page=one.page, field=one.field, value=truth[names[one.page], one.field])]
                desk.enter("Ann", said, one.page + one.field)


@pytest.fixture
def written(mnist_file: Path, tmp_path: Path) -> dict[tuple[str, str], str]:
    """Scans of one hand's cards, 1.png to 7.png, and what stands on them, by (scan, field); and a small MNIST."""
    with np.load(mnist_file) as mnist:
        x, y = mnist["x_test"][:400], mnist["y_test"][:400].astype(int)
        parts = {
            "x_train": slice(3000),
            "y_train": slice(3000),
            "x_test": slice(6000, 7000),
            "y_test": slice(6000, 7000),
        }
        np.savez(tmp_path / "mnist.npz", **{name: mnist[name][part] for name, part in parts.items()})
    shutil.copytree(PAPER, tmp_path / "base")
    replace(Record.read(tmp_path / "base"), source=str(tmp_path / "mnist.npz")).write(tmp_path / "base")
    (tmp_path / "card.toml").write_text(FORM)
    truth = {}
    for page in range(TAUGHT + MORE):
        some = np.s_[page * 48 : (page + 1) * 48]
        hand = [in_hand(one, label, slant=0.7, thick=9) for one, label in zip(x[some], y[some].tolist(), strict=True)]
        assert cv2.imwrite(str(tmp_path / f"{page + 1}.png"), draw_card(np.stack(hand)))
        for place, label in enumerate(y[some]):
            row, column = divmod(place, COLUMNS)
            truth[f"{page + 1}.png", f"grid[{row + 1},{column + 1}]"] = str(label)
    return truth


@pytest.fixture
def _as_it_was() -> Iterator[None]:
    """TensorFlow's converter sets what absl tells; in a process of its own that ends with it."""
    open_keras()
    absl = logging.getLogger("absl")
    level = absl.level
    yield
    absl.setLevel(level)


@pytest.mark.usefixtures("_as_it_was")
def test_the_whole_circle(written: dict[tuple[str, str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INKEDGE_MODELS", str(tmp_path / "models"))
    for name, n in (("OLD_DIGITS", 2000), ("NEW_DIGITS", 1200), ("IN_HAND", 1200)):
        monkeypatch.setattr(correction_lessons, name, n)

    def command(cli: object, *words: object) -> None:
        monkeypatch.setattr(sys, "argv", ["edge-command", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()  # type: ignore[attr-defined]
        assert not ended.value.code, words

    scans = [f"{page}.png" for page in range(1, TAUGHT + MORE + 1)]
    edge(tmp_path, "forms", "read", *scans[:TAUGHT], "--template", "card.toml", "--job", "spring", ends=10)
    review(tmp_path / "spring", written)
    edge(tmp_path, "forms", "export", "spring", "--crops", "crops")
    assert len((tmp_path / "crops" / "labels.csv").read_text().splitlines()) == 1 + 48 * TAUGHT

    ours = tmp_path / "ours"
    command(train_cli, "fit", "--from", tmp_path / "base", "--data", tmp_path / "crops", "--out", ours,
            "--epochs", "3", "--accept-worse")  # fmt: skip
    command(convert_cli, "quantize", ours, "--recipe", "int8")
    command(convert_cli, "parity", ours, "--data", tmp_path / "mnist.npz", "--max-drop", "0.5")
    manifest, _ = load_model(ours / "paper-int8.tflite")
    assert manifest.expected is not None and manifest.expected.n > 500, "drift is seen of what was learned, too"

    last = ("forms", "read", *scans[TAUGHT:], "--template", "card.toml", "--job")
    before = values(edge(tmp_path, *last, "before", ends=10))
    edge(tmp_path, "models", "install", ours / "paper-int8.tflite")
    (used,) = [one for one in json.loads(edge(tmp_path, "models", "list", "--json"))
               if one["used"] and one["task"] == "digit"]  # fmt: skip
    assert used["name"] == "paper-int8" and used["origin"] == "installed"
    with (tmp_path / "after.jsonl").open("w") as out:
        done = subprocess.run(
            [sys.executable, "-m", "edge", *last, "after"], cwd=tmp_path, stdout=out, timeout=300, check=False
        )
    assert done.returncode in (0, 10)
    after = values((tmp_path / "after.jsonl").read_text())
    wrong = [sum(found[key] != written[key] for key in found) for found in (before, after)]
    assert wrong[0] >= 8 and wrong[1] < wrong[0], "pages that nobody corrected are read better"
    edge(tmp_path, "models", "rollback")
    assert values(edge(tmp_path, *last, "again", ends=10)) == before
