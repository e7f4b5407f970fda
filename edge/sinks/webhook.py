"""Events posted one by one to a web address, by urllib3 (the extra `webhook`), from an outbox."""

from __future__ import annotations

import hashlib
import logging
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from edge import __version__
from edge.errors import SinkError, UsageError
from edge.patience import Patience
from edge.sinks.courier import Courier
from edge.sinks.link import Link
from edge.sinks.outbox import Outbox, Stored
from edge.sinks.queue_file import outbox_path
from edge.sinks.queued import QueuedSink
from edge.sinks.tls import TlsContext

if TYPE_CHECKING:
    import urllib3

TOKEN = "INKEDGE_WEBHOOK_TOKEN"  # noqa: S105  (a variable's name)
_CONNECT_S, _ANSWER_S = 5.0, 10.0
_MOST_RETRY_AFTER_S = 300.0
_MOST_ANSWER_BYTES = 65536  # a longer answer is not read; the connection is given up then
# What tells of the address, the token or the server's state and not of the event: another try may go well.
_TRY_AGAIN = frozenset((401, 403, 404, 405, 407, 408, 425, 429))
_POISON_TRIES = 5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A server's answer: its status, and how long it wants to be left alone, if it says so."""

    status: int
    retry_after_s: float | None = None
    location: str = ""

    @property
    def taken(self) -> bool:
        """True if the server has the event."""
        return 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        """True if the server will never take this event."""
        return 400 <= self.status < 500 and self.status not in _TRY_AGAIN


class WebhookError(Exception):
    """No answer came."""


class Webhook:
    """POSTs events in order, each until the server takes or refuses it; no redirect is followed."""

    def __init__(self, url: str, name: str, outbox: Outbox, *, token: str, patience: Patience) -> None:
        self._url, self._name, self._outbox = url, name, outbox
        self._headers = {"Content-Type": "application/json", "User-Agent": f"inkedge/{__version__}"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._pool = _pool()
        self._link = Link(name, outbox.queue, patience)
        self._refusals: set[int] = set()
        self._poison: tuple[int, int] = (0, 0)  # the event that a server stumbles over, and how often it did

    def work(self, courier: Courier) -> None:
        """Deliver until the courier is to end."""
        while not courier.closing() or (self._outbox.queue.waiting and courier.left_s() > 0):
            waiting = self._outbox.after(0, 2)
            if not waiting:
                if courier.closing():
                    break
                courier.wait(60.0)
                continue
            delay = self._deliver(waiting, courier.left_s())
            if delay:
                if courier.closing():
                    break
                courier.pause(delay)
        self._pool.clear()

    def _deliver(self, waiting: tuple[Stored, ...], left_s: float) -> float:
        """Post the oldest event; 0 if that is settled, or how long to wait before the next try."""
        stored = waiting[0]
        try:
            answer = self._post(stored, left_s)
        except WebhookError as error:
            return self._link.failed(str(error))
        if answer.taken:
            self._link.works()
            self._refusals.clear()
            self._outbox.remove([stored.number])
            return 0.0
        if answer.refused:
            self._drop(stored, answer.status)
            return 0.0
        if self._is_poison(waiting, answer, left_s):
            self._drop(stored, answer.status)
            return 0.0
        where = f" to {_host(answer.location)}; name that address" if answer.location else ""
        delay = self._link.failed(f"it answers {answer.status}{where}", refused=answer.status < 500)
        return delay if answer.retry_after_s is None else max(delay, answer.retry_after_s)

    def _is_poison(self, waiting: tuple[Stored, ...], answer: Answer, left_s: float) -> bool:
        """True if the server stumbles (500) over the oldest event again and again and takes the next one at once."""
        number, tries = self._poison
        tries = tries + 1 if number == waiting[0].number else 1
        self._poison = (waiting[0].number, tries)
        if answer.status != 500 or tries < _POISON_TRIES or len(waiting) < 2:
            return False
        with suppress(WebhookError):
            if self._post(waiting[1], left_s).taken:
                self._outbox.remove([waiting[1].number])
                return True
        return False

    def _drop(self, stored: Stored, status: int) -> None:
        self._outbox.remove([stored.number], delivered=False)
        if status not in self._refusals:
            self._refusals.add(status)
            _log.warning(
                "%s: refuses event %s with %d; such events are dropped and counted", self._name, stored.id, status
            )

    def _post(self, stored: Stored, left_s: float) -> Answer:
        import urllib3

        timeout = urllib3.Timeout(connect=min(_CONNECT_S, left_s), read=min(_ANSWER_S, left_s))
        headers = {**self._headers, "Idempotency-Key": stored.id}
        try:
            response = self._pool.request(
                "POST",
                self._url,
                body=stored.line,
                headers=headers,
                timeout=timeout,
                redirect=False,
                retries=False,
                preload_content=False,
            )
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise WebhookError(_reason(error)) from error
        try:  # the status is the answer; a short body is read only so that the connection can be used again
            length = response.length_remaining
            if length is not None and length <= _MOST_ANSWER_BYTES:
                response.read()
                response.release_conn()
        except (urllib3.exceptions.HTTPError, OSError, ValueError):
            _log.debug("%s: the body of its answer did not come", self._name)
        finally:
            response.close()
        location = response.headers.get("Location", "") if 300 <= response.status < 400 else ""
        return Answer(
            status=response.status,
            retry_after_s=_retry_after(response.headers.get("Retry-After")),
            location=location or "",
        )


def open_webhook(url: str, *, state: Path | None = None, patience: Patience | None = None) -> QueuedSink:
    """A sink that posts to an http(s) address; INKEDGE_WEBHOOK_TOKEN, if set, goes along as a bearer token.

    Raises UsageError if the address is malformed, SinkError without a place to queue.
    """
    name = webhook_name(url)
    _pool()  # absent libraries are said now
    token = os.environ.get(TOKEN, "").strip()
    if token and not (token.isascii() and token.isprintable()):
        raise UsageError(f"{TOKEN}: a token is plain ASCII in one line; set it anew")
    outbox = Outbox(outbox_path(state, "webhook", url, urlsplit(url).hostname or ""), name=name)
    hook = Webhook(url, name, outbox, token=token, patience=patience or Patience(most_s=300.0, refused_s=300.0))
    return QueuedSink(name, outbox, hook.work)


def webhook_name(url: str) -> str:
    """What to call the address: scheme and host, since paths hold secrets; four letters tell two apart.

    Raises UsageError, which repeats no secret, if it is malformed or holds a user or password.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError("--sink http(s)://…: malformed host or port; give http(s)://HOST[:PORT]/PATH") from error
    if parts.username is not None or parts.password is not None:
        raise UsageError(f"--sink {parts.scheme}://…@{host}: no user or password in the address; set {TOKEN}")
    if not host or not url.isprintable() or " " in url:
        raise UsageError("--sink http(s)://…: it names no host or holds a blank; give http(s)://HOST[:PORT]/PATH")
    known = hashlib.sha256(url.encode()).hexdigest()[:4]
    return f"{parts.scheme}://{parts.netloc}/" + (f"…{known}" if parts.path.strip("/") or parts.query else "")


def _host(location: str) -> str:
    with suppress(ValueError):
        parts = urlsplit(location)
        if parts.hostname:
            return f"{parts.scheme}://{parts.hostname}"
    return "another path"


def _retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header (RFC 9110, 10.2.3), within bounds; None if absent or nonsense."""
    if not value:
        return None
    with suppress(ValueError, TypeError, OverflowError):
        seconds = float(value) if value.strip().isdigit() else parsedate_to_datetime(value).timestamp() - time.time()
        return min(_MOST_RETRY_AFTER_S, max(0.0, seconds))
    return None


def _reason(error: Exception) -> str:
    """Why no answer came, without the address, whose path may be secret."""
    import urllib3

    exceptions = urllib3.exceptions
    if isinstance(error, exceptions.NameResolutionError):
        return "its host name is not known"
    if isinstance(error, exceptions.NewConnectionError):
        return "it does not listen, or the way there is cut"
    if isinstance(error, exceptions.ConnectTimeoutError):
        return f"no connection in {_CONNECT_S:.0f} s"
    if isinstance(error, exceptions.TimeoutError):
        return f"no answer in {_ANSWER_S:.0f} s"
    if isinstance(error, exceptions.SSLError):
        return "its TLS certificate is not trusted, or it speaks no TLS; SSL_CERT_FILE names other authorities"
    return "the connection broke"


def _pool() -> urllib3.PoolManager:
    try:
        import urllib3
    except ModuleNotFoundError as error:
        if error.name != "urllib3":
            raise
        raise SinkError("a webhook needs urllib3: pip install 'inkedge[webhook]'") from error
    return urllib3.PoolManager(num_pools=1, maxsize=1, retries=False, ssl_context=TlsContext.of(None))
