"""Strips without end for training: made ahead in a process of their own, used a few times, each time a little other."""

from __future__ import annotations

import multiprocessing
import queue
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing.queues import Queue

import cv2
import numpy as np
import numpy.typing as npt

from edge.errors import EdgeError
from edge.imaging.strips import BUCKET, ROWS
from edge.values import Image
from train.settings import FitSettings
from train.strip_hand import bank_of, draw_bank
from train.strip_model import STRIDE
from train.strips import Synthesiser, strip_of

# A round of training goes over the newest chunk of strips and those made so many chunks before.
REUSED_AFTER = (0, 2, 5)
_CHUNK = 1024
# Drawn writers, and which share of numbers they write: MNIST's writers, all from one country, lack many forms.
_WRITERS = 1500
_DRAWN = 0.65
# Longer strips are left out: they would make their whole batch slow, and show nothing that shorter ones do not.
_WIDEST = 288
_LONGEST = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """How strips are made: everything random hangs on seed; so many a chunk, and drawn writers beside real digits."""

    seed: int
    chunk: int = _CHUNK
    writers: int = _WRITERS

    @staticmethod
    def of(settings: FitSettings) -> Making:
        """As the settings say; --limit makes as much smaller chunks."""
        limit = settings.limit
        if limit is None:
            return Making(seed=settings.seed)
        return Making(seed=settings.seed, chunk=min(_CHUNK, limit), writers=min(_WRITERS, 1 + limit // 10))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Strips:
    """Strips with their texts: images (n, 32, Wmax) uint8 padded with 0, widths (n,), texts."""

    images: Image
    widths: npt.NDArray[np.int64]
    texts: tuple[str, ...]

    def first(self, count: int) -> Strips:
        """So many of them, or all if there are fewer."""
        return Strips(images=self.images[:count], widths=self.widths[:count], texts=self.texts[:count])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """What one step of training takes: x (n, 32, W, 1) float32 in 0 to 1, labels (n, 12) with their lengths (n,)."""

    x: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int32]
    lengths: npt.NDArray[np.int32]


def make_strips(synthesiser: Synthesiser, seed: tuple[int, ...], count: int) -> Strips:
    """So many strips; the same seed gives the same."""
    rng = np.random.default_rng(seed)
    tensors: list[Image] = []
    texts: list[str] = []
    while len(tensors) < count:
        sample = synthesiser.draw(rng)
        tensor = strip_of(sample)
        width = tensor.shape[1]
        # Every digit needs a step, and two alike a blank between them.
        needed = len(sample.text) + sum(a == b for a, b in pairwise(sample.text))
        if width <= _WIDEST and needed < width // STRIDE:
            tensors.append(tensor[:, :, 0])
            texts.append(sample.text)
    widths = np.array([tensor.shape[1] for tensor in tensors])
    images = np.zeros((count, ROWS, int(widths.max())), np.uint8)
    for image, tensor in zip(images, tensors, strict=True):
        image[:, : tensor.shape[1]] = tensor
    return Strips(images=images, widths=widths, texts=tuple(texts))


def open_synthesiser(digits: Image, labels: npt.NDArray[np.int64], making: Making) -> Synthesiser:
    """A Synthesiser of digits (n, 28, 28) uint8 with their labels (n,), if all ten are there, and of drawn writers."""
    drawn = draw_bank(np.random.default_rng((making.seed, 0xD4A7)), writers=making.writers)
    if len(np.unique(labels)) < 10:  # a few digits to try things out
        return Synthesiser((drawn,), (1.0,), seed=making.seed)
    return Synthesiser((bank_of(digits, labels), drawn), (1.0 - _DRAWN, _DRAWN), seed=making.seed)


class Pool:
    """Chunks of strips in order from number `first` on, made ahead by a process; used in a `with`."""

    def __init__(self, digits: Image, labels: npt.NDArray[np.int64], *, making: Making, first: int) -> None:
        context = multiprocessing.get_context("spawn")  # a fork of a process that runs TensorFlow may hang
        self._queue: Queue[Strips | Exception] = context.Queue(maxsize=4)
        self._process = context.Process(
            target=_work, args=(self._queue, digits, labels, making, first), daemon=True, name="strips"
        )

    def __enter__(self) -> Pool:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()
        self._queue.close()

    def take(self) -> Strips:
        """The next chunk. Raises EdgeError if the process died, or what it raised."""
        while True:
            try:
                found = self._queue.get(timeout=5.0)
            except queue.Empty:
                if not self._process.is_alive():
                    raise EdgeError("the process that makes strips died; is there memory enough?") from None
                continue
            if isinstance(found, Exception):
                raise found
            return found


def _work(
    out: Queue[Strips | Exception], digits: Image, labels: npt.NDArray[np.int64], making: Making, first: int
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that trains; it ends this one
    cv2.setNumThreads(1)
    try:
        synthesiser = open_synthesiser(digits, labels, making)
        chunk = first
        while True:
            out.put(make_strips(synthesiser, (making.seed, 1, chunk), making.chunk))
            chunk += 1
    except Exception as error:
        out.put(error)


def batches(chunks: list[Strips], size: int, rng: np.random.Generator, *, still: bool = False) -> Iterator[Batch]:
    """The strips of the chunks in batches of like width and mixed order, full ones as far as there are enough.

    Each strip is a little distorted, unless still.
    """
    places = [(chunk, row) for chunk in chunks for row in range(len(chunk.texts))]
    size = min(size, len(places))
    warps = np.zeros((len(places), 5)) if still else rng.uniform(-1.0, 1.0, (len(places), 5))
    wide = np.array([chunk.widths[row] for chunk, row in places]) * np.exp(0.16 * warps[:, 0])
    # Widths differ a little in a batch anyway, so that it is not always the same that meet.
    order = np.argsort(wide + rng.uniform(0.0, 12.0, len(wide)), kind="stable")
    groups = [order[at : at + size] for at in range(0, len(order) - size + 1, size)]
    for group in rng.permutation(len(groups)):
        rows = groups[group]
        columns = BUCKET * int(np.ceil(wide[rows].max() / BUCKET))
        yield _batch([places[row] for row in rows], warps[rows], wide[rows], columns, None if still else rng)


def _batch(
    places: list[tuple[Strips, int]],
    warps: npt.NDArray[np.float64],
    wide: npt.NDArray[np.float64],
    columns: int,
    rng: np.random.Generator | None,
) -> Batch:
    x = np.zeros((len(places), ROWS, columns, 1), np.uint8)
    labels = np.zeros((len(places), _LONGEST), np.int32)
    lengths = np.zeros(len(places), np.int32)
    for number, (chunk, row) in enumerate(places):
        image = chunk.images[row, :, : chunk.widths[row]]
        if rng is None:
            x[number, :, : image.shape[1], 0] = image
        else:
            x[number, :, :, 0] = distorted(image, warps[number], float(wide[number]), columns, rng)
        text = chunk.texts[row]
        lengths[number] = len(text)
        labels[number, : len(text)] = [int(c) for c in text]
    return Batch(x=x.astype(np.float32) / np.float32(255), labels=labels, lengths=lengths)


def distorted(
    image: Image, warp: npt.NDArray[np.float64], wide: float, columns: int, rng: np.random.Generator
) -> Image:
    """A strip (32, w) stretched to `wide` columns of `columns`, and a little in height, moved, leaned, re-inked."""
    across, down = wide / image.shape[1], float(np.exp(0.1 * warp[1]))
    lean = 0.12 * warp[2]
    matrix = np.array([[across, lean, 0.0], [0.0, down, 0.0]])
    middle = (ROWS - 1) / 2
    matrix[0, 2] = -lean * middle + min(columns - wide, 6.0) * (0.5 + 0.5 * warp[3])
    matrix[1, 2] = middle * (1.0 - down) + 1.6 * warp[4]
    chance, shift = rng.random(3), rng.random(4)
    if chance[0] < 0.35:  # a smooth wave along the strip
        x = np.arange(columns, dtype=np.float32)
        wave = np.sin(x * np.float32(2 * np.pi / (24 + 70 * shift[0])) + np.float32(6.3 * shift[1]))
        back = cv2.invertAffineTransform(matrix).astype(np.float32)
        y = np.arange(ROWS, dtype=np.float32)[:, None]
        map_x = back[0, 0] * x + back[0, 1] * y + back[0, 2] + np.float32(2.0 * shift[2]) * wave
        map_y = np.float32(1.3 * shift[3]) * wave + back[1, 1] * y + back[1, 2]
        strip = cv2.remap(image, map_x, map_y + np.zeros_like(map_x), cv2.INTER_LINEAR)
    else:
        strip = cv2.warpAffine(image, matrix, (columns, ROWS), flags=cv2.INTER_LINEAR)
    if chance[1] < 0.12:
        strip = cv2.dilate(strip, np.ones((2, 2), np.uint8))
    elif chance[1] < 0.2:
        strip = cv2.erode(strip, np.ones((2, 2), np.uint8))
    elif chance[1] < 0.3:
        strip = cv2.blur(strip, (3, 3))
    gain = 0.75 + 0.7 * chance[2]
    return np.asarray(cv2.convertScaleAbs(strip, alpha=gain), np.uint8)
