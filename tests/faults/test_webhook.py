"""A webhook whose server fails, stalls, refuses, redirects, is away."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.errors import UsageError
from edge.patience import Patience
from edge.sinks import webhook
from edge.sinks.queued import QueuedSink
from edge.sinks.webhook import TOKEN, open_webhook
from tests.faults.brokers import make_certificates
from tests.faults.hooks import Hook, Post
from tests.faults.streams import listener
from tests.sinks.events import event, wait_for

QUICK = Patience(first_s=0.02, most_s=0.05, refused_s=0.05)
Opener = Callable[[str], QueuedSink]


@pytest.fixture
def hook() -> Iterator[Hook]:
    server = Hook()
    yield server
    server.close()


@pytest.fixture
def opener(tmp_path: Path) -> Iterator[Opener]:
    """Opens webhooks whose retries are quick, and closes them."""
    sinks: list[QueuedSink] = []

    def open_quick(url: str) -> QueuedSink:
        sinks.append(open_webhook(url, state=tmp_path / "state", patience=QUICK))
        return sinks[-1]

    yield open_quick
    for sink in sinks:
        sink.close(0.2)


def numbered(*numbers: int) -> list[str]:
    return [f"a-{number}" for number in numbers]


def test_each_event_is_posted_once_in_order_with_its_id(hook: Hook, opener: Opener) -> None:
    sink = opener(hook.url + "?key=s3cret")
    for number in range(20):
        sink.write(event(number))
    wait_for(lambda: sink.queue.delivered == 20)
    assert hook.taken == numbered(*range(20))
    first = hook.posts[0]
    assert (first.path, first.event["text"]) == ("/hook?key=s3cret", "42")
    assert (first.headers["Content-Type"], first.headers["Idempotency-Key"]) == ("application/json", "a-0")
    assert "Authorization" not in first.headers
    assert "s3cret" not in sink.name and "hook" not in sink.name


def test_the_token_goes_along(hook: Hook, opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, "abc\n")
    opener(hook.url).write(event())
    wait_for(lambda: bool(hook.posts))
    assert hook.posts[0].headers["Authorization"] == "Bearer abc"


@pytest.mark.parametrize("status", [401, 404, 408, 429, 500, 503])
def test_a_server_that_fails_gets_it_again_and_nothing_is_overtaken(hook: Hook, opener: Opener, status: int) -> None:
    answers = iter([status] * 3)
    hook.answer = lambda _: next(answers, 200)
    sink = opener(hook.url)
    sink.write(event(1))
    sink.write(event(2))
    wait_for(lambda: sink.queue.delivered == 2)
    assert hook.taken == numbered(1, 2)
    assert [post.event["id"] for post in hook.posts] == numbered(1, 1, 1, 1, 2)


def test_an_event_that_is_refused_is_dropped_counted_and_said_once(
    hook: Hook, opener: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    hook.answer = lambda post: 422 if post.event["frame"] < 3 else 200
    sink = opener(hook.url)
    for number in range(5):
        sink.write(event(number))
    wait_for(lambda: sink.queue.waiting == 0)
    assert hook.taken == numbered(3, 4)
    assert (sink.queue.dropped, sink.queue.delivered) == (3, 2)
    assert caplog.text.count("refuses event") == 1


def test_an_event_over_which_the_server_stumbles_does_not_block_the_others(hook: Hook, opener: Opener) -> None:
    hook.answer = lambda post: 500 if post.event["frame"] == 1 else 200
    sink = opener(hook.url)
    for number in range(4):
        sink.write(event(number))
    wait_for(lambda: sink.queue.waiting == 0)
    assert hook.taken == numbered(0, 2, 3)
    assert (sink.queue.dropped, sink.queue.delivered) == (1, 3)


def test_a_server_that_stalls_is_left_and_gets_it_again(
    hook: Hook, opener: Opener, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "_ANSWER_S", 0.5)
    stalled = threading.Event()

    def stall_once(_: Post) -> int:
        if not stalled.is_set():
            stalled.set()
            hook.ended.wait(30)
        return 200

    hook.answer = stall_once
    sink = opener(hook.url)
    sink.write(event(1))
    wait_for(lambda: sink.queue.delivered == 1)
    assert "no answer in" in caplog.text
    assert {post.event["id"] for post in hook.posts} == {"a-1"} and len(hook.posts) > 1


def test_a_server_that_is_away_is_said_once_and_gets_all_when_it_is_there(
    opener: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    server = Hook()
    server.answer = lambda _: 503
    sink = opener(server.url)
    for number in range(50):
        sink.write(event(number))
    wait_for(lambda: len(server.posts) > 5)
    assert sink.queue.waiting == 50 and not sink.queue.connected
    server.answer = lambda _: 200
    wait_for(lambda: sink.queue.waiting == 0)
    assert server.taken == numbered(*range(50))
    assert caplog.text.count("trying again until") == 1 and "answers again" in caplog.text
    server.close()


def test_what_is_no_http_is_no_answer(opener: Opener, caplog: pytest.LogCaptureFixture) -> None:
    with listener(b"\x00nonsense\r\n") as url:
        sink = opener(url)
        sink.write(event())
        wait_for(lambda: "trying again until" in caplog.text)
        assert sink.queue.waiting == 1
        sink.close(0.2)


def test_an_answer_whose_body_does_not_come_is_an_answer(hook: Hook, opener: Opener) -> None:
    hook.answer = lambda _: (200, {"Content-Length": str(10**10)})
    sink = opener(hook.url)
    sink.write(event(1))
    sink.write(event(2))
    wait_for(lambda: sink.queue.delivered == 2)
    assert hook.taken == numbered(1, 2)


def test_no_redirect_is_followed(hook: Hook, opener: Opener, caplog: pytest.LogCaptureFixture) -> None:
    other = Hook()
    hook.answer = lambda _: (307, {"Location": other.url})
    sink = opener(hook.url)
    sink.write(event())
    wait_for(lambda: len(hook.posts) > 2)
    assert not other.posts and sink.queue.waiting == 1
    assert "answers 307 to http://127.0.0.1; name that address" in caplog.text
    other.close()


def test_plain_http_where_tls_is_wanted_is_not_sent_to(
    hook: Hook, opener: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    sink = opener(hook.url.replace("http", "https"))
    sink.write(event())
    wait_for(lambda: "TLS" in caplog.text)
    assert not hook.posts and sink.queue.waiting == 1


def test_tls_with_a_ca_of_ones_own_and_not_without(
    tmp_path: Path, opener: Opener, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_certificates(tmp_path, "IP:127.0.0.1")
    server = Hook(certificates=tmp_path)
    sink = opener(server.url)
    sink.write(event(1))
    wait_for(lambda: "certificate is not trusted" in caplog.text)
    sink.close(0.1)
    assert not server.posts
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    opener(server.url)
    wait_for(lambda: server.taken == numbered(1))
    server.close()


def test_retry_after_is_kept_to_within_bounds() -> None:
    assert webhook._retry_after("7") == 7
    assert webhook._retry_after("99999999999") == 300
    assert webhook._retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert [webhook._retry_after(value) for value in (None, "", "soon", "-3", "1e400", "²")] == [None] * 6


def test_the_end_waits_no_longer_than_it_is_told(opener: Opener) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sink = opener(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        sink.write(event())
        began = time.monotonic()
        sink.close(0.3)
        assert time.monotonic() - began < 10 and sink.queue.waiting == 1


def test_what_is_queued_is_posted_before_the_end(hook: Hook, opener: Opener) -> None:
    sink = opener(hook.url)
    for number in range(30):
        sink.write(event(number))
    sink.close(30)
    assert hook.taken == numbered(*range(30))


def test_what_waited_is_posted_by_the_next_run(opener: Opener, hook: Hook) -> None:
    hook.answer = lambda _: 503
    sink = opener(hook.url)
    sink.write(event(1))
    sink.close(0.1)
    hook.answer = lambda _: 200
    opener(hook.url)
    wait_for(lambda: hook.taken == numbered(1))


@pytest.mark.parametrize(
    "url",
    ["http://user:s3cret@host/", "https://s3cret@host/", "http://", "http://host:99999/s3cret", "http://a b/s3cret"],
)
def test_a_bad_address_is_refused_without_repeating_its_secrets(url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"give http|set INKEDGE_WEBHOOK_TOKEN") as caught:
        open_webhook(url, state=tmp_path)
    assert "s3cret" not in str(caught.value)


def test_nothing_of_the_address_but_its_host_is_ever_logged(opener: Opener, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "edge")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        sink = opener(f"http://127.0.0.1:{taken.getsockname()[1]}/services/s3cret?key=s3cret")
        sink.write(event())
        wait_for(lambda: "it does not listen" in caplog.text)
        sink.close(0.2)
    assert "s3cret" not in "".join(record.message for record in caplog.records if record.name.startswith("edge"))
