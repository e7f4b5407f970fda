"""`edge read` as a person and a program meet it: outputs, bad files, exit codes."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.sources.digits import load_digits


def edge(*args: object, stdout: int = subprocess.PIPE, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge", *map(str, args)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        env=os.environ | environment,
    )


def objects(done: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three good digits, one broken file, one file of another kind, a hidden one, a two-page TIFF in a subfolder."""
    images, _ = load_digits()
    place = tmp_path / "scans"
    (place / "more").mkdir(parents=True)
    for name, index in {"a.png": 0, "c.png": 2, ".hidden.png": 3, "b.jpg": 1}.items():
        cv2.imwrite(str(place / name), 255 - images[index])
    (place / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 40)
    (place / "notes.txt").write_text("not a picture")
    assert cv2.imwritemulti(str(place / "more" / "two.tiff"), [255 - images[4], 255 - images[5]])
    return place


def test_jsonl_has_an_object_a_page_in_order_and_the_bad_file_does_not_stop_it(folder: Path) -> None:
    done = edge("read", "--mode", "digit", "--format", "jsonl", folder)
    assert done.returncode == 3, done.stderr
    pages = objects(done)
    assert [(Path(str(p["source"])).name, p["page"]) for p in pages] == [
        ("a.png", 1), ("b.jpg", 1), ("broken.png", 1), ("c.png", 1), ("two.tiff", 1), ("two.tiff", 2),
    ]  # fmt: skip
    assert [bool(p["error"]) for p in pages] == [False, False, True, False, False, False]
    texts = [p["readings"][0]["text"] for p in pages if not p["error"]]  # type: ignore[index]
    assert texts == [str(label) for label in load_digits()[1][[0, 1, 2, 4, 5]]]
    first = pages[0]
    assert set(first) >= {"source", "page", "width", "height", "ms", "error", "readings"}
    assert set(first["readings"][0]) >= {"text", "confidence", "status", "box", "digits"}  # type: ignore[index]
    assert pages[2]["readings"] == []
    assert "1 file in folders is neither" in done.stderr


def test_two_runs_differ_in_ms_only(folder: Path) -> None:
    runs = [objects(edge("read", "--format", "jsonl", folder)) for _ in range(2)]
    for run in runs:
        for page in run:
            page.pop("ms")
    assert runs[0] == runs[1]


def test_a_path_that_does_not_exist_is_an_error_and_the_others_are_read(folder: Path) -> None:
    done = edge("read", "--mode", "digit", "--format", "jsonl", folder / "absent.png", folder / "a.png")
    assert done.returncode == 3
    absent, good = objects(done)
    assert str(absent["source"]).endswith("absent.png") and absent["readings"] == []
    assert "no such file" in str(absent["error"])
    assert good["error"] is None


def test_csv_has_the_contract_s_columns(folder: Path) -> None:
    done = edge("read", "--mode", "digit", "--format", "csv", folder)
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert list(rows[0]) == [
        "source",
        "page",
        "text",
        "confidence",
        "status",
        "left",
        "top",
        "right",
        "bottom",
        "error",
    ]
    assert [bool(row["error"]) for row in rows] == [False, False, True, False, False, False]
    assert rows[0]["text"] == "7" and 0 <= float(rows[0]["confidence"]) <= 1


def test_text_is_for_people(folder: Path) -> None:
    done = edge("read", "--mode", "digit", folder / "a.png")
    assert done.returncode == 0
    assert done.stdout.startswith(f"{folder / 'a.png'}: 7") and done.stdout.rstrip().endswith("%")
    assert done.stderr == ""


def test_output_appears_complete_and_replaces_the_old_one(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("old\n")
    done = edge("read", "--format", "jsonl", "--output", target, folder / "a.png")
    assert (done.returncode, done.stdout) == (0, "")
    assert len(target.read_text().splitlines()) == 1 and "old" not in target.read_text()
    assert not (tmp_path / "out.jsonl.part").exists()


def test_a_place_below_a_file_cannot_be_written_even_by_root(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = edge("read", "--output", tmp_path / "file" / "out.txt", folder / "a.png")
    assert done.returncode == 6
    assert "out.txt: cannot be written" in done.stderr and "Traceback" not in done.stderr


def test_annotated_pages_below_a_file_too(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = edge("read", "--annotate", tmp_path / "file" / "drawn", folder / "a.png")
    assert done.returncode == 6 and "cannot be written" in done.stderr


def test_a_full_disk_on_stdout_is_said(folder: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = edge("read", folder / "a.png", stdout=full.fileno())
    assert done.returncode == 6
    assert "stdout: cannot be written" in done.stderr and "Traceback" not in done.stderr


def test_a_full_disk_leaves_whole_lines(folder: Path, tmp_path: Path) -> None:
    """The file may grow to 4 kB only, as if the disk were full then (RLIMIT_FSIZE)."""
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); sys.argv = ['edge', *sys.argv[1:]];"
        "from edge.cli.main import main; main()"
    )
    target = tmp_path / "out.jsonl"
    pages = [str(folder / "a.png")] * 40
    done = subprocess.run(
        [sys.executable, "-c", code, "read", "--mode", "digit", "--format", "jsonl", "--output", str(target), *pages],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 6, done.stderr
    assert "out.jsonl: cannot be written" in done.stderr
    assert not target.exists()
    written = (tmp_path / "out.jsonl.part").read_text()
    assert written.endswith("\n") and len(written) > 2000
    assert all(json.loads(line)["page"] == 1 for line in written.splitlines())


def test_annotated_pages_are_pictures_of_the_page(folder: Path, tmp_path: Path) -> None:
    done = edge("read", "--mode", "digit", "--annotate", tmp_path / "drawn", folder / "a.png", folder / "more")
    assert done.returncode == 0, done.stderr
    drawn = sorted((tmp_path / "drawn").iterdir())
    assert len(drawn) == 3
    for path in drawn:
        picture = cv2.imread(str(path))
        assert picture is not None and picture.ndim == 3
    assert not np.array_equal(cv2.imread(str(drawn[0]), cv2.IMREAD_GRAYSCALE), 255 - load_digits()[0][0])


def test_a_large_photo_is_read_small_and_told_in_its_own_pixels(tmp_path: Path) -> None:
    photo = np.full((2400, 3200, 3), (190, 200, 205), np.uint8)
    for place, left in ((1, 1000), (0, 1230), (9, 1460)):
        digit = cv2.resize(load_digits()[0][place], (336, 336))
        photo[800:1136, left : left + 336] -= (digit[..., None] * 0.6).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "photo.jpg"), photo)
    done = edge("read", "--format", "jsonl", "--annotate", tmp_path / "drawn", tmp_path / "photo.jpg")
    assert done.returncode == 0, done.stderr
    (page,) = objects(done)
    assert (page["width"], page["height"]) == (3200, 2400)
    left, top, right, bottom = page["readings"][0]["box"]
    assert 1000 < left < 1120 and 800 < top < 900 and 1600 < right < 1796 and 1040 < bottom < 1150
    (drawn,) = (tmp_path / "drawn").iterdir()
    assert cv2.imread(str(drawn)).shape == photo.shape


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["read"], 2, "PATHS"),
        (["read", "--mode", "word", "x.png"], 2, "word"),
        (["read", "--threshold", "7", "x.png"], 2, "7"),
        (["read", "--model", "absent.tflite", "x.png"], 4, "absent.tflite: no such model"),
        (["read", "--modle", "lecture", "x.png"], 2, "--model"),
        (["raed"], 2, "read"),
    ],
)
def test_a_wrong_command_line_says_what_is_wrong(args: list[str], code: int, message: str) -> None:
    done = edge(*args)
    assert done.returncode == code
    assert message in done.stderr and "Traceback" not in done.stderr
    assert done.stdout == ""


def test_version_and_help() -> None:
    assert edge("--version").stdout.startswith("inkedge ")
    for command in ("run", "read", "doctor", "bench"):
        shown = edge(command, "--help").stdout
        assert f"Example: edge {command}" in shown


def test_the_reader_may_leave_early(folder: Path) -> None:
    pages = " ".join([str(folder / "a.png")] * 300)
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{sys.executable} -m edge read {pages} | head -n 1"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr
