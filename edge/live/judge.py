"""The demo's own truth against what was read: how many numbers were right, and a picture of it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from edge.errors import SinkError, UsageError
from edge.imaging.annotate import GREEN, ORANGE, RED, contact_sheet, draw_reading
from edge.live.loop import Step
from edge.live.score import score
from edge.live.steady import overlap
from edge.sinks.base import Event
from edge.sources.base import Source
from edge.sources.demo import DemoSource
from edge.sources.scripted import ScriptSource
from edge.sources.writing import WrittenNumber
from edge.values import Image, Reading

LEAST_SCENE_S = 1.0  # a scene cut off earlier by the end of the run says nothing
_SAME_PLACE = 0.3  # of the union of the written and the read box
_PICTURES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One scene at its end: each number with what was shown at its place, and what was shown elsewhere."""

    pairs: tuple[tuple[WrittenNumber, Reading | None], ...]
    strays: tuple[Reading, ...]

    @property
    def right(self) -> int:
        """Numbers whose text is shown at their place."""
        return sum(shown is not None and shown.text == number.text for number, shown in self.pairs)


def compare(numbers: tuple[WrittenNumber, ...], shown: tuple[Reading, ...]) -> Verdict:
    """Pair numbers with the readings at their place, best overlap first."""
    pairs = sorted(
        (
            (shared, n, r)
            for n, number in enumerate(numbers)
            for r, reading in enumerate(shown)
            if (shared := overlap(number.box, reading.box)) >= _SAME_PLACE
        ),
        reverse=True,
    )
    at: dict[int, int] = {}
    for _, n, r in pairs:
        if n not in at and r not in at.values():
            at[n] = r
    return Verdict(
        pairs=tuple((number, shown[at[n]] if n in at else None) for n, number in enumerate(numbers)),
        strays=tuple(reading for r, reading in enumerate(shown) if r not in at.values()),
    )


class Judge(Protocol):
    """A Watcher that knows what was to be read, and says at the end how much was."""

    def see(self, step: Step) -> None:
        """Take the next step of the run."""

    def close(self) -> None:
        """Give back what is held; as often as wanted."""

    def summary(self) -> tuple[str, str]:
        """The run's result in a line, and a line of what else there is to say."""

    def write_picture(self, path: Path) -> None:
        """Scenes of the run as one PNG. Raises SinkError if there is none or it cannot be written."""


def open_judge(source: Source, *, picture: bool = False) -> Judge:
    """The judge of a run of this source, which can draw a picture of it if asked for.

    Raises UsageError if nobody knows what the source shows, or there is no picture of it.
    """
    if isinstance(source, DemoSource):
        return DemoJudge(source)
    if isinstance(source, ScriptSource):
        if picture:
            raise UsageError(f"camera {source.name}: events make no picture; use demo without `events` for --picture")
        return EventJudge(source)
    raise UsageError(f"camera {source.name}: only the demo knows what is written; --check and --picture need it")


class EventJudge:
    """Judges a run of scripted scenes by its events."""

    def __init__(self, source: ScriptSource) -> None:
        self._source = source
        self._events: list[Event] = []
        self._frames = 0

    def see(self, step: Step) -> None:
        """Take the next step of the run."""
        self._events += step.events
        self._frames = step.frame.index + 1

    def close(self) -> None:
        """Nothing is held."""

    def summary(self) -> tuple[str, str]:
        """`N of M events right`, and the late, missed and false ones."""
        made = score(self._source, self._frames, self._events)
        return (
            f"{made.right} of {made.total} events right",
            f"the demo draws {self._source.ranges}; {made.late} more told late, {len(made.missed)} not; "
            f"{len(made.lies)} false events, {made.sure_lies} of them as sure",
        )

    def write_picture(self, path: Path) -> None:
        """Raises SinkError: what happens over time is no picture."""
        raise SinkError(f"{path}: events make no picture; use demo without `events`")


class DemoJudge:
    """Judges every scene of a demo run at its end.

    false counts events that showed as sure what was not written there, doubtful those that showed it for review.
    """

    def __init__(self, source: DemoSource) -> None:
        self.right = 0
        self.total = 0
        self.false = 0
        self.doubtful = 0
        self.ranges = str(source.ranges)
        self._source = source
        self._began = 0.0
        self._last: Step | None = None
        self._pictures: deque[Image] = deque(maxlen=_PICTURES)

    def see(self, step: Step) -> None:
        """Take the next step of the run."""
        number = self._source.scene_number(step.frame.index)
        if self._last is None:
            self._began = step.frame.time
        elif self._source.scene_number(self._last.frame.index) != number:
            self._close_scene(self._last)
            self._began = step.frame.time
        written = self._source.scene(number).numbers
        for event in step.events:
            if event.happening != "gone" and not compare(written, (event.reading,)).right:
                sure = event.reading.status == "read"
                self.false += sure
                self.doubtful += not sure
        self._last = step

    def finish(self) -> None:
        """Judge the scene that the run's end cut off, if it was seen long enough."""
        if self._last is not None and self._last.frame.time - self._began >= LEAST_SCENE_S:
            self._close_scene(self._last)
        self._last = None

    def close(self) -> None:
        """Nothing is held."""

    def summary(self) -> tuple[str, str]:
        """`N of M numbers right`, the scene that the run's end cut off included; and what else was shown."""
        self.finish()
        return (
            f"{self.right} of {self.total} numbers right",
            f"the demo draws {self.ranges}; {self.false} false readings shown, {self.doubtful} more for review",
        )

    def write_picture(self, path: Path) -> None:
        """The last scenes at their ends as one PNG; whole or not at all. Raises SinkError if it cannot be written."""
        if not self._pictures:
            raise SinkError(f"{path}: no scene was seen to its end, so there is no picture; let the demo run longer")
        good, content = cv2.imencode(".png", contact_sheet(list(self._pictures)))
        part = path.with_name(path.name + ".part")
        try:
            if not good:
                raise OSError("OpenCV cannot encode it")
            part.write_bytes(content.tobytes())
            part.replace(path)
        except OSError as error:
            raise SinkError(f"{path}: {error.strerror or error}; give a path that can be written") from error

    def _close_scene(self, step: Step) -> None:
        scene = self._source.scene(self._source.scene_number(step.frame.index))
        verdict = compare(scene.numbers, step.shown)
        self.right += verdict.right
        self.total += len(verdict.pairs)
        self._pictures.append(draw_verdict(step, verdict))


def draw_verdict(step: Step, verdict: Verdict) -> Image:
    """The frame with what was shown: green where right, red with the truth where wrong, orange what is not sure."""
    picture = step.frame.pixels.copy()
    shown = [reading for _, reading in verdict.pairs if reading is not None] + list(verdict.strays)
    for reading in step.readings:
        if reading.status == "review" and all(overlap(reading.box, other.box) < _SAME_PLACE for other in shown):
            draw_reading(picture, reading, ORANGE)
    for number, known in verdict.pairs:
        if known is None:
            outline = np.round(np.array(number.quad) * 16).astype(np.int32)
            cv2.polylines(picture, [outline], True, RED, 2, cv2.LINE_AA, 4)
        elif known.text == number.text:
            draw_reading(picture, known, GREEN)
        else:
            draw_reading(picture, known, RED, f"is {number.text}")
    for reading in verdict.strays:
        draw_reading(picture, reading, RED, "is nothing")
    return picture
