"""The newest frame of a live source: a thread fetches, whoever reads gets the latest and never waits for old ones."""

from __future__ import annotations

import logging
import time
from threading import Condition, Event, Thread

from edge.errors import SourceError
from edge.live.pulse import Beat, Pulse
from edge.live.vitals import Vitals
from edge.patience import Patience
from edge.sources.base import Source, opened
from edge.values import Frame

# Parts of the timeout. A run without a picture has said so within it, start of Python included; silence after frames
# is noticed within it, whatever the loop is doing.
_FIRST_FRAME = 0.8
_SILENT = 0.9
# Sources give up reading by themselves within the timeout; one that has not after twice that is held up in its driver.
_STUCK = 2.0
_MOST_THREADS = 3  # the one that fetches, and those that a driver does not let go
_SETTLED_S = 10.0  # frames for so long, and the next loss is a new one, retried at once
_JOIN_S = 1.0
PATIENCE = Patience(first_s=0.5, most_s=30.0)

_log = logging.getLogger(__name__)


class NewestFrame:
    """The latest frame of a live source, by a thread that opens the source again whenever it is lost.

    Lost is: it raises, ends, is silent, or its pictures are dead (edge.live.pulse) for timeout_s. Each loss and each
    return is one line on stderr. wait: a source that has never given a frame is tried for ever too; otherwise next()
    raises its SourceError. vitals: skipped counts frames that were made and never fetched, reconnects the returns,
    faults each fault by its kind; lost is True while there is no picture. A read that never returns is left to its
    thread and another thread opens the source; of such threads there are never more than two.
    """

    def __init__(
        self,
        source: Source,
        *,
        vitals: Vitals | None = None,
        wait: bool = False,
        timeout_s: float = 5.0,
        patience: Patience = PATIENCE,
    ) -> None:
        self._source = source
        self._vitals = vitals or Vitals()
        self._wait = wait
        self._timeout_s = timeout_s
        self._patience = patience
        self._tries = 0
        self._pulse = Pulse(sensor=source.sensor, timeout_s=timeout_s)
        self._broken = source.broken
        self._changed = Condition()
        self._frame: Frame | None = None
        self._failure: Exception | None = None
        self._given = False
        self._closed = Event()
        # Monotonic times: the first and last good frame since the source was opened; the thread's last sign of life,
        # None while it waits on purpose.
        self._began = self._since = self._last = time.monotonic()
        self._alive: float | None = self._began
        self._turn = 0  # whose thread may hand over frames; those of earlier turns end when their driver lets them go
        self._threads: list[Thread] = []
        with self._changed:
            self._start_thread()

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
        self._threads[-1].join(_JOIN_S)

    def _judge_silence(self) -> None:
        now = time.monotonic()
        if not self._given and not self._wait:
            if now - self._began > _FIRST_FRAME * self._timeout_s:
                raise SourceError(
                    f"camera {self._source.name}: no frame in {now - self._began:.0f} s; is another program using it, "
                    "or the server silent? --wait waits for it"
                )
            return
        if now - self._last > _SILENT * self._timeout_s:
            self._mark_lost("lost", f"camera {self._source.name}: no frame for {now - self._last:.0f} s")
        if self._alive is not None and now - self._alive > _STUCK * self._timeout_s:
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            if len(self._threads) < _MOST_THREADS:
                self._turn += 1
                self._start_thread()

    def _start_thread(self) -> None:
        self._alive = time.monotonic()
        # A daemon: a driver that never returns from a read must not keep the program from ending.
        name = f"frames of {self._source.name}"
        self._threads.append(Thread(target=self._fetch, args=(self._turn,), name=name, daemon=True))
        self._threads[-1].start()

    def _is_over(self, turn: int) -> bool:
        return self._closed.is_set() or turn != self._turn

    def _fetch(self, turn: int) -> None:
        try:
            while not self._is_over(turn):
                kind, reason = self._watch(turn)
                if kind and not self._pause(turn, kind, reason):
                    return
        except Exception as error:  # a bug: it belongs into the thread that reports
            self._fail(error)

    def _watch(self, turn: int) -> tuple[str, str]:
        """Open the source and take its frames until they are lost: what kind of fault, and the words for it."""
        try:
            with opened(self._source) as frames:
                self._pulse.reopened()
                for frame in frames:
                    lost = self._take(turn, frame)
                    if lost is not None:
                        return lost
            return "lost", f"camera {self._source.name}: it ended"
        except SourceError as error:
            return "lost", str(error)

    def _take(self, turn: int, frame: Frame) -> tuple[str, str] | None:
        """Hand the frame over if it is good; what is lost if the source is to be opened again, None to go on."""
        with self._changed:
            if self._is_over(turn):
                return "", ""
            now = self._alive = time.monotonic()
            beat = self._pulse.feel(frame.pixels, time.time() - frame.time, now)
            self._count(beat)
            if beat.good:
                self._hand_over(frame, now)
            if beat.text and not beat.reopen:
                _log.warning("camera %s: %s", self._source.name, beat.text)
            if not beat.reopen:
                return None
            # Black pictures are no loss, so there is nothing to say.
            return (beat.fault, f"camera {self._source.name}: {beat.text}") if beat.fault else ("", "")

    def _count(self, beat: Beat) -> None:
        if beat.fault:
            self._vitals.faults[beat.fault] += 1
        if self._source.broken > self._broken:
            self._vitals.faults["broken"] += self._source.broken - self._broken
            self._broken = self._source.broken

    def _hand_over(self, frame: Frame, now: float) -> None:
        if self._vitals.lost:
            _log.warning("camera %s: frames again after %.0f s", self._source.name, now - self._last)
            self._vitals.reconnects += self._given
            self._since = now
        self._vitals.lost = False
        self._given, self._last = True, now
        self._vitals.skipped += self._frame is not None
        self._frame = frame
        self._changed.notify_all()

    def _pause(self, turn: int, kind: str, reason: str) -> bool:
        """Wait before the source is opened again; False if it is not to be."""
        with self._changed:
            if self._is_over(turn):
                return False
            if not self._given and not self._wait:
                self._fail(SourceError(reason))
                return False
            if self._last - self._since > _SETTLED_S:
                self._tries = 0
            self._since = self._last
            self._mark_lost(kind, reason)
            self._alive = None
            self._tries += 1
            over = self._changed.wait_for(lambda: self._is_over(turn), self._patience.after(self._tries))
            self._alive = time.monotonic()
            return not over

    def _mark_lost(self, kind: str, reason: str) -> None:
        if not self._vitals.lost:
            self._vitals.lost = True
            self._vitals.faults[kind] += kind == "lost"  # the others are counted where they are felt
            _log.warning("%s; trying again until it comes back", reason)

    def _fail(self, failure: Exception) -> None:
        with self._changed:
            self._failure = failure
            self._changed.notify_all()
