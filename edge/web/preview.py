"""The preview: a browser's view of a run. It only takes notes of each step; all else is done in other threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from edge.live.loop import Step
from edge.live.vitals import Vitals
from edge.values import Box
from edge.web.access import Access
from edge.web.address import Address
from edge.web.insight import InsightMaker, TracingReader
from edge.web.metrics import metrics_text
from edge.web.pictures import Draw, Picture, PictureMaker, Seen, draw_ink, draw_step
from edge.web.product import Product
from edge.web.pulse import PulseMaker
from edge.web.recent import Recent
from edge.web.serve import Server, need_web

PICTURES_PER_S = 10.0
_INK_PER_S = 5.0
_INK_SHARE = 0.1  # of a core
_SEEN_PER_S = 2.0
_SEEN_SHARE = 0.1  # of a core: the frame is read once more
_PULSES_PER_S = 2.0


class Preview:
    """A Watcher that serves `/` and the rest of --serve. All that it makes is made only while somebody looks."""

    def __init__(
        self,
        vitals: Vitals,
        *,
        source: str,
        open_reader: Callable[[], TracingReader],
        roi: Box | None = None,
        timeout_s: float = 5.0,
        per_s: float = PICTURES_PER_S,
    ) -> None:
        self.recent = Recent()
        self._vitals = vitals
        self._timeout_s = timeout_s
        self._seen: Seen | None = None
        self._insight = InsightMaker(lambda: self._seen.step if self._seen else None, open_reader, roi)
        pulse = PulseMaker(lambda: self._seen, vitals, source=source, lost_s=timeout_s)

        def pictures(draw: Draw) -> PictureMaker:
            return PictureMaker(lambda: self._seen, draw, roi=roi, lost_s=timeout_s)

        self.pictures = {
            "picture": Product[Picture]("preview's picture", pictures(draw_step), per_s=per_s),
            "ink": Product[Picture](
                "preview's ink", pictures(draw_ink), per_s=min(per_s, _INK_PER_S), share=_INK_SHARE
            ),
        }
        self.insights = Product[str]("preview's insight", self._insight, per_s=_SEEN_PER_S, share=_SEEN_SHARE)
        self.pulses = Product[str]("preview's pulse", pulse, per_s=_PULSES_PER_S)
        self._server: Server | None = None

    @classmethod
    def open(
        cls,
        address: Address,
        vitals: Vitals,
        *,
        source: str,
        open_reader: Callable[[], TracingReader],
        roi: Box | None = None,
        timeout_s: float = 5.0,
        token_file: Path | None = None,
        allow_hosts: Iterable[str] = (),
    ) -> Preview:
        """Serve the preview of a run at address; `greeting` is the line for people.

        source: the camera's name, shown. open_reader: another reader like the one of the run, for a thread of its own.
        timeout_s: without a frame for so long the camera counts as lost. Raises UsageError for a token or host that is
        none, or without the extra `web`; SinkError if the address cannot be served.
        """
        need_web()
        from edge.web.app import preview_app

        access = Access.open(address, token_file=token_file, allow_hosts=allow_hosts)
        preview = cls(vitals, source=source, open_reader=open_reader, roi=roi, timeout_s=timeout_s)
        try:
            preview._server = Server.start(preview_app(preview), address, access)
        except BaseException:
            preview.close()
            raise
        return preview

    @property
    def server(self) -> Server:
        """The running server."""
        if self._server is None:
            raise RuntimeError("this preview is not served")
        return self._server

    @property
    def greeting(self) -> str:
        """Where to look: `preview at http://…/`, with the token if it was made here."""
        return f"preview at {self.server.greeting}"

    @property
    def begun(self) -> bool:
        """True once a frame was read."""
        return self._seen is not None

    @property
    def healthy(self) -> bool:
        """True while frames come."""
        return self._vitals.fresh(self._timeout_s)

    def see(self, step: Step) -> None:
        """Note the newest step; whoever looks will be shown it."""
        self._seen = Seen(step=step, at=time.monotonic())
        if step.events:
            self.recent.add(step.events)

    def forget_reader(self) -> None:
        """The run reads with other settings or models now: open_reader is asked again."""
        self._insight.forget_reader()

    def metrics(self) -> str:
        """The vitals for Prometheus."""
        streams = (product.looking for product in self.pictures.values())
        return metrics_text(self._vitals, viewers=sum(streams) + self.recent.listening)

    def close(self) -> None:
        """End the streams, the server and all threads; as often as wanted."""
        products: tuple[Product[Any], ...] = (*self.pictures.values(), self.insights, self.pulses)
        for product in products:
            product.end()
        self.recent.end()
        if self._server is not None:
            self._server.close()
        for product in products:
            product.close()
