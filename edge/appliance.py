"""The camera runtime put together from its settings: source, reader, sinks and whoever looks on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial

from edge.closing import Closing
from edge.errors import UsageError
from edge.live.deliver import close_together, deliver
from edge.live.lasting import LeaveFigures
from edge.live.loop import Limits, Watcher, follow
from edge.live.memory import GiveBack
from edge.live.reload import CurrentReader, Reloader
from edge.live.stop import RunSignals
from edge.live.vitals import Vitals
from edge.settings.values import RunSettings
from edge.sinks.base import CLOSE_S, QueueingSink, Sink
from edge.sinks.console import ConsoleSink
from edge.sinks.open import open_mqtt, open_sink
from edge.sources.base import Source
from edge.sources.open import open_source
from edge.system.notify import Watchdog

_SPARE_S = 0.1  # for a sink that uses its time up

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Appliance(Closing):
    """Everything of one run, opened; watchers may be added before it runs."""

    settings: RunSettings
    source: Source
    reader: CurrentReader
    sinks: list[Sink]
    watchers: list[Watcher]
    vitals: Vitals

    @classmethod
    def open(cls, settings: RunSettings) -> Appliance:
        """Open source, models, sinks and what looks on; what was opened is closed again if one of them cannot be.

        Raises UsageError for settings that cannot be, SourceError, ModelError, SinkError.
        """
        if settings.source is None:
            raise UsageError("camera: none is named; give --camera SPEC, or `source` in [camera] of the settings")
        with ExitStack() as held:
            source = held.enter_context(open_source(settings.source, settings.camera))
            vitals = Vitals()
            reader = CurrentReader(settings.reading, vitals)
            opened = cls(settings=settings, source=source, reader=reader, sinks=[], watchers=[], vitals=vitals)
            held.callback(opened.close)
            opened._open_sinks()
            opened._open_watchers()
            held.pop_all()
        return opened

    def run(self, signals: RunSignals, reread: Callable[[], RunSettings]) -> None:
        """Read, deliver and show until the source ends, a limit is reached or a signal says so.

        reread gives the settings anew for each SIGHUP. Raises SourceError, SinkError, UsageError as follow() and
        deliver() do.
        """
        limits = self.settings.limits
        steps = follow(
            self.source,
            self.reader,
            self.vitals,
            limits=Limits(frames=limits.frames, seconds=limits.seconds, roi=self.settings.reading.roi),
            wait=self.settings.wait,
            timeout_s=self.settings.camera.timeout_s,
            stopped=signals.stopped,
        )
        reloader = Reloader(signals.hangups, self.settings, reread, self.reader)
        # A sink that raises leaves the generator in the midst of a step, and the camera is to be given back now.
        with closing(reloader), closing(steps):
            for _ in deliver(steps, self.sinks, self.watchers):
                pass

    def close(self, within_s: float = CLOSE_S) -> None:
        """Deliver what can be within so many seconds and close everything; as often as wanted. Raises SinkError."""
        sinks = [(getattr(sink, "name", "stdout"), partial(sink.close, within_s)) for sink in self.sinks]
        watchers = [(type(watcher).__name__, watcher.close) for watcher in self.watchers]
        camera = (f"camera {self.source.name}", self.source.close)
        close_together([*sinks, *watchers, camera], within_s=within_s + _SPARE_S)

    def _open_sinks(self) -> None:
        events, mqtt = self.settings.events, self.settings.mqtt
        self.sinks.append(ConsoleSink(events.format))
        for spec in events.sinks:
            self._add(open_sink(spec))
        if mqtt.url is not None:
            self._add(open_mqtt(mqtt.url, password_file=mqtt.password_file, ca_file=mqtt.ca))

    def _add(self, sink: QueueingSink) -> None:
        self.sinks.append(sink)
        self.vitals.queues[sink.name] = sink.queue

    def _open_watchers(self) -> None:
        """What looks on, each imported only when it is wanted: a preview brings a web server."""
        self.watchers.extend((LeaveFigures(self.vitals), GiveBack()))
        kept, roi = self.settings.snapshots, self.settings.reading.roi
        if kept.folder is not None:
            from edge.live.snapshots import Snapshots

            snapshots = Snapshots.open(kept.folder, kept.keep, kept.keep_mb, open_reader=self.reader.another, roi=roi)
            self._watch(snapshots, snapshots.forget_reader)
        if self.settings.web.serve is not None:
            from edge.web.address import parse_address
            from edge.web.preview import Preview

            preview = Preview.open(
                parse_address(self.settings.web.serve),
                self.vitals,
                source=self.source.name,
                open_reader=self.reader.another,
                roi=roi,
                timeout_s=self.settings.camera.timeout_s,
                token_file=self.settings.web.token_file,
                allow_hosts=self.settings.web.allow_hosts,
            )
            self._watch(preview, preview.forget_reader)
            _log.warning("%s", preview.greeting)
        watchdog = Watchdog.open()
        if watchdog is not None:
            self.watchers.append(watchdog)

    def _watch(self, watcher: Watcher, forget_reader: Callable[[], None]) -> None:
        self.watchers.append(watcher)
        self.reader.on_change.append(forget_reader)
