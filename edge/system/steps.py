"""Where the time of reading a frame goes: the steps of reading, watched while it reads as it always does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from edge.reading import looks, page
from edge.reading.reader import Reader
from edge.values import Image

# Step -> where reading looks up the functions that make it. A name that is gone is an AttributeError, and a test's.
_FUNCTIONS: dict[str, tuple[tuple[Any, str], ...]] = {
    "grey": ((page, "to_grey"),),
    "ink": ((page, "lift_page"),),
    "lines": ((page, "find_candidates"), (page, "find_lines"), (page, "level_strip")),
    "numbers": ((page, "find_written"),),
    "tensors": ((looks, "digit_tensors"),),
}
INFERENCE, REST = "inference", "rest"
NAMES = (*_FUNCTIONS, INFERENCE, REST)


class StepClock:
    """Seconds by step; a step inside another counts for itself alone."""

    def __init__(self) -> None:
        self.spent_s = dict.fromkeys(NAMES, 0.0)
        self._inside = [REST]
        self._since = time.perf_counter()

    def _turn(self) -> None:
        now = time.perf_counter()
        self.spent_s[self._inside[-1]] += now - self._since
        self._since = now

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """The time until the with-block ends belongs to the step name."""
        self._turn()
        self._inside.append(name)
        try:
            yield
        finally:
            self._turn()
            self._inside.pop()

    def watched(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its time counted as the step name."""

        def call(*arguments: Any, **named: Any) -> Any:
            with self.step(name):
                return function(*arguments, **named)

        return call


def time_steps(reader: Reader, pixels: Image) -> dict[str, float]:
    """Seconds by step, those of NAMES, of one reader.read of pixels (H, W) or (H, W, 3); `rest` is what is in none.

    The reading functions are replaced by watched ones for the while, so this is not for a program with other threads.
    """
    places = [(owner, name, step) for step, functions in _FUNCTIONS.items() for owner, name in functions]
    originals = [(owner, name, getattr(owner, name)) for owner, name, _ in places]
    clock = StepClock()
    predict = reader.classifier.predict
    try:
        for (owner, name, step), (_, _, function) in zip(places, originals, strict=True):
            setattr(owner, name, clock.watched(step, function))
        setattr(reader.classifier, "predict", clock.watched(INFERENCE, predict))  # noqa: B010  (mypy knows it as a method)
        with clock.step(REST):
            reader.read(pixels)
    finally:
        for owner, name, function in originals:
            setattr(owner, name, function)
        del reader.classifier.__dict__["predict"]
    return clock.spent_s
