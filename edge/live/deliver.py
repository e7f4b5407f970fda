"""What is done with each step of a run: its events go to the sinks, and whoever looks on sees it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from edge.errors import EdgeError
from edge.live.loop import Step, Watcher
from edge.sinks.base import Sink

_log = logging.getLogger(__name__)


def deliver(steps: Iterable[Step], sinks: Sequence[Sink], watchers: list[Watcher]) -> Iterator[Step]:
    """The same steps, each delivered: first to the sinks, in order, so that no onlooker can cost an event.

    A watcher that fails is told of once and taken from the list: a run of months does not end for a picture of it.
    Raises SinkError from a sink that cannot keep an event at all.
    """
    for step in steps:
        for event in step.events:
            for sink in sinks:
                sink.write(event)
        for watcher in tuple(watchers):
            try:
                watcher.see(step)
            except Exception as error:  # whatever it is, the readings are worth more
                watchers.remove(watcher)
                _log.error("%s: %s; it is left out, the run goes on", type(watcher).__name__, error)
                _log.info("", exc_info=error)
                _close_quietly(watcher)
        yield step


def _close_quietly(watcher: Watcher) -> None:
    try:
        watcher.close()
    except Exception as error:
        _log.info("%s: closing it failed", type(watcher).__name__, exc_info=error)


def close_together(closers: Iterable[tuple[str, Callable[[], None]]], *, within_s: float) -> None:
    """Close all at once, each in a thread of its own, and wait at most so long for the slowest.

    One after the other they could take the sum of their times, and a service that is told to end has 2 s. What is not
    closed by then is named on stderr and left to the end of the program. Raises the first EdgeError, after all ended.
    """
    failures: list[Exception] = []

    def close(name: str, call: Callable[[], None]) -> None:
        try:
            call()
        except EdgeError as error:
            failures.append(error)
        except Exception as error:
            _log.error("%s: closing it failed: %s", name, error, exc_info=error)

    threads = [threading.Thread(target=close, args=one, name=f"end of {one[0]}", daemon=True) for one in closers]
    for thread in threads:
        thread.start()
    end = time.monotonic() + within_s
    for thread in threads:
        thread.join(max(end - time.monotonic(), 0.0))
        if thread.is_alive():
            _log.warning("%s: not ended after %.1f s; it is left as it is", thread.name, within_s)
    if failures:
        raise failures[0]
