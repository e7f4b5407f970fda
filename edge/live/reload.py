"""Settings read again while a run goes: what reads is exchanged between two frames, and none is lost."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

from edge.errors import EdgeError
from edge.inference.drift import Drift
from edge.inference.runtime import busy_s
from edge.live.vitals import Vitals
from edge.reading.reader import Reader
from edge.settings.values import ReadingSettings, RunSettings
from edge.settings.write import changes
from edge.values import Image, Reading

# What reload() puts in force; all else is told to need a start.
_IN_FORCE = {"reading.mode", "reading.model", "reading.strip_model", "reading.threshold"}

_JOIN_S = 0.2

_log = logging.getLogger(__name__)


def open_reader(settings: ReadingSettings) -> Reader:
    """The reader of these settings. Raises ModelError, UsageError."""
    return Reader.open(
        mode=settings.mode,
        model=settings.model,
        strip_model=settings.strip_model,
        threshold=settings.threshold,
    )


class CurrentReader:
    """Reads with the reader of some settings; others may take their place at any time, between two frames.

    vitals are told what the models took. on_change holds what is to be called when the settings have changed.
    """

    def __init__(self, settings: ReadingSettings, vitals: Vitals) -> None:
        """Raises ModelError, UsageError."""
        self.on_change: list[Callable[[], None]] = []
        self._settings = settings
        self._reader = open_reader(settings)
        self._vitals = vitals
        self._watch_drift()

    def change(self, settings: ReadingSettings) -> Reader:
        """Read with these settings, and the models that they mean now; the new reader. Raises as __init__ does."""
        reader = open_reader(settings)
        _ = reader.threshold  # opens what it needs for it, or fails here
        self._settings, self._reader = settings, reader
        self._watch_drift()
        for call in self.on_change:
            call()
        return reader

    def _watch_drift(self) -> None:
        """Have the vitals count for the model that reads; what they counted stays while it is the same."""
        reader, drift = self._reader, self._vitals.drift
        manifest = (reader.open_strips() if reader.mode == "number" else reader.classifier).manifest
        alone = reader.mode != "page"
        if drift is None or (drift.sha256, drift.alone) != (manifest.sha256, alone):
            self._vitals.drift = Drift.of(manifest, alone=alone)

    def another(self) -> Reader:
        """A reader of its own for another thread, like the one in use. Raises ModelError."""
        return open_reader(self._settings)

    def read(self, pixels: Image) -> tuple[Reading, ...]:
        """Readings of pixels (H, W) grey or (H, W, 3) BGR uint8. Raises ShapeError."""
        before = busy_s()
        readings = self._reader.read(pixels)
        self._vitals.inference_us = 1e6 * (busy_s() - before)
        return readings


class Reloader:
    """Reads the settings again for each hangup, in a thread of its own: opening a model takes longer than a frame.

    Settings that cannot be used are told of, and the old ones stay; so do those that only a start can change.
    """

    def __init__(
        self,
        hangups: SimpleQueue[bool | None],
        settings: RunSettings,
        reread: Callable[[], RunSettings],
        current: CurrentReader,
    ) -> None:
        self._hangups = hangups
        self._settings = settings
        self._reread = reread
        self._current = current
        self._thread = threading.Thread(target=self._serve, name="settings read again", daemon=True)
        self._thread.start()

    def reload(self) -> None:
        """Read the settings again and put in force what can be."""
        try:
            settings = self._reread()
            reader = self._current.change(settings.reading)
        except EdgeError as error:
            _log.error("settings are not read again, the old ones stay: %s", error)
            return
        later = [name for name in changes(self._settings, settings) if name not in _IN_FORCE]
        _log.warning("settings read again: model %s, threshold %.3g", reader.classifier.manifest.name, reader.threshold)
        if later:
            _log.warning("%s: changed, and in force from the next start on", ", ".join(later))

    def close(self) -> None:
        """End the thread, which is left to the end of the program if it opens a model just now; as often as wanted."""
        self._hangups.put(None)
        self._thread.join(_JOIN_S)

    def _serve(self) -> None:
        while self._hangups.get() is not None:
            try:
                self.reload()
            except Exception as error:  # a bug; the run is worth more than the new settings
                _log.error("settings are not read again, the old ones stay: %s", error, exc_info=error)
