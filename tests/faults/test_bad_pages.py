"""Pictures without a digit on them, huge and tiny ones: nothing is read as sure, nothing breaks, nothing runs away."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import time
import zlib
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edge.errors import ShapeError
from edge.reading.reader import Mode, Reader
from edge.values import Image, Reading
from tests.scenes.bad import PICTURES

MODES: tuple[Mode, ...] = ("digit", "number", "page")
SHAPES = {"digit": ((64, 64), (480, 640)), "number": ((64, 200), (480, 640)), "page": ((480, 640),)}
# Three strokes side by side are 111 on a picture no larger than a number.
ONLY_LARGE = ("stripes",)
TINY = ((1, 1), (1, 9), (9, 1), (2, 2), (3, 3), (3, 3, 3), (1, 1, 3), (5, 4))


@cache
def reader(mode: Mode) -> Reader:
    return Reader.open(mode=mode)


def sure(readings: tuple[Reading, ...]) -> list[str]:
    return [reading.text for reading in readings if reading.status == "read"]


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_surely_read_where_nothing_is_written(mode: Mode, name: str) -> None:
    for shape in SHAPES[mode][-1:] if name in ONLY_LARGE else SHAPES[mode]:
        picture = PICTURES[name](np.random.default_rng(7), shape)
        for pixels in (picture, cv2.bitwise_not(picture)):
            assert sure(reader(mode).read(pixels)) == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", TINY)
def test_pictures_of_a_few_pixels_are_no_digits(mode: Mode, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(3)
    for pixels in (np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8), rng.integers(0, 256, shape, np.uint8)):
        assert sure(reader(mode).read(pixels)) == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(3, 900), (900, 3), (1, 4000), (4000, 1)])
def test_very_long_pictures_are_no_digits(mode: Mode, shape: tuple[int, int]) -> None:
    assert sure(reader(mode).read(np.random.default_rng(5).integers(0, 256, shape, np.uint8))) == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["any grey", "ten thousand specks", "chessboard of 15 px", "fine texture", "white"])
def test_time_grows_no_faster_than_pixels(mode: Mode, name: str) -> None:
    def spent(side: int) -> float:
        picture = PICTURES[name](np.random.default_rng(1), (side, side))
        times = []
        for _ in range(2):
            start = time.process_time()
            reader(mode).read(picture)
            times.append(time.process_time() - start)
        return min(times)

    small, large = spent(300), spent(1200)
    assert large <= 2 * 16 * small + 0.3  # 16 times the pixels


GREEDY = """
import sys
import numpy as np
from edge.reading.reader import Reader
from tests.faults.memory import peak_kb
reader = Reader.open(mode=sys.argv[1])
reader.read(np.full((64, 64), 255, np.uint8))
tile = np.random.default_rng(0).integers(0, 256, (1000, 1000), np.uint8)
page = np.tile(tile, (20, 20)) if sys.argv[2] == "noise" else np.full((20_000, 20_000), 255, np.uint8)
before = peak_kb()
statuses = {reading.status for reading in reader.read(page)}
print((peak_kb() - before) * 1024 / page.nbytes)
assert "read" not in statuses, statuses
"""


@pytest.mark.parametrize(
    ("mode", "kind"), [("digit", "noise"), ("number", "noise"), ("page", "noise"), ("page", "white")]
)
def test_a_page_of_400_megapixels_takes_at_most_three_times_its_own_memory_more(mode: Mode, kind: str) -> None:
    done = subprocess.run([sys.executable, "-c", GREEDY, mode, kind], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 3


def white_png(path: Path, side: int) -> Path:
    """A grey PNG of side × side white pixels, written row by row."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    packer = zlib.compressobj(1)
    rows = (b"\x00" + b"\xff" * side) * 100
    data = b"".join(packer.compress(rows) for _ in range(side // 100)) + packer.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b""))
    return path


def test_the_command_refuses_a_page_over_the_limit_and_reads_it_when_the_limit_is_raised(tmp_path: Path) -> None:
    path = white_png(tmp_path / "huge.png", 20_000)
    command = [sys.executable, "-m", "edge", "read", "--format", "jsonl", str(path)]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 3
    page = json.loads(refused.stdout)
    assert page["readings"] == [] and "20000x20000" in page["error"] and "--max-megapixels" in page["error"]
    read = subprocess.run([*command, "--max-megapixels", "400"], capture_output=True, text=True, timeout=300)
    assert read.returncode == 0, read.stderr
    assert json.loads(read.stdout) | {"ms": 0} == {
        "source": str(path), "page": 1, "width": 20_000, "height": 20_000, "ms": 0, "error": None, "readings": []
    }  # fmt: skip


def test_the_command_reads_a_folder_of_bad_pages_and_is_sure_of_none(tmp_path: Path) -> None:
    for name in ("black", "any grey", "prose", "face", "ten thousand specks"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), PICTURES[name](np.random.default_rng(2), (240, 320)))
    cv2.imwrite(str(tmp_path / "three.png"), np.zeros((3, 3), np.uint8))
    for mode in MODES:
        command = [sys.executable, "-m", "edge", "read", "--mode", mode, "--format", "jsonl", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        pages = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(pages) == 6
        assert [r for page in pages for r in page["readings"] if r["status"] == "read"] == []


SHAPED = arrays.arrays(
    dtype=st.sampled_from([np.uint8, np.uint16, np.float32, np.bool_, np.int64]),
    shape=arrays.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=24),
)
PIXELS = arrays.arrays(
    dtype=np.uint8,
    shape=st.tuples(st.integers(1, 90), st.integers(1, 90))
    | st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3)),
)


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(pixels=SHAPED)
def test_what_is_no_picture_is_refused_by_its_shape(mode: Mode, pixels: np.ndarray) -> None:
    good = (
        pixels.dtype == np.uint8 and pixels.size and (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3))
    )
    if good:
        reader(mode).read(pixels)
    else:
        with pytest.raises(ShapeError):
            reader(mode).read(pixels)


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(pixels=PIXELS)
def test_boxes_lie_inside_the_picture(mode: Mode, pixels: Image) -> None:
    height, width = pixels.shape[:2]
    readings = reader(mode).read(pixels)
    assert mode == "page" or len(readings) == 1
    for box in [box for reading in readings for box in (reading.box, *(digit.box for digit in reading.digits))]:
        assert 0 <= box.left < box.right <= width and 0 <= box.top < box.bottom <= height
