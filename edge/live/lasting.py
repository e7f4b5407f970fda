"""How the model of a run does: counted as numbers appear, and left in a small file that `edge doctor` reads."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import asdict
from pathlib import Path

from edge.errors import EdgeError
from edge.inference.drift import Drift
from edge.live.loop import Step
from edge.live.vitals import Vitals
from edge.sinks.base import Event
from edge.sinks.lasting import FILE, LastingFigures
from edge.sinks.state import state_folder
from edge.sinks.whole import write_whole

# A card is written to seldom, and a crash loses little.
_EVERY_S = 600.0

_log = logging.getLogger(__name__)


def count_use(drift: Drift, event: Event) -> None:
    """Count the digits of a number that appeared, or the number where the model reads whole ones.

    Only what appears is counted: a sheet that lies there all day would be counted with every frame. It is as sure as
    the frames together made it, surer than a single look, which what is expected is of: drift shows late, not early.
    """
    if event.happening != "appeared":
        return
    reading = event.reading
    if not reading.text and not drift.alone:
        return
    if drift.whole or not reading.digits:
        drift.add(reading.confidence, none=not reading.text)
        return
    for digit in reading.digits:
        drift.add(digit.confidence)


class LeaveFigures:
    """A watcher that counts what the model in use says, and leaves the figures now and then and at the end."""

    def __init__(self, vitals: Vitals, folder: Path | None = None) -> None:
        """Raises UsageError if there is no state folder."""
        self._vitals = vitals
        self._file = (folder or state_folder()) / FILE
        self._next = time.monotonic() + _EVERY_S
        self._told = False

    def see(self, step: Step) -> None:
        """See Watcher."""
        drift = self._vitals.drift
        if drift is not None:
            for event in step.events:
                count_use(drift, event)
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _EVERY_S
            self._write()

    def close(self) -> None:
        """See Watcher."""
        self._write()

    def _write(self) -> None:
        drift = self._vitals.drift
        figures = drift.figures() if drift else None
        if drift is None or figures is None or not figures.n:
            return
        lasting = LastingFigures(
            model=drift.model,
            time=time.time(),
            n=figures.n,
            all=str(figures),
            left=str(figures) if figures.left else "",
        )
        if lasting.left and not self._told:
            _log.warning("model %s: %s; docs/learn.md says what to do", lasting.model, lasting.left)
        self._told = bool(lasting.left)
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._file, (json.dumps(asdict(lasting)) + "\n").encode())
        except (OSError, EdgeError) as error:
            _log.info("how the model does is not kept: %s", error)
