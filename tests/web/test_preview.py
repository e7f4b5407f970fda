"""The preview as programs see it: pictures, events, health, metrics; and what it costs the run it looks at."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, aclosing
from http.client import HTTPResponse
from threading import enumerate as all_threads
from typing import Any

import cv2
import numpy as np
import pytest

from edge.live.vitals import Vitals
from edge.sinks.base import Waiting
from edge.values import Box, Image
from edge.web import connection
from edge.web.address import Address
from edge.web.pictures import PictureMaker, Seen, draw_ink, draw_step
from edge.web.preview import Preview
from edge.web.product import Product
from edge.web.recent import KEPT

from .conftest import Served
from .visits import TracingReader, ask, call, eventually, make_step, opened


def decoded(jpeg: bytes) -> Image:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def parts(stream: HTTPResponse) -> Iterator[bytes]:
    """JPEGs of an MJPEG stream."""
    while True:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += stream.read(1)
        length = re.search(rb"Content-Length: (\d+)", head)
        assert length, head
        yield stream.read(int(length[1]))


def messages(stream: HTTPResponse) -> Iterator[dict[str, str]]:
    """Server-sent events: their fields; comments as field ""."""
    fields: dict[str, str] = {}
    while True:
        line = stream.readline().decode().rstrip("\n")
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        elif fields:
            yield fields
            fields = {}


def events(stream: HTTPResponse) -> Iterator[tuple[str, dict[str, Any]]]:
    """(id, content) of each event."""
    for message in messages(stream):
        if "data" in message and "event" not in message:
            yield message["id"], json.loads(message["data"])


def named(stream: HTTPResponse, name: str) -> Iterator[dict[str, Any]]:
    """Contents of the events of this name."""
    for message in messages(stream):
        if message.get("event") == name:
            yield json.loads(message["data"])


def test_the_stream_moves_and_shows_what_was_read(served: Served) -> None:
    with opened(served.address, "/stream.mjpg") as stream:
        assert stream.headers["Content-Type"].startswith("multipart/x-mixed-replace")
        given = parts(stream)
        shots = [decoded(next(given)) for _ in range(5)]
    corners = [int(shot[110, 110].mean()) for shot in shots]  # each frame is lighter than the last
    assert corners == sorted(corners) and corners[0] < corners[-1]
    assert shots[0].shape == (120, 120, 3)
    green = shots[0][..., 1].astype(int) - shots[0][..., 2]
    assert (green > 40).any(), "a box is drawn"


def test_the_ink_is_a_stream_of_its_own(served: Served) -> None:
    shots = [decoded(ask(served.address, f"/snapshot.jpg?view={view}").body) for view in ("picture", "ink")]
    assert shots[0][110, 110].mean() < 250 <= shots[1][110, 110].mean(), "paper without ink is white"
    assert ask(served.address, "/stream.mjpg?view=other").status == 404


def test_a_snapshot_is_a_picture_of_now(served: Served) -> None:
    answer = ask(served.address, "/snapshot.jpg")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg")
    assert decoded(answer.body).shape == (120, 120, 3)


def test_head_is_answered_at_once(served: Served) -> None:
    for path in ("/", "/stream.mjpg", "/readings", "/live", "/snapshot.jpg", "/metrics", "/healthz"):
        answer = ask(served.address, path, method="HEAD")
        assert (answer.status, answer.body) == (200, b""), path
    assert ask(served.address, "/", method="POST", body=b"x").status == 405


def test_events_come_as_edge_run_prints_them(served: Served) -> None:
    with opened(served.address, "/readings") as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        name, event = next(events(stream))
    assert event["id"] == name
    assert (event["event"], event["text"], event["status"]) == ("appeared", "42", "read")
    assert {"time", "frame", "confidence", "box", "digits", "track"} <= event.keys()


def test_a_new_listener_hears_only_new_events(served: Served) -> None:
    assert eventually(lambda: served.run.frames > 60)
    before = served.run.frames
    with opened(served.address, "/readings") as stream:
        _, event = next(events(stream))
    assert event["frame"] >= before - 1


def test_who_was_cut_off_hears_what_he_missed_each_once_in_order(served: Served) -> None:
    with opened(served.address, "/readings") as stream:
        given = events(stream)
        last, _ = next(given)
    first = int(last[1:])
    assert eventually(lambda: served.run.frames > first + 80)
    with opened(served.address, "/readings", {"Last-Event-ID": last}) as stream:
        given = events(stream)
        again = [int(next(given)[0][1:]) for _ in range(4)]
    assert again == [first + 25, first + 50, first + 75, first + 100]


def test_after_an_unknown_id_all_that_is_kept_comes() -> None:
    preview = Preview.open(Address(port=0), Vitals(), source="test", open_reader=TracingReader)
    try:
        for index in range(KEPT + 50):
            preview.see(make_step(index, happening="appeared"))
        with opened(preview.server.address, "/readings", {"Last-Event-ID": "of another run"}) as stream:
            given = events(stream)
            heard = [next(given)[0] for _ in range(KEPT)]
        assert heard == [f"e{index}" for index in range(50, KEPT + 50)]
    finally:
        preview.close()


def test_a_silent_stream_beats(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    served.run.stop()
    monkeypatch.setattr("edge.web.app._BEAT_S", 0.1)
    with opened(served.address, "/readings") as stream:
        given = messages(stream)
        next(given)
        assert next(given) == {"": "beat"}


def test_the_page_is_told_what_goes_on(served: Served) -> None:
    served.vitals.queues["mqtt"] = Waiting(waiting=3, dropped=1, connected=False)
    with opened(served.address, "/live") as stream:
        pulses = named(stream, "pulse")
        next(pulses)
        pulse = next(pulses)
    assert pulse["source"] == "test" and pulse["size"] == [120, 120]
    assert pulse["fps"] > 0 and pulse["latency_ms"] == pytest.approx(20.0)
    assert pulse["shown"] == [{"text": "42", "confidence": 0.98, "status": "read"}]
    assert pulse["queues"] == [{"name": "mqtt", "waiting": 3, "dropped": 1, "connected": False}]
    assert not pulse["lost"] and not pulse["waiting"]


def test_the_page_gets_the_very_tensors_that_the_network_saw(served: Served) -> None:
    with opened(served.address, "/live") as stream:
        insight = next(named(stream, "insight"))
    (seen,) = insight["readings"]
    assert (seen["text"], insight["threshold"]) == ("42", 0.9)
    tensor = np.frombuffer(base64.b64decode(seen["digits"][0]["tensor"]), np.uint8).reshape(28, 28)
    assert tensor[10, 10] == 255 and tensor[0, 0] == 0 and tensor.sum() == 255 * 144
    assert seen["digits"][0]["shares"] == [["4", 0.99], ["7", 0.01]]
    ink = cv2.imdecode(np.frombuffer(base64.b64decode(seen["ink"]["png"]), np.uint8), cv2.IMREAD_UNCHANGED)
    assert ink is not None and ink.shape == (30, 40) and (np.asarray(ink) == 55).all()


def test_health_is_fresh_frames_and_nothing_else(served: Served) -> None:
    assert eventually(lambda: ask(served.address, "/healthz").status == 200)
    assert ask(served.address, "/healthz").body == b"ok\n"
    served.run.stop()
    served.vitals.seen = time.monotonic() - 6
    answer = ask(served.address, "/healthz")
    assert (answer.status, answer.body) == (503, b"not ok\n")


def test_before_the_first_frame_nothing_is_fine_and_nothing_fails() -> None:
    preview = Preview.open(Address(port=0), Vitals(), source="test", open_reader=TracingReader)
    try:
        address = preview.server.address
        assert ask(address, "/healthz").status == 503
        assert ask(address, "/snapshot.jpg").status == 503
        with opened(address, "/live") as stream:
            pulse = next(named(stream, "pulse"))
        assert pulse["waiting"] and pulse["fps"] is None and pulse["size"] == [0, 0]
        assert b"frame_age_seconds NaN" in ask(address, "/metrics").body
    finally:
        preview.close()


def test_a_lost_camera_is_shown_grey_with_the_seconds_counting() -> None:
    seen = Seen(step=make_step(150, side=200), at=time.monotonic())
    maker = PictureMaker(lambda: seen, draw_step, roi=None, lost_s=5.0)
    fresh = maker()
    assert fresh is not None and fresh.silent_s is None
    assert maker() is None, "nothing newer"
    seen = Seen(step=seen.step, at=time.monotonic() - 12)
    lost = maker()
    assert lost is not None and lost.silent_s is not None and 12 <= lost.silent_s < 12 + 30
    picture = decoded(lost.jpeg)
    assert picture[190, 190].mean() < decoded(fresh.jpeg)[190, 190].mean() / 1.5
    assert np.ptp(picture.astype(int), axis=2).max() < 12, "no colour is left"
    assert picture.max() > 200, "words are on it"


@pytest.mark.parametrize("draw", [draw_step, draw_ink])
def test_what_is_not_read_is_dimmed_and_a_large_picture_made_small(draw: Any) -> None:
    seen = Seen(step=make_step(199, side=2600), at=time.monotonic())
    roi = Box(left=0, top=0, right=2600, bottom=1300)
    made = PictureMaker(lambda: seen, draw, roi=roi, lost_s=5.0)()
    assert made is not None
    picture = decoded(made.jpeg)
    assert picture.shape == (1280, 1280, 3)
    assert picture[1000, 700].mean() < picture[500, 700].mean() / 1.5


def test_the_insight_reads_only_the_region_of_the_run() -> None:
    class Sized(TracingReader):
        sizes: list[tuple[int, ...]] = []  # noqa: RUF012 - filled by the one test

        def read(self, pixels: Image, trace: Any = None) -> Any:
            self.sizes.append(pixels.shape)
            return super().read(pixels, trace)

    roi = Box(left=10, top=20, right=110, bottom=70)
    preview = Preview.open(Address(port=0), Vitals(), source="test", open_reader=Sized, roi=roi)
    try:
        preview.see(make_step(0))
        with opened(preview.server.address, "/live") as stream:
            next(named(stream, "insight"))
        assert Sized.sizes[0] == (50, 100, 3)
    finally:
        preview.close()


def test_a_new_reader_is_opened_when_the_run_has_one() -> None:
    opened_readers: list[TracingReader] = []

    def open_reader() -> TracingReader:
        opened_readers.append(TracingReader())
        return opened_readers[-1]

    preview = Preview.open(Address(port=0), Vitals(), source="test", open_reader=open_reader)
    try:
        assert not opened_readers, "nobody has looked"
        preview.see(make_step(0))
        with opened(preview.server.address, "/live") as stream:
            insights = named(stream, "insight")
            next(insights)
            preview.forget_reader()
            preview.see(make_step(1))
            assert next(insights)["frame"] == 1
        assert len(opened_readers) == 2
    finally:
        preview.close()


def test_nothing_is_drawn_while_nobody_looks_and_once_for_all_who_do(served: Served) -> None:
    drawn = served.preview.pictures["picture"]
    assert eventually(lambda: served.run.frames > 20)
    assert drawn._newest[0] == 0
    with ExitStack() as held:
        viewers = [parts(held.enter_context(opened(served.address, "/stream.mjpg"))) for _ in range(4)]
        first = [next(viewer) for viewer in viewers]
        assert all(first)
        assert eventually(lambda: drawn.looking == 4)
        assert "inkedge_viewers 4\n" in ask(served.address, "/metrics").body.decode()
    assert eventually(lambda: drawn.looking == 0)
    made = drawn._newest[0]
    assert eventually(lambda: served.run.frames > 100)
    assert drawn._newest[0] <= made + 1


def test_a_viewer_that_reads_nothing_holds_up_neither_the_run_nor_the_others(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_STUCK_S", 60.0)
    served.run.stop()
    noise = np.random.default_rng(0).integers(0, 255, (720, 1280, 3)).astype(np.uint8)  # compresses to a megabyte
    request = b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n"

    def see_noise(index: int) -> None:
        step = make_step(index)
        object.__setattr__(step.frame, "pixels", noise)
        served.preview.see(step)

    with call(served.address, request, receive_buffer=4096), opened(served.address, "/stream.mjpg") as good:
        see_noise(0)
        shown = parts(good)
        for index in range(1, 13):
            next(shown)
            see_noise(index)
        assert served.preview.pictures["picture"].looking == 2, "the slow one is still there, and nobody waited for it"


def test_a_picture_that_cannot_be_drawn_is_said_once_and_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> Image:
        raise ValueError("no pencil")

    monkeypatch.setattr("edge.web.preview.draw_step", fail)
    preview = Preview.open(Address(port=0), Vitals(), source="test", open_reader=TracingReader)
    try:
        preview.see(make_step(0))
        with monkeypatch.context() as less_patient:
            less_patient.setattr("edge.web.app._SNAPSHOT_S", 0.5)
            assert ask(preview.server.address, "/snapshot.jpg").status == 503
            preview.see(make_step(1))
            assert ask(preview.server.address, "/snapshot.jpg").status == 503
        assert ask(preview.server.address, "/snapshot.jpg?view=ink").status == 200
    finally:
        preview.close()
    assert caplog.text.count("ValueError: no pencil") == 1


def test_closing_ends_every_thread_and_stream(caplog: pytest.LogCaptureFixture) -> None:
    before = set(all_threads())
    preview = Preview.open(Address(port=0), Vitals(), source="test", open_reader=TracingReader)
    preview.see(make_step(0, happening="appeared"))
    address = preview.server.address
    with opened(address, "/stream.mjpg") as stream, opened(address, "/live") as live:
        next(parts(stream))
        next(events(live))
        preview.close()
        preview.close()
        assert eventually(lambda: set(all_threads()) <= before)
    assert not caplog.records


def test_a_taken_port_leaves_no_thread_behind() -> None:
    before = set(all_threads())
    preview = Preview.open(Address(port=0), Vitals(), source="test", open_reader=TracingReader)
    try:
        with pytest.raises(Exception, match="another program uses this port"):
            Preview.open(preview.server.address, Vitals(), source="test", open_reader=TracingReader)
    finally:
        preview.close()
    assert eventually(lambda: set(all_threads()) <= before)


def test_what_is_slow_to_make_is_made_less_often() -> None:
    made: list[float] = []

    def toil() -> str:
        made.append(time.monotonic())
        end = time.thread_time() + 0.05
        while time.thread_time() < end:
            pass
        return "done"

    async def look() -> None:
        async with aclosing(product.follow(30.0)) as values:
            for _ in range(3):
                assert await anext(values) == "done"

    product = Product("toil", toil, per_s=100.0, share=0.25)
    try:
        asyncio.run(look())
    finally:
        product.close()
    assert min(np.diff(made)) >= 0.2 - 1e-3
