"""A picture and a record of every event, in a folder that stays as small as asked, for looking back and for labelling.

The folder holds, for each event, files that begin with its id (ids, and so names, sort by time):

    ID.png          what the camera saw there: grey or BGR, the number's box with half its height around it
    ID-0.png ...    each digit as the network got it: 28×28 grey, ink white on black
    ID.json         the reading; written last, so the files it names are there

and the JSON is {"id", "run", "track", "event": "appeared" | "changed" | "gone", "frame", "time", "text", "status",
"confidence", "box", "model", "image": "ID.png", "crop": [left, top, right, bottom], "seen", "digits": [{"digit",
"confidence", "box", "alternatives", "image": "ID-0.png" or null}]}. Boxes are in pixels of the frame; `seen` is what
was read in this very frame, which may differ from the `text` that many frames agreed on. `image` is null where this
frame's pieces are not the text's digits one to one; of a `gone` number there are no digits: its place is empty.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from queue import Full, Queue
from threading import Thread
from typing import Any

import cv2
import numpy as np

from edge.imaging.tensors import fit_digit
from edge.live.loop import Step, cut_roi
from edge.live.shelf import Shelf
from edge.live.track import overlap
from edge.reading.evidence import Evidence, Trace
from edge.reading.reader import Reader
from edge.sinks.base import Event
from edge.sinks.lines import iso_time
from edge.sinks.pages import reading_json
from edge.values import Box, Image, Reading

KEEP = 500
KEEP_MB = 200
_WAITING = 8  # steps, with a frame each: a few MB each
_CLOSE_S = 1.5
_SAME_PLACE = 0.3  # of the union
_AROUND = 0.5  # of the number's height

_log = logging.getLogger(__name__)


class Snapshots:
    """A Watcher that stores each event's crop and reading; a thread of its own does the work.

    dropped counts events that came faster than they could be stored.
    """

    def __init__(self, shelf: Shelf, open_reader: Callable[[], Reader], roi: Box | None = None) -> None:
        self.dropped = 0
        self._shelf = shelf
        self._open_reader = open_reader
        self._reader: Reader | None = None
        self._roi = roi
        self._steps: Queue[Step | None] = Queue(_WAITING)
        self._thread = Thread(target=self._work, name="snapshots", daemon=True)
        self._thread.start()

    @classmethod
    def open(
        cls,
        folder: Path,
        keep: int = KEEP,
        keep_mb: float = KEEP_MB,
        *,
        open_reader: Callable[[], Reader] = Reader.open,
        roi: Box | None = None,
    ) -> Snapshots:
        """Store in folder the last `keep` events in at most keep_mb MB. Raises SinkError if there can be no folder.

        open_reader: the run's own way to read, for a reader of this thread's own that shows what the network saw; roi:
        the part of the picture that is read.
        """
        return cls(Shelf(folder, keep=keep, keep_bytes=round(keep_mb * (1 << 20))), open_reader, roi)

    @property
    def stored(self) -> int:
        """How many events have been stored."""
        return self._shelf.stored

    def forget_reader(self) -> None:
        """The run reads with other settings or models now: open_reader is asked again."""
        self._reader = None

    def see(self, step: Step) -> None:
        """Take one step; returns at once."""
        if not step.events:
            return
        try:
            self._steps.put_nowait(step)
        except Full:
            if not self.dropped:
                _log.warning("snapshots: events come faster than they can be stored; some are left out")
            self.dropped += len(step.events)

    def close(self) -> None:
        """Store what is waiting, for a moment at most, and end the thread; as often as wanted."""
        if self._thread.is_alive():
            try:
                self._steps.put(None, timeout=_CLOSE_S)
            except Full:
                return
            self._thread.join(_CLOSE_S)

    def _work(self) -> None:
        while (step := self._steps.get()) is not None:
            try:
                self._store(step)
            except Exception:  # snapshots are not worth a run
                _log.exception("snapshots: frame %d is left out", step.frame.index)

    def _store(self, step: Step) -> None:
        reader = self._reader = self._reader or self._open_reader()
        trace = Trace()
        part = cut_roi(step.frame.pixels, self._roi) if step.looked_at is None else step.looked_at
        readings = self._reader.read(part, trace)
        left, top = (0, 0) if self._roi is None else (self._roi.left, self._roi.top)
        for event in step.events:
            place = event.reading.box.moved(-left, -top)
            seen = max(readings, key=lambda reading: overlap(reading.box, place), default=None)
            if seen is not None and overlap(seen.box, place) < _SAME_PLACE:
                seen = None
            evidence = trace.of(seen) if seen is not None else None
            name = reader.classifier.manifest.name
            self._shelf.put(event.id, _files(event, step.frame.pixels, seen, evidence, name))


def _files(
    event: Event, pixels: Image, seen: Reading | None, evidence: Evidence | None, model: str
) -> dict[str, bytes]:
    """The files of one event by suffix."""
    reading, crop = event.reading, _around(event.reading.box, pixels)
    inks = [] if event.happening == "gone" or evidence is None else _inks(reading, evidence)
    files = {".png": _png(pixels[crop.top : crop.bottom, crop.left : crop.right])}
    known: dict[str, Any] = reading_json(reading)
    digits = [] if event.happening == "gone" else known["digits"]
    for at, digit in enumerate(digits):
        digit["image"] = None
        if at < len(inks):
            files[f"-{at}.png"] = _png(inks[at])
            digit["image"] = f"{event.id}-{at}.png"
    content = {
        "id": event.id,
        "run": event.id.rpartition("-")[0],
        "track": event.track,
        "event": event.happening,
        "frame": event.frame,
        "time": iso_time(event.time),
        **known,
        "model": model,
        "image": f"{event.id}.png",
        "crop": crop.as_list(),
        "seen": seen.text if seen is not None else "",
        "digits": digits,
    }
    files[".json"] = (json.dumps(content, indent=1) + "\n").encode()
    return files


def _inks(reading: Reading, evidence: Evidence) -> list[Image]:
    """A (28, 28) tensor for each digit of a reading; none where the frame's pieces are not its digits one to one."""
    count = len(reading.digits)
    if len(evidence.digits) == count:
        return [seen.tensor for seen in evidence.digits]
    strip = evidence.strip
    if strip is None or len(strip.spans) != count:
        return []
    cuts = [strip.tensor[:, int(first) : int(np.ceil(last))] for first, last in strip.spans]
    return [fit_digit(np.ascontiguousarray(cut)) for cut in cuts]


def _around(box: Box, pixels: Image) -> Box:
    """The box with some of what is around it, within the picture."""
    height, width = pixels.shape[:2]
    more = round(_AROUND * box.height)
    left, top = min(max(box.left - more, 0), width - 1), min(max(box.top - more, 0), height - 1)
    right, bottom = min(max(box.right + more, left + 1), width), min(max(box.bottom + more, top + 1), height)
    return Box(left=left, top=top, right=right, bottom=bottom)


def _png(picture: Image) -> bytes:
    good, content = cv2.imencode(".png", picture, (cv2.IMWRITE_PNG_COMPRESSION, 3))
    if not good:
        raise ValueError("OpenCV cannot encode this picture")
    return content.tobytes()
