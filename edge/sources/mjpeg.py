"""MJPEG over http, read so that the newest picture is the one decoded, however slowly this machine decodes."""

from __future__ import annotations

import re
import select
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from threading import Event
from typing import Protocol, cast
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import (
    HTTPBasicAuthHandler,
    HTTPDefaultErrorHandler,
    HTTPDigestAuthHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPPasswordMgrWithDefaultRealm,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
)

import cv2
import numpy as np

from edge.errors import SourceError
from edge.sources.addresses import shown_address
from edge.sources.base import SourceBase
from edge.sources.camera import READ_PART, StreamSource
from edge.sources.decode import check_size, quiet_opencv
from edge.sources.headers import read_header
from edge.values import Frame, Image

_START, _END = b"\xff\xd8\xff", b"\xff\xd9"
_LENGTH = re.compile(rb"(?i)content-length:[ \t]*(\d{1,9})")
_HEAD_BYTES = 1024  # a part's header is shorter
_CHUNK_BYTES = 1 << 18
_MOST_BYTES = 64 << 20  # of pictures not yet taken apart; what is more is no camera's
_MOST_MEGAPIXELS = 100.0
_DRAIN_S = 0.1  # a server that sends without a pause is looked at all the same


class _Readable(Protocol):
    def fileno(self) -> int: ...


class MjpegSource(SourceBase):
    """A camera that sends JPEGs over http or https; any other stream there is left to FFmpeg.

    All that has come is read before a picture is decoded, and only the newest is: a frame is as old as its arrival, and
    no queue grows where decoding is slower than the camera. Each picture has its own size. broken counts those that are
    cut off or do not decode. name is the address without what is secret in it; its user and password are sent as basic
    or digest authentication asks for.
    """

    live = True
    moving = True

    def __init__(self, url: str, *, timeout_s: float = 5.0) -> None:
        self.name = shown_address(url)
        self._url = url
        self._timeout_s = timeout_s
        self._patience_s = READ_PART * timeout_s
        self._index = 0
        self._closed = Event()
        self._fallback: StreamSource | None = None

    def __iter__(self) -> Iterator[Frame]:
        quiet_opencv()
        with self._connect() as answer:
            held = self._read_first(answer)
            if held is not None:
                yield from self._frames(answer, held)
                return
        self._fallback = StreamSource(self._url, timeout_s=self._timeout_s)
        if not self._closed.is_set():
            yield from self._fallback

    def close(self) -> None:
        """Stop after the frame that is being fetched; as often as wanted."""
        self._closed.set()
        if self._fallback is not None:
            self._fallback.close()

    def _connect(self) -> HTTPResponse:
        try:
            return cast(HTTPResponse, _opener(self._url).open(_without_user(self._url), timeout=self._patience_s))
        except HTTPError as error:
            reason = f"it answers {error.code} {error.reason}"
            error.close()
        except TimeoutError:
            reason = f"no answer in {self._patience_s:.0f} s"
        except URLError as error:
            reason = getattr(error.reason, "strerror", None) or str(error.reason)
        except (HTTPException, OSError, ValueError) as error:
            reason = f"what answers is not http: {type(error).__name__}"
        raise SourceError(
            f"camera {self.name}: no video stream there ({reason}); is the address right, and does the server run?"
        )

    def _read_first(self, answer: HTTPResponse) -> bytearray | None:
        """The beginning of a stream of JPEGs; None if it is another stream. Not every server names the type."""
        held = bytearray(self._read(answer))
        if answer.headers.get_content_maintype() == "multipart":
            return held
        while _START not in held and len(held) < _HEAD_BYTES and b"--".startswith(held.lstrip(b"\r\n")[:2]):
            held += self._read(answer)
        return held if _START in held else None

    def _read(self, answer: HTTPResponse) -> bytes:
        """What has come, waiting for it. Raises SourceError if nothing comes, or no more."""
        try:
            content = answer.read1(_CHUNK_BYTES)
        except (HTTPException, OSError, ValueError) as error:
            raise SourceError(f"camera {self.name}: the stream stopped ({error}); is the server alive?") from error
        if not content:
            raise SourceError(f"camera {self.name}: the stream stopped; is the server alive?")
        return content

    def _frames(self, answer: HTTPResponse, held: bytearray) -> Iterator[Frame]:
        came = time.monotonic()
        while not self._closed.is_set():
            picture, now = _take_newest(held), time.time()
            if picture is not None:
                came = time.monotonic()
                pixels = self._decode(picture)
                if pixels is not None:
                    yield Frame(pixels=pixels, index=self._index, time=now, source=self.name)
                    self._index += 1
            if time.monotonic() - came > self._patience_s or len(held) > _MOST_BYTES:
                raise SourceError(f"camera {self.name}: the stream holds no pictures; is it the camera's address?")
            held += self._read(answer)
            until = time.monotonic() + _DRAIN_S
            with suppress(SourceError):  # of an end it is told again, after what came before it
                while _has_more(answer) and time.monotonic() < until:
                    held += self._read(answer)

    def _decode(self, picture: bytes) -> Image | None:
        """Pixels (H, W, 3) BGR uint8; None, and counted, if it is cut off or does not decode."""
        try:
            header = read_header("jpeg", picture)
            check_size(header.width, header.height, _MOST_MEGAPIXELS)
            flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
            pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), flags)
        except (SourceError, cv2.error):
            pixels = None
        if pixels is None:
            self.broken += 1
        return cast(Image | None, pixels)


def _take_newest(held: bytearray) -> bytes | None:
    """Take the whole pictures out of what has come and return the last; None if there is none yet."""
    newest = None
    while True:
        start = held.find(_START)
        if start < 0:
            del held[:-_HEAD_BYTES]
            return newest
        lengths = _LENGTH.findall(held, max(0, start - _HEAD_BYTES), start)
        if lengths:
            end = start + int(lengths[-1])
        else:
            end = held.find(_END, start) + len(_END)
            if end < len(_END):
                return newest
        if end > len(held):
            return newest
        newest = bytes(held[start:end])
        del held[:end]


def _has_more(answer: HTTPResponse) -> bool:
    """Whether more has come that can be read without waiting."""
    return bool(select.select([cast(_Readable, answer)], [], [], 0)[0])


def _opener(url: str) -> OpenerDirector:
    """What opens http and https and nothing else, redirected or not, past no proxy."""
    opener = OpenerDirector()
    handlers = [HTTPHandler(), HTTPSHandler(), HTTPRedirectHandler(), HTTPDefaultErrorHandler(), HTTPErrorProcessor()]
    for handler in handlers:
        opener.add_handler(handler)
    parts = urlsplit(url)
    if parts.username is not None:
        passwords = HTTPPasswordMgrWithDefaultRealm()
        user, password = unquote(parts.username), unquote(parts.password or "")
        passwords.add_password(None, _without_user(url), user, password)  # None: any realm
        opener.add_handler(HTTPBasicAuthHandler(passwords))
        opener.add_handler(HTTPDigestAuthHandler(passwords))
    return opener


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
