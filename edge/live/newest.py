"""The newest frame of a live source: a thread fetches, whoever reads gets the latest and never waits for old ones."""

from __future__ import annotations

import logging
import time
from threading import Condition, Event, Thread

from edge.errors import SourceError
from edge.sources.base import Source
from edge.values import Frame

FIRST_FRAME_S = 4.0  # a run without a picture has said so within 5 s, start of Python included
SILENT_S = 5.0  # a source that gave frames and is silent for so long counts as lost
RETRY_S = 1.0
_JOIN_S = 1.0

_log = logging.getLogger(__name__)


class NewestFrame:
    """The latest frame of a live source, by a thread that opens the source again whenever it is lost.

    skipped counts frames that were made and never fetched. wait: a source that has never given a frame is tried for
    ever too; otherwise next() raises its SourceError.
    """

    def __init__(self, source: Source, *, wait: bool = False, first_frame_s: float = FIRST_FRAME_S) -> None:
        self.skipped = 0
        self._source = source
        self._wait = wait
        self._first_frame_s = first_frame_s
        self._changed = Condition()
        self._frame: Frame | None = None
        self._failure: Exception | None = None
        self._given = False
        self._lost = False
        self._closed = Event()
        self._began = self._last = time.monotonic()
        # A daemon: a driver that never returns from a read must not keep the program from ending.
        self._thread = Thread(target=self._fetch, name=f"frames of {source.name}", daemon=True)
        self._thread.start()

    def next(self, timeout_s: float) -> Frame | None:
        """The newest frame not yet given, waiting at most timeout_s for one; None if none came.

        Raises SourceError if the source has never given a frame, and fails or is silent for too long.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._frame is not None or self._failure is not None, timeout_s)
            if self._failure is not None:
                raise self._failure
            frame, self._frame = self._frame, None
            if frame is None:
                self._judge_silence()
            return frame

    def close(self) -> None:
        """Close the source and wait a moment for the thread; as often as wanted."""
        with self._changed:
            self._closed.set()
            self._changed.notify_all()
        self._source.close()
        self._thread.join(_JOIN_S)

    def _judge_silence(self) -> None:
        now = time.monotonic()
        if self._given:
            if now - self._last > SILENT_S:
                self._mark_lost(f"camera {self._source.name}: no frame for {SILENT_S:.0f} s")
        elif not self._wait and now - self._began > self._first_frame_s:
            raise SourceError(
                f"camera {self._source.name}: no frame in {self._first_frame_s:.0f} s; is another program using it, or "
                "the server silent? --wait waits for it"
            )

    def _fetch(self) -> None:
        while not self._closed.is_set():
            try:
                for frame in self._source:
                    self._take(frame)
                    if self._closed.is_set():
                        return
                reason = f"camera {self._source.name}: it ended"
            except SourceError as error:
                reason = str(error)
            except Exception as error:  # a bug: it belongs into the thread that reports
                self._fail(error)
                return
            with self._changed:
                if self._closed.is_set():
                    return
                if not self._given and not self._wait:
                    self._fail(SourceError(reason))
                    return
                self._mark_lost(reason)
                self._changed.wait_for(self._closed.is_set, RETRY_S)

    def _take(self, frame: Frame) -> None:
        with self._changed:
            now = time.monotonic()
            if self._lost:
                _log.warning("camera %s: frames again after %.0f s", self._source.name, now - self._last)
            self._given, self._lost, self._last = True, False, now
            self.skipped += self._frame is not None
            self._frame = frame
            self._changed.notify_all()

    def _mark_lost(self, reason: str) -> None:
        if not self._lost:
            self._lost = True
            _log.warning("%s; trying again until it comes back", reason)

    def _fail(self, failure: Exception) -> None:
        with self._changed:
            self._failure = failure
            self._changed.notify_all()
