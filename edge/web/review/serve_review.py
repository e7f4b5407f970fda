"""A review served until the person who began it ends it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from edge.live.stop import StopSignals
from edge.web.access import Access
from edge.web.address import parse_address
from edge.web.serve import Server, need_web

_TICK_S = 0.2


def serve_review(
    job: Path,
    address: str,
    *,
    twice: bool = False,
    max_error: float | None = None,
    token_file: Path | None = None,
    allow_hosts: Iterable[str] = (),
) -> bool:
    """Serve the review of a job at `[HOST:]PORT` until SIGTERM, or True, Ctrl-C; its address is a line on stderr.

    Raises JobError if the job is absent or broken, SinkError if the address is taken, UsageError for an address that is
    none, a token that cannot be used or the extra `web` that is not installed.
    """
    need_web()
    from edge.web.review.app import Review, review_app

    place = parse_address(address)
    access = Access.open(place, token_file=token_file, allow_hosts=allow_hosts)
    with (
        closing(Review(job, twice=twice, max_error=max_error)) as review,
        StopSignals() as stop,
        Server.start(review_app(review), place, access) as server,
    ):
        print(f"review of {job}: {server.greeting}  (Ctrl-C ends it)", file=sys.stderr, flush=True)  # noqa: T201
        while not stop.stopped():
            time.sleep(_TICK_S)
    return stop.interrupted()
