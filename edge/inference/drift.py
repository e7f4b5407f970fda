"""Whether a model still meets what it was made for: its confidence in use, against what its manifest expects.

Nobody corrects a camera's readings, so errors are not seen; but who writes otherwise, or a lens that lost its focus,
shows as confidence that sinks and ink that is taken for nothing.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.inference.interval import wilson, wilson_of_blocks
from edge.inference.manifest import Expected, Manifest

# The latest of so many are looked at, and with fewer than the least nothing is said.
WINDOW, LEAST = 1000, 200
# Intervals of 4 standard errors: the figures are looked at again and again for months, and one look in 30,000 may be
# out by chance; 95 % intervals would be out every day. Of a mean of 16 blocks that is Student's t with 15 degrees.
Z, T_15 = 4.0, 5.48
BLOCKS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One running figure: what it is, its value, its interval, what is expected, and whether it has left that."""

    what: str
    value: float
    low: float
    high: float
    expected: float
    left: bool

    def __str__(self) -> str:
        span = f"{self.value:.1%} ({self.low:.1%} to {self.high:.1%})"
        return f"{self.what} {span}, expected {self.expected:.1%}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of the latest n digits (numbers, for a strip model): confidence, unsure, none; none of them for n = 0."""

    n: int
    all: tuple[Figure, ...] = ()

    @property
    def left(self) -> tuple[Figure, ...]:
        """The figures that are surely worse than expected; never one of fewer than LEAST digits."""
        return tuple(figure for figure in self.all if figure.left)

    def __str__(self) -> str:
        """For people, one line."""
        return f"of the latest {self.n}: " + "; ".join(map(str, self.left or self.all))


class Drift:
    """The latest digits that a model read, and what was expected of it; any thread may add and ask.

    model: its name. whole: it reads whole numbers, which count as one. alone: what it is given is a digit or number and
    nothing else, so that taking it for none is worth counting; on a desk or a page there is much that is none.
    """

    def __init__(self, manifest: Manifest, expected: Expected, *, alone: bool = True) -> None:
        """Of the manifest, the model's own threshold is used, whatever the user's is: expected was counted with it."""
        self.model = manifest.name
        self.whole = manifest.task == "strip"
        self.alone = alone
        self.sha256 = manifest.sha256
        self.expected = expected
        self._threshold = manifest.threshold
        self._latest: deque[tuple[float, bool]] = deque(maxlen=WINDOW)
        self._lock = threading.Lock()

    @classmethod
    def of(cls, manifest: Manifest, *, alone: bool = True) -> Drift | None:
        """Nothing counted yet; None for a manifest that does not say what to expect."""
        return None if manifest.expected is None else cls(manifest, manifest.expected, alone=alone)

    def add(self, confidence: float, *, none: bool = False) -> None:
        """One more digit was read with that confidence, or its ink taken for no digit."""
        with self._lock:
            self._latest.append((confidence, none))

    def figures(self) -> Figures:
        """How it is now."""
        with self._lock:
            latest = tuple(self._latest)
        if not latest:
            return Figures(n=0)
        confidences = [confidence for confidence, _ in latest]
        refused = [none for _, none in latest]
        unsure = [none or confidence < self._threshold for confidence, none in latest]
        return Figures(
            n=len(latest),
            all=(
                _mean("mean confidence", confidences, self.expected),
                _share("not sure", unsure, self.expected.unsure, self.expected.n),
                _share("no digit", refused, self.expected.none, self.expected.n),
            ),
        )


def _mean(what: str, values: Sequence[float], expected: Expected) -> Figure:
    """A mean with its interval by blocks of neighbours, which are alike: by a writer, from one sheet."""
    value = float(np.mean(values))
    low, high = 0.0, 1.0
    if len(values) >= 2 * BLOCKS:
        means = [float(block.mean()) for block in np.array_split(np.asarray(values), BLOCKS)]
        half = T_15 * float(np.std(means, ddof=1)) / math.sqrt(BLOCKS)
        low, high = max(0.0, value - half), min(1.0, value + half)
    left = len(values) >= LEAST and high < expected.confidence
    return Figure(what=what, value=value, low=low, high=high, expected=expected.confidence, left=left)


def _share(what: str, hits: Sequence[bool], expected: float, n: int) -> Figure:
    """A share with its interval by blocks; left if all of it lies above that of what is expected, counted on n."""
    low, high = wilson_of_blocks(hits, BLOCKS, z=Z)
    most = wilson(round(expected * n), n)[1]
    left = len(hits) >= LEAST and low > most
    return Figure(what=what, value=sum(hits) / len(hits), low=low, high=high, expected=expected, left=left)
