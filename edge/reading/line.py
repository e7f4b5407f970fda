"""One line of writing to the numbers on it, or to one number, read whole by the strip network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from edge.imaging.ink import to_grey
from edge.imaging.strips import StripInk, StripTensor, strip_ink, strip_of_ink, strip_tensor
from edge.inference.ctc import Frames, runs_of
from edge.inference.strip import LABELS, StripReader, TextPrediction
from edge.reading.evidence import Evidence, SeenStrip, Trace
from edge.values import Box, Digit, Image, Reading, Status

# Width and height of the views of a strip, beside those the network was trained on. People write wider than the
# synthetic hands: cheques are read best a tenth narrower, and synthetic numbers hardly worse.
VIEWS = ((0.9, 0.96), (0.8, 0.9), (1.0, 1.06), (0.92, 1.06), (0.84, 0.84))
MOST_VIEWS = len(VIEWS)
# A text so much more probable than the next one, in nats, needs no second look.
SURE_AT_A_GLANCE = 4.5
# Numbers stand at least a digit's height apart: 23 rows, in columns of the first view.
_GAP = 23 * VIEWS[0][0]
# Ink between digits that divides them: letters and signs are as high as this; dashes as wide, and in the middle rows.
_LETTER_ROWS = 11
_DASH_COLUMNS = 8
_DASH_ROWS = (10, 22)
# Ink from this on, of 255, is a stroke and not its pale edge.
_STROKE = 96
# The pale edge of a stroke is so many columns wide.
_SOFT = 2
# Frames are counted down: 3.999999 is frame 4.
_ROUNDING = 1e-6
# No digit reaches further than this from its middle, in columns.
_REACH = 16
# A picture with fewer pixels across or down shows no digit's form.
_LEAST_PX = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NumberOnLine:
    """One number on a line: what is read, its box and its Digits, left to right, in pixels of the image given.

    edges are the columns (left, right), half-open, of the tensor that each digit takes.
    """

    prediction: TextPrediction
    box: Box
    digits: tuple[Digit, ...]
    edges: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadLine:
    """A line as it was read: the first view's tensor, its frames, and the numbers on it from left to right."""

    tensor: StripTensor
    frames: Frames
    numbers: tuple[NumberOnLine, ...]


def read_line(ink: Image, reader: StripReader, *, views: int = MOST_VIEWS) -> tuple[NumberOnLine, ...]:
    """The numbers on one level line, from soft ink (h, w) uint8 that holds nothing but it, left to right.

    A gap of a digit's height, a letter or an operator divides; points and commas do not. views as in read_strip. Raises
    ShapeError.
    """
    return read_strip(strip_of_ink(ink), reader, views=views, divide=True).numbers


def read_strip(
    strip: StripInk, reader: StripReader, *, views: int = MOST_VIEWS, divide: bool, before: ReadLine | None = None
) -> ReadLine:
    """A line's StripInk read: its numbers, or, where it is not to be divided, all of it as one number, if any digit.

    A number that is not sure at a glance is looked at in so many views, 1 to 5; each takes a tenth of the first one's
    time. before: the same strip as it was read in fewer views, so that its first one is not looked at again.
    """
    first = _view(strip, 0) if before is None else before.tensor
    seen = [_View(tensor=first, frames=reader.frames(first.values) if before is None else before.frames)]
    columns = first.values.shape[1]
    middles = [seen[0].pitch * (run.start + run.end) / 2 for run in runs_of(seen[0].frames)]
    numbers = []
    for span in _parts(first.values, middles) if divide and middles else [(0, columns)]:
        found = reader.predict(_over(seen[:1], span))
        if found.text and views > 1 and found.margin < SURE_AT_A_GLANCE:
            for place in range(len(seen), views):
                tensor = _view(strip, place)
                seen.append(_View(tensor=tensor, frames=reader.frames(tensor.values)))
            found = reader.predict(_over(seen, span))
        if found.digits:
            numbers.append(_number(seen[0], span, found))
    return ReadLine(tensor=first, frames=seen[0].frames, numbers=tuple(numbers))


def _view(strip: StripInk, place: int) -> StripTensor:
    """The strip in the width and height of that place among VIEWS."""
    width, height = VIEWS[place]
    return strip_tensor(strip, width=width, height=height)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _View:
    """A strip in one width and height, and its frames."""

    tensor: StripTensor
    frames: Frames

    @property
    def pitch(self) -> float:
        """Columns a frame."""
        return int(self.tensor.values.shape[1]) / len(self.frames)


def _over(seen: Sequence[_View], span: tuple[int, int]) -> list[Frames]:
    """Each view's frames that stand over the columns span of the first view."""
    if span == (0, seen[0].tensor.values.shape[1]):
        return [view.frames for view in seen]
    return [_cut(view, seen[0].tensor, span) for view in seen]


def _number(first: _View, span: tuple[int, int], found: TextPrediction) -> NumberOnLine:
    """The number read in the columns span of the first view."""
    start, tensor = int(span[0] / first.pitch + _ROUNDING), first.tensor
    edges = _edges(tensor.values, [first.pitch * (start + (d.start + d.end) / 2) for d in found.digits])
    digits = tuple(
        Digit(digit=d.digit, confidence=d.confidence, box=tensor.box(*edge), alternatives=d.alternatives)
        for d, edge in zip(found.digits, edges, strict=True)
    )
    return NumberOnLine(prediction=found, box=Box.around([digit.box for digit in digits]), digits=digits, edges=edges)


def _cut(view: _View, first: StripTensor, span: tuple[int, int]) -> Frames:
    """The frames of a view of the strip that stand over the first view's columns span."""
    to_view = cv2.invertAffineTransform(view.tensor.to_image) @ np.vstack((first.to_image, (0.0, 0.0, 1.0)))
    start, end = (int((to_view[0, 0] * x + to_view[0, 2]) / view.pitch + _ROUNDING) for x in span)
    start = min(max(0, start), len(view.frames) - 1)
    return view.frames[start : max(start + 1, end)]


def _parts(values: Image, middles: Sequence[float]) -> list[tuple[int, int]]:
    """The columns of each number in a (32, W, 1) strip whose digits have their middles there, at least one."""
    labels, stats = _components(values)
    owners = [_owner(labels, stats, middle) for middle in middles]
    bounds = [0]
    for (left, right), (owner, after) in zip(pairwise(middles), pairwise(owners), strict=True):
        if owner and owner == after:
            continue
        end = stats[owner, cv2.CC_STAT_LEFT] + stats[owner, cv2.CC_STAT_WIDTH] if owner else left
        start = stats[after, cv2.CC_STAT_LEFT] if after else right
        if start - end >= _GAP or _is_divided(stats, owners, end, start):
            bounds.append(int((max(end, left) + min(start, right)) / 2))
    bounds.append(values.shape[1])
    return list(pairwise(bounds))


def _components(values: Image) -> tuple[np.ndarray, np.ndarray]:
    """Labels (32, W) and statistics, a row a label, of the strokes in a (32, W, 1) strip."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((values[:, :, 0] > _STROKE).view(np.uint8), connectivity=8)
    return labels, stats


def _owner(labels: np.ndarray, stats: np.ndarray, middle: float) -> int:
    """The label of the highest component near the column of a digit's middle, 0 for none."""
    place = int(middle)
    near = set(labels[:, max(0, place - 2) : place + 3].ravel().tolist()) - {0}
    return max(sorted(near), key=lambda label: int(stats[label, cv2.CC_STAT_HEIGHT]), default=0)


def _is_divided(stats: np.ndarray, owners: Sequence[int], left: float, right: float) -> bool:
    """True if a letter, a dash or a sign stands with its middle between the columns left and right."""
    x, y, wide, high = stats[1:, :4].T
    middle = x + wide / 2
    between = (middle > left) & (middle < right)
    between[[owner - 1 for owner in owners if owner]] = False
    dash = (wide >= _DASH_COLUMNS) & (wide > 1.5 * high) & (y >= _DASH_ROWS[0]) & (y + high <= _DASH_ROWS[1])
    return bool((between & ((high >= _LETTER_ROWS) | dash)).any())


def _edges(values: Image, middles: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """The columns (left, right) of each digit: up to the least ink between it and its neighbour, and never far off.

    A point or a dash beside the digit's ink, and not above or below it, is outside.
    """
    profile = values[:, :, 0].sum(axis=0, dtype=np.int64)
    cuts = []
    for left, right in pairwise(middles):
        low, high = int(left), max(int(left) + 1, int(np.ceil(right)))
        least = np.flatnonzero(profile[low:high] == profile[low:high].min())
        cuts.append(low + float(least.mean()) + 0.5)
    bounds = [0.0, *cuts, float(values.shape[1])]
    labels, stats = _components(values)
    return tuple(
        _tightened(
            (max(bounds[i], middle - _REACH), min(bounds[i + 1], middle + _REACH)),
            _owner(labels, stats, middle),
            stats,
        )
        for i, middle in enumerate(middles)
    )


def _tightened(edges: tuple[float, float], owner: int, stats: np.ndarray) -> tuple[float, float]:
    """The columns of a digit without those beyond its own component and what stands above or below that."""
    if not owner:
        return edges
    starts = stats[:, cv2.CC_STAT_LEFT]
    ends = starts + stats[:, cv2.CC_STAT_WIDTH]
    own = (starts < ends[owner]) & (ends > starts[owner])
    own[0] = False  # the paper
    left, right = max(edges[0], float(starts[own].min()) - _SOFT), min(edges[1], float(ends[own].max()) + _SOFT)
    return (left, right) if left < right else edges


def read_number(pixels: Image, strips: StripReader, threshold: float, trace: Trace | None = None) -> Reading:
    """The one Reading of an image (H, W) or (H, W, 3) that holds one handwritten number. Raises ShapeError."""
    height, width = pixels.shape[:2]
    whole = Box(left=0, top=0, right=width, bottom=height)
    grey = to_grey(pixels)
    strip = strip_ink(grey)
    if strip.empty:
        # That nothing is written there is as sure as the extraction.
        return Reading(text="", confidence=1.0, status="empty", box=whole)
    line = read_strip(strip, strips, divide=False)
    if line.numbers:
        (number,) = line.numbers
        found = number.prediction
        sure = found.confidence >= threshold and min(height, width) >= _LEAST_PX
        status: Status = "read" if sure else "review"
        reading = Reading(
            text=found.text, confidence=found.confidence, status=status, box=number.box, digits=number.digits
        )
    else:
        # There is ink, and it is no digit.
        reading = Reading(text="", confidence=0.0, status="review", box=whole)
    if trace is not None:
        trace.add(Evidence(reading=reading, ink=strip.ink, strip=seen_strip(line)))
    return reading


def seen_strip(line: ReadLine) -> SeenStrip:
    """What the network got and said, for people to see."""
    spans = [(float(left), float(right)) for number in line.numbers for left, right in number.edges]
    return SeenStrip(
        tensor=line.tensor.values[:, :, 0], labels=LABELS, shares=line.frames.astype(np.float32), spans=tuple(spans)
    )
