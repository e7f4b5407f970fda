"""Batches of forms: what a second worker gains beside what a second bare process gains, and a worker's memory."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from edge.forms.template import load_template
from measures.compared import PYTHON, ROOT, Compared
from measures.sheets import TEMPLATE
from tests.forms.sheets import filled, lit

# A4 at 200 dpi is 1654 × 2339 px.
_DPI = 200
_DRAWN = 4
_PAGES = 720
_ROUNDS = 9
_CELLS = 40
# Grey decoding and as many interpreter calls as there are cells, for so many pages of a folder.
_BARE = """
import sys
from pathlib import Path
import cv2
from edge.inference.runtime import open_interpreter
from edge.inference.shipped import find_model
cv2.setNumThreads(1)
interpreter = open_interpreter(find_model().read_bytes())
source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
import numpy as np
tensor = np.zeros(source["shape"], source["dtype"])
for file in sorted(Path(sys.argv[1]).glob("*.jpg"))[int(sys.argv[2])::int(sys.argv[3])]:
    cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    for _ in range(int(sys.argv[4])):
        interpreter.set_tensor(source["index"], tensor)
        interpreter.invoke()
        interpreter.get_tensor(sink["index"])
"""


@contextmanager
def drawn_pile(pages: int, form: str = TEMPLATE) -> Iterator[Path]:
    """A folder with form.toml and so many JPEG pages of filled cells in scans/, some of them drawn, the rest copies.

    A copy differs in a comment only: it is another file, and is read like any.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "scans").mkdir()
        (folder / "form.toml").write_text(form, encoding="utf-8")
        template = load_template(folder / "form.toml")
        jpegs = []
        for seed in range(min(_DRAWN, pages)):
            rng = np.random.default_rng(seed)
            made = lit(filled(template, rng, dpi=_DPI), rng, darkest=0.9, noise=2.0, quality=90)
            jpegs.append(cv2.imencode(".jpg", made.pixels, (cv2.IMWRITE_JPEG_QUALITY, 90))[1].tobytes())
        for number in range(pages):
            jpeg, comment = jpegs[number % len(jpegs)], f"page {number}".encode()
            segment = b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment
            (folder / "scans" / f"{number:05}.jpg").write_bytes(jpeg[:2] + segment + jpeg[2:])
        yield folder


def read_command(folder: Path, workers: int) -> list[str]:
    """`edge forms read` of a drawn pile into a job beside it."""
    return [
        str(PYTHON), "-m", "edge", "--quiet", "forms", "read", f"{folder}/scans", "--template", f"{folder}/form.toml",
        "--job", f"{folder}/job", "--workers", str(workers), "--output", f"{folder}/out.jsonl",
    ]  # fmt: skip


def bench_batches() -> list[Compared]:
    """The time that two workers take for a pile, in parts of one's, beside the same of two bare processes."""
    with drawn_pile(_PAGES) as folder:
        ours, others = [], []
        for _ in range(_ROUNDS):
            one, two = _job_s(folder, 1), _job_s(folder, 2)
            bare_one, bare_two = _bare_s(folder, 1), _bare_s(folder, 2)
            ours.append(two / one)
            others.append(bare_two / bare_one)
    return [
        Compared(
            f"{_PAGES} pages by two workers, start included",
            "two bare processes that decode and call the interpreter",
            "of one's time",
            ours,
            others,
            target=round(1 / 0.9, 2),
        )
    ]


def _job_s(folder: Path, workers: int) -> float:
    shutil.rmtree(folder / "job", ignore_errors=True)
    return _together_s([read_command(folder, workers)], allowed=(0, 10))


def _bare_s(folder: Path, processes: int) -> float:
    parts = [(str(part), str(processes), str(_CELLS)) for part in range(processes)]
    return _together_s([[str(PYTHON), "-c", _BARE, f"{folder}/scans", *part] for part in parts], allowed=(0,))


def _together_s(commands: list[list[str]], *, allowed: tuple[int, ...]) -> float:
    """Seconds until all of these programs, started at once, have ended."""
    begin = time.perf_counter()
    running = [subprocess.Popen(command, cwd=ROOT) for command in commands]
    codes = [process.wait() for process in running]
    if not all(code in allowed for code in codes):
        sys.exit(f"bench: a program ended with {codes}: {' '.join(commands[0])}")
    return time.perf_counter() - begin
