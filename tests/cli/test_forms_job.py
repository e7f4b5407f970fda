"""`edge forms read`, `status`, `export`, `forget` as a person and a program meet them: real commands, real reader."""

from __future__ import annotations

import csv
import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.sources.digits import load_digits
from edge.values import Image
from tests.sources.samples import bomb, pdf, turned_jpeg

TEMPLATE = """
name = "slip"
[page]
version = 1
registration = "none"
size_mm = [64.0, 24.0]
[[field]]
name = "account"
kind = "digit"
box_mm = [8.0, 6.0, 48.0, 12.0]
columns = 4
required = true
"""
PX_PER_MM = 6


def edge(*args: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge", *map(str, args)],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | environment,
    )


def read(job: Path, *scans: Path, template: Path | None = None, more: tuple[object, ...] = ()) -> Any:
    return edge("forms", "read", *scans, "--template", template or job.parent / "slip.toml", "--job", job, *more)


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) | {"ms": 0} for line in text.splitlines()]


def slip(*digits: int) -> Image:
    """A sheet with these of the shipped digits, by number, in its boxes."""
    page = np.full((24 * PX_PER_MM, 64 * PX_PER_MM), 250, np.uint8)
    images, _ = load_digits()
    side = 12 * PX_PER_MM
    for place, digit in enumerate(digits):
        left = (8 + 12 * place) * PX_PER_MM
        box = page[6 * PX_PER_MM : 6 * PX_PER_MM + side, left : left + side]
        cv2.rectangle(box, (0, 0), (side - 1, side - 1), 225, 1)
        inner = box[6:-6, 6:-6]
        inner -= (cv2.resize(images[digit], inner.shape[::-1]) * 0.8).astype(np.uint8)
    return page


def text_of(*digits: int) -> str:
    return "".join(str(load_digits()[1][digit]) for digit in digits)


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three slips, the first of them twice, an empty sheet, and everything that can be wrong with a file."""
    folder = tmp_path_factory.mktemp("job") / "scans"
    folder.mkdir()
    (folder.parent / "slip.toml").write_text(TEMPLATE)
    good = {"a.png": slip(0, 1, 2, 3), "b.png": slip(3, 2, 1, 0), "c.png": slip(0, 1, 2, 3), "d.png": slip()}
    for name, pixels in good.items():
        cv2.imwrite(str(folder / name), pixels)
    locked = pdf((72, 72)).replace(
        b"trailer<<",
        b"trailer<</Encrypt<</Filter/Standard/V 1/R 2/P -4/O<" + b"28" * 32 + b">/U<" + b"28" * 32 + b">>>"
        b"/ID[<00112233445566778899aabbccddeeff><00112233445566778899aabbccddeeff>]",
    )
    whole = cv2.imencode(".tif", slip(0, 1, 2, 3))[1].tobytes()
    bad = {
        "p.pdf": locked,
        "q.pdf": b"%PDF-1.4\nnothing of the sort",
        "r.pdf": pdf((14400, 28346)),
        "s.pdf": pdf(),
        "t.png": bomb(),
        "u.tif": whole[: len(whole) // 2],
        "v.tif": b"II*\0" + struct.pack("<IHHHIIHHIII", 8, 2, 256, 4, 1, 90_000, 257, 4, 1, 90_000, 0),
        "w.jpg": turned_jpeg(slip(0, 1, 2, 3), 1)[:200],
        "x.png": b"",
    }  # fmt: skip
    for name, content in bad.items():
        (folder / name).write_bytes(content)
    (folder / "notes.txt").write_text("not a scan")
    return folder


def test_a_batch_from_scans_to_tables(pile: Path, tmp_path: Path) -> None:
    shutil.copy(pile.parent / "slip.toml", tmp_path)
    done = read(tmp_path / "job", pile, more=("--workers", 2))
    assert done.returncode == 3 and "Traceback" not in done.stderr, done.stderr
    pages = objects(done.stdout)
    assert [Path(page["source"]).name for page in pages] == sorted(
        file.name for file in pile.iterdir() if file.suffix != ".txt"
    )
    first, second, copy, empty, *bad = pages
    assert set(first) == {"source", "page", "template", "error", "ms", "registration", "fields"}
    assert set(first["registration"]) == {"status", "method", "residual_mm", "rotation_deg"}
    (account,) = first["fields"]
    assert set(account) >= {"name", "value", "raw", "confidence", "status", "repaired", "box", "quad"}
    assert (account["name"], account["value"], account["status"]) == ("account", text_of(0, 1, 2, 3), "read")
    assert second["fields"][0]["value"] == text_of(3, 2, 1, 0)
    assert copy["duplicate_of"] == f"{pile / 'a.png'}#1" and copy["fields"] == [] and copy["error"] is None
    assert empty["fields"][0]["status"] == "review"  # required
    assert all(page["error"] and page["fields"] == [] and page["registration"] is None for page in bad)
    causes = (
        "encrypted",
        "damaged",
        "megapixels",
        "damaged",
        "megapixels",
        "cut off",
        "megapixels",
        "cut off",
        "empty",
    )
    assert [cause in page["error"] for cause, page in zip(causes, bad, strict=True)] == [True] * len(bad)
    assert "1 file in folders is neither" in done.stderr and "1 page is a second copy" in done.stderr

    again = read(tmp_path / "job", pile, more=("--format", "csv", "--output", tmp_path / "t.csv"))
    assert (again.returncode, again.stdout) == (3, "")
    rows = list(csv.reader((tmp_path / "t.csv").read_text().splitlines()))
    assert rows[0] == ["source", "page", "status", "account", "account.confidence", "account.status"]
    assert [row[2] for row in rows[1:]] == ["read", "read", "review", *["error"] * len(bad)]

    for suffix in ("csv", "jsonl", "xlsx"):
        exported = edge("forms", "export", tmp_path / "job", "-o", tmp_path / f"e.{suffix}")
        assert exported.returncode == 0 and "1 second copy left out" in exported.stderr, exported.stderr
    assert (tmp_path / "e.csv").read_bytes() == (tmp_path / "t.csv").read_bytes()
    assert objects((tmp_path / "e.jsonl").read_text()) == [first, second, empty, *bad]

    status = edge("forms", "status", tmp_path / "job", "--json")
    assert {key: json.loads(status.stdout)[key] for key in ("pages", "read", "review", "errors", "duplicates")} == {
        "pages": 13, "read": 2, "review": 1, "errors": 9, "duplicates": 1,
    }  # fmt: skip
    shown = edge("forms", "status", tmp_path / "job")
    assert shown.returncode == 0 and "2 read, 1 for review, 9 errors, 1 second copy, 0 forgotten" in shown.stdout

    gone = edge("forms", "forget", tmp_path / "job", "--before", "2999-12-31")
    assert gone.returncode == 0 and "the values of 3 pages, 1 picture," in gone.stderr, gone.stderr
    after = objects(read(tmp_path / "job", pile).stdout)
    assert [page.get("forgotten", False) for page in after] == [True, True, True, True] + [False] * len(bad)
    assert all(page["fields"] == [] for page in after)


def test_a_review_is_exit_code_10_and_all_read_0(pile: Path, tmp_path: Path) -> None:
    shutil.copy(pile.parent / "slip.toml", tmp_path)
    assert read(tmp_path / "job", pile / "a.png", more=("--workers", 1)).returncode == 0
    done = read(tmp_path / "job", pile / "a.png", pile / "d.png", more=("--workers", 1))
    assert done.returncode == 10 and len(objects(done.stdout)) == 2


def test_a_changed_template_is_said_and_read_anew(pile: Path, tmp_path: Path) -> None:
    template = tmp_path / "slip.toml"
    template.write_text(TEMPLATE)
    read(tmp_path / "job", pile / "a.png")
    template.write_text(TEMPLATE.replace("columns = 4", 'columns = 4\nvalues = "roster.csv"'))
    (tmp_path / "roster.csv").write_text(f"{text_of(0, 1, 2, 3)}\n")
    done = read(tmp_path / "job", pile / "a.png")
    assert done.returncode == 0 and "template slip; this is a new generation" in done.stderr
    (tmp_path / "roster.csv").write_text(f"{text_of(0, 1, 2, 3)}\n0000\n")
    assert "new generation" in read(tmp_path / "job", pile / "a.png").stderr
    assert "generations of results" in edge("forms", "status", tmp_path / "job").stdout


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["read", "a.png", "--job", "j"], 2, "--template"),
        (["read", "a.png", "--template", "slip.toml"], 2, "--job"),
        (["read", "a.png", "--template", "absent.toml", "--job", "j"], 2, "absent.toml"),
        (["read", "a.png", "--template", "slip.toml", "--job", "j", "--workers", "-1"], 2, "-1"),
        (["read", "a.png", "--template", "slip.toml", "--job", "j", "--model", "absent.tflite"], 4, "absent.tflite"),
        (["read", "a.png", "--template", "slip.toml", "--job", "slip.toml"], 5, "this is not a folder"),
        (["read", "a.png", "--template", "slip.toml", "--job", "broken"], 5, "is broken"),
        (["status", "absent"], 5, "no ledger"),
        (["export", "absent", "-o", "t.csv"], 5, "no ledger"),
        (["export", "absent", "-o", "t.doc"], 2, "suffix"),
        (["forget", "absent", "--before", "2026-01-01"], 5, "no ledger"),
        (["forget", "absent", "--before", "yesterday"], 2, "yesterday"),
    ],
)
def test_a_wrong_command_line_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], code: int, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("slip.toml").write_text(TEMPLATE)
    Path("broken").mkdir()
    Path("broken/ledger.sqlite").write_bytes(b"no ledger" * 100)
    done = edge("forms", *args, PYTHONPATH=str(Path(__file__).parents[2]))
    assert done.returncode == code, done.stderr
    assert message in done.stderr and "Traceback" not in done.stderr and done.stdout == ""


AS_ANOTHER = """
import os, sys
from pathlib import Path
import edge.forms.reader  # while Python's own files may be read
from edge.forms.job.batch import JobSettings, read_job
from edge.forms.template import load_template
template = load_template(Path(sys.argv[1]))
os.setgroups([]); os.setgid(65534); os.setuid(65534)
outcome = read_job([sys.argv[2]], [template], Path(sys.argv[3]), JobSettings(workers=1))
sys.exit(outcome.exit_code)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_file_that_another_user_may_not_read_is_an_error_of_its_page(tmp_path: Path) -> None:
    template, scan, job = tmp_path / "slip.toml", tmp_path / "a.png", tmp_path / "open" / "job"
    template.write_text(TEMPLATE)
    cv2.imwrite(str(scan), slip(0, 1, 2, 3))
    scan.chmod(0o600)
    job.parent.mkdir()
    job.parent.chmod(0o777)
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == os.geteuid() and not parent.stat().st_mode & 1:
            parent.chmod(parent.stat().st_mode | 0o011)
    done = subprocess.run(
        [sys.executable, "-c", AS_ANOTHER, str(template), str(scan), str(job)],
        capture_output=True, text=True, timeout=120, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    (page,) = objects(done.stdout)
    assert page["error"] == "it may not be read; check its permissions"


def test_help_shows_an_example_each() -> None:
    for command in ("read", "status", "export", "forget"):
        assert f"Example: edge forms {command}" in edge("forms", command, "--help").stdout
