"""From a file to its Reading, beside the bare interpreter's time for a digit or what image work costs at the least.

Digit time is set_tensor, invoke and get_tensor of the bare interpreter for the shipped lecture int8 model.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.inference.classifier import Classifier
from edge.inference.runtime import open_interpreter
from edge.inference.shipped import find_model
from edge.reading import line
from edge.reading.files import read_files
from edge.reading.reader import Mode, Reader
from edge.sinks.pages import PageResult
from edge.sources.demo import open_demo
from edge.sources.digits import load_digits
from edge.sources.files import BadPage, read_pages
from edge.system.bench import bench_digits
from edge.values import Reading
from measures.compared import Compared, quickest_ms, turns

DIGIT = "bare call, lecture int8"
DIGITS_ON_PAGE = 10
# How long a page takes depends on what is on it: what is not sure is looked at again. So several are read.
PAGES, PHOTOS = 8, 4
# Short and many: the two sides of a ratio see the same moments of a busy machine.
ROUNDS = 40


class Kept:
    """A sink that keeps the last result, whose ms is from decoding to readings."""

    result: PageResult

    def write(self, result: PageResult) -> None:
        """Keep it."""
        self.result = result


def read_ms(file: Path, reader: Reader) -> tuple[float, PageResult]:
    """Milliseconds from decoding a file to its readings, as `edge read` counts them, and the result."""
    kept = Kept()
    read_files([str(file)], reader, kept, max_megapixels=100.0)  # type: ignore[arg-type]
    return kept.result.ms, kept.result


def bare_call(model: str) -> Callable[[], object]:
    """One digit by the bare interpreter of a shipped model."""
    interpreter = open_interpreter(find_model(model).read_bytes())
    source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    tensor = load_digits()[0][:1, :, :, None].astype(source["dtype"])

    def call() -> Any:
        interpreter.set_tensor(source["index"], tensor)
        interpreter.invoke()
        return interpreter.get_tensor(sink["index"])

    return call


def bench_digit() -> list[Compared]:
    """One digit from tensor to Prediction, and the paper model beside the lecture's."""
    rows = []
    for model, target in (("lecture", 1.3), ("paper", None)):
        content, classifier = find_model(model).read_bytes(), Classifier.open(model)
        rounds = [bench_digits(classifier, content) for _ in range(6)][1:]
        ours, others = [through.p50 for _, through in rounds], [bare.p50 for bare, _ in rounds]
        what = f"a digit, tensor to Prediction, {model} {classifier.manifest.recipe}"
        rows.append(Compared(what, "bare set_tensor + invoke + get_tensor", "µs", ours, others, target))
    paper, lecture = bare_call("paper"), bare_call("lecture")
    ours, others = turns(lambda: 1e3 * quickest_ms(paper, 100), lambda: 1e3 * quickest_ms(lecture, 100), ROUNDS)
    return [*rows, Compared("bare call, paper int8", DIGIT, "µs", ours, others, 0.6, quiet=True)]


def bench_reading() -> list[Compared]:
    """A cell, a number, a page and a 12-megapixel photo: each from the file to its readings, all in one thread."""
    cv2.setNumThreads(1)
    digit = bare_call("lecture")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cell, number = draw_cell(folder / "cell.png"), draw_number(folder / "number.png")
        rows = [_beside_digit("`digit` on a 64×64 cell", "digit", cell, digit, 12)]
        with _second_look_below(-math.inf):
            rows.append(_beside_digit("`number` on 100×40, one pass", "number", number, digit, 40))
        with _second_look_below(math.inf):
            rows.append(_beside_digit("`number` on 100×40, every view", "number", number, digit, 80))
        pages = [draw_page(folder / f"page{n}.jpg", first=DIGITS_ON_PAGE * n) for n in range(PAGES)]
        photos = [draw_photo(folder / f"photo{seed}.jpg", seed=seed) for seed in range(1, PHOTOS + 1)]
        return [*rows, _page(pages, digit), _photo(photos)]


def _beside_digit(what: str, mode: Mode, file: Path, digit: Callable[[], object], target: float) -> Compared:
    reader = Reader.open(mode=mode)

    def ours_once() -> tuple[Reading, ...]:
        page = next(read_pages(file))
        if isinstance(page, BadPage):
            raise SystemExit(f"bench: {page.source}: {page.message}")
        return reader.read(page.pixels)

    (reading,) = ours_once()
    if not reading.text:
        raise SystemExit(f"bench: nothing was read on the picture for {what}")
    ours, others = turns(lambda: quickest_ms(ours_once, 10), lambda: quickest_ms(digit, 50), ROUNDS)
    return Compared(f"{what}, file to Reading", DIGIT, "ms", ours, others, target, quiet=True)


def _mean_of_quickest(call: Callable[[Path], object], files: Sequence[Path], repeats: int) -> float:
    """Milliseconds a file: the mean over files of the quickest of some calls."""
    return sum(quickest_ms(partial(call, file), repeats) for file in files) / len(files)


def _page(files: Sequence[Path], digit: Callable[[], object]) -> Compared:
    reader, content = Reader.open(), {file: np.frombuffer(file.read_bytes(), np.uint8) for file in files}
    digits = sum(len(reading.digits) for file in files for reading in read_ms(file, reader)[1].readings)

    def least(file: Path) -> None:
        grey = cv2.cvtColor(cv2.imdecode(content[file], cv2.IMREAD_COLOR), cv2.COLOR_BGR2GRAY)
        ink = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 31, 10)
        cv2.connectedComponentsWithStats(ink)
        for _ in range(DIGITS_ON_PAGE):
            digit()

    ours, others = turns(
        lambda: _mean_of_quickest(lambda file: read_ms(file, reader), files, 3),
        lambda: _mean_of_quickest(least, files, 3),
        ROUNDS // 2,
    )
    what = f"a 640×480 page with ten digits (mean of {len(files)} pages, {digits} digits found), file to readings"
    return Compared(
        what, "decode + grey + adaptive threshold + components + ten bare calls", "ms", ours, others, 2.5, quiet=True
    )


def _photo(files: Sequence[Path]) -> Compared:
    reader, content = Reader.open(), {file: np.frombuffer(file.read_bytes(), np.uint8) for file in files}
    found = sum(len(read_ms(file, reader)[1].readings) for file in files)

    def decode(file: Path) -> None:
        cv2.imdecode(content[file], cv2.IMREAD_GRAYSCALE)

    ours, others = turns(
        lambda: _mean_of_quickest(lambda file: read_ms(file, reader), files, 2),
        lambda: _mean_of_quickest(decode, files, 2),
        10,
    )
    what = f"a photo of 4000×3000 (mean of {len(files)}, {found} numbers found), file to readings"
    return Compared(what, "its full-size grey `imdecode`", "ms", ours, others, 1.3, quiet=True)


@contextmanager
def _second_look_below(margin: float) -> Iterator[None]:
    """While it lasts a number whose margin is below this is looked at in all views, and another one in one."""
    usual = line.SURE_AT_A_GLANCE
    line.SURE_AT_A_GLANCE = margin
    try:
        yield
    finally:
        line.SURE_AT_A_GLANCE = usual


def _on(paper: np.ndarray, index: int, left: int, top: int, side: int) -> None:
    """Write a shipped MNIST test digit on grey paper, its 28×28 picture side px large."""
    ink = cv2.resize(load_digits()[0][index], (side, side), interpolation=cv2.INTER_CUBIC)
    place = paper[top : top + side, left : left + side]
    place -= np.minimum(place, (0.7 * ink).astype(np.uint8))


def _saved(file: Path, paper: np.ndarray) -> Path:
    noise = np.random.default_rng(1).normal(0, 3, paper.shape)
    if not cv2.imwrite(str(file), np.clip(paper + noise, 0, 255).astype(np.uint8)):
        raise SystemExit(f"bench: {file}: OpenCV cannot write this picture")
    return file


def draw_cell(file: Path) -> Path:
    """A grey 64×64 cell: a printed box and a digit."""
    paper = np.full((64, 64), 225, np.uint8)
    cv2.rectangle(paper, (2, 2), (61, 61), 90, 2)
    _on(paper, 3, 11, 11, 42)
    return _saved(file, paper)


def draw_number(file: Path) -> Path:
    """A grey 100×40 picture of one number of four digits."""
    paper = np.full((40, 100), 225, np.uint8)
    for place, index in enumerate((0, 1, 2, 3)):
        _on(paper, index, 2 + 22 * place, 5, 30)
    return _saved(file, paper)


def draw_page(file: Path, *, first: int = 0) -> Path:
    """A grey 640×480 page with two numbers of five digits, from the first on, 40 px apart at the least."""
    paper = np.full((480, 640), 225, np.uint8)
    for place in range(DIGITS_ON_PAGE):
        _on(paper, first + place, 120 + 42 * (place % 5), 120 + 130 * (place // 5), 52)
    return _saved(file, cv2.cvtColor(paper, cv2.COLOR_GRAY2BGR))


def draw_photo(file: Path, *, seed: int = 1) -> Path:
    """A colour photo of 4000×3000: a scene of the demo camera as a sensor of that size would see it."""
    with open_demo(f"demo:fast:easy:seed={seed}") as source:
        scene = next(iter(source)).pixels
    return _saved(file, cv2.resize(scene, (4000, 3000), interpolation=cv2.INTER_CUBIC))
